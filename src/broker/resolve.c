#include "broker/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/login.h"
#include "broker/operation.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

#define SHOWN_NAME_MAX 64 /* of a name that the caller gives, in a message */

/* Answers, and takes the call from its method. Always false. */
#define REFUSE(call, code, ...) (call_fail(TAKE_PTR(*(call)), (code), __VA_ARGS__), false)

static bool refuse_session(struct call **call, enum error_code code, const char *text)
{
	if (code == ERROR_ACCESS_DENIED) {
		return REFUSE(
			call, code, "You may not do this with session %.*s.", SHOWN_NAME_MAX, text);
	}
	if (code == ERROR_CONSOLE_DISCONNECT || code == ERROR_CONSOLE_RECONNECT) {
		return REFUSE(call, code, "%s", resolve_console_text(code));
	}
	if (text_is_digits(text)) {
		return REFUSE(call, code, "Session %.*s does not exist.", SHOWN_NAME_MAX, text);
	}
	return REFUSE(
		call, code, "No active session is on a terminal named %.*s.", SHOWN_NAME_MAX, text);
}

const char *resolve_console_text(enum error_code code)
{
	return code == ERROR_CONSOLE_RECONNECT
		       ? "A disconnected session cannot be connected to the console."
		       : "The console keeps its session: it cannot be disconnected, moved or "
			 "replaced.";
}

static bool is_console(const struct call *call, const char *terminal)
{
	return call->broker->mode == POLICY_SYSTEM_MODE &&
	       strcasecmp(terminal, CONFIG_CONSOLE) == 0;
}

/* The facts about a session, for RIGHT_CONNECT also about the terminal that it shall come to (NULL
 * = not known yet). A session that nothing has shown yet is its owner's logon, still under way. */
static struct policy_question question_of(const struct call *call, const struct session *s,
	const struct terminal *t, enum right right)
{
	struct policy_question q = {
		.right = right,
		.subject = POLICY_SESSION,
		.exists = s != NULL,
		.owner = (uid_t)-1,
	};
	if (s == NULL) {
		return q;
	}
	q.owner = (uid_t)s->info.uid;
	q.listener = s->info.listener;
	q.disconnected = !session_is_active(s);
	q.at_console = is_console(call, s->info.terminal);
	q.caller_in_session = call->session == s->id;
	if (right == RIGHT_CONNECT) {
		q.destination_is_console = t != NULL && is_console(call, t->name);
		q.first_terminal = s->info.connected == 0 && q.owner == call->uid &&
				   (t == NULL || t->uid == call->uid || login_made(t, s));
	}
	return q;
}

static enum error_code decide(const struct call *call, const struct session *s, enum right right)
{
	struct policy_question q = question_of(call, s, NULL, right);
	/* Whether it takes a password is asked when the destination is known. */
	q.proven = right == RIGHT_CONNECT;
	return call_decide(call, q);
}

struct policy_answer resolve_ask_connect(
	const struct call *call, const struct session *s, const struct terminal *t, bool proven)
{
	struct policy_question q = question_of(call, s, t, RIGHT_CONNECT);
	q.proven = proven;
	return call_ask(call, q);
}

bool resolve_sees_session(const struct call *call, const struct session *s)
{
	return decide(call, s, RIGHT_QUERY) == ERROR_NONE;
}

void resolve_note(struct call *call, const struct session *s)
{
	call->audit.session = s->id;
	call->audit.owner = (uid_t)s->info.uid;
}

/* The caller's own session, or NULL. */
static struct session *own_session(const struct call *call)
{
	return call->session != 0 ? session_find(call->broker, call->session) : NULL;
}

/* A name that could be a terminal's. */
static bool check_name(struct call **call, const char *name)
{
	if (terminal_is_listener_name(name)) {
		return REFUSE(call, ERROR_NAME_INVALID,
			"%s is where terminals come in, not a terminal or a session.", name);
	}
	if (!text_is_terminal_name(name, true)) {
		return REFUSE(call, ERROR_NAME_INVALID, "`%.*s` cannot be the name of a terminal.",
			SHOWN_NAME_MAX, name);
	}
	return true;
}

struct session *resolve_console(const struct call *call, const char *text)
{
	uint32_t id;
	bool zero = call->broker->mode == POLICY_SYSTEM_MODE && text_is_digits(text) &&
		    text_to_u32(text, &id) == 0 && id == 0;
	/* NT's ID of it; here it has one of its own besides. */
	return zero ? session_on(call->broker, CONFIG_CONSOLE) : NULL;
}

static struct session *session_by_text(const struct call *call, const char *text)
{
	uint32_t id;
	if (!text_is_digits(text)) {
		return session_on(call->broker, text);
	}
	if (text_to_u32(text, &id) < 0) {
		return NULL;
	}
	return id == 0 ? resolve_console(call, text) : session_find(call->broker, id);
}

bool resolve_session(struct call **call, const char *text, enum right right, struct session **ret)
{
	struct session *s;
	char own[16];
	if (text == NULL) {
		s = own_session(*call);
		if (s == NULL) {
			return REFUSE(call, ERROR_INVALID_STATE, "This terminal shows no session.");
		}
		(void)snprintf(own, sizeof(own), "%u", s->id);
		text = own;
	} else {
		if (!text_is_digits(text) && !check_name(call, text)) {
			return false;
		}
		s = session_by_text(*call, text);
	}
	enum error_code code = decide(*call, s, right);
	if (code != ERROR_NONE) {
		return refuse_session(call, code, text);
	}
	resolve_note(*call, s);
	*ret = s;
	return true;
}

