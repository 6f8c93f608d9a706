/* query audit: the newest records, oldest first. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/server.h"
#include "cli/table.h"
#include "protocol/error.h"
#include "protocol/varlink.h"

#define FIELD_SIZE 256

static int fail(const struct failure *f)
{
	return report_failure(f, "query the records");
}

/* A member as people read it; "" = it is not there. */
static const char *text_of(char text[static FIELD_SIZE], const json_t *record, const char *name)
{
	const json_t *value = json_object_get(record, name);
	text[0] = '\0';
	if (json_is_string(value)) {
		(void)text_encode(text, FIELD_SIZE, json_string_value(value));
	} else if (json_is_integer(value)) {
		(void)snprintf(
			text, FIELD_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
	return text;
}

/* The name, where it is known, else the number. */
static const char *user_of(
	char text[static FIELD_SIZE], const json_t *record, const char *name, const char *number)
{
	const char *found = text_of(text, record, name);
	return found[0] != '\0' ? found : text_of(text, record, number);
}

/* "alice/12": whose session it is about. */
static void object_of(char text[static 2 * FIELD_SIZE], const json_t *record)
{
	char owner[FIELD_SIZE], id[FIELD_SIZE];
	(void)user_of(owner, record, "ownerName", "owner");
	(void)text_of(id, record, "session");
	(void)snprintf(text, 2 * FIELD_SIZE, "%s%s%s", owner, id[0] != '\0' ? "/" : "", id);
}

static void print_record(const json_t *record)
{
	char time[FIELD_SIZE], event[FIELD_SIZE], user[FIELD_SIZE], terminal[FIELD_SIZE];
	char by[FIELD_SIZE], result[FIELD_SIZE], error[FIELD_SIZE];
	char object[2 * FIELD_SIZE], local[TABLE_TIME_SIZE];
	table_time(local, text_of(time, record, "time"));
	object_of(object, record);
	(void)printf(" %-17s %-16s %-14s %-20s %-12s %-9s %s%s%s\n", local,
		user_of(user, record, "user", "uid"), text_of(event, record, "event"), object,
		text_of(terminal, record, "terminal"), text_of(by, record, "by"),
		text_of(result, record, "result"),
		text_of(error, record, "error")[0] != '\0' ? "  " : "", error);
}

static int print(const json_t *answer, const struct arguments *a)
{
	const json_t *records = json_object_get(answer, "records");
	if (a->values[OPTION_JSON] != NULL) {
		AUTO(json)
		json_t *whole = json_pack(
			"{s:i, s:O?}", "version", JSON_QUERY_VERSION, "records", records);
		return whole != NULL && json_print(stdout, whole, false) == 0 ? EXIT_OK
									      : EXIT_FAILED;
	}
	size_t i;
	json_t *record;
	(void)printf(" %-17s %-16s %-14s %-20s %-12s %-9s %s\n", "TIME", "USER", "EVENT",
		"OWNER/ID", "TERMINAL", "BY", "RESULT");
	json_array_foreach((json_t *)records, i, record)
	{
		print_record(record);
	}
	return EXIT_OK;
}

int cmd_query_audit(const struct command *c, const struct arguments *a)
{
	struct failure failure;
	uint32_t lines = 0;
	const char *asked = a->values[OPTION_LINES];
	if (asked != NULL && (text_to_u32(asked, &lines) < 0 || lines == 0)) {
		return command_usage(c, "--lines needs a number from 1 on.");
	}
	AUTO(server_close) struct server server = SERVER_NONE;
	if (server_reach(&server, a, &failure) < 0) {
		return fail(&failure);
	}
	AUTO(json) json_t *answer = NULL;
	json_t *parameters = json_pack("{s:o, s:o}", "user", server_text(a->words[0]), "lines",
		asked != NULL ? json_integer(lines) : json_null());
	if (server_call(&server, "ListAudit", parameters, NULL, 0, SERVER_REPEAT, &answer,
		    &failure) < 0) {
		return fail(&failure);
	}
	return print(answer, a);
}
