#include "broker/audit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/auditlog.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/control.h"
#include "broker/journal.h"
#include "broker/method.h"
#include "broker/session.h"
#include "protocol/varlink.h"

#define VALUE_MAX 256 /* of a text; longer ones are cut */

/* The one way by which a text comes into a record. */
static void put_text(json_t *record, const char *name, const char *value)
{
	char safe[VALUE_MAX];
	if (value != NULL && value[0] != '\0') {
		(void)text_encode(safe, sizeof(safe), value);
		(void)json_object_set_new(record, name, json_string(safe));
	}
}

static void put_number(json_t *record, const char *name, int64_t value)
{
	(void)json_object_set_new(record, name, json_integer(value));
}

static void put_id(json_t *record, const char *name, uint32_t id)
{
	if (id != 0) {
		put_number(record, name, id);
	}
}

static void put_asked(
	json_t *record, const struct call *call, const char *parameter, const char *name)
{
	put_text(record, name, json_string_value(json_object_get(call->parameters, parameter)));
}

static json_t *begin(const char *event)
{
	char when[CLOCK_TEXT_SIZE];
	json_t *record = json_object();
	put_text(record, "time", clock_text(when, clock_now()));
	put_text(record, "event", event);
	return record;
}

static void put_caller(json_t *record, const struct call *call, uid_t login_uid)
{
	const struct broker *b = call->broker;
	const struct session *s = call->session != 0 ? session_find(b, call->session) : NULL;
	const char *client = call->audit.client;
	put_number(record, "uid", call->uid);
	put_text(record, "user", broker_user_name(b, call->uid));
	if (login_uid != (uid_t)-1) {
		put_number(record, "loginUid", login_uid);
	}
	put_number(record, "pid", call->pid);
	put_id(record, "fromSession", call->session);
	put_text(record, "fromTerminal", s != NULL ? s->info.terminal : NULL);
	put_text(record, "client", client[0] == '\0' && s != NULL ? s->info.client : client);
	put_asked(record, call, "session", "askedSession");
	put_asked(record, call, "destination", "askedDestination");
	put_asked(record, call, "user", "askedUser");
}

static void put_session(json_t *record, const struct broker *b, uint32_t session, uid_t owner)
{
	if (session != 0) {
		put_id(record, "session", session);
		put_number(record, "owner", owner);
		put_text(record, "ownerName", broker_user_name(b, owner));
	}
}

/* What a granted operation rests on. Where the method has not said it: on the caller's being the
 * owner, else on what the configuration gives him. */
static enum policy_by by_of(const struct call *call)
{
	const struct audit *a = &call->audit;
	if (a->by != POLICY_BY_NONE) {
		return a->by;
	}
	bool own = call->broker->mode == POLICY_USER_MODE ||
		   (a->session != 0 && a->owner == call->uid);
	return own ? POLICY_BY_OWN : POLICY_BY_POLICY;
}

json_t *audit_record(const struct call *call, uid_t login_uid, enum error_code result)
{
	const struct audit *a = &call->audit;
	json_t *record = begin(call->method->name);
	put_caller(record, call, login_uid);
	put_session(record, call->broker, a->session, a->owner);
	put_text(record, "terminal", a->terminal);
	put_text(record, "formerTerminal", a->former);
	put_id(record, "displaced", a->displaced);
	put_text(record, "right", policy_right_text(call->method->right));
	put_text(record, "by", result == ERROR_NONE ? policy_by_text(by_of(call)) : "none");
	put_number(record, "result", (int)result);
	put_text(record, "error", a->error);
	return record;
}

static bool is_free_takeover(const struct call *call, enum error_code result)
{
	const struct audit *a = &call->audit;
	return result == ERROR_NONE && call->method->right == RIGHT_CONNECT && a->session != 0 &&
	       a->owner != call->uid && by_of(call) == POLICY_BY_POLICY;
}

bool audit_is_warning(const struct call *call, enum error_code result)
{
	return is_free_takeover(call, result) ||
	       (result != ERROR_NONE && call->audit.failures >= AUDIT_FAILURES_MANY);
}

/* Takes the record; NULL: there is no memory for it, which is said. */
static void write_record(struct broker *b, json_t *record, bool warning)
{
	AUTO(json) json_t *owned = record;
	AUTO(free) char *line = owned != NULL ? json_dumps(owned, JSON_COMPACT) : NULL;
	if (line == NULL) {
		log_error("no memory for a record");
		return;
	}
	log_message(warning ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "audit: %s", line);
	auditlog_write(b->auditlog, line);
	journal_send(&b->journal, warning ? JOURNAL_WARNING : JOURNAL_INFO, line, owned);
}

void audit_write(const struct call *call, enum error_code result)
{
	uid_t login_uid = call->connection != NULL ? connection_login_uid(call->connection)
						   : (uid_t)-1;
	write_record(call->broker, audit_record(call, login_uid, result),
		audit_is_warning(call, result));
}

void audit_write_own(struct broker *b, const struct session *s, const char *event)
{
	json_t *record = begin(event);
	put_number(record, "uid", b->owner);
	put_text(record, "user", broker_user_name(b, b->owner));
	put_number(record, "pid", getpid());
	put_session(record, b, s->id, (uid_t)s->info.uid);
	put_text(record, "terminal", s->info.terminal);
	put_text(record, "client", s->info.client);
	put_text(record, "right", policy_right_text(RIGHT_NONE));
	put_text(record, "by", "policy");
	put_number(record, "result", ERROR_NONE);
	write_record(b, record, false);
}
