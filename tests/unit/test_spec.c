#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/spec.h"

static char *some_arguments[] = { "vim", "", "a file with spaces", NULL };
static char *some_environment[] = { "A=1", "EMPTY=", "B=x=y", NULL };

static struct spec some_spec(void)
{
	return (struct spec){
		.header = { .rows = 24,
			.columns = 80,
			.history_bytes = 1000,
			.wait_ms = 300,
			.umask = 027 },
		.directory = "/some/where",
		.term = "xterm-256color",
		.arguments = some_arguments,
		.environment = some_environment,
	};
}

static void what_is_written_is_read_again(void **state)
{
	struct spec s = some_spec();
	int fd = spec_write(&s);
	assert_true(fd >= 0);
	struct spec got;
	assert_int_equal(spec_read(&got, fd), 0);
	assert_int_equal(got.header.version, SPEC_VERSION);
	assert_int_equal(got.header.rows, 24);
	assert_int_equal(got.header.columns, 80);
	assert_int_equal(got.header.history_bytes, 1000);
	assert_int_equal(got.header.wait_ms, 300);
	assert_int_equal(got.header.umask, 027);
	assert_int_equal(got.header.argument_count, 3);
	assert_int_equal(got.header.environment_count, 3);
	assert_string_equal(got.directory, s.directory);
	assert_string_equal(got.term, s.term);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(got.arguments[i], some_arguments[i]);
		assert_string_equal(got.environment[i], some_environment[i]);
	}
	assert_null(got.arguments[3]);
	assert_null(got.environment[3]);
	spec_done(&got);
	assert_int_equal(spec_read(&got, fd), 0); /* from its start, once more */
	spec_done(&got);
	(void)close(fd);
}

static void a_written_spec_cannot_be_changed_any_more(void **state)
{
	struct spec s = some_spec();
	int fd = spec_write(&s);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, 0), -1);
	(void)close(fd);
}

static void no_arguments_mean_the_login_shell(void **state)
{
	char *none[] = { NULL };
	struct spec s = some_spec();
	struct spec got;
	s.arguments = none;
	s.environment = none;
	int fd = spec_write(&s);
	assert_int_equal(spec_read(&got, fd), 0);
	assert_null(got.arguments[0]);
	assert_null(got.environment[0]);
	spec_done(&got);
	(void)close(fd);
}

static void too_much_is_refused_by_the_writer(void **state)
{
	struct spec s = some_spec();
	char **many = calloc(SPEC_ARGUMENTS_MAX + 2, sizeof(*many));
	for (size_t i = 0; i <= SPEC_ARGUMENTS_MAX; i++) {
		many[i] = "";
	}
	s.arguments = many;
	assert_int_equal(spec_write(&s), -E2BIG);
	many[SPEC_ARGUMENTS_MAX] = NULL;
	int fd = spec_write(&s);
	assert_true(fd >= 0);
	(void)close(fd);
	char *large = malloc(SPEC_SIZE_MAX + 1);
	memset(large, 'x', SPEC_SIZE_MAX);
	large[SPEC_SIZE_MAX] = '\0';
	many[0] = large;
	assert_int_equal(spec_write(&s), -E2BIG);
	free(large);
	free(many);
}

/* The bytes of a good spec, for tests that spoil them. */
static size_t good_bytes(char *bytes, size_t size)
{
	struct spec s = some_spec();
	int fd = spec_write(&s);
	ssize_t n = pread(fd, bytes, size, 0);
	assert_true(n > 0 && (size_t)n < size);
	(void)close(fd);
	return (size_t)n;
}

static int parse(const char *bytes, size_t length)
{
	/* On the heap and no longer than it is, so that a read behind the end is seen. */
	char *copy = malloc(length > 0 ? length : 1);
	memcpy(copy, bytes, length);
	struct spec got;
	int r = spec_parse(&got, copy, length);
	if (r == 0) {
		spec_done(&got);
	}
	free(copy);
	return r;
}

static void every_shorter_and_longer_form_is_refused(void **state)
{
	char bytes[4096] = { 0 };
	size_t length = good_bytes(bytes, sizeof(bytes));
	assert_int_equal(parse(bytes, length), 0);
	for (size_t i = 0; i < length; i++) {
		assert_int_equal(parse(bytes, i), -EPROTO);
	}
	assert_int_equal(parse(bytes, length + 1), -EPROTO);
}

static void counts_and_version_are_checked(void **state)
{
	char bytes[4096];
	size_t length = good_bytes(bytes, sizeof(bytes));
	struct spec_header good;
	memcpy(&good, bytes, sizeof(good));
	struct spec_header bad[] = { good, good, good, good, good, good };
	bad[0].version = SPEC_VERSION + 1;
	bad[1].argument_count = SPEC_ARGUMENTS_MAX + 1;
	bad[2].environment_count = UINT32_MAX;
	bad[3].argument_count++;
	bad[4].environment_count--;
	bad[5].umask = 01000;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(bytes, &bad[i], sizeof(bad[i]));
		assert_int_equal(parse(bytes, length), -EPROTO);
	}
}

static void what_is_no_file_or_too_large_is_not_read(void **state)
{
	struct spec got;
	int pipes[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(spec_read(&got, pipes[0]), -EPROTO);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	int fd = memfd_create("empty", MFD_CLOEXEC);
	assert_int_equal(spec_read(&got, fd), -EPROTO);
	assert_int_equal(ftruncate(fd, SPEC_SIZE_MAX + 1), 0);
	assert_int_equal(spec_read(&got, fd), -EPROTO);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_written_spec_cannot_be_changed_any_more),
		cmocka_unit_test(no_arguments_mean_the_login_shell),
		cmocka_unit_test(too_much_is_refused_by_the_writer),
		cmocka_unit_test(every_shorter_and_longer_form_is_refused),
		cmocka_unit_test(counts_and_version_are_checked),
		cmocka_unit_test(what_is_no_file_or_too_large_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
