#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/password.h"

/* Reads what a descriptor holds. */
static void check_fd(int fd, const char *expected)
{
	char text[PASSWORD_MAX + 1] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);
	assert_int_equal(n, strlen(expected));
	assert_string_equal(text, expected);
	assert_int_equal(read(fd, text, sizeof(text)), 0);
}

static void a_password_in_the_arguments_is_wiped_and_kept(void **state)
{
	static const struct {
		const char *first, *second, *left, *left_second;
	} cases[] = {
		{ "/password:secret", NULL, "/password:", NULL },
		{ "/PASSWORD:secret", NULL, "/PASSWORD:", NULL },
		{ "--password=secret", NULL, "--password=", NULL },
		{ "--password", "secret", "--password", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *first = strdup(cases[i].first);
		AUTO(free) char *second = cases[i].second != NULL ? strdup(cases[i].second) : NULL;
		char *argv[] = { "12", first, second, NULL };
		struct arguments a = { .values = { [OPTION_PASSWORD] = "" } };
		struct failure failure;
		AUTO_FD int fd = -1;
		password_take_from(argv);
		assert_string_equal(first, cases[i].left);
		/* Not one byte of it is left behind the new end. */
		for (size_t n = strlen(first); n < strlen(cases[i].first); n++) {
			assert_int_equal(first[n], '\0');
		}
		if (second != NULL) {
			assert_memory_equal(second, "\0\0\0\0\0\0", 7);
		}
		assert_int_equal(password_open(&fd, &a, &failure), 0);
		check_fd(fd, "secret");
	}
}

static void a_programs_own_arguments_are_left_alone(void **state)
{
	char own[] = "--password=secret";
	char *argv[] = { "--", own, NULL };
	password_take_from(argv);
	assert_string_equal(own, "--password=secret");
}

static void the_star_is_not_a_password(void **state)
{
	char star[] = "/password:*";
	char *argv[] = { star, NULL };
	password_take_from(argv);
	assert_string_equal(star, "/password:*");
}

static void no_password_is_no_descriptor(void **state)
{
	struct arguments a = { 0 };
	struct failure failure;
	int fd = 99;
	assert_int_equal(password_open(&fd, &a, &failure), 0);
	assert_int_equal(fd, -1);
}

static void a_descriptor_gives_its_first_line(void **state)
{
	int ends[2];
	char number[16];
	struct failure failure;
	AUTO_FD int fd = -1;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from a script\nmore", 18), 18);
	(void)close(ends[1]);
	(void)snprintf(number, sizeof(number), "%d", ends[0]);
	struct arguments a = { .values = { [OPTION_PASSWORD_FD] = number } };
	assert_int_equal(password_open(&fd, &a, &failure), 0);
	check_fd(fd, "from a script");
	(void)close(ends[0]);
}

static void what_cannot_be_read_is_a_failure(void **state)
{
	static const char *const numbers[] = { "x", "-1", "99999", "99999999999", "" };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct arguments a = { .values = { [OPTION_PASSWORD_FD] = numbers[i] } };
		struct failure failure = { 0 };
		int fd = -1;
		assert_int_equal(password_open(&fd, &a, &failure), -1);
		assert_int_equal(fd, -1);
		assert_int_equal(failure.code, 1326);
	}
}

static void one_that_is_too_long_is_refused_and_wiped(void **state)
{
	static char text[PASSWORD_MAX + 100];
	struct arguments a = { .values = { [OPTION_PASSWORD] = "" } };
	struct failure failure;
	int fd = -1;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "/password:", 10);
	char *argv[] = { text, NULL };
	password_take_from(argv);
	assert_string_equal(text, "/password:");
	assert_int_equal(password_open(&fd, &a, &failure), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_in_the_arguments_is_wiped_and_kept),
		cmocka_unit_test(a_programs_own_arguments_are_left_alone),
		cmocka_unit_test(the_star_is_not_a_password),
		cmocka_unit_test(no_password_is_no_descriptor),
		cmocka_unit_test(a_descriptor_gives_its_first_line),
		cmocka_unit_test(what_cannot_be_read_is_a_failure),
		cmocka_unit_test(one_that_is_too_long_is_refused_and_wiped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
