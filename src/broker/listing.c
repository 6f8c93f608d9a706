#include "broker/listing.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

static void set(json_t *row, const char *name, json_t *value)
{
	(void)json_object_set_new(row, name, value);
}

/* What a program or a terminal calls itself is foreign: made harmless, and valid UTF-8, here. */
static json_t *foreign_text(const char *text)
{
	char safe[LINK_TEXT_SIZE];
	(void)text_encode(safe, sizeof(safe), text);
	return json_string(safe);
}

static json_t *text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? foreign_text(text) : json_null();
}

static json_t *time_or_null(uint64_t microseconds)
{
	char text[CLOCK_TEXT_SIZE];
	return microseconds != 0 ? json_string(clock_text(text, microseconds)) : json_null();
}

static json_t *number_or_null(uint64_t number)
{
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

static json_t *idle_of(const struct link_info *info)
{
	uint64_t now = clock_now();
	if (info->last_input == 0) {
		return json_null();
	}
	return json_integer(
		now > info->last_input ? (json_int_t)((now - info->last_input) / 1000000) : 0);
}

static void set_user(json_t *row, const char *name, uid_t uid)
{
	set(row, "user", text_or_null(name));
	set(row, "uid", json_integer((json_int_t)uid));
}

/* As the session has it since it began; its leader knows. */
static const char *owner_of(const struct broker *b, const struct session *s)
{
	return s->info.user[0] != '\0' ? s->info.user : broker_user_name(b, (uid_t)s->info.uid);
}

/* To others a list tells that a session is there and whose, not what is done in it. */
static bool may_read(const struct call *call, const struct session *s)
{
	return s->info.uid == call->uid || call_is_administrator(call);
}

static json_t *session_row(const struct call *call, const struct session *s)
{
	const struct link_info *info = &s->info;
	bool active = session_is_active(s);
	const struct terminal *t = active ? terminal_find(call->broker, info->terminal) : NULL;
	json_t *row = json_object();
	set(row, "id", json_integer((json_int_t)s->id));
	set(row, "name", text_or_null(info->terminal));
	set_user(row, owner_of(call->broker, s), (uid_t)info->uid);
	bool read = may_read(call, s);
	set(row, "state", json_string(session_state_text((enum session_state)info->state)));
	set(row, "current", json_boolean(call->session == s->id));
	set(row, "type", json_string("pty"));
	set(row, "device", text_or_null(t != NULL && t->fixed ? t->device : NULL));
	set(row, "rows", json_integer(info->rows));
	set(row, "columns", json_integer(info->columns));
	set(row, "command", foreign_text(read ? info->command : ""));
	set(row, "title", foreign_text(read ? info->title : ""));
	set(row, "tty", text_or_null(info->tty));
	set(row, "pid", number_or_null(info->program));
	set(row, "created", time_or_null(info->created));
	set(row, "connected", time_or_null(info->connected));
	set(row, "disconnected", time_or_null(info->disconnected));
	set(row, "lastInput", time_or_null(info->last_input));
	set(row, "idle", idle_of(info));
	set(row, "clientAddress", text_or_null(active ? info->client : NULL));
	set(row, "term", text_or_null(active ? info->term : NULL));
	set(row, "listener", foreign_text(info->listener));
	set(row, "modelBytes", json_integer((json_int_t)info->model_bytes));
	set(row, "historyLines", json_integer((json_int_t)info->history_lines));
	return row;
}

/* A terminal that waits for a logon, or that a session is just coming to. */
static json_t *terminal_row(const struct call *call, const struct terminal *t)
{
	json_t *row = json_object();
	set(row, "id", json_null());
	set(row, "name", json_string(t->name));
	set_user(row, broker_user_name(call->broker, t->uid), t->uid);
	enum session_state state = t->operation != NULL ? SESSION_CONNECT_QUERY : SESSION_CONNECTED;
	set(row, "state", json_string(session_state_text(state)));
	set(row, "current", json_false());
	set(row, "type", json_string("pty"));
	set(row, "device", text_or_null(t->fixed ? t->device : NULL));
	set(row, "rows", json_integer(t->rows));
	set(row, "columns", json_integer(t->columns));
	set(row, "command", json_string(""));
	set(row, "title", json_string(""));
	static const char *const none[] = { "tty", "pid", "created", "connected", "disconnected",
		"lastInput", "idle" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		set(row, none[i], json_null());
	}
	set(row, "clientAddress", text_or_null(t->client));
	set(row, "term", text_or_null(t->term));
	set(row, "listener", json_string(t->listener));
	set(row, "modelBytes", json_integer(0));
	set(row, "historyLines", json_integer(0));
	return row;
}

/* Digits mean an ID alone, as everywhere. */
static bool matches(const char *filter, uint32_t id, const char *name, const char *user)
{
	uint32_t wanted;
	if (filter == NULL) {
		return true;
	}
	if (text_is_digits(filter)) {
		return id != 0 && text_to_u32(filter, &wanted) == 0 && wanted == id;
	}
	bool named = name[0] != '\0' && strcasecmp(filter, name) == 0;
	return named || (user != NULL && strcmp(filter, user) == 0);
}

static json_t *rows(const struct call *call, const char *filter)
{
	const struct broker *b = call->broker;
	json_t *list = json_array();
	const struct session *s;
	const struct session *console = filter != NULL ? resolve_console(call, filter) : NULL;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		if (s->known && resolve_sees_session(call, s) &&
			(matches(filter, s->id, s->info.terminal, owner_of(b, s)) ||
				s == console)) {
			(void)json_array_append_new(list, session_row(call, s));
		}
	}
	const struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		if (session_on(b, t->name) == NULL && resolve_sees_terminal(call, t) &&
			matches(filter, 0, t->name, broker_user_name(b, t->uid))) {
			(void)json_array_append_new(list, terminal_row(call, t));
		}
	}
	return list;
}

/* How many there were tells of sessions that a caller may not see: only who sees all is told. */
static bool sees_all(const struct call *call)
{
	const struct server_config *c = call->broker->config;
	bool all = true;
	for (size_t i = 0; i < c->acl_count && all; i++) {
		struct policy_question q = { .subject = POLICY_SESSION,
			.owner = call->uid + 1,
			.listener = c->acls[i].listener };
		call_introduce(call, &q);
		all = q.mode == POLICY_USER_MODE || (policy_rights(&q, NULL) & RIGHT_QUERY) != 0;
	}
	return all;
}

json_t *listing_disconnected(
	const struct call *call, const struct terminal *terminal, uint32_t except)
{
	json_t *list = json_array();
	const struct session *s;
	TAILQ_FOREACH(s, &call->broker->sessions, entry)
	{
		if (s->known && (uid_t)s->info.uid == call->uid && s->id != except &&
			s->info.state == SESSION_DISCONNECTED &&
			resolve_ask_connect(call, s, terminal, true).code == ERROR_NONE) {
			(void)json_array_append_new(list, session_row(call, s));
		}
	}
	return list;
}

json_t *listing_answer(const struct call *call, const char *filter)
{
	const struct broker *b = call->broker;
	bool all = sees_all(call);
	return json_pack("{s:o, s:I, s:I, s:I}", "sessions", rows(call, filter), "created",
		(json_int_t)(all ? b->created : 0), "disconnected",
		(json_int_t)(all ? b->disconnected : 0), "reconnected",
		(json_int_t)(all ? b->reconnected : 0));
}
