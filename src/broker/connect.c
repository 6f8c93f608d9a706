/* One connect of session S to terminal T, where S0 is what T shows before, T0 where S is before.
 *
 *   CABLE    the door of T was asked for a cable; GiveCable -> READY
 *   READY    the cable went to the leader of S (LINK_PLUG); LINK_READY -> answer, LINK_COMMIT, SWAP
 *   SWAP     the caller has its answer; LINK_PLUGGED -> SETTLE
 *   SETTLE   until the leaders of S and S0 say so themselves
 *
 * Up to READY every failure leaves everything as it was. From SWAP on nothing can be taken back:
 * what goes wrong is logged. Each state has a limit. S, T, S0 and T0 are locked all the while. */
#include "broker/connect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/hook.h"
#include "broker/login.h"
#include "broker/notice.h"
#include "broker/operation.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"

enum connect_state {
	CONNECT_CABLE,
	CONNECT_READY,
	CONNECT_SWAP,
	CONNECT_SETTLE,
};

struct connect {
	struct operation operation; /* first: the two are one */
	enum connect_state state;
	struct call *call;	 /* until it is answered */
	struct session *session; /* S; NULL when it has gone since */
	struct session *shown;	 /* S0 or NULL */
	struct terminal *terminal;
	struct terminal *former; /* T0 or NULL */
	uint32_t session_id;
	uint32_t serial;	   /* of the packet that waits for an answer */
	bool pushed;		   /* S0 was told to leave */
	bool heard;		   /* S has spoken since the swap: what it says now is the truth */
	char name[LINK_NAME_SIZE]; /* of T */
};

static void lock(struct connect *c, struct operation *holder)
{
	if (c->session != NULL) {
		c->session->operation = holder;
	}
	if (c->shown != NULL) {
		c->shown->operation = holder;
	}
	if (c->terminal != NULL) {
		c->terminal->operation = holder;
	}
	if (c->former != NULL) {
		c->former->operation = holder;
	}
}

static void finish(struct connect *c)
{
	if (c->terminal != NULL) {
		c->terminal->ticket = 0;
	}
	lock(c, NULL);
	operation_done(&c->operation);
	free(c);
}

