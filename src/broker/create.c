/* An ID, a leader started by termservd, and its word that the session stands. The proof goes on
 * unread: its maker, and the password where it takes one, are the leader's business, and what lies
 * in it is the host's.
 *
 * At a logon with name and password every failure that could tell something about the name reads
 * the same and comes at the same time (broker/authorise). */
#include "broker/create.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/hook.h"
#include "broker/leader_link.h"
#include "broker/listing.h"
#include "broker/login.h"
#include "broker/operation.h"
#include "broker/parent.h"
#include "broker/session.h"
#include "broker/terminal.h"

#define MESSAGE_SIZE 384

struct create {
	struct operation operation; /* first */
	struct call *call;
	struct session *session; /* NULL when it has gone */
	uint32_t serial;	 /* of the request to termservd */
	uid_t owner;		 /* whose session it shall be */

	bool login;
	struct attempt attempt;
	struct caller_groups *groups;
	struct terminal *terminal; /* with login, locked; NULL when it has gone */
};

static struct call *finish(struct create *c)
{
	struct call *call = TAKE_PTR(c->call);
	if (c->session != NULL) {
		c->session->operation = NULL;
	}
	if (c->terminal != NULL) {
		c->terminal->operation = NULL;
	}
	operation_done(&c->operation);
	(void)caller_groups_unref(c->groups);
	free(c);
	return call;
}

static void fail(struct create *c, bool wrong, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* `wrong`: it was the password. */
static void fail(struct create *c, bool wrong, enum error_code code, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	bool login = c->login;
	struct attempt attempt = c->attempt;
	struct call *call = finish(c);
	if (login) {
		authorise_refuse(call, &attempt, wrong, code, message);
	} else {
		call_fail(call, code, "%s", message);
	}
}

static void on_packet(struct operation *o, struct session *s, const struct link_simple *packet)
{
}

/* What a leader's end means: its words name what was wrong, its error the number. */
static void on_session_gone(struct operation *o, struct session *s, const char *why)
{
	struct create *c = (struct create *)o;
	s->operation = NULL;
	c->session = NULL;
	if (s->error == -EKEYREJECTED || (c->login && c->owner == ATTEMPTS_NOBODY)) {
		fail(c, true, ERROR_LOGON_FAILURE, "%s", AUTHORISE_WRONG_TEXT);
		return;
	}
	if (s->error == -EKEYREVOKED) {
		fail(c, false, ERROR_ACCOUNT_RESTRICTION, "%s",
			error_by_code(ERROR_ACCOUNT_RESTRICTION)->text);
		return;
	}
	enum error_code code = s->error < 0 ? error_by_errno(s->error)->code : ERROR_INVALID_STATE;
	fail(c, attempts_is_failure(s->error), code, "The session could not be started: %s", why);
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
	struct create *c = (struct create *)o;
	t->operation = NULL;
	c->terminal = NULL;
}

/* Gives up: whatever is half there must not stay. */
static void abandon(struct create *c)
{
	struct session *s = c->session;
	struct link_simple packet = link_make(LINK_RESET, broker_serial(c->operation.broker));
	(void)session_send(s, &packet, NULL, 0);
	c->session = NULL;
	s->operation = NULL;
	(void)session_free(s);
}

/* A proof that makes somebody else's session than was asked for: whatever its maker wanted, it was
 * not counted and not decided upon. */
static void refuse_other_owner(struct create *c)
{
	uint32_t id = c->session->id;
	log_warning("session %u would belong to uid %u and was asked for by uid %u: refused", id,
		(unsigned)c->session->info.uid, (unsigned)c->call->uid);
	abandon(c);
	if (c->login) {
		fail(c, true, ERROR_LOGON_FAILURE, "%s", AUTHORISE_WRONG_TEXT);
	} else {
		fail(c, false, ERROR_ACCESS_DENIED, "Session %u would be another user's.", id);
	}
}

static void on_time(struct operation *o)
{
	struct create *c = (struct create *)o;
	if (c->session->info.uid != c->owner) {
		refuse_other_owner(c);
		return;
	}
	uint32_t id = c->session->id;
	abandon(c);
	fail(c, false, ERROR_CLIENT_NO_ANSWER, "Session %u did not come up in time.", id);
}

/* His other sessions that this terminal could show instead, as he sees them himself. */
static json_t *disconnected_of(struct call *call, uid_t uid, struct caller_groups *groups,
	const struct terminal *terminal, uint32_t except)
{
	uid_t door = call->uid;
	struct caller_groups *of_door = call->groups;
	call->uid = uid;
	call->groups = groups;
	json_t *list = listing_disconnected(call, terminal, except);
	call->uid = door;
	call->groups = of_door;
	return list;
}

/* The password was right: from here on the terminal's door speaks for him. */
static void logged_on(struct create *c)
{
	struct session *s = c->session;
	struct broker *b = c->operation.broker;
	authorise_passed(b, &c->attempt);
	c->login = false;
	int r = c->terminal != NULL ? login_set(c->terminal, s->id, c->owner, c->groups) : -ENODEV;
	if (r < 0) {
		struct link_simple packet = link_make(LINK_LOGOFF, broker_serial(b));
		(void)session_send(s, &packet, NULL, 0);
		fail(c, false, ERROR_CLIENT_NO_ANSWER, "The terminal went during the logon.");
		return;
	}
	c->call->audit.by = POLICY_BY_PASSWORD;
	json_t *list = disconnected_of(c->call, c->owner, c->groups, c->terminal, s->id);
	json_t *answer = json_pack(
		"{s:I, s:o}", "session", (json_int_t)s->id, "disconnected", list);
	call_reply(finish(c), answer);
}

static void on_info(struct operation *o, struct session *s)
{
	struct create *c = (struct create *)o;
	if (s->info.uid != c->owner) {
		/* Not here: the link whose packet this is would go with the session. */
		(void)operation_wait(o, 0);
		return;
	}
	if (s->info.state == SESSION_INIT) {
		return;
	}
	uint32_t id = s->id;
	o->broker->created++;
	log_info("session %u is there", id);
	if (c->login) {
		logged_on(c);
	} else {
		call_reply(finish(c), json_pack("{s:I}", "session", (json_int_t)id));
	}
}

static const struct operation_kind create_kind = {
	.name = "logon",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

size_t create_count(const struct broker *b, const uid_t *uid)
{
	size_t count = 0;
	const struct operation *o;
	TAILQ_FOREACH(o, &b->operations, entry)
	{
		const struct create *c = (const struct create *)o;
		count += o->kind == &create_kind && !c->login && (uid == NULL || o->uid == *uid);
	}
	return count;
}

void create_spawned(struct broker *b, uint32_t serial, int error)
{
	hook(b->state_fd, "create:spawned");
	struct operation *o;
	TAILQ_FOREACH(o, &b->operations, entry)
	{
		struct create *c = (struct create *)o;
		if (o->kind == &create_kind && c->serial == serial) {
			if (error != 0) {
				const struct error_row *row = error_by_errno(
					error < 0 ? error : -EINVAL);
				abandon(c);
				fail(c, false, row->code, "The session could not be started: %s",
					row->code == ERROR_INVALID_PARAMETER
						? strerror(error < 0 ? -error : EINVAL)
						: row->text);
			}
			return;
		}
	}
}

/* Both ends of the link to the leader that shall be; ours is in the session. */
static int link_to_leader(struct session *s, int *ret_leader_fd)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
		return -errno;
	}
	AUTO_FD int leader_fd = fds[1];
	int r = leader_link_new(&s->link, s, fds[0]);
	if (r < 0) {
		(void)close(fds[0]);
		return r;
	}
	*ret_leader_fd = TAKE_FD(leader_fd);
	return 0;
}

