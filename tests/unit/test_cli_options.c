#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/options.h"

#define ALL ((OPTION_BIT(OPTION_COUNT - 1) << 1) - 1)
#define ARGS(...) ((char *[]){ __VA_ARGS__, NULL })

static const struct syntax anything = { .options = ALL, .words_most = 2, .rest = true };

static int parse(struct arguments *a, const struct syntax *syntax, char **argv)
{
	AUTO(free) char *problem = NULL;
	int r = options_parse(a, syntax, argv, &problem);
	assert_int_equal(r < 0, problem != NULL);
	return r;
}

static void a_value_is_taken_in_every_spelling(void **state)
{
	static const struct {
		const char *first, *second;
	} cases[] = {
		{ "/dest:TERM05", NULL },
		{ "/DEST:TERM05", NULL },
		{ "/Dest:TERM05", NULL },
		{ "--dest=TERM05", NULL },
		{ "--dest", "TERM05" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { "12", (char *)cases[i].first, (char *)cases[i].second, NULL };
		struct arguments a;
		assert_int_equal(parse(&a, &anything, argv), 0);
		assert_string_equal(a.values[OPTION_DEST], "TERM05");
		assert_string_equal(a.words[0], "12");
		assert_int_equal(a.word_count, 1);
	}
}

static void a_flag_is_taken_in_every_spelling(void **state)
{
	static const struct {
		const char *text;
		enum option_id id;
	} cases[] = {
		{ "/v", OPTION_VERBOSE },
		{ "/V", OPTION_VERBOSE },
		{ "-v", OPTION_VERBOSE },
		{ "--verbose", OPTION_VERBOSE },
		{ "/verbose", OPTION_VERBOSE },
		{ "/?", OPTION_HELP },
		{ "-?", OPTION_HELP },
		{ "-h", OPTION_HELP },
		{ "--help", OPTION_HELP },
		{ "/HELP", OPTION_HELP },
		{ "/json", OPTION_JSON },
		{ "--json", OPTION_JSON },
		{ "/Counter", OPTION_COUNTER },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arguments a;
		assert_int_equal(parse(&a, &anything, ARGS((char *)cases[i].text)), 0);
		assert_non_null(a.values[cases[i].id]);
	}
}

static void what_is_no_option_is_refused(void **state)
{
	static const char *const cases[] = {
		"/bogus",
		"--bogus",
		"-x",
		"-V",
		"-verbose",
		"--Verbose",
		"/v:1",
		"--verbose=1",
		"/dest",
		"/dest:",
		"/dest=TERM05",
		"--dest:TERM05",
		"--dest=",
		"--dest",
		"/",
		"/:",
		"--",
	};
	static const struct syntax no_rest = { .options = ALL, .words_most = 2 };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arguments a;
		if (parse(&a, &no_rest, ARGS((char *)cases[i])) != -EINVAL) {
			fail_msg("%s is taken", cases[i]);
		}
	}
}

static void an_option_of_another_command_is_refused(void **state)
{
	static const struct syntax syntax = { .options = OPTION_BIT(OPTION_HELP), .words_most = 1 };
	struct arguments a;
	assert_int_equal(parse(&a, &syntax, ARGS("/v")), -EINVAL);
	assert_int_equal(parse(&a, &syntax, ARGS("--dest=x")), -EINVAL);
	assert_int_equal(parse(&a, &syntax, ARGS("/?")), 0);
}

static void too_many_and_too_few_words_are_refused(void **state)
{
	static const struct syntax one = { .options = ALL, .words_least = 1, .words_most = 1 };
	struct arguments a;
	assert_int_equal(parse(&a, &one, ARGS("1", "2")), -EINVAL);
	assert_int_equal(parse(&a, &one, ARGS("/v")), -EINVAL);
	assert_int_equal(parse(&a, &one, ARGS("/v", "1")), 0);
	assert_int_equal(parse(&a, &one, ARGS("/?")), 0);
	assert_int_equal(parse(&a, &one, ARGS("-")), 0);
}

static void a_value_given_twice_is_refused_and_a_flag_is_not(void **state)
{
	struct arguments a;
	assert_int_equal(parse(&a, &anything, ARGS("/dest:a", "--dest=b")), -EINVAL);
	assert_int_equal(parse(&a, &anything, ARGS("/v", "-v", "--verbose")), 0);
}

static void what_stands_behind_the_dashes_is_left_alone(void **state)
{
	char *argv[] = { "--new", "--", "/bin/sh", "-c", "--", "/v", NULL };
	struct arguments a;
	assert_int_equal(parse(&a, &anything, argv), 0);
	assert_ptr_equal(a.rest, argv + 2);
	assert_null(a.values[OPTION_VERBOSE]);
	assert_int_equal(a.word_count, 0);
}

static void a_long_option_takes_the_next_word_whatever_it_is(void **state)
{
	struct arguments a;
	assert_int_equal(parse(&a, &anything, ARGS("--size", "-1x5")), 0);
	assert_string_equal(a.values[OPTION_SIZE], "-1x5");
}

static void a_wiped_password_is_still_a_given_one(void **state)
{
	struct arguments a;
	assert_int_equal(parse(&a, &anything, ARGS("/password:")), 0);
	assert_string_equal(a.values[OPTION_PASSWORD], "");
	assert_int_equal(parse(&a, &anything, ARGS("--password", "", "12")), 0);
	assert_string_equal(a.words[0], "12");
}

static void the_rows_are_sorted(void **state)
{
	for (unsigned id = 1; id < OPTION_COUNT; id++) {
		assert_true(strcmp(option_row(id - 1)->name, option_row(id)->name) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_taken_in_every_spelling),
		cmocka_unit_test(a_flag_is_taken_in_every_spelling),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(an_option_of_another_command_is_refused),
		cmocka_unit_test(too_many_and_too_few_words_are_refused),
		cmocka_unit_test(a_value_given_twice_is_refused_and_a_flag_is_not),
		cmocka_unit_test(what_stands_behind_the_dashes_is_left_alone),
		cmocka_unit_test(a_long_option_takes_the_next_word_whatever_it_is),
		cmocka_unit_test(a_wiped_password_is_still_a_given_one),
		cmocka_unit_test(the_rows_are_sorted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
