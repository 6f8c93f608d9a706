#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "session_rig.h"

static size_t times_shown(const struct door *d, const char *text)
{
	size_t count = 0;
	const char *at = (const char *)d->output.data;
	size_t left = d->output.length;
	for (;;) {
		const char *found = memmem(at, left, text, strlen(text));
		if (found == NULL) {
			return count;
		}
		count++;
		left -= (size_t)(found + 1 - at);
		at = found + 1;
	}
}

static void a_notice_stands_in_the_last_row_until_a_key_is_pressed(void **state)
{
	struct rig r;
	struct door d, other;
	rig_start(&r, "printf hello; read x; printf after; read y", 0);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "hello");
	size_t before = times_shown(&d, "hello");
	rig_tell(&r, LINK_NOTICE, "", "Two minutes\033[2J are left.");
	door_wait_text(&d, "\033[24;1H\033[0;7mTwo minutes?[2J are left.\033[0m\033[1;6H");
	assert_int_equal(times_shown(&d, "hello"), before + 1);
	door_type(&d, "\r");
	door_wait_text(&d, "after");
	while (times_shown(&d, "hello") < before + 2) { /* the picture without it */
		assert_true(door_read(&d, RIG_LIMIT_MS));
	}
	assert_int_equal(times_shown(&d, "Two minutes"), 1);
	rig_connect(&r, &other, "TERM02");
	door_wait_text(&other, "after");
	assert_false(door_has(&other, "Two minutes")); /* the session knows nothing of it */
	door_close(&other);
	door_close(&d);
	rig_stop(&r);
}

static void a_notice_holds_up_neither_output_nor_questions(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"stty -icanon -echo; trap \"printf 'first\\033[5n'; "
		"dd bs=1 count=4 2>/dev/null | od -An -tx1\" USR1; printf ready; read x; read y",
		0);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "ready");
	rig_tell(&r, LINK_NOTICE, "", "The notice.");
	door_wait_text(&d, "The notice.");
	assert_int_equal(kill(rig_program(&r), SIGUSR1), 0);
	door_wait_text(&d, "1b 5b 30 6e"); /* the model's answer: this terminal gave none */
	assert_true(times_shown(&d, "The notice.") >= 2); /* it still stands there */
	assert_false(door_has(&d, "first\033[5n"));
	door_close(&d);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_stands_in_the_last_row_until_a_key_is_pressed),
		cmocka_unit_test(a_notice_holds_up_neither_output_nor_questions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
