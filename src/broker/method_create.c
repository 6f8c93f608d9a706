/* CreateSession: its words, the limits, the name of who logs on, an ID. The rest is broker/create.
 */
#include "broker/method.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/create.h"
#include "broker/guest.h"
#include "broker/hook.h"
#include "broker/idfile.h"
#include "broker/login.h"
#include "broker/names.h"
#include "broker/params.h"
#include "broker/reclaim.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

#define NAME_WAIT_MS 5000

/* A call that waits for what the name service knows of a user. */
struct lookup {
	struct call *call;
	struct names_question *question;
	TAILQ_ENTRY(lookup) entry;
};

struct request {
	const char *user, *terminal, *secret;
};

static bool is_packet_socket(int fd)
{
	int domain = 0;
	int type = 0;
	socklen_t size = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* False: answered. */
static bool read_request(struct call *call, struct request *ret)
{
	struct params p = params_of(call);
	int proof_fd = params_need_fd(&p, "proof");
	struct request q = {
		.user = params_text(&p, "user"),
		.terminal = params_text(&p, "terminal"),
		.secret = params_text(&p, "secret"),
	};
	if (p.wrong == NULL && !is_packet_socket(proof_fd)) {
		p.wrong = "proof";
	}
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return false;
	}
	*ret = q;
	return true;
}

/* The terminal that asks, by its secret; NULL where it gives none. False: answered. */
static bool asking_terminal(struct call *call, const struct request *q, struct terminal **ret)
{
	struct terminal *t = q->secret != NULL ? terminal_by_secret(call->broker, q->secret) : NULL;
	bool wrong = q->secret != NULL || q->terminal != NULL;
	if (t != NULL && t->uid == call->uid &&
		(q->terminal == NULL || strcasecmp(q->terminal, t->name) == 0)) {
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

/* False: answered. */
static bool check_open(struct call *call)
{
	if (call->broker->stopping) {
		call_fail(call, ERROR_LOGONS_DISABLED, "The server is being ended.");
		return false;
	}
	return true;
}

/* Nobody shall keep the others out. Who logs on at a fixed terminal takes no room of theirs: there
 * is one at each. False: answered. */
static bool check_room(struct call *call)
{
	const struct broker *b = call->broker;
	if (b->mode == POLICY_SYSTEM_MODE &&
		create_count(b, &call->uid) >= LIMIT_CREATING_PER_UID) {
		call_fail(call, ERROR_BUSY,
			"%d sessions of yours are being started at this moment; try again.",
			LIMIT_CREATING_PER_UID);
		return false;
	}
	if (create_count(b, NULL) >= LIMIT_CREATING) {
		call_fail(call, ERROR_BUSY,
			"%d sessions are being started at this moment; try again.", LIMIT_CREATING);
		return false;
	}
	return true;
}

/* May the caller have one more session of his own? False: answered. */
static bool check_own(struct call *call, const struct terminal *t)
{
	struct broker *b = call->broker;
	if (call_decide(call, (struct policy_question){
				      .right = RIGHT_LOGON,
				      .subject = POLICY_SERVER,
				      .listener = t != NULL ? t->listener : "tty",
			      }) != ERROR_NONE) {
		call_fail(call, ERROR_ACCESS_DENIED, "You may not start sessions on this server.");
		return false;
	}
	struct config_who who = call_who(call);
	if (t == NULL && guest_is(b, &who, "tty")) {
		call_fail(call, ERROR_ACCESS_DENIED,
			"You may have sessions on a terminal alone: you are a guest here.");
		return false;
	}
	size_t count = session_count_of(b, call->uid);
	unsigned most = session_limit(b);
	if (count >= most) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS,
			"You have %zu session%s; more are not allowed.", count,
			count == 1 ? "" : "s");
		return false;
	}
	return true;
}

/* Takes the call; and the try of a logon, with its request. */
static void start(struct call *call, struct create_request *request)
{
	struct broker *b = call->broker;
	struct params p = params_of(call);
	int r = idfile_next(b->state_fd, b->last_id, &request->id);
	if (r < 0) {
		if (request->login) {
			attempts_end(b->attempts, &request->attempt);
		}
		if (r == -ERANGE) {
			call_fail(call, ERROR_TOO_MANY_SESSIONS,
				"All session IDs of this server are used up.");
		} else {
			call_fail_errno(call, r, "The session could not be given an ID");
		}
		return;
	}
	b->last_id = request->id;
	hook(b->state_fd, "create:id-written");
	create_start(call, request, params_take_fd(&p, "proof"));
}