/* Whose the terminal is: its door's, or while that speaks for who has just logged on there, his. */
static uid_t owner_of(const struct call *call, const struct terminal *t)
{
	bool logged_on = call->acting && t->login != NULL && t->login->uid == call->uid &&
			 t->uid == call->door_uid;
	return logged_on ? call->uid : t->uid;
}

static enum error_code decide_terminal(
	const struct call *call, const struct terminal *t, enum right right)
{
	return call_decide(call, (struct policy_question){
					 .right = right,
					 .subject = POLICY_TERMINAL,
					 .exists = t != NULL,
					 .owner = t != NULL ? owner_of(call, t) : (uid_t)-1,
					 .listener = t != NULL ? t->listener : NULL,
				 });
}

bool resolve_sees_terminal(const struct call *call, const struct terminal *t)
{
	return decide_terminal(call, t, RIGHT_QUERY) == ERROR_NONE;
}

/* A fixed terminal that is off, and whose sessions this caller might see. */
static bool is_configured(const struct call *call, const char *name)
{
	const struct terminal_config *t = server_config_terminal(call->broker->config, name);
	return t != NULL && call_decide(call, (struct policy_question){
						      .right = RIGHT_QUERY,
						      .subject = POLICY_TERMINAL,
						      .exists = true,
						      .owner = (uid_t)-1,
						      .listener = t->listener,
					      }) == ERROR_NONE;
}

/* Nobody holds that name now: is it a door that has not come back, or no terminal at all? */
static bool refuse_absent(struct call **call, const char *name)
{
	struct session *s = session_on((*call)->broker, name);
	if (s != NULL && resolve_sees_session(*call, s)) {
		return REFUSE(call, ERROR_INVALID_STATE, "Terminal %s is not connected.",
			s->info.terminal);
	}
	if (is_configured(*call, name)) {
		return REFUSE(call, ERROR_INVALID_STATE, "Terminal %s is not connected.", name);
	}
	return REFUSE(call, ERROR_SESSION_NOT_FOUND, "Terminal %s does not exist.", name);
}

static bool named_destination(struct call **call, const char *name, struct terminal **ret)
{
	if (text_is_digits(name)) {
		return REFUSE(call, ERROR_NAME_INVALID,
			"`%.*s` cannot be the name of a terminal: a destination is a name, not an "
			"ID.",
			SHOWN_NAME_MAX, name);
	}
	if (!check_name(call, name)) {
		return false;
	}
	struct terminal *t = terminal_find((*call)->broker, name);
	if (t == NULL || !resolve_sees_terminal(*call, t)) {
		return refuse_absent(call, name);
	}
	*ret = t;
	return true;
}

static bool own_destination(struct call **call, struct terminal **ret)
{
	const struct session *s = own_session(*call);
	if (s == NULL) {
		return REFUSE(call, ERROR_INVALID_STATE, "This terminal shows no session.");
	}
	if (!session_is_active(s)) {
		return REFUSE(call, ERROR_INVALID_STATE,
			"Session %u, which you are in, is disconnected: no terminal shows it. "
			"Name a destination.",
			s->id);
	}
	return named_destination(call, s->info.terminal, ret);
}

bool resolve_destination(
	struct call **call, const char *name, const char *secret, struct terminal **ret)
{
	if (name != NULL) {
		return named_destination(call, name, ret);
	}
	if (secret == NULL) {
		return own_destination(call, ret);
	}
	struct terminal *t = terminal_by_secret((*call)->broker, secret);
	if (t == NULL || !resolve_sees_terminal(*call, t)) {
		return REFUSE(call, ERROR_INVALID_STATE, "This terminal is not connected.");
	}
	*ret = t;
	return true;
}

enum error_code resolve_decide_displace(
	const struct call *call, const struct terminal *t, struct session **ret_shown)
{
	struct session *shown = session_on(call->broker, t->name);
	*ret_shown = shown;
	if (shown != NULL) {
		return decide(call, shown, RIGHT_DISCONNECT);
	}
	if (call->acting) {
		/* It is his who has just logged on there, whether he may see terminals or not. */
		return call_decide(call, (struct policy_question){
						 .right = RIGHT_LOGON,
						 .subject = POLICY_SERVER,
						 .listener = t->listener,
					 });
	}
	/* A fixed terminal that waits is nobody's. Another one has its user, who sits before it. */
	return decide_terminal(
		call, t, t->fixed || t->uid == call->uid ? RIGHT_LOGON : RIGHT_DISCONNECT);
}

bool resolve_session_free(struct call **call, const struct session *s)
{
	if (s->operation != NULL) {
		return REFUSE(call, ERROR_BUSY, "Session %u is busy: a %s is in progress.", s->id,
			s->operation->kind->name);
	}
	if (session_is_ending(s)) {
		return REFUSE(call, ERROR_BUSY, "Session %u is ending.", s->id);
	}
	if (s->info.state == SESSION_INIT) {
		return REFUSE(call, ERROR_BUSY, "Session %u is still being made.", s->id);
	}
	if (s->link == NULL) {
		return REFUSE(call, ERROR_BUSY, "Session %u is out of reach at the moment.", s->id);
	}
	return true;
}

bool resolve_terminal_free(struct call **call, const struct terminal *t)
{
	if (t->operation != NULL) {
		return REFUSE(call, ERROR_BUSY, "Terminal %s is busy: a %s is in progress.",
			t->name, t->operation->kind->name);
	}
	return true;
}
