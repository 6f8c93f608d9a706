#include "broker/authorise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/method.h"
#include "broker/params.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

#define MESSAGE_SIZE 160

_Static_assert(ATTEMPTS_DELAY_MAX_MS < WARRANT_LEADER_MS, "a command would hear nothing");

/* A call that waits: for a leader's word, or, when that was a no, until it may be told so. */
struct inquiry {
	struct broker *broker;
	struct call *call;
	uint32_t session; /* asked about; 0 once the answer is known */
	uint32_t serial;
	bool counted;
	bool free;
	struct attempt attempt; /* when counted */
	enum error_code code;	/* the answer */
	char message[MESSAGE_SIZE];
	sd_event_source *timer;
	TAILQ_ENTRY(inquiry) entry;
};

static unsigned failure_delay_ms(const struct broker *b)
{
	return b->config->failure_delay * 1000;
}

static struct inquiry *inquiry_new(struct broker *b, struct call *call)
{
	struct inquiry *q = calloc(1, sizeof(*q));
	if (q == NULL) {
		return NULL;
	}
	q->broker = b;
	q->call = call;
	TAILQ_INSERT_TAIL(&b->inquiries, q, entry);
	return q;
}

/* Gives the call back; the try is over with it. */
static struct call *inquiry_end(struct inquiry *q)
{
	struct broker *b = q->broker;
	struct call *call = TAKE_PTR(q->call);
	TAILQ_REMOVE(&b->inquiries, q, entry);
	(void)sd_event_source_disable_unref(q->timer);
	if (q->counted) {
		attempts_end(b->attempts, &q->attempt);
	}
	explicit_bzero(q, sizeof(*q));
	free(q);
	return call;
}

void authorise_free_all(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->inquiries)) {
		(void)call_free(inquiry_end(TAILQ_FIRST(&b->inquiries)));
	}
}

static void answer(struct inquiry *q)
{
	char message[MESSAGE_SIZE];
	enum error_code code = q->code;
	(void)snprintf(message, sizeof(message), "%s", q->message);
	call_fail(inquiry_end(q), code, "%s", message);
}

static int on_answer_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	answer(userdata);
	return 0;
}

/* Answers at the time that the try was given; at once where nothing was counted. */
static void answer_later(struct inquiry *q, enum error_code code, const char *text)
{
	uint64_t now = clock_monotonic_ms();
	q->code = code;
	q->session = 0;
	(void)snprintf(q->message, sizeof(q->message), "%s", text);
	q->timer = sd_event_source_disable_unref(q->timer);
	if (!q->counted || q->attempt.due <= now) {
		answer(q);
		return;
	}
	if (sd_event_add_time_relative(q->broker->event, &q->timer, CLOCK_MONOTONIC,
		    (q->attempt.due - now) * 1000, TIMER_SLACK_USEC, on_answer_time, q) < 0) {
		/* No memory for a clock: an early answer would be a faster guess. */
		log_error("no memory to answer a failed try in time: its caller is dropped");
		(void)call_free(inquiry_end(q));
	}
}

static void note_failure(struct inquiry *q)
{
	struct broker *b = q->broker;
	uint64_t now = clock_monotonic_ms();
	attempts_failed(b->attempts, &q->attempt, now);
	q->call->audit.failures = attempts_of_caller(b->attempts, &q->attempt.caller, now);
}

bool authorise_begin(struct call **call, struct attempt *ret, const char *place, uid_t victim)
{
	struct broker *b = (*call)->broker;
	uid_t uid = (*call)->acting ? (*call)->door_uid : (*call)->uid;
	struct attempts_caller who = attempts_caller(uid, place);
	if (attempts_begin(b->attempts, ret, &who, victim, failure_delay_ms(b),
		    clock_monotonic_ms()) < 0) {
		call_fail(TAKE_PTR(*call), ERROR_BUSY,
			"Another password of yours is being checked at this moment.");
		return false;
	}
	if (ret->spent) {
		authorise_refuse(
			TAKE_PTR(*call), ret, false, ERROR_LOGON_FAILURE, AUTHORISE_WRONG_TEXT);
		return false;
	}
	return true;
}

void authorise_passed(struct broker *b, const struct attempt *t)
{
	attempts_passed(b->attempts, t);
	attempts_end(b->attempts, t);
}

void authorise_refuse(struct call *call, const struct attempt *t, bool wrong, enum error_code code,
	const char *text)
{
	struct broker *b = call->broker;
	struct inquiry *q = inquiry_new(b, call);
	if (q == NULL) {
		if (wrong) {
			attempts_failed(b->attempts, t, clock_monotonic_ms());
		}
		attempts_end(b->attempts, t);
		(void)call_free(call);
		return;
	}
	q->counted = true;
	q->attempt = *t;
	if (wrong) {
		note_failure(q);
	}
	answer_later(q, code, text);
}

