/* ListAudit: the newest records, for those who administer the server: who may end it may read what
 * everybody has done on it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "broker/auditlog.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/method.h"
#include "broker/params.h"

#define LINES_USUAL 50
#define LINES_MAX 1000

/* By the caller's name, or by his number. */
static bool is_of(const json_t *record, const void *user)
{
	uint32_t uid;
	const char *name = json_string_value(json_object_get(record, "user"));
	if (name != NULL && strcmp(name, user) == 0) {
		return true;
	}
	return text_to_u32(user, &uid) == 0 &&
	       json_integer_value(json_object_get(record, "uid")) == (json_int_t)uid &&
	       json_is_integer(json_object_get(record, "uid"));
}

void method_list_audit(struct call *call)
{
	struct params p = params_of(call);
	const char *user = params_text(&p, "user");
	const json_t *asked = json_object_get(call->parameters, "lines");
	int64_t lines = asked != NULL && !json_is_null(asked)
				? params_need_number(&p, "lines", 1, LINES_MAX)
				: LINES_USUAL;
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	if (call_decide(call, (struct policy_question){ .right = RIGHT_STOP,
				      .subject = POLICY_SERVER }) != ERROR_NONE) {
		call_fail(call, ERROR_ACCESS_DENIED, "Only administrators read the records.");
		return;
	}
	json_t *records = auditlog_read(
		call->broker->auditlog, (size_t)lines, user != NULL ? is_of : NULL, user);
	call_reply(call, records != NULL ? json_pack("{s:o}", "records", records) : NULL);
}
