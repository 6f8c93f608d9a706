#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"

static void the_table_is_sorted_and_every_row_says_what_it_does(void **state)
{
	size_t count;
	const struct command *table = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || strcmp(table[i - 1].name, table[i].name) < 0);
		assert_true(strlen(table[i].help) > 5);
		assert_non_null(table[i].run);
		assert_true((table[i].syntax.options & OPTION_BIT(OPTION_HELP)) != 0);
		assert_true(table[i].syntax.words_most <= WORDS_MAX);
	}
}

/* Every option that a synopsis names is one that the row allows. */
static void a_synopsis_names_no_option_that_is_refused(void **state)
{
	size_t count;
	const struct command *table = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), "%s", table[i].synopsis);
		for (char *at = strtok(text, " []|{}"); at != NULL; at = strtok(NULL, " []|{}")) {
			char *argv[] = { at, "value", "1", NULL };
			struct arguments a;
			AUTO(free) char *problem = NULL;
			bool option = at[0] == '/' || (at[0] == '-' && at[1] == '-' && at[2] != 0);
			bool takes_next = option && strcmp(at, "--size") != 0 &&
					  strcmp(at, "--terminal") != 0;
			if (!option) {
				continue;
			}
			struct syntax syntax = table[i].syntax;
			syntax.words_most = WORDS_MAX;
			if (options_parse(&a, &syntax, argv, &problem) < 0) {
				fail_msg("%s: %s", table[i].name, problem);
			}
			assert_int_equal(a.word_count, takes_next ? 2 : 1);
		}
	}
}

static const struct command *find(const char *one, const char *two, size_t *ret_used)
{
	char *words[] = { (char *)one, (char *)two, NULL };
	char **at = words;
	const struct command *c = command_find(&at);
	*ret_used = (size_t)(at - words);
	return c;
}

static void commands_are_found_by_every_name(void **state)
{
	static const struct {
		const char *one, *two, *name;
		size_t used;
	} cases[] = {
		{ "connect", "12", "connect", 1 },
		{ "CONNECT", NULL, "connect", 1 },
		{ "tscon", "12", "connect", 1 },
		{ "query", "session", "query session", 2 },
		{ "Query", "SESSION", "query session", 2 },
		{ "qwinsta", NULL, "query session", 1 },
		{ "quser", NULL, "query user", 1 },
		{ "rwinsta", "12", "reset session", 1 },
		{ "tsdiscon", NULL, "disconn", 1 },
		{ "query", NULL, NULL, 0 },
		{ "query", "nothing", NULL, 0 },
		{ "session", "query", NULL, 0 },
		{ "con", NULL, NULL, 0 },
		{ "", NULL, NULL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t used;
		const struct command *c = find(cases[i].one, cases[i].two, &used);
		if (cases[i].name == NULL) {
			assert_null(c);
		} else {
			assert_non_null(c);
			assert_string_equal(c->name, cases[i].name);
		}
		assert_int_equal(used, cases[i].used);
	}
}

static void help_shows_the_synopsis_and_every_option(void **state)
{
	size_t used;
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	command_help(out, find("connect", NULL, &used));
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text,
		"Usage: connect [sessionID | sessionname] [/password:*] [/server:name] "
		"[/dest:sessionname] [/v]\n"));
	assert_non_null(strstr(text, "/dest:sessionname, --dest=sessionname"));
	assert_non_null(strstr(text, "/v, -v, --verbose"));
	assert_non_null(strstr(text, "/?, -h, --help"));
}

static void the_help_of_all_names_each_command(void **state)
{
	size_t count;
	const struct command *table = command_table(&count);
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	command_help(out, NULL);
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(strstr(text, table[i].name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sorted_and_every_row_says_what_it_does),
		cmocka_unit_test(a_synopsis_names_no_option_that_is_refused),
		cmocka_unit_test(commands_are_found_by_every_name),
		cmocka_unit_test(help_shows_the_synopsis_and_every_option),
		cmocka_unit_test(the_help_of_all_names_each_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
