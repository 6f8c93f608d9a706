/* CreateSession: an ID, a leader started by termservd, and its word that the session stands. The
 * proof goes on unread: its maker is the leader's business, and what lies in it is the host's. */
#include "broker/method.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/create.h"
#include "broker/hook.h"
#include "broker/idfile.h"
#include "broker/leader_link.h"
#include "broker/operation.h"
#include "broker/params.h"
#include "broker/parent.h"
#include "broker/session.h"
#include "broker/terminal.h"

struct create {
	struct operation operation; /* first */
	struct call *call;
	struct session *session; /* NULL when it has gone */
	uint32_t serial;	 /* of the request to termservd */
	uid_t owner;		 /* whose session it shall be */
};

static struct call *finish(struct create *c)
{
	struct call *call = TAKE_PTR(c->call);
	if (c->session != NULL) {
		c->session->operation = NULL;
	}
	operation_done(&c->operation);
	free(c);
	return call;
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
	enum error_code code = s->error < 0 ? error_by_errno(s->error)->code : ERROR_INVALID_STATE;
	call_fail(finish(c), code, "The session could not be started: %s", why);
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
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
		(unsigned)c->session->info.uid, (unsigned)c->owner);
	abandon(c);
	call_fail(finish(c), ERROR_ACCESS_DENIED, "Session %u would be another user's.", id);
}

static void on_time(struct operation *o)
{
	struct create *c = (struct create *)o;
	uint32_t id = c->session->id;
	if (c->session->info.uid != c->owner) {
		refuse_other_owner(c);
		return;
	}
	abandon(c);
	call_fail(finish(c), ERROR_CLIENT_NO_ANSWER, "Session %u did not come up in time.", id);
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
	call_reply(finish(c), json_pack("{s:I}", "session", (json_int_t)id));
}

static const struct operation_kind create_kind = {
	.name = "logon",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

static size_t count_creating(const struct broker *b)
{
	size_t count = 0;
	const struct operation *o;
	TAILQ_FOREACH(o, &b->operations, entry)
	{
		count += o->kind == &create_kind;
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
				abandon(c);
				call_fail_errno(finish(c), error < 0 ? error : -EINVAL,
					"The session could not be started");
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
	return r < 0 ? r : operation_wait(&c->operation, b->limits.create_ms);
}

/* Takes the proof. */
static void start(struct call *call, uint32_t id, const struct terminal *t, int proof_fd)
{
	AUTO_FD int proof = proof_fd;
	static const char what[] = "The session could not be started";
	struct broker *b = call->broker;
	struct session *s = NULL;
	AUTO(free) struct create *c = calloc(1, sizeof(*c));
	int r = c != NULL ? session_new(&s, b, id) : -ENOMEM;
	if (r < 0) {
		call_fail_errno(call, r, what);
		return;
	}
	operation_init(&c->operation, &create_kind, b, call->uid);
	c->call = call;
	c->session = s;
	c->owner = call->uid;
	s->operation = &c->operation;
	s->info.uid = call->uid;
	call->audit.session = id;
	call->audit.owner = call->uid;
	r = spawn(c, t, proof);
	if (r < 0) {
		abandon(c);
		call_fail_errno(finish(TAKE_PTR(c)), r, what);
		return;
	}
	(void)TAKE_PTR(c); /* it belongs to the loop now */
	hook(b->state_fd, "create:spawn-sent");
}

static bool is_packet_socket(int fd)
{
	int domain = 0;
	int type = 0;
	socklen_t size = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* False: answered. */
static bool check_limits(struct call *call)
{
	struct broker *b = call->broker;
	if (call_decide(call, (struct policy_question){ .right = RIGHT_LOGON,
				      .subject = POLICY_SERVER }) != ERROR_NONE) {
		call_fail(call, ERROR_ACCESS_DENIED, "You may not start sessions on this server.");
		return false;
	}
	if (b->stopping) {
		call_fail(call, ERROR_LOGONS_DISABLED, "The server is being ended.");
		return false;
	}
	if (session_count_of(b, call->uid) >= LIMIT_SESSIONS_PER_UID) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS,
			"You have %d sessions; more are not allowed.", LIMIT_SESSIONS_PER_UID);
		return false;
	}
	if (count_creating(b) >= LIMIT_CREATING) {
		call_fail(call, ERROR_BUSY,
			"%d sessions are being started at this moment; try again.", LIMIT_CREATING);
		return false;
	}
	return true;
}

/* The terminal that asks, by its secret; NULL where it gives none. False: answered. */
static bool asking_terminal(
	struct call *call, const char *name, const char *secret, const struct terminal **ret)
{
	const struct terminal *t = secret != NULL ? terminal_by_secret(call->broker, secret) : NULL;
	bool wrong = secret != NULL || name != NULL;
	if (t != NULL && t->uid == call->uid && (name == NULL || strcasecmp(name, t->name) == 0)) {
		link_set_text(call->audit.terminal, t->name);
		link_set_text(call->audit.client, t->client);
		wrong = false;
	}
	if (wrong) {
		call_fail(call, ERROR_INVALID_STATE, "This terminal is not connected.");
		return false;
	}
	*ret = t;
	return true;
}

void method_create_session(struct call *call)
{
	struct params p = params_of(call);
	int proof_fd = params_need_fd(&p, "proof");
	const char *user = params_text(&p, "user");
	const char *name = params_text(&p, "terminal");
	const char *secret = params_text(&p, "secret");
	if (p.wrong == NULL && !is_packet_socket(proof_fd)) {
		p.wrong = "proof";
	}
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	if (user != NULL) {
		call_fail(call, ERROR_ACCESS_DENIED,
			"This server starts sessions of its own user "
			"alone.");
		return;
	}
	const struct terminal *t;
	if (!asking_terminal(call, name, secret, &t)) {
		return;
	}
	if (!check_limits(call)) {
		return;
	}
	struct broker *b = call->broker;
	uint32_t id;
	int r = idfile_next(b->state_fd, b->last_id, &id);
	if (r == -ERANGE) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS,
			"All session IDs of this server are used up.");
		return;
	}
	if (r < 0) {
		call_fail_errno(call, r, "The session could not be given an ID");
		return;
	}
	b->last_id = id;
	hook(b->state_fd, "create:id-written");
	start(call, id, t, params_take_fd(&p, "proof"));
}