/* Somebody stands at a fixed terminal that shows nothing. False: answered. */
static bool check_place(struct call **call, const struct terminal *t)
{
	if ((*call)->broker->mode != POLICY_SYSTEM_MODE || t == NULL || !t->fixed) {
		call_fail(TAKE_PTR(*call), ERROR_ACCESS_DENIED,
			"Only at a fixed terminal can somebody else log on.");
		return false;
	}
	struct session *shown = session_on(t->broker, t->name);
	if (shown != NULL && shown->operation == NULL) {
		/* The door, which should know, says that nothing is shown there any more: the host
		 * does not see it, or does not want to. Its owner could stop it and keep the
		 * terminal from everybody. */
		reclaim_push_out(shown);
	}
	if (shown != NULL) {
		call_fail(TAKE_PTR(*call), ERROR_BUSY,
			"Terminal %s has just shown a session; try again.", t->name);
		return false;
	}
	return resolve_terminal_free(call, t);
}

/* It is known who he says he is. Who may not log on, or does not exist, is nobody: his password is
 * asked for and refused like a wrong one. */
static void log_on(struct call *call, uid_t uid, struct caller_groups *groups)
{
	struct request q;
	struct terminal *t;
	if (!read_request(call, &q) || !asking_terminal(call, &q, &t) || !check_place(&call, t) ||
		!check_open(call)) {
		return;
	}
	struct create_request request = {
		.owner = uid, .terminal = t, .login = true, .groups = groups
	};
	if (!authorise_begin(&call, &request.attempt, t->name, uid)) {
		return;
	}
	if (uid != ATTEMPTS_NOBODY && !login_allowed(call, t->listener, uid, groups)) {
		request.owner = ATTEMPTS_NOBODY;
	}
	start(call, &request);
}

static struct call *lookup_end(struct lookup *l)
{
	struct call *call = l->call;
	TAILQ_REMOVE(&call->broker->lookups, l, entry);
	free(l);
	return call;
}

static void on_user(void *user, const struct names_answer *answer)
{
	struct lookup *l = user;
	struct call *call = lookup_end(l);
	bool known = answer->error == 0;
	struct caller_groups *groups = known ? login_groups(answer->groups, answer->group_count)
					     : NULL;
	log_on(call, groups != NULL ? answer->uid : ATTEMPTS_NOBODY, groups);
	(void)caller_groups_unref(groups);
}

void create_free_lookups(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->lookups)) {
		struct lookup *l = TAILQ_FIRST(&b->lookups);
		(void)names_cancel(l->question);
		(void)call_free(lookup_end(l));
	}
}

static void look_up(struct call *call, const char *user)
{
	struct broker *b = call->broker;
	struct lookup *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		call_fail_errno(call, -ENOMEM, "The session could not be started");
		return;
	}
	l->call = call;
	TAILQ_INSERT_TAIL(&b->lookups, l, entry);
	int r = names_ask_user(&l->question, b->names, user, NAME_WAIT_MS, on_user, l);
	if (r < 0) {
		(void)lookup_end(l);
	}
	if (r == -E2BIG) { /* no name that anybody could have */
		log_on(call, ATTEMPTS_NOBODY, NULL);
	} else if (r < 0) {
		call_fail(call, ERROR_BUSY, "Too many log on at this moment; try again.");
	}
}

void method_create_session(struct call *call)
{
	struct request q;
	struct terminal *t;
	if (!read_request(call, &q) || !asking_terminal(call, &q, &t)) {
		return;
	}
	if (q.user != NULL) {
		if (check_place(&call, t)) {
			look_up(call, q.user);
		}
		return;
	}
	if (!check_open(call) || !check_room(call) || !check_own(call, t)) {
		return;
	}
	struct create_request request = { .owner = call->uid, .terminal = t };
	start(call, &request);
}
