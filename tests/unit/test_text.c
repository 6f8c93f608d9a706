#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

static void every_hostile_character_becomes_one_question_mark(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "plain", "plain" }, { "", "" }, { "\x1b[31mred\a", "?[31mred?" },
		{ "a\nb\tc\rd", "a?b?c?d" }, { "\x7f", "?" },
		{ "\xc2\x9b"
		  "31m",
			"?31m" }, /* CSI as C1 */
		{ "\xe2\x80\xae"
		  "evil",
			"?evil" }, /* right-to-left override */
		{ "zero\xe2\x80\x8bwidth", "zero?width" },
		{ "\xef\xbb\xbf"
		  "bom",
			"?bom" },
		{ "\xff\xfe", "??" }, { "\xc0\xaf", "??" }, /* overlong */
		{ "\xed\xa0\x80", "???" },		    /* surrogate */
		{ "\xf4\x90\x80\x80", "????" },		    /* beyond Unicode */
		{ "cut \xe2\x82", "cut ??" },
		{ "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80", "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80" },
		{ "\xf3\xa0\x81\x81", "?" }, /* tag */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char to[64];
		size_t n = text_encode(to, sizeof(to), cases[i].from);
		assert_string_equal(to, cases[i].to);
		assert_int_equal(n, strlen(cases[i].to));
	}
}

static void text_is_cut_at_a_characters_border(void **state)
{
	char to[4];
	assert_int_equal(text_encode(to, sizeof(to), "ab\xc3\xa9z"), 5);
	assert_string_equal(to, "ab");
	assert_int_equal(text_encode(to, 1, "abc"), 3);
	assert_string_equal(to, "");
	assert_int_equal(text_encode(NULL, 0, "abc"), 3);
}

static void lines_keep_newline_and_tab_alone(void **state)
{
	char to[32];
	(void)text_encode_lines(to, sizeof(to), "a\tb\n\r\x1b");
	assert_string_equal(to, "a\tb\n??");
}

static void numbers_are_plain_decimal_digits(void **state)
{
	uint32_t value = 7;
	assert_int_equal(text_to_u32("4294967295", &value), 0);
	assert_int_equal(value, 4294967295u);
	assert_int_equal(text_to_u32("4294967296", &value), -ERANGE);
	assert_int_equal(text_to_u32("99999999999999999999999", &value), -ERANGE);
	const char *bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1a" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(text_to_u32(bad[i], &value), -EINVAL);
	}
	assert_int_equal(value, 4294967295u);
}

static void terminal_names_hold_what_the_rules_allow(void **state)
{
	const char *good[] = { "TERM03", "console", "lab-2.left_screen", "a",
		"abcdefghijklmnopqrstuvwxyz012345" };
	const char *bad[] = { "", "12", "tty#1", "a b", "a/b", "-a", ".a", "a\x1b", "\xc3\xa9",
		"abcdefghijklmnopqrstuvwxyz0123456" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(text_is_terminal_name(good[i], false));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(text_is_terminal_name(bad[i], false));
	}
	assert_true(text_is_terminal_name("tty#1", true));
	assert_false(text_is_terminal_name("1", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hostile_character_becomes_one_question_mark),
		cmocka_unit_test(text_is_cut_at_a_characters_border),
		cmocka_unit_test(lines_keep_newline_and_tab_alone),
		cmocka_unit_test(numbers_are_plain_decimal_digits),
		cmocka_unit_test(terminal_names_hold_what_the_rules_allow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
