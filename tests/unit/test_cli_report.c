#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/report.h"
#include "protocol/error.h"
#include "protocol/varlink.h"

static void a_session_is_called_by_what_was_given(void **state)
{
	char text[REPORT_SUBJECT_SIZE];
	assert_string_equal(report_subject(text, "12"), "sessionID 12");
	assert_string_equal(report_subject(text, "TERM03"), "sessionname TERM03");
	assert_string_equal(report_subject(text, "12a"), "sessionname 12a");
	assert_string_equal(report_subject(text, "a\033[31mb\n"), "sessionname a?[31mb?");
	assert_string_equal(report_subject(text, NULL), "this session");
}

/* What report_failure() writes to stderr. */
static void catch_failure(char *text, size_t size, const struct failure *f, const char *subject)
{
	int ends[2];
	AUTO_FD int former = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	int status = report_failure(f, "connect %s to %s", subject, "sessionname TERM05");
	assert_true(dup2(former, STDERR_FILENO) >= 0);
	(void)close(ends[1]);
	ssize_t n = read(ends[0], text, size - 1);
	(void)close(ends[0]);
	assert_int_equal(status, EXIT_FAILED);
	assert_true(n > 0);
	text[n] = '\0';
}

static void a_failure_is_two_lines(void **state)
{
	char text[1024];
	struct failure f;
	failure_set(&f, ERROR_SESSION_NOT_FOUND, NULL);
	catch_failure(text, sizeof(text), &f, "sessionID 12");
	assert_string_equal(text,
		"Could not connect sessionID 12 to sessionname TERM05, Error code "
		"7022\nError [7022]: Session not found.\n");
}

static void a_failure_stays_two_lines_whatever_is_in_it(void **state)
{
	char text[1024];
	struct failure f;
	failure_set(&f, 5023, "one\ntwo\033]0;x\007\u202e");
	catch_failure(text, sizeof(text), &f, "sessionname a\nb");
	assert_string_equal(text,
		"Could not connect sessionname a?b to sessionname TERM05, Error code 5023\n"
		"Error [5023]: one?two?]0;x??\n");
}

static void an_answer_of_the_server_is_a_failure_with_its_words(void **state)
{
	struct failure f;
	AUTO(json) json_t *fields = json_pack("{s:i, s:s}", "code", 7024, "message", "It is busy.");
	failure_from_reply(&f, "io.termserv.Control.Busy", fields);
	assert_int_equal(f.code, 7024);
	assert_string_equal(f.text, "It is busy.");
	failure_from_reply(&f, "io.termserv.Control.SessionNotFound", NULL);
	assert_int_equal(f.code, 7022);
	assert_string_equal(f.text, "Session not found.");
	failure_from_reply(&f, "org.varlink.service.MethodNotFound", NULL);
	assert_int_equal(f.code, ERROR_NOT_SUPPORTED);
	assert_string_equal(f.text, "org.varlink.service.MethodNotFound");
	failure_from_reply(&f, NULL, NULL);
	assert_int_equal(f.code, ERROR_NOT_SUPPORTED);
}

static void an_errno_is_a_failure_with_its_number(void **state)
{
	struct failure f;
	failure_from_errno(&f, -EMFILE);
	assert_int_equal(f.code, 4);
	assert_non_null(strstr(f.text, strerror(EMFILE)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_called_by_what_was_given),
		cmocka_unit_test(a_failure_is_two_lines),
		cmocka_unit_test(a_failure_stays_two_lines_whatever_is_in_it),
		cmocka_unit_test(an_answer_of_the_server_is_a_failure_with_its_words),
		cmocka_unit_test(an_errno_is_a_failure_with_its_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
