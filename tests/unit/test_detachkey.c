#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/detachkey.h"

/* A row of bytes, all at one time. */
static bool feed(struct detach_key *d, const char *bytes, uint64_t now, size_t *ret_used)
{
	return detach_key_feed(d, (const uint8_t *)bytes, strlen(bytes), now, ret_used);
}

static void three_presses_are_found_in_every_encoding(void **state)
{
	static const char *const presses[] = {
		"\x1d",		  /* legacy */
		"\x1b[93;5u",	  /* kitty, and xterm's formatOtherKeys=1 */
		"\x1b[93;5:1u",	  /* kitty with event types */
		"\x1b[93:125;5u", /* with the shifted key */
		"\x1b[93;69u",	  /* caps lock on */
		"\x1b[93;133u",	  /* num lock on */
		"\x1b[93;197:1u", /* both, with event types */
		"\x1b[93;5;29u",  /* with its text */
		"\x1b[27;5;93~",  /* modifyOtherKeys */
	};
	for (size_t i = 0; i < ARRAY_SIZE(presses); i++) {
		struct detach_key d;
		size_t used = 99;
		detach_key_init(&d, 0x1d);
		assert_false(feed(&d, presses[i], 10, &used));
		assert_false(feed(&d, presses[i], 500, &used));
		assert_int_equal(used, 99);
		assert_true(feed(&d, presses[i], 1010, &used));
		assert_int_equal(used, strlen(presses[i]));
	}
}

static void a_sequence_cut_anywhere_is_one_press(void **state)
{
	const char press[] = "\x1b[93;5u\x1b[27;5;93~\x1d";
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 0x1d);
	for (size_t i = 0; i < sizeof(press) - 2; i++) {
		assert_false(detach_key_feed(&d, (const uint8_t *)press + i, 1, 5, &used));
	}
	assert_true(feed(&d, "\x1d", 5, &used));
}

static void all_three_at_once_are_found_and_what_follows_is_left(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 0x1d);
	assert_true(feed(&d, "ab\x1d\x1d\x1d\x1drest", 0, &used));
	assert_int_equal(used, 5);
}

static void more_than_a_second_is_too_slow(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 0x1d);
	assert_false(feed(&d, "\x1d", 0, &used));
	assert_false(feed(&d, "\x1d", 600, &used));
	assert_false(feed(&d, "\x1d", 1001, &used));
	assert_true(feed(&d, "\x1d", 1600, &used)); /* the last three are within a second */
}

static void another_key_between_starts_anew(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 0x1d);
	assert_false(feed(&d, "\x1d\x1dx\x1d", 0, &used));
	assert_false(feed(&d, "\x1d", 1, &used));
	assert_true(feed(&d, "\x1d", 2, &used));
}

static void reports_between_the_presses_do_not_matter(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 0x1d);
	assert_true(feed(&d,
		"\x1b[93;5u\x1b[93;5:3u" /* released */
		"\x1b[57442;5:3u"	 /* control released */
		"\x1b[<35;10;10M"	 /* the mouse moved */
		"\x1b[93;5u\x1b[I\x1b[93;5u",
		7, &used));
}

static void what_only_looks_like_it_is_not_counted(void **state)
{
	static const char *const others[] = {
		"\x1b[93;5:3u",	 /* released */
		"\x1b[93;5:2u",	 /* repeated: the key is held */
		"\x1b[93;6u",	 /* with shift */
		"\x1b[93;7u",	 /* with alt */
		"\x1b[93u",	 /* without control */
		"\x1b[92;5u",	 /* another key */
		"\x1b[27;5;92~", /* another key */
		"\x1b[28;5;93~", /* another report */
		"\x1b[?93;5u",	 /* an answer */
		"\x1b[93;5R",	 /* where the cursor is */
		"\x1b[99999999999999999999999999999999999999999999999993;5u", /* too long */
	};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct detach_key d;
		size_t used = 0;
		detach_key_init(&d, 0x1d);
		for (int n = 0; n < 10; n++) {
			assert_false(feed(&d, others[i], 0, &used));
		}
	}
}

static void another_key_can_be_chosen(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, 1); /* Ctrl-A */
	assert_false(feed(&d, "\x1d\x1d\x1d", 0, &used));
	assert_true(feed(&d, "\x01\x1b[97;5u\x1b[27;5;97~", 0, &used));
}

static void it_can_be_off(void **state)
{
	struct detach_key d;
	size_t used = 0;
	detach_key_init(&d, -1);
	assert_false(feed(&d, "\x1d\x1d\x1d\xff\xff\xff", 0, &used));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_presses_are_found_in_every_encoding),
		cmocka_unit_test(a_sequence_cut_anywhere_is_one_press),
		cmocka_unit_test(all_three_at_once_are_found_and_what_follows_is_left),
		cmocka_unit_test(more_than_a_second_is_too_slow),
		cmocka_unit_test(another_key_between_starts_anew),
		cmocka_unit_test(reports_between_the_presses_do_not_matter),
		cmocka_unit_test(what_only_looks_like_it_is_not_counted),
		cmocka_unit_test(another_key_can_be_chosen),
		cmocka_unit_test(it_can_be_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
