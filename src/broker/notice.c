#include "broker/notice.h"

#include <stdio.h>
#include <string.h>

#include "broker/broker.h"
#include "broker/call.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

#define NAME_MAX_SHOWN 32 /* of a user */
#define WHO_SIZE 128

static void user_text(char *text, size_t size, const struct broker *b, uid_t uid)
{
	const char *name = broker_user_name(b, uid);
	if (name != NULL) {
		(void)snprintf(text, size, "%.*s", NAME_MAX_SHOWN, name);
	} else {
		(void)snprintf(text, size, "uid %u", (unsigned)uid);
	}
}

void notice_who(char *text, size_t size, const struct call *call)
{
	char user[NAME_MAX_SHOWN + 1];
	user_text(user, sizeof(user), call->broker, call->uid);
	/* Where he sits is where his session is; a door without one tells what it shows, and one
	 * that fetches a session to itself is named by what it does: its address is left to say. */
	const struct session *own = call->session != 0 ? session_find(call->broker, call->session)
						       : NULL;
	bool sits = own != NULL && session_is_active(own);
	const char *terminal = sits ? own->info.terminal : call->acting ? call->audit.terminal : "";
	bool fetches = json_object_get(call->parameters, "secret") != NULL &&
		       json_string_value(json_object_get(call->parameters, "destination")) == NULL;
	const char *client = sits		       ? own->info.client
			     : call->acting || fetches ? call->audit.client
						       : "";
	(void)snprintf(text, size, "%s%s%.*s%s%.*s%s", user, terminal[0] != '\0' ? " at " : "",
		LINK_NAME_SIZE - 1, terminal, client[0] != '\0' ? " (" : "", 46, client,
		client[0] != '\0' ? ")" : "");
}

void notice_moved(char text[static LINK_TEXT_SIZE], const struct call *call, uint32_t session,
	const char *terminal)
{
	char who[WHO_SIZE];
	notice_who(who, sizeof(who), call);
	(void)snprintf(text, LINK_TEXT_SIZE, "Session %u was connected to %s by %s.", session,
		terminal, who);
}

static bool is_takeover(const struct call *call, const struct session *s)
{
	return call->uid != (uid_t)s->info.uid && call->audit.by == POLICY_BY_POLICY;
}

bool notice_arrival(char text[static LINK_TEXT_SIZE], const struct call *call,
	const struct session *s, const struct session *shown)
{
	char who[WHO_SIZE];
	char owner[NAME_MAX_SHOWN + 1];
	uid_t displaced = shown != NULL ? (uid_t)shown->info.uid : call->uid;
	notice_who(who, sizeof(who), call);
	if (is_takeover(call, s)) {
		user_text(owner, sizeof(owner), call->broker, (uid_t)s->info.uid);
		(void)snprintf(text, LINK_TEXT_SIZE,
			"Session %u of %s was taken over without a password by %s.", s->id, owner,
			who);
	} else if (displaced != call->uid) {
		user_text(owner, sizeof(owner), call->broker, displaced);
		(void)snprintf(text, LINK_TEXT_SIZE,
			"Session %u of %s was disconnected from this terminal by %s.", shown->id,
			owner, who);
	} else {
		return false;
	}
	return true;
}

bool notice_takeover(
	char text[static LINK_TEXT_SIZE], const struct call *call, const struct session *s)
{
	char who[WHO_SIZE];
	if (!is_takeover(call, s) || call->broker->config->root_connect == ROOT_CONNECT_FREE) {
		return false;
	}
	notice_who(who, sizeof(who), call);
	(void)snprintf(text, LINK_TEXT_SIZE, "Session %u was taken over without a password by %s.",
		s->id, who);
	return true;
}

bool notice_displaced(char text[static LINK_TEXT_SIZE], const struct call *call,
	const struct session *shown, const char *terminal)
{
	char who[WHO_SIZE];
	if ((uid_t)shown->info.uid == call->uid) {
		return false;
	}
	notice_who(who, sizeof(who), call);
	(void)snprintf(text, LINK_TEXT_SIZE, "Session %u was disconnected from %s by %s.",
		shown->id, terminal, who);
	return true;
}

void notice_disconnected(
	char text[static LINK_TEXT_SIZE], const struct call *call, const struct session *s)
{
	char who[WHO_SIZE];
	notice_who(who, sizeof(who), call);
	if (call->session == s->id) {
		(void)snprintf(text, LINK_TEXT_SIZE, "Session %u was disconnected.", s->id);
	} else {
		(void)snprintf(
			text, LINK_TEXT_SIZE, "Session %u was disconnected by %s.", s->id, who);
	}
}
