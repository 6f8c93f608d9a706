/* query session, qwinsta. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/query.h"
#include "cli/table.h"
#include "protocol/varlink.h"

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* /v: a line below the session's own, from the user's column on. */
static void print_details(const json_t *session)
{
	char command[TABLE_TEXT_SIZE];
	const char *text = json_string_value(json_object_get(session, "command"));
	if (!json_is_integer(json_object_get(session, "id"))) {
		return;
	}
	(void)text_encode(command, sizeof(command), text != NULL ? text : "");
	(void)printf("%19s%lldx%lld, screen and history %.1f KiB, %lld lines of history: %s\n", "",
		number_of(session, "columns"), number_of(session, "rows"),
		(double)number_of(session, "modelBytes") / 1024, number_of(session, "historyLines"),
		command);
}

static size_t print(const json_t *answer, const struct arguments *a)
{
	size_t i;
	const json_t *session;
	const json_t *sessions = json_object_get(answer, "sessions");
	table_session_header(stdout);
	json_array_foreach((json_t *)sessions, i, session)
	{
		struct table_row row;
		table_row_from(&row, session);
		table_session(stdout, &row);
		if (a->values[OPTION_VERBOSE] != NULL) {
			print_details(session);
		}
	}
	if (a->values[OPTION_COUNTER] != NULL) {
		(void)printf("\nTotal sessions created:      %8lld\n"
			     "Total sessions disconnected: %8lld\n"
			     "Total sessions reconnected:  %8lld\n",
			number_of(answer, "created"), number_of(answer, "disconnected"),
			number_of(answer, "reconnected"));
	}
	return json_array_size(sessions);
}

int cmd_query_session(const struct command *c, const struct arguments *a)
{
	static const struct query query = {
		.print = print,
		.nothing = "No session exists for",
	};
	(void)c;
	return query_run(&query, a);
}
