/* QueryPermissions: what the configuration lets somebody do, and which line of it made that so. The
 * rights themselves come from the policy; here is only told where from. */
#include "broker/method.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/names.h"
#include "broker/params.h"
#include "config/server_config.h"
#include "protocol/varlink.h"

#define NAME_WAIT_MS 5000
#define PLACE_SIZE 512

/* Whose rights are asked for, while his name is looked up. */
struct wait {
	struct call *call;
	struct names_question *question;
};

/* The first line that means him and says this: denies the right, or grants it. */
static const struct config_place *line_of(
	const struct acl *acl, const struct config_who *who, unsigned right, bool denied)
{
	bool named = false;
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];
		named = named || (e->allow != 0 && e->principal.kind != PRINCIPAL_EVERYBODY &&
					 principal_matches(&e->principal, who));
	}
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];
		/* A grant that is about sessions contains QUERY; `*` grants to whom no line names.
		 */
		bool query = right == RIGHT_QUERY && (e->allow & ~RIGHTS_GUEST) != 0;
		bool counts = !named || e->principal.kind != PRINCIPAL_EVERYBODY;
		bool says = denied ? (e->deny & right) != 0
				   : counts && ((e->allow & right) != 0 || query);
		if (says && principal_matches(&e->principal, who)) {
			return &e->principal.place;
		}
	}
	return NULL;
}

/* The line that makes him an administrator. */
static const struct config_place *administrator_line(
	const struct server_config *c, const struct config_who *who)
{
	for (size_t i = 0; i < c->administrators.count; i++) {
		if (principal_matches(&c->administrators.items[i], who)) {
			return &c->administrators.items[i].place;
		}
	}
	return NULL;
}

static json_t *permission(const struct broker *b, const struct acl *acl,
	const struct policy_question *foreign, const struct config_who *who, enum right right)
{
	static const struct config_place built_in = { 0 };
	struct policy_question other = *foreign;
	other.subject = right == RIGHT_LOGON ? POLICY_SERVER : POLICY_SESSION;
	struct policy_question own = other;
	own.owner = own.caller;
	unsigned bit = (unsigned)right;
	bool system = b->mode == POLICY_SYSTEM_MODE;
	const struct config_place *place = NULL;
	const char *state = "none";
	if (system && who->uid != 0 && (foreign->deny & bit) != 0) {
		state = "denied";
		place = line_of(acl, who, bit, true);
	} else if ((policy_rights(&other, NULL) & bit) != 0) {
		state = "granted";
		place = line_of(acl, who, bit, false);
		place = place != NULL ? place : administrator_line(b->config, who);
		place = place != NULL ? place : &built_in;
	} else if ((policy_rights(&own, NULL) & bit) != 0) {
		state = "implied";
		place = &built_in;
	}
	char text[PLACE_SIZE], safe[PLACE_SIZE];
	if (place != NULL) {
		(void)server_config_place_text(b->config, place, text, sizeof(text));
		(void)text_encode(safe, sizeof(safe), text);
	}
	return json_pack("{s:s, s:s, s:s, s:s?}", "listener",
		acl->listener[0] != '\0' ? acl->listener : "*", "right", right_text(right), "state",
		state, "source", place != NULL ? safe : NULL);
}

static json_t *permissions(const struct broker *b, const struct config_who *who)
{
	json_t *list = json_array();
	for (size_t i = 0; i < b->config->acl_count; i++) {
		const struct acl *acl = &b->config->acls[i];
		/* Some other user's session. */
		struct policy_question q = {
			.mode = b->mode,
			.server_owner = b->owner,
			.subject = POLICY_SESSION,
			.exists = true,
			.owner = who->uid + 1,
			.caller = who->uid,
			.administrator = server_config_is_administrator(b->config, who),
		};
		server_config_rights(b->config, acl->listener, who, &q.allow, &q.deny);
		for (size_t k = 0; k < RIGHT_COUNT; k++) {
			enum right right = right_by_index(k);
			(void)json_array_append_new(list, permission(b, acl, &q, who, right));
		}
	}
	return list;
}

static void reply(struct call *call, const struct config_who *who, const char *name)
{
	const struct broker *b = call->broker;
	bool administrator = b->mode == POLICY_SYSTEM_MODE
				     ? server_config_is_administrator(b->config, who)
				     : who->uid == b->owner;
	char safe[NAMES_TEXT_SIZE] = "";
	(void)text_encode(safe, sizeof(safe), name != NULL ? name : "");
	call_reply(call, json_pack("{s:s?, s:I, s:b, s:o}", "user", safe[0] != '\0' ? safe : NULL,
				 "uid", (json_int_t)who->uid, "administrator", administrator,
				 "permissions", permissions(b, who)));
}

static void on_user(void *user, const struct names_answer *a)
{
	struct wait *w = user;
	struct call *call = w->call;
	free(w);
	call->on_gone = NULL;
	if (a->error == -ENOENT) {
		call_fail(call, ERROR_INVALID_PARAMETER, "There is no user of that name.");
		return;
	}
	if (a->error < 0) {
		call_fail_errno(call, a->error, "The user could not be looked up");
		return;
	}
	reply(call,
		&(struct config_who){
			.uid = a->uid, .groups = a->groups, .group_count = a->group_count },
		a->name);
}

static void on_gone(struct call *call)
{
	struct wait *w = call->keeper;
	(void)names_cancel(w->question);
	free(w);
	(void)call_free(call);
}

static void look_up(struct call *call, const char *name)
{
	if (call->connection == NULL) {
		(void)call_free(call);
		return;
	}
	AUTO(free) struct wait *w = calloc(1, sizeof(*w));
	int r = w == NULL ? -ENOMEM
			  : names_ask_user(&w->question, call->broker->names, name, NAME_WAIT_MS,
				    on_user, w);
	if (r < 0) {
		call_fail_errno(call, r, "The user could not be looked up");
		return;
	}
	w->call = call;
	call->keeper = TAKE_PTR(w);
	call->on_gone = on_gone;
}

void method_query_permissions(struct call *call)
{
	const struct broker *b = call->broker;
	struct params p = params_of(call);
	const char *name = params_text(&p, "user");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	const char *own = broker_user_name(b, call->uid);
	if (name == NULL || (own != NULL && strcmp(name, own) == 0)) {
		const struct caller_groups *g = call->groups;
		reply(call,
			&(struct config_who){
				.uid = call->uid, .groups = g->ids, .group_count = g->count },
			own);
	} else if (b->mode != POLICY_SYSTEM_MODE || !call_is_administrator(call)) {
		call_fail(call, ERROR_ACCESS_DENIED,
			"Only administrators may ask for the rights of others.");
	} else {
		look_up(call, name);
	}
}