/* What a leader's no means. */
static void refused(struct inquiry *q, int error)
{
	if (q->counted && attempts_is_failure(error)) {
		note_failure(q);
	}
	switch (-error) {
	case EKEYREJECTED:
		answer_later(q, ERROR_LOGON_FAILURE, AUTHORISE_WRONG_TEXT);
		break;
	case EKEYREVOKED:
		answer_later(q, ERROR_ACCOUNT_RESTRICTION,
			error_by_code(ERROR_ACCOUNT_RESTRICTION)->text);
		break;
	case EACCES:
	case EPERM:
	case EPROTO:
		answer_later(q, ERROR_ACCESS_DENIED,
			"The session does not accept this warrant: it is for something else.");
		break;
	case EBUSY:
		answer_later(q, ERROR_BUSY, "Somebody else is asking for this session now.");
		break;
	case ETIME:
	case ETIMEDOUT:
		answer_later(q, ERROR_CLIENT_NO_ANSWER, "No password came in time.");
		break;
	default:
		answer_later(
			q, error_by_errno(error)->code, "The session could not check the warrant.");
		break;
	}
}

/* The leader has allowed it. The caller may be gone: then nothing changes any more. */
static void granted(struct inquiry *q)
{
	uint32_t session = q->session;
	bool free_of_password = q->free;
	if (q->counted) {
		attempts_passed(q->broker->attempts, &q->attempt);
	}
	struct call *call = inquiry_end(q);
	if (call->connection == NULL) {
		call_fail(call, ERROR_CLIENT_NO_ANSWER, "The caller has gone.");
		return;
	}
	call->granted = session;
	call->granted_free = free_of_password;
	method_run(call);
}

void authorise_answered(struct session *s, const struct link_simple *packet)
{
	struct inquiry *q;
	TAILQ_FOREACH(q, &s->broker->inquiries, entry)
	{
		if (q->session == s->id && q->serial == packet->header.serial) {
			if (packet->error == 0) {
				granted(q);
			} else {
				refused(q, packet->error < 0 ? packet->error : -EINVAL);
			}
			return;
		}
	}
}

void authorise_session_gone(struct session *s)
{
	struct inquiry *q = TAILQ_FIRST(&s->broker->inquiries);
	while (q != NULL) {
		struct inquiry *next = TAILQ_NEXT(q, entry);
		if (q->session == s->id) {
			char text[MESSAGE_SIZE];
			(void)snprintf(
				text, sizeof(text), "Session %u went while it was asked.", s->id);
			answer_later(q, ERROR_SESSION_NOT_FOUND, text);
		}
		q = next;
	}
}

static int on_ask_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct inquiry *q = userdata;
	answer_later(q, ERROR_CLIENT_NO_ANSWER, "The session has not answered in time.");
	return 0;
}

/* The descriptor leaves us for good: who waits at its other end must see when the leader closes. */
static int take_warrant(struct call *call)
{
	struct params p = params_of(call);
	int fd = params_take_fd(&p, "warrant");
	(void)json_object_del(call->parameters, "warrant");
	return fd;
}

static int send_question(
	struct inquiry *q, struct session *s, const struct authorise_question *question)
{
	struct broker *b = q->broker;
	struct link_simple packet = link_make(LINK_WARRANT, broker_serial(b));
	packet.flags = question->free ? LINK_FREE_OF_PASSWORD : 0;
	link_set_text(packet.terminal, question->asking->name);
	link_set_text(packet.client, question->asking->client);
	AUTO_FD int warrant = take_warrant(q->call);
	if (warrant < 0) {
		return -EBADF;
	}
	int r = session_send(s, &packet, &warrant, 1);
	if (r < 0) {
		return r;
	}
	q->session = s->id;
	q->serial = packet.header.serial;
	return sd_event_add_time_relative(b->event, &q->timer, CLOCK_MONOTONIC,
		(uint64_t)b->limits.warrant_ms * 1000, TIMER_SLACK_USEC, on_ask_time, q);
}

void authorise_ask(struct call *call, struct session *s, const struct authorise_question *question)
{
	struct broker *b = call->broker;
	struct attempt attempt = { .victim = 0 };
	if (question->password &&
		!authorise_begin(&call, &attempt, question->place, (uid_t)s->info.uid)) {
		return;
	}
	struct inquiry *q = inquiry_new(b, call);
	if (q == NULL) {
		if (question->password) {
			attempts_end(b->attempts, &attempt);
		}
		call_fail_errno(call, -ENOMEM, "The session could not be asked");
		return;
	}
	q->counted = question->password;
	q->free = question->free;
	q->attempt = attempt;
	int r = send_question(q, s, question);
	if (r < 0) {
		call_fail_errno(inquiry_end(q), r, "The session could not be asked");
	}
}