/* What the leader shall know about where the session comes in: texts, never more than that. */
static struct link_spawn spawn_request(const struct create *c, const struct terminal *t)
{
	struct link_spawn request = {
		.header.serial = c->serial,
		.session = c->session->id,
		.uid = c->owner,
	};
	link_set_text(request.listener, t != NULL ? t->listener : "tty");
	link_set_text(request.terminal, t != NULL ? t->name : "");
	link_set_text(request.client, t != NULL ? t->client : "");
	return request;
}

static int spawn(struct create *c, const struct terminal *t, int proof_fd)
{
	struct broker *b = c->operation.broker;
	AUTO_FD int leader_fd = -1;
	int r = b->parent != NULL ? link_to_leader(c->session, &leader_fd) : -ENOTCONN;
	if (r >= 0) {
		c->serial = broker_serial(b);
		struct link_spawn request = spawn_request(c, t);
		r = parent_spawn(b->parent, &request, leader_fd, proof_fd);
	}
	unsigned limit = b->limits.create_ms + (c->login ? b->limits.warrant_ms : 0);
	return r < 0 ? r : operation_wait(&c->operation, limit);
}

static struct create *create_new(
	struct call *call, struct session *s, const struct create_request *request)
{
	struct create *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return NULL;
	}
	operation_init(&c->operation, &create_kind, call->broker, call->uid);
	c->call = call;
	c->session = s;
	c->owner = request->owner;
	s->operation = &c->operation;
	s->info.uid = request->owner;
	if (request->login) {
		c->login = true;
		c->attempt = request->attempt;
		c->groups = request->groups != NULL ? caller_groups_ref(request->groups) : NULL;
		c->terminal = request->terminal;
		c->terminal->operation = &c->operation;
	}
	return c;
}

void create_start(struct call *call, const struct create_request *request, int proof_fd)
{
	static const char what[] = "The session could not be started";
	AUTO_FD int proof = proof_fd;
	struct broker *b = call->broker;
	struct session *s = NULL;
	int r = session_new(&s, b, request->id);
	struct create *c = r >= 0 ? create_new(call, s, request) : NULL;
	if (c == NULL) {
		(void)session_free(s);
		if (request->login) {
			attempts_end(b->attempts, &request->attempt);
		}
		call_fail_errno(call, r < 0 ? r : -ENOMEM, what);
		return;
	}
	call->audit.session = request->id;
	call->audit.owner = request->owner;
	r = spawn(c, request->terminal, proof);
	if (r < 0) {
		const struct error_row *row = error_by_errno(r);
		abandon(c);
		fail(c, false, row->code, "%s: %s", what,
			row->code == ERROR_INVALID_PARAMETER ? strerror(-r) : row->text);
		return;
	}
	hook(b->state_fd, "create:spawn-sent");
}
