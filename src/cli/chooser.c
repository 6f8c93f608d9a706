#include "cli/chooser.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "cli/table.h"

#define COMMAND_SIZE 41 /* what a row shows of the command */

static bool is_disconnected(const json_t *session)
{
	const char *state = json_string_value(json_object_get(session, "state"));
	return state != NULL && strcmp(state, "Disc") == 0 &&
	       json_is_integer(json_object_get(session, "id"));
}

static void put_id(struct choice *choice, const json_t *session)
{
	choice->kind = CHOICE_SESSION;
	(void)snprintf(choice->session, sizeof(choice->session), "%lld",
		json_integer_value(json_object_get(session, "id")));
}

size_t chooser_count(const json_t *sessions, struct choice *ret_only)
{
	size_t count = 0;
	size_t i;
	const json_t *session;
	json_array_foreach((json_t *)sessions, i, session)
	{
		if (is_disconnected(session)) {
			count++;
			if (ret_only != NULL) {
				put_id(ret_only, session);
			}
		}
	}
	return count;
}

bool chooser_any(const json_t *sessions, struct choice *ret)
{
	size_t i;
	const json_t *session;
	json_array_foreach((json_t *)sessions, i, session)
	{
		if (json_is_integer(json_object_get(session, "id"))) {
			put_id(ret, session);
			return true;
		}
	}
	return false;
}

static void put_row(FILE *out, const json_t *session)
{
	struct table_row row;
	char command[COMMAND_SIZE];
	char size[32];
	const char *text = json_string_value(json_object_get(session, "command"));
	table_row_from(&row, session);
	(void)text_encode(command, sizeof(command), text != NULL ? text : "");
	(void)snprintf(size, sizeof(size), "%lldx%lld",
		json_integer_value(json_object_get(session, "columns")),
		json_integer_value(json_object_get(session, "rows")));
	(void)fprintf(out, "%5s)  %-*s  %-9s  idle %-8s  since %s\n", row.id, COMMAND_SIZE - 1,
		command, size, row.idle, row.logon);
}

void chooser_print(FILE *out, const json_t *sessions)
{
	size_t i;
	const json_t *session;
	if (chooser_count(sessions, NULL) == 0) {
		(void)fprintf(out, "No session is disconnected.\n");
	} else {
		(void)fprintf(out, "Disconnected sessions:\n");
	}
	json_array_foreach((json_t *)sessions, i, session)
	{
		if (is_disconnected(session)) {
			put_row(out, session);
		}
	}
	(void)fprintf(out, "    n)  a new session\n    q)  none\n");
}

struct choice chooser_parse(const json_t *sessions, const char *line)
{
	struct choice choice = { .kind = CHOICE_NONSENSE };
	char word[24];
	line += strspn(line, " \t");
	size_t length = strcspn(line, " \t\r\n");
	if (length == 0 || length >= sizeof(word) ||
		line[length + strspn(line + length, " \t\r\n")] != '\0') {
		return choice;
	}
	memcpy(word, line, length);
	word[length] = '\0';
	if (strcasecmp(word, "n") == 0 || strcasecmp(word, "new") == 0) {
		choice.kind = CHOICE_NEW;
	} else if (strcasecmp(word, "q") == 0 || strcasecmp(word, "quit") == 0) {
		choice.kind = CHOICE_QUIT;
	}
	size_t i;
	const json_t *session;
	json_array_foreach((json_t *)sessions, i, session)
	{
		struct choice row = { 0 };
		if (is_disconnected(session)) {
			put_id(&row, session);
		}
		if (row.kind == CHOICE_SESSION && strcmp(row.session, word) == 0) {
			return row;
		}
	}
	return choice;
}
