#include "broker/method.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/notice.h"
#include "broker/operation.h"
#include "broker/params.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"

/* LINK_UNPLUG is on its way; done when the leader has confirmed it and says that no terminal shows
 * the session any more. */
struct disconnect {
	struct operation operation; /* first */
	struct call *call;
	struct session *session;
	struct terminal *terminal; /* locked with it; NULL when its door is not there */
	uint32_t serial;
	bool confirmed;
	char name[LINK_NAME_SIZE];
};

/* Unlocks and frees; the call is the caller's. */
static struct call *finish(struct disconnect *d)
{
	struct call *call = TAKE_PTR(d->call);
	if (d->session != NULL) {
		d->session->operation = NULL;
	}
	if (d->terminal != NULL) {
		d->terminal->operation = NULL;
	}
	operation_done(&d->operation);
	free(d);
	return call;
}

static void reply_done(struct disconnect *d)
{
	json_t *answer = json_pack(
		"{s:I, s:s}", "session", (json_int_t)d->session->id, "terminal", d->name);
	call_reply(finish(d), answer);
}

static void on_packet(struct operation *o, struct session *s, const struct link_simple *packet)
{
	struct disconnect *d = (struct disconnect *)o;
	if (packet->header.type != LINK_UNPLUGGED || packet->header.serial != d->serial) {
		return;
	}
	if (packet->error == 0) {
		d->confirmed = true;
		if (!session_is_active(s)) {
			reply_done(d);
		}
	} else if (packet->error == -ENOTCONN) {
		uint32_t id = s->id;
		call_fail(
			finish(d), ERROR_INVALID_STATE, "Session %u is disconnected already.", id);
	} else {
		char what[64];
		(void)snprintf(what, sizeof(what), "Session %u could not be disconnected", s->id);
		call_fail_errno(finish(d), packet->error, what);
	}
}

static void on_info(struct operation *o, struct session *s)
{
	struct disconnect *d = (struct disconnect *)o;
	if (d->confirmed && !session_is_active(s)) {
		reply_done(d);
	}
}

static void on_session_gone(struct operation *o, struct session *s, const char *why)
{
	struct disconnect *d = (struct disconnect *)o;
	uint32_t id = s->id;
	s->operation = NULL;
	d->session = NULL;
	call_fail(finish(d), ERROR_SESSION_NOT_FOUND,
		"Session %u went while it was being disconnected: %s", id, why);
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
	struct disconnect *d = (struct disconnect *)o;
	t->operation = NULL;
	d->terminal = NULL;
}

static void on_time(struct operation *o)
{
	struct disconnect *d = (struct disconnect *)o;
	if (d->confirmed) {
		reply_done(d);
		return;
	}
	uint32_t id = d->session->id;
	call_fail(finish(d), ERROR_CLIENT_NO_ANSWER, "Session %u does not respond.", id);
}

static const struct operation_kind disconnect_kind = {
	.name = "disconnect",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

static struct link_simple unplug_packet(
	const struct call *call, const struct session *s, uint32_t serial)
{
	struct link_simple packet = link_make(LINK_UNPLUG, serial);
	link_set_text(packet.terminal, s->info.terminal);
	packet.reason = call->session == s->id ? LINK_REASON_OWN_DISCONNECT
					       : LINK_REASON_ADMIN_DISCONNECT;
	notice_disconnected(packet.text, call, s);
	return packet;
}

static void start(struct call *call, struct session *s)
{
	struct broker *b = call->broker;
	char what[64];
	(void)snprintf(what, sizeof(what), "Session %u could not be disconnected", s->id);
	struct disconnect *d = calloc(1, sizeof(*d));
	if (d == NULL) {
		call_fail_errno(call, -ENOMEM, what);
		return;
	}
	operation_init(&d->operation, &disconnect_kind, b, call->uid);
	d->call = call;
	d->session = s;
	d->terminal = terminal_find(b, s->info.terminal);
	link_set_text(d->name, s->info.terminal);
	s->operation = &d->operation;
	if (d->terminal != NULL) {
		d->terminal->operation = &d->operation;
	}
	struct link_simple packet = unplug_packet(call, s, broker_serial(b));
	d->serial = packet.header.serial;
	int r = operation_wait(&d->operation, b->limits.unplug_ms);
	if (r >= 0) {
		r = session_send(s, &packet, NULL, 0);
	}
	if (r < 0) {
		call_fail_errno(finish(d), r, what);
	}
}

void method_disconnect(struct call *call)
{
	struct params p = params_of(call);
	const char *session = params_text(&p, "session");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	struct session *s;
	if (!resolve_session(&call, session, RIGHT_DISCONNECT, &s) ||
		!resolve_session_free(&call, s)) {
		return;
	}
	link_set_text(call->audit.terminal, s->info.terminal);
	if (!session_is_active(s)) {
		call_fail(call, ERROR_INVALID_STATE, "Session %u is disconnected already.", s->id);
		return;
	}
	const struct terminal *t = terminal_find(call->broker, s->info.terminal);
	if (t != NULL && !resolve_terminal_free(&call, t)) {
		return;
	}
	start(call, s);
}
