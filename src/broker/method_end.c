/* Logoff and Reset: both end a session, the one politely. */
#include "broker/method.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/operation.h"
#include "broker/params.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"

/* Done when the session is gone. The call is NULL once it is answered. */
struct end {
	struct operation operation; /* first */
	struct call *call;
	struct session *session;
	uint32_t id;
};

static struct call *finish(struct end *e)
{
	struct call *call = TAKE_PTR(e->call);
	if (e->session != NULL) {
		e->session->operation = NULL;
	}
	operation_done(&e->operation);
	free(e);
	return call;
}

static void reply_done(struct call *call, uint32_t id)
{
	call_reply(call, json_pack("{s:I}", "session", (json_int_t)id));
}

static void on_packet(struct operation *o, struct session *s, const struct link_simple *packet)
{
}

static void on_info(struct operation *o, struct session *s)
{
}

static void on_session_gone(struct operation *o, struct session *s, const char *why)
{
	struct end *e = (struct end *)o;
	uint32_t id = e->id;
	s->operation = NULL;
	e->session = NULL;
	struct call *call = finish(e);
	if (call != NULL && s->over) {
		reply_done(call, id);
	} else if (call != NULL) {
		call_fail(
			call, ERROR_CLOSE_PENDING, "Session %u was told to end, but %s.", id, why);
	}
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
}

static void on_time(struct operation *o)
{
	struct end *e = (struct end *)o;
	uint32_t id = e->id;
	struct call *call = finish(e);
	if (call != NULL) {
		call_fail(call, ERROR_CLOSE_PENDING, "Session %u is still ending.", id);
	}
}

static const struct operation_kind logoff_kind = {
	.name = "logoff",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

static const struct operation_kind reset_kind = {
	.name = "reset",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

static void start(struct call *call, struct session *s, const struct operation_kind *kind)
{
	struct broker *b = call->broker;
	char what[64];
	(void)snprintf(what, sizeof(what), "Session %u could not be ended", s->id);
	struct end *e = calloc(1, sizeof(*e));
	if (e == NULL) {
		call_fail_errno(call, -ENOMEM, what);
		return;
	}
	operation_init(&e->operation, kind, b, call->uid);
	e->call = call;
	e->session = s;
	e->id = s->id;
	s->operation = &e->operation;
	struct link_simple packet = link_make(
		kind == &reset_kind ? LINK_RESET : LINK_LOGOFF, broker_serial(b));
	bool own = call->session == s->id;
	packet.reason = own ? LINK_REASON_OWN_LOGOFF : LINK_REASON_ADMIN_LOGOFF;
	int r = operation_wait(&e->operation, b->limits.end_ms);
	if (r >= 0) {
		r = session_send(s, &packet, NULL, 0);
	}
	if (r < 0) {
		call_fail_errno(finish(e), r, what);
		return;
	}
	if (own) {
		/* The caller ends with the session: it must have its answer before that. */
		reply_done(TAKE_PTR(e->call), s->id);
	}
}

void method_logoff(struct call *call)
{
	struct params p = params_of(call);
	const char *session = params_text(&p, "session");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	struct session *s;
	if (resolve_session(&call, session, RIGHT_LOGOFF, &s) && resolve_session_free(&call, s)) {
		link_set_text(call->audit.terminal, s->info.terminal);
		start(call, s, &logoff_kind);
	}
}

void method_reset(struct call *call)
{
	struct params p = params_of(call);
	const char *session = params_need_text(&p, "session");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	struct session *s;
	if (!resolve_session(&call, session, RIGHT_RESET, &s)) {
		return;
	}
	/* A session that hangs while it ends, or that never came up, is what reset is for. */
	bool stuck = s->operation == NULL && s->link != NULL;
	if (stuck || resolve_session_free(&call, s)) {
		link_set_text(call->audit.terminal, s->info.terminal);
		start(call, s, &reset_kind);
	}
}
