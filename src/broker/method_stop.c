/* Stop: the doors hear of it, every session is told to end, those that do not are ended by force,
 * then termservd is asked to end the server. The caller has its answer when the socket and the lock
 * are free again, so that the next command starts a new server and nothing is in its way. */
#include "broker/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/method.h"
#include "broker/params.h"
#include "broker/parent.h"
#include "broker/session.h"
#include "broker/terminal.h"

enum stop_state {
	STOP_LOGOFF, /* sessions end by themselves */
	STOP_RESET,  /* by force */
	STOP_PARENT, /* termservd ends */
};

struct stop {
	struct broker *broker;
	struct call *call;
	enum stop_state state;
	size_t sessions;
	sd_event_source *timer;
};

struct stop *stop_free(struct stop *s)
{
	if (s == NULL) {
		return NULL;
	}
	(void)sd_event_source_disable_unref(s->timer);
	(void)call_free(s->call);
	free(s);
	return NULL;
}

static void answer_and_end(struct stop *s)
{
	struct call *call = TAKE_PTR(s->call);
	if (call != NULL) {
		call_reply(call, json_pack("{s:I}", "sessions", (json_int_t)s->sessions));
	}
	log_info("ended with %zu sessions", s->sessions);
	(void)sd_event_exit(s->broker->event, EXIT_SUCCESS);
}

static int on_stop_time(sd_event_source *source, uint64_t usec, void *userdata);

static void wait_at_most(struct stop *s, unsigned ms)
{
	s->timer = sd_event_source_disable_unref(s->timer);
	if (sd_event_add_time_relative(s->broker->event, &s->timer, CLOCK_MONOTONIC,
		    (uint64_t)ms * 1000, TIMER_SLACK_USEC, on_stop_time, s) < 0) {
		answer_and_end(s);
	}
}

static void end_parent(struct stop *s)
{
	s->state = STOP_PARENT;
	int r = s->broker->parent != NULL ? parent_stop(s->broker->parent) : -ENOTCONN;
	if (r < 0) {
		log_error("termservd cannot be told to end: %s", strerror(-r));
		answer_and_end(s);
		return;
	}
	wait_at_most(s, s->broker->limits.end_ms / 2);
}

static void tell_sessions(const struct broker *b, enum link_type type)
{
	struct session *session;
	TAILQ_FOREACH(session, &b->sessions, entry)
	{
		struct link_simple packet = link_make(type, 0);
		packet.reason = LINK_REASON_ADMIN_LOGOFF;
		link_set_text(packet.text, "The server was ended.");
		int r = session_send(session, &packet, NULL, 0);
		if (r < 0) {
			log_warning(
				"session %u cannot be told to end: %s", session->id, strerror(-r));
		}
	}
}

static int on_stop_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct stop *s = userdata;
	switch (s->state) {
	case STOP_LOGOFF:
		s->state = STOP_RESET;
		tell_sessions(s->broker, LINK_RESET);
		wait_at_most(s, s->broker->limits.end_ms / 2);
		break;
	case STOP_RESET:
		log_error("%zu sessions did not end", s->broker->session_count);
		end_parent(s);
		break;
	case STOP_PARENT:
		log_error("termservd did not end");
		answer_and_end(s);
		break;
	}
	return 0;
}

void stop_session_gone(struct broker *b)
{
	struct stop *s = b->stop;
	if (s != NULL && s->state != STOP_PARENT && b->session_count == 0) {
		end_parent(s);
	}
}

void stop_parent_gone(struct broker *b)
{
	if (b->stop != NULL) {
		answer_and_end(b->stop);
	}
}

static void tell_doors(const struct broker *b)
{
	const struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		(void)call_continue(
			t->door, json_pack("{s:s, s:s}", "event", "stop", "terminal", t->name));
	}
}

void method_stop(struct call *call)
{
	struct params p = params_of(call);
	bool force = params_need_flag(&p, "force");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	struct broker *b = call->broker;
	if (call_decide(call, (struct policy_question){ .right = RIGHT_STOP,
				      .subject = POLICY_SERVER }) != ERROR_NONE) {
		call_fail(call, ERROR_ACCESS_DENIED, "You may not end this server.");
		return;
	}
	if (b->stopping) {
		call_fail(call, ERROR_CLOSE_PENDING, "The server is being ended already.");
		return;
	}
	if (!force && b->session_count > 0) {
		call_fail(call, ERROR_BUSY, "%zu sessions would be ended with the server.",
			b->session_count);
		return;
	}
	struct stop *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		call_fail_errno(call, -ENOMEM, "The server could not be ended");
		return;
	}
	s->broker = b;
	s->call = call;
	s->sessions = b->session_count;
	b->stop = s;
	b->stopping = true;
	tell_doors(b);
	tell_sessions(b, LINK_LOGOFF);
	wait_at_most(s, b->limits.end_ms / 2);
	stop_session_gone(b);
}
