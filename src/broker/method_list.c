/* What a caller may know: itself, and the list. */
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/listing.h"
#include "broker/method.h"
#include "broker/params.h"
#include "broker/session.h"
#include "broker/watch.h"

void method_get_caller(struct call *call)
{
	const struct broker *b = call->broker;
	const struct session *s = call->session != 0 ? session_find(b, call->session) : NULL;
	bool active = s != NULL && session_is_active(s);
	call_reply(
		call, json_pack("{s:I, s:o, s:s?, s:s, s:s, s:s}", "uid", (json_int_t)call->uid,
			      "session", s != NULL ? json_integer((json_int_t)s->id) : json_null(),
			      "terminal", active ? s->info.terminal : NULL, "mode", "user",
			      "version", TERMSERV_VERSION, "runtimeDirectory", b->runtime_path));
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
