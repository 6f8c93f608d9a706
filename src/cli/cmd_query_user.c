/* query user, quser. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/table.h"
#include "protocol/varlink.h"

/* Somebody is logged on: a session, on a terminal or on none. */
static bool wanted(const json_t *session)
{
	const char *state = json_string_value(json_object_get(session, "state"));
	return json_is_integer(json_object_get(session, "id")) && state != NULL &&
	       (strcmp(state, "Active") == 0 || strcmp(state, "Disc") == 0);
}

static size_t print(const json_t *answer, const struct arguments *a)
{
	size_t i;
	const json_t *session;
	const json_t *sessions = json_object_get(answer, "sessions");
	(void)a;
	table_user_header(stdout);
	json_array_foreach((json_t *)sessions, i, session)
	{
		struct table_row row;
		table_row_from(&row, session);
		table_user(stdout, &row);
	}
	return json_array_size(sessions);
}

int cmd_query_user(const struct command *c, const struct arguments *a)
{
	static const struct query query = {
		.print = print,
		.wanted = wanted,
		.nothing = "No User exists for",
		.empty_is_error = true,
	};
	(void)c;
	(void)setlocale(LC_TIME, "");
	return query_run(&query, a);
}
