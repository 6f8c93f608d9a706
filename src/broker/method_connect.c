/* Connect: from its words to the two ends, and the questions in their order: rights, the console's
 * rules, who is busy, then the password. What waits for a password comes through here again. */
#include "broker/method.h"

#include <strings.h>

#include "base/log.h"
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/connect.h"
#include "broker/login.h"
#include "broker/params.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

struct request {
	const char *session, *destination, *secret;
	bool warrant;  /* one has come with the call */
	bool password; /* the caller has one to give */
};

/* Nothing to do: the session is there already. */
static void reply_unchanged(struct call *call, const struct session *s, const struct terminal *t)
{
	call_reply(call,
		json_pack("{s:I, s:s, s:s, s:n, s:b}", "session", (json_int_t)s->id, "terminal",
			t->name, "formerTerminal", t->name, "displacedSession", "unchanged", 1));
}

/* May the caller do it, but for the password? *ret_password: it takes one. False: answered. */
static bool check_rights(struct call *call, const struct session *s, const struct terminal *t,
	struct session **ret_shown, bool *ret_password)
{
	struct policy_answer answer = resolve_ask_connect(call, s, t, connect_is_proven(call, s));
	call->audit.by = answer.by;
	*ret_password = answer.code == ERROR_LOGON_FAILURE;
	if (answer.code == ERROR_CONSOLE_DISCONNECT || answer.code == ERROR_CONSOLE_RECONNECT) {
		call_fail(call, answer.code, "%s", resolve_console_text(answer.code));
		return false;
	}
	if (answer.code != ERROR_NONE && !*ret_password) {
		call_fail(call, answer.code, "You may not connect session %u.", s->id);
		return false;
	}
	enum error_code code = resolve_decide_displace(call, t, ret_shown);
	if (code == ERROR_CONSOLE_DISCONNECT || code == ERROR_CONSOLE_RECONNECT) {
		call_fail(call, code, "%s", resolve_console_text(code));
		return false;
	}
	if (code != ERROR_NONE) {
		call_fail(call, code, "You may not put a session on terminal %s.", t->name);
		return false;
	}
	return true;
}

/* The session that somebody was given with his password counts from now on. False: answered. */
static bool check_count(struct call *call, const struct session *s, const struct terminal *t)
{
	size_t count = session_count_of(call->broker, (uid_t)s->info.uid);
	if (!call->acting || !login_made(t, s) || count <= session_limit(call->broker)) {
		return true;
	}
	call_fail(call, ERROR_TOO_MANY_SESSIONS, "You have %zu session%s; more are not allowed.",
		count - 1, count == 2 ? "" : "s");
	return false;
}

/* Nobody else is at work on what will change. False: answered. */
static bool check_free(
	struct call *call, struct session *s, struct terminal *t, struct session *shown)
{
	if (!resolve_session_free(&call, s) || !resolve_terminal_free(&call, t)) {
		return false;
	}
	if (shown != NULL && shown != s && shown->operation != NULL &&
		!resolve_session_free(&call, shown)) {
		return false;
	}
	struct terminal *former = session_is_active(s)
					  ? terminal_find(call->broker, s->info.terminal)
					  : NULL;
	return former == NULL || resolve_terminal_free(&call, former);
}

/* Root, whom the configuration lets in without a password. */
static bool is_free_root(const struct call *call, const struct session *s)
{
	return call->uid == 0 && call->uid != (uid_t)s->info.uid &&
	       call->broker->config->root_connect != ROOT_CONNECT_PASSWORD;
}

/* Does the leader have to be asked before it takes this terminal's cable? It believes the owner's
 * cables alone, and no broker. */
static bool needs_warrant(
	const struct call *call, const struct session *s, const struct terminal *t)
{
	return call->broker->mode == POLICY_SYSTEM_MODE && call->granted != s->id &&
	       !(call->acting && login_made(t, s)) &&
	       (call->uid != (uid_t)s->info.uid || t->uid != (uid_t)s->info.uid);
}

/* Takes the call. */
static void ask_leader(struct call *call, struct session *s, const struct terminal *t,
	const struct request *q, bool password)
{
	if (password && !(q->password && q->warrant)) {
		call_fail(call, ERROR_LOGON_FAILURE,
			"Session %u is another user's: the password of its owner is required.",
			s->id);
		return;
	}
	if (!q->warrant) {
		call_fail(call, ERROR_ACCESS_DENIED,
			"Terminal %s is another user's: session %u comes to it with a warrant "
			"alone.",
			t->name, s->id);
		return;
	}
	authorise_ask(call, s,
		&(struct authorise_question){
			.password = password,
			.free = is_free_root(call, s),
			.place = call->acting ? t->name : NULL,
			.asking = t,
		});
}

/* Both ends are known. */
static void connect_to(
	struct call *call, const struct request *q, struct session *s, struct terminal *t)
{
	struct session *shown = NULL;
	bool password = false;
	link_set_text(call->audit.terminal, t->name);
	link_set_text(call->audit.former, s->info.terminal);
	link_set_text(call->audit.client, t->client);
	if (!check_rights(call, s, t, &shown, &password) || !check_free(call, s, t, shown) ||
		!check_count(call, s, t)) {
		return;
	}
	if (call->granted != 0 && call->granted != s->id) {
		call_fail(call, ERROR_BUSY,
			"Session %u has come in the place of session %u meanwhile.", s->id,
			call->granted);
		return;
	}
	if (shown == s) {
		reply_unchanged(call, s, t);
		return;
	}
	call->audit.displaced = shown != NULL ? shown->id : 0;
	if (password || needs_warrant(call, s, t)) {
		/* Whom a door speaks for gives his password to each of his sessions anew. */
		ask_leader(call, s, t, q, password || call->acting);
		return;
	}
	connect_start(call, s, t, shown);
}

/* The caller's own terminal where it is the destination; NULL = it names another one, or none. */
static struct terminal *own_terminal(const struct call *call, const struct request *q)
{
	return q->secret != NULL && q->destination == NULL
		       ? terminal_by_secret(call->broker, q->secret)
		       : NULL;
}

void method_connect(struct call *call)
{
	struct params p = params_of(call);
	struct request q = {
		.session = params_text(&p, "session"),
		.destination = params_text(&p, "destination"),
		.secret = params_text(&p, "secret"),
		.warrant = params_fd(&p, "warrant") >= 0,
		.password = params_flag(&p, "password"),
	};
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	if (q.session == NULL && q.destination == NULL) {
		call_fail(call, ERROR_INVALID_PARAMETER,
			"Neither a session nor a destination was given.");
		return;
	}
	login_act_no_more(call); /* of the time before a password was asked for */
	struct session *s;
	struct terminal *t = own_terminal(call, &q);
	bool acts = t != NULL && login_act(call, t);
	if (!resolve_session(&call, q.session, RIGHT_CONNECT, &s) ||
		(!acts && !resolve_destination(&call, q.destination, q.secret, &t))) {
		return;
	}
	connect_to(call, &q, s, t);
}
