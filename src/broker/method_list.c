/* What a caller may know: itself, and the list. */
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/listing.h"
#include "broker/method.h"
#include "broker/params.h"
#include "broker/session.h"
#include "broker/watch.h"
#include "config/server_config.h"

void method_get_caller(struct call *call)
{
	const struct broker *b = call->broker;
	const struct session *s = call->session != 0 ? session_find(b, call->session) : NULL;
	bool active = s != NULL && session_is_active(s);
	char name[LINK_SHORT_SIZE] = "";
	char listener[LINK_NAME_SIZE] = "";
	const char *user = broker_user_name(b, call->uid);
	(void)text_encode(name, sizeof(name), user != NULL ? user : "");
	(void)text_encode(listener, sizeof(listener), s != NULL ? s->info.listener : "");
	json_t *answer = json_pack("{s:I, s:s?, s:o, s:s?, s:s, s:s, s:s}", "uid",
		(json_int_t)call->uid, "user", name[0] != '\0' ? name : NULL, "session",
		s != NULL ? json_integer((json_int_t)s->id) : json_null(), "terminal",
		active ? s->info.terminal : NULL, "mode",
		b->mode == POLICY_SYSTEM_MODE ? "system" : "user", "version", TERMSERV_VERSION,
		"runtimeDirectory", b->runtime_path);
	json_t *settings = json_pack("{s:s?, s:b, s:b, s:b}", "listener",
		listener[0] != '\0' ? listener : NULL, "administrator", call_is_administrator(call),
		"chooser", b->config->user_defaults.chooser, "singleSession",
		b->config->single_session);
	if (answer == NULL || settings == NULL || json_object_update(answer, settings) < 0) {
		json_decref(answer);
		answer = NULL;
	}
	json_decref(settings);
	call_reply(call, answer);
}

void method_list_sessions(struct call *call)
{
	struct params p = params_of(call);
	const char *filter = params_text(&p, "filter");
	bool watch = params_flag(&p, "watch");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
	} else if (!watch) {
		call_reply(call, listing_answer(call, filter));
	} else if (!call->more) {
		call_fail_standard(call, "ExpectedMore", NULL, NULL);
	} else {
		watch_add(call);
	}
}