static void fail(struct connect *c, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Before the swap: nothing has changed, and the host forgets the cable. */
static void fail(struct connect *c, enum error_code code, const char *format, ...)
{
	char message[256];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (c->state == CONNECT_READY && c->session != NULL) {
		struct link_simple abort = link_make(LINK_ABORT, c->serial);
		(void)session_send(c->session, &abort, NULL, 0);
	}
	struct call *call = TAKE_PTR(c->call);
	finish(c);
	call_fail(call, code, "%s", message);
}

/* Why a host did not accept a cable. */
static enum error_code code_of(int error)
{
	switch (-error) {
	case ERANGE:
		return ERROR_SIZE_NOT_SUPPORTED;
	case EACCES:
	case EPERM:
		return ERROR_ACCESS_DENIED;
	case EMFILE:
	case ENFILE:
		return ERROR_TOO_MANY_OPEN_FILES;
	case ENOMEM:
	case ENOBUFS:
		return ERROR_NOT_ENOUGH_MEMORY;
	case ENOSPC:
		return ERROR_DISK_FULL;
	case EBADMSG:
	case EPROTO:
	case EPROTONOSUPPORT:
		return ERROR_INCOMPATIBLE;
	case EBUSY:
		return ERROR_BUSY;
	default: /* ETIMEDOUT, and every way in which the other end can be dead */
		return ERROR_CLIENT_NO_ANSWER;
	}
}

static void fail_ready(struct connect *c, int error)
{
	enum error_code code = code_of(error);
	c->state = CONNECT_CABLE; /* the host has let the cable go already: nothing to abort */
	switch (code) {
	case ERROR_SIZE_NOT_SUPPORTED:
		fail(c, code, "Terminal %s cannot show session %u: its size is out of range.",
			c->name, c->session_id);
		break;
	case ERROR_ACCESS_DENIED:
		fail(c, code, "Session %u does not accept terminal %s: it is another user's.",
			c->session_id, c->name);
		break;
	case ERROR_CLIENT_NO_ANSWER:
		fail(c, code, "Terminal %s failed to respond to session %u.", c->name,
			c->session_id);
		break;
	case ERROR_INCOMPATIBLE:
		fail(c, code, "Terminal %s and session %u do not understand each other.", c->name,
			c->session_id);
		break;
	default:
		fail(c, code, "Session %u could not be connected to terminal %s: %s", c->session_id,
			c->name, error_by_code(code)->text);
		break;
	}
}

bool connect_is_proven(const struct call *call, const struct session *s)
{
	return call->granted == s->id && !call->granted_free;
}

/* Objects may have changed while we waited: the same questions again, of the same function. */
static bool still_allowed(struct connect *c)
{
	struct session *shown = NULL;
	bool proven = connect_is_proven(c->call, c->session);
	enum error_code code = resolve_ask_connect(c->call, c->session, c->terminal, proven).code;
	if (code == ERROR_NONE) {
		code = resolve_decide_displace(c->call, c->terminal, &shown);
	}
	if (code != ERROR_NONE) {
		fail(c, code, "You may not connect session %u to terminal %s.", c->session_id,
			c->name);
		return false;
	}
	if (shown != c->shown) {
		fail(c, ERROR_BUSY, "Terminal %s shows another session by now.", c->name);
		return false;
	}
	return true;
}

static json_t *answer(const struct connect *c)
{
	const char *former = c->session->info.terminal;
	json_t *displaced = c->shown != NULL ? json_integer((json_int_t)c->shown->id) : json_null();
	return json_pack("{s:I, s:s, s:s?, s:o, s:b}", "session", (json_int_t)c->session_id,
		"terminal", c->name, "formerTerminal", former[0] != '\0' ? former : NULL,
		"displacedSession", displaced, "unchanged", 0);
}

/* The text is what the terminal that S leaves shows. */
static struct link_simple commit_packet(const struct connect *c)
{
	struct link_simple packet = link_make(LINK_COMMIT, broker_serial(c->operation.broker));
	notice_moved(packet.text, c->call, c->session_id, c->name);
	packet.reason = LINK_REASON_TAKEN;
	link_set_text(packet.terminal, c->name);
	return packet;
}

static void send_notice(struct session *s, uint32_t flags, const char *text)
{
	struct link_simple packet = link_make(LINK_NOTICE, 0);
	packet.flags = flags;
	link_set_text(packet.text, text);
	int r = session_send(s, &packet, NULL, 0);
	if (r < 0) {
		log_warning("session %u cannot be told: %s", s->id, strerror(-r));
	}
}

/* What people shall read about this swap. It lies in packets that are sent when the caller has his
 * answer, and with it goes what the call knows of him. */
struct notices {
	bool arrival, takeover, displaced;
	char arrival_text[LINK_TEXT_SIZE];
	char takeover_text[LINK_TEXT_SIZE];
	char displaced_text[LINK_TEXT_SIZE];
};

static void compose(struct notices *n, const struct connect *c)
{
	n->arrival = notice_arrival(n->arrival_text, c->call, c->session, c->shown);
	n->takeover = notice_takeover(n->takeover_text, c->call, c->session);
	n->displaced = c->shown != NULL &&
		       notice_displaced(n->displaced_text, c->call, c->shown, c->name);
}

/* Before LINK_COMMIT, so that what S shall show stands in the first picture. */
static void announce(const struct connect *c, const struct notices *n)
{
	if (n->displaced) {
		send_notice(c->shown, LINK_NOTICE_LATER, n->displaced_text);
	}
	if (n->arrival) {
		send_notice(c->session, 0, n->arrival_text);
	}
}

static void commit(struct connect *c)
{
	struct broker *b = c->operation.broker;
	hook(b->state_fd, "connect:ready");
	if (!still_allowed(c)) {
		return;
	}
	struct link_simple packet = commit_packet(c);
	json_t *reply = answer(c);
	int r = reply != NULL ? operation_wait(&c->operation, b->limits.plugged_ms) : -ENOMEM;
	if (r < 0) {
		json_decref(reply);
		fail(c, error_by_errno(r)->code, "Session %u could not be connected: %s",
			c->session_id, strerror(-r));
		return;
	}
	c->serial = packet.header.serial;
	c->state = CONNECT_SWAP;
	c->operation.answered = true;
	struct notices notices;
	compose(&notices, c);
	/* The row is one notice's: what was kept for the owner waits until nothing else is said. */
	bool owner = c->call->uid == (uid_t)c->session->info.uid;
	packet.flags = owner && !notices.arrival ? LINK_COMMIT_NOTICE : 0;
	/* First the answer, so that what the command prints lands on the old screen. */
	call_reply(TAKE_PTR(c->call), reply);
	hook(b->state_fd, "connect:answered");
	announce(c, &notices);
	r = session_send(c->session, &packet, NULL, 0);
	if (r < 0) {
		log_error("session %u: the swap to %s was answered but not made: %s", c->session_id,
			c->name, strerror(-r));
		finish(c);
		return;
	}
	if (notices.takeover) {
		send_notice(c->session, LINK_NOTICE_LATER, notices.takeover_text);
	}
	hook(b->state_fd, "connect:committed");
}

static bool is_on(const struct session *s, const char *name)
{
	return session_is_active(s) && strcasecmp(s->info.terminal, name) == 0;
}

/* Done when S and S0 say themselves what we wanted. */
static void settle(struct connect *c)
{
	/* A terminal that went right after the swap leaves S disconnected again: that is an arrival
	 * too. */
	bool arrived = c->session == NULL || c->heard || is_on(c->session, c->name);
	bool left = c->shown == NULL || !is_on(c->shown, c->name);
	if (c->state == CONNECT_SETTLE && arrived && left) {
		finish(c);
	}
}

static void plugged(struct connect *c, int error)
{
	hook(c->operation.broker->state_fd, "connect:plugged");
	if (error != 0) {
		log_error("session %u: the swap to %s was answered but failed: %s", c->session_id,
			c->name, strerror(-error));
		finish(c);
		return;
	}
	log_debug("session %u is on %s", c->session_id, c->name);
	if (c->terminal != NULL) {
		(void)login_free(c->terminal->login);
	}
	c->state = CONNECT_SETTLE;
	if (operation_wait(&c->operation, c->operation.broker->limits.left_ms) < 0) {
		finish(c);
		return;
	}
	settle(c);
}

/* The door of T has closed S0's cable by itself by now. To be certain, S0 is told as well; not
 * earlier, so that the door sees its new picture before the word that the old one goes. */
static void push_out(struct connect *c)
{
	struct link_simple packet = link_make(LINK_UNPLUG, broker_serial(c->operation.broker));
	packet.reason = LINK_REASON_DISPLACED;
	link_set_text(packet.terminal, c->name);
	(void)snprintf(packet.text, sizeof(packet.text), "Session %u is on this terminal now.",
		c->session_id);
	int r = session_send(c->shown, &packet, NULL, 0);
	log_warning("session %u has not left terminal %s by itself%s", c->shown->id, c->name,
		r < 0 ? " and cannot be told" : "");
}

static void on_packet(struct operation *o, struct session *s, const struct link_simple *packet)
{
	struct connect *c = (struct connect *)o;
	/* A late answer to something that was given up is no answer to this. */
	if (s != c->session || packet->header.serial != c->serial) {
		return;
	}
	if (c->state == CONNECT_READY && packet->header.type == LINK_READY) {
		if (packet->error != 0) {
			fail_ready(c, packet->error);
		} else {
			commit(c);
		}
	} else if (c->state == CONNECT_SWAP && packet->header.type == LINK_PLUGGED) {
		plugged(c, packet->error);
	}
}

static void on_info(struct operation *o, struct session *s)
{
	struct connect *c = (struct connect *)o;
	c->heard = c->heard || (s == c->session && c->state == CONNECT_SETTLE);
	settle(c);
}

static void on_session_gone(struct operation *o, struct session *s, const char *why)
{
	struct connect *c = (struct connect *)o;
	s->operation = NULL;
	if (s == c->shown) {
		c->shown = NULL;
		settle(c);
		return;
	}
	c->session = NULL;
	if (c->call != NULL) {
		fail(c, ERROR_SESSION_NOT_FOUND, "Session %u went while it was being connected: %s",
			c->session_id, why);
		return;
	}
	log_warning("session %u went while it was put on %s", c->session_id, c->name);
	finish(c);
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
	struct connect *c = (struct connect *)o;
	t->operation = NULL;
	if (t == c->former) {
		c->former = NULL;
		return;
	}
	c->terminal = NULL;
	if (c->call != NULL) {
		fail(c, ERROR_CLIENT_NO_ANSWER, "Terminal %s went while it was being connected.",
			c->name);
	}
}

static void on_time(struct operation *o)
{
	struct connect *c = (struct connect *)o;
	switch (c->state) {
	case CONNECT_CABLE:
		fail(c, ERROR_CLIENT_NO_ANSWER, "Terminal %s failed to respond in time.", c->name);
		break;
	case CONNECT_READY:
		fail(c, ERROR_CLIENT_NO_ANSWER,
			"Session %u and terminal %s did not find each other in time.",
			c->session_id, c->name);
		break;
	case CONNECT_SWAP:
		log_error("session %u: no word about the swap to %s", c->session_id, c->name);
		finish(c);
		break;
	case CONNECT_SETTLE:
		if (!c->pushed && c->shown != NULL && is_on(c->shown, c->name)) {
			c->pushed = true;
			push_out(c);
			if (operation_wait(o, o->broker->limits.left_ms) >= 0) {
				break;
			}
		}
		finish(c);
		break;
	}
}

static const struct operation_kind connect_kind = {
	.name = "connect",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

static struct terminal *former_terminal(const struct session *s)
{
	return session_is_active(s) ? terminal_find(s->broker, s->info.terminal) : NULL;
}

void connect_start(struct call *call, struct session *s, struct terminal *t, struct session *shown)
{
	struct broker *b = call->broker;
	struct connect *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		call_fail_errno(call, -ENOMEM, "The session could not be connected");
		return;
	}
	operation_init(&c->operation, &connect_kind, b, call->uid);
	c->call = call;
	c->session = s;
	c->session_id = s->id;
	c->shown = shown;
	c->terminal = t;
	c->former = former_terminal(s);
	link_set_text(c->name, t->name);
	lock(c, &c->operation);
	int r = operation_wait(&c->operation, b->limits.cable_ms);
	if (r < 0) {
		fail(c, error_by_errno(r)->code, "Session %u could not be connected: %s", s->id,
			strerror(-r));
		return;
	}
	if (!terminal_ask_cable(t, ++b->last_ticket)) {
		fail(c, ERROR_CLIENT_NO_ANSWER, "Terminal %s does not respond.", c->name);
		return;
	}
	hook(b->state_fd, "connect:asked");
}

static void plug(struct connect *c, int cable_fd)
{
	struct broker *b = c->operation.broker;
	struct link_simple packet = link_make(LINK_PLUG, broker_serial(b));
	memcpy(packet.token, c->terminal->secret, sizeof(packet.token));
	link_set_text(packet.terminal, c->name);
	link_set_text(packet.client, c->terminal->client);
	int r = session_send(c->session, &packet, &cable_fd, 1);
	explicit_bzero(packet.token, sizeof(packet.token));
	if (r >= 0) {
		r = operation_wait(&c->operation, b->limits.ready_ms);
	}
	if (r < 0) {
		fail(c, r == -EAGAIN ? ERROR_CLIENT_NO_ANSWER : error_by_errno(r)->code,
			"Session %u cannot be reached: %s", c->session_id, strerror(-r));
		return;
	}
	c->serial = packet.header.serial;
	c->state = CONNECT_READY;
	hook(b->state_fd, "connect:plug-sent");
}

int connect_give_cable(struct terminal *t, uint64_t ticket, int cable_fd)
{
	/* A ticket stands for a connect that waits for a cable, and for nothing else. */
	if (t->ticket == 0 || t->ticket != ticket || t->operation == NULL) {
		return -EINVAL;
	}
	t->ticket = 0;
	plug((struct connect *)t->operation, cable_fd);
	return 0;
}
