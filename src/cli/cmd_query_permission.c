/* query permission: what somebody may do, by listener and right, and which line made it so. */
#include <stdio.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/server.h"

#define FIELD_SIZE 512

static int fail(const struct failure *f)
{
	return report_failure(f, "query permissions");
}

static const char *text_of(
	char text[static FIELD_SIZE], const json_t *object, const char *name, const char *none)
{
	const char *value = json_string_value(json_object_get(object, name));
	(void)text_encode(text, FIELD_SIZE, value != NULL ? value : none);
	return text;
}

static void print_table(const json_t *answer)
{
	size_t i;
	json_t *one;
	char listener[FIELD_SIZE], right[FIELD_SIZE], state[FIELD_SIZE], source[FIELD_SIZE];
	(void)printf(" %-16s %-11s %-8s  %s\n", "LISTENER", "RIGHT", "STATE", "FROM");
	json_array_foreach(json_object_get(answer, "permissions"), i, one)
	{
		(void)text_of(listener, one, "listener", "");
		(void)text_of(right, one, "right", "");
		(void)text_of(state, one, "state", "");
		(void)text_of(source, one, "source", "");
		if (source[0] != '\0') {
			(void)printf(" %-16s %-11s %-8s  %s\n", listener, right, state, source);
		} else {
			(void)printf(" %-16s %-11s %s\n", listener, right, state);
		}
	}
}

static int print_json(const json_t *answer)
{
	AUTO(json) json_t *whole = json_pack("{s:i}", "version", JSON_QUERY_VERSION);
	if (whole == NULL || json_object_update_missing(whole, (json_t *)answer) < 0) {
		return EXIT_FAILED;
	}
	return json_print(stdout, whole, false) == 0 ? EXIT_OK : EXIT_FAILED;
}

int cmd_query_permission(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(json) json_t *answer = NULL;
	struct failure failure;
	(void)c;
	if (server_reach(&server, a, &failure) < 0) {
		return fail(&failure);
	}
	json_t *parameters = json_pack("{s:o}", "user", server_text(a->words[0]));
	if (server_call(&server, "QueryPermissions", parameters, NULL, 0, SERVER_REPEAT, &answer,
		    &failure) < 0) {
		return fail(&failure);
	}
	if (a->values[OPTION_JSON] != NULL) {
		return print_json(answer);
	}
	print_table(answer);
	return EXIT_OK;
}
