#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/seat.h"
#include "protocol/link.h"

#define EXITED(status) ((status) << 8)

static void the_person_is_told_how_it_ended(void **state)
{
	static const struct {
		struct attach_end end;
		const char *text;
		int status;
	} cases[] = {
		{ { .how = ATTACH_KEY, .session = 12 },
			"Session 12 disconnected. To come back: connect 12", 0 },
		{ { .how = ATTACH_GOODBYE, .session = 12, .reason = LINK_REASON_OWN_DISCONNECT },
			"Session 12 disconnected. To come back: connect 12", 0 },
		{ { .how = ATTACH_GOODBYE,
			  .session = 12,
			  .reason = LINK_REASON_TAKEN,
			  .text = "Session 12 was connected to TERM05 by alice." },
			"Session 12 was connected to TERM05 by alice.", 0 },
		{ { .how = ATTACH_GOODBYE, .session = 12, .reason = LINK_REASON_TAKEN },
			"Session 12 was connected to another terminal.", 0 },
		{ { .how = ATTACH_GOODBYE, .session = 12, .ended = true },
			"Session 12 ended with exit status 0.", 0 },
		{ { .how = ATTACH_GOODBYE, .session = 12, .ended = true, .status = EXITED(255) },
			"Session 12 ended with exit status 255.", 255 },
		{ { .how = ATTACH_GOODBYE, .session = 12, .ended = true, .status = SIGKILL },
			"Session 12 ended by signal 9 (Killed).", 128 + SIGKILL },
		{ { .how = ATTACH_HOST_GONE, .session = 12 }, "Session 12 ended: its host is gone.",
			1 },
		{ { .how = ATTACH_SIGNAL, .session = 12, .signal = SIGTERM },
			"Session 12 disconnected. To come back: connect 12", 128 + SIGTERM },
		{ { .how = ATTACH_HUNG_UP, .session = 12 }, "", 128 + SIGHUP },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[SEAT_NOTICE_SIZE];
		seat_notice(text, &cases[i].end);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(seat_status(&cases[i].end), cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_person_is_told_how_it_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
