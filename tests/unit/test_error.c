#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/error.h"
#include "protocol/idl.h"

static const enum error_code codes[] = { ERROR_TOO_MANY_OPEN_FILES, ERROR_ACCESS_DENIED,
	ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED, ERROR_INVALID_PARAMETER, ERROR_DISK_FULL,
	ERROR_LOGON_FAILURE, ERROR_SERVER_UNAVAILABLE, ERROR_INVALID_STATE, ERROR_NAME_INVALID,
	ERROR_CLOSE_PENDING, ERROR_SESSION_NOT_FOUND, ERROR_NAME_IN_USE, ERROR_BUSY,
	ERROR_SIZE_NOT_SUPPORTED, ERROR_CLIENT_NO_ANSWER, ERROR_CONSOLE_DISCONNECT,
	ERROR_CONSOLE_RECONNECT, ERROR_REQUEST_DENIED, ERROR_TOO_MANY_SESSIONS,
	ERROR_LOGONS_DISABLED, ERROR_ACCOUNT_RESTRICTION, ERROR_INCOMPATIBLE };

#define COUNT (sizeof(codes) / sizeof(codes[0]))

static void every_code_has_a_row_that_is_found_by_name_too(void **state)
{
	for (size_t i = 0; i < COUNT; i++) {
		const struct error_row *row = error_by_code(codes[i]);
		assert_int_equal(row->code, codes[i]);
		assert_ptr_equal(error_by_name(row->name), row);
		size_t length = strlen(row->text);
		assert_true(length > 10 && row->text[length - 1] == '.');
	}
	assert_null(error_by_name("accessdenied"));
	assert_null(error_by_name(""));
	assert_int_equal(error_by_code((enum error_code)1)->code, ERROR_NOT_SUPPORTED);
}

static void the_interface_description_knows_the_same_errors(void **state)
{
	size_t described = 0;
	for (const char *at = idl_text(); (at = strstr(at, "\nerror ")) != NULL; at++) {
		char name[64] = "";
		assert_int_equal(
			sscanf(at, "\nerror %63[A-Za-z] (code: int, message: string)", name), 1);
		assert_non_null(error_by_name(name));
		described++;
	}
	assert_int_equal(described, COUNT);
}

static void a_failed_system_call_has_a_number_for_people(void **state)
{
	static const struct {
		int error;
		enum error_code code;
	} cases[] = {
		{ -EMFILE, ERROR_TOO_MANY_OPEN_FILES },
		{ -ENFILE, ERROR_TOO_MANY_OPEN_FILES },
		{ -ENOSPC, ERROR_DISK_FULL },
		{ -EDQUOT, ERROR_DISK_FULL },
		{ -ENOMEM, ERROR_NOT_ENOUGH_MEMORY },
		{ -EAGAIN, ERROR_NOT_ENOUGH_MEMORY },
		{ -EACCES, ERROR_ACCESS_DENIED },
		{ -ETIMEDOUT, ERROR_CLIENT_NO_ANSWER },
		{ -EBADMSG, ERROR_INVALID_PARAMETER },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(error_by_errno(cases[i].error)->code, cases[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_row_that_is_found_by_name_too),
		cmocka_unit_test(the_interface_description_knows_the_same_errors),
		cmocka_unit_test(a_failed_system_call_has_a_number_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
