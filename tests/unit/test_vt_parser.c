/* Bytes in, actions out, written as one line of text each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "vt/parser.h"

struct log {
	char text[4096];
	size_t used;
	bool in_text; /* runs are joined, however they are cut */
};

static void __attribute__((format(printf, 2, 3))) put(struct log *l, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(l->text + l->used, sizeof(l->text) - l->used, format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < sizeof(l->text) - l->used) {
		l->used += (size_t)n;
	}
}

static void put_text(struct log *l)
{
	if (!l->in_text) {
		put(l, " '");
	}
	l->in_text = true;
}

static void put_action(struct log *l)
{
	if (l->in_text) {
		put(l, "'");
	}
	put(l, " ");
	l->in_text = false;
}

static void on_ascii(void *user, const uint8_t *bytes, size_t length)
{
	put_text(user);
	put(user, "%.*s", (int)length, bytes);
}

static void on_text(void *user, const uint32_t *points, size_t count)
{
	put_text(user);
	for (size_t i = 0; i < count; i++) {
		if (points[i] < 0x7f) {
			put(user, "%c", (int)points[i]);
		} else {
			put(user, "<%X>", points[i]);
		}
	}
}

static void on_execute(void *user, uint8_t control)
{
	put_action(user);
	put(user, "%02x", control);
}

static void put_sequence(struct log *l, const char *kind, const struct vt_sequence *q)
{
	put_action(l);
	put(l, "%s", kind);
	if (q->prefix != 0) {
		put(l, "%c", q->prefix);
	}
	for (unsigned i = 0; i < q->count; i++) {
		const char *before = i == 0 ? "" : (q->sub >> i & 1) != 0 ? ":" : ";";
		if (q->values[i] < 0) {
			put(l, "%s", before);
		} else {
			put(l, "%s%d", before, q->values[i]);
		}
	}
	for (unsigned i = 0; i < q->intermediate_count; i++) {
		put(l, "%c", q->intermediates[i]);
	}
	put(l, "%c", q->final);
}

static void on_csi(void *user, const struct vt_sequence *q)
{
	put_sequence(user, "CSI", q);
}

static void on_esc(void *user, const struct vt_sequence *q)
{
	put_sequence(user, "ESC", q);
}

static void on_osc(void *user, const uint8_t *payload, size_t length, bool bell)
{
	put_action(user);
	put(user, "OSC(%.*s)%s", (int)length, payload, bell ? "BEL" : "ST");
}

static void on_dcs(void *user, const struct vt_sequence *q, const uint8_t *payload, size_t length)
{
	put_sequence(user, "DCS", q);
	put(user, "(%.*s)", (int)length, payload);
}

static const struct vt_parser_events events = {
	.ascii = on_ascii,
	.text = on_text,
	.execute = on_execute,
	.csi = on_csi,
	.esc = on_esc,
	.osc = on_osc,
	.dcs = on_dcs,
};

#define TEN ";1;1;1;1;1;1;1;1;1;1"

static const struct {
	const char *bytes;
	const char *actions;
} cases[] = {
	{ "abc\r\ndef", " 'abc' 0d 0a 'def'" },
	{ "a\x7f"
	  "b\030c\032d",
		" 'abcd'" },
	/* CSI */
	{ "\033[A\033[;H\033[1;2H\033[007d", " CSIA CSI;H CSI1;2H CSI7d" },
	{ "\033[?25h\033[>4;2m\033[=1u\033[<u", " CSI?25h CSI>4;2m CSI=1u CSI<u" },
	{ "\033[4:3m\033[38:2::1:2:3;1m", " CSI4:3m CSI38:2::1:2:3;1m" },
	{ "\033[2 q\033[!p\033[1$\"z", " CSI2 q CSI!p CSI1$\"z" },
	{ "\033[1$\"#z\033[ ! !px", " 'x'" },
	{ "\033[99999m\033[65535m\033[2147483648m", " CSI65535m CSI65535m CSI65535m" },
	{ "\033[1" TEN TEN TEN ";7m", " CSI1" TEN TEN TEN ";7m" },
	{ "\033[1" TEN TEN TEN ";7;8;9m", " CSI1" TEN TEN TEN ";7m" },
	{ "\033[1?2hx\033[ 1hy", " 'xy'" },
	{ "\033[1\n2A\033[\rB", " 0a CSI12A 0d CSIB" },
	{ "\033[1\0302A", " '2A'" },
	{ "\033[1\0332A", " ESC2 'A'" },
	{ "\033[1\033[2A", " CSI2A" },
	{ "\033[1\x7f"
	  "2A",
		" CSI12A" },
	{ "\xc2\x9b"
	  "3A",
		" CSI3A" },
	{ "\033[3\xc3\xa4", " '<E4>'" },
	/* ESC */
	{ "\033c\0337\033(0\033#8\033%G", " ESCc ESC7 ESC(0 ESC#8 ESC%G" },
	{ "\033\033c\033\n(B", " ESCc 0a ESC(B" },
	{ "\033 !\"Zx", " 'x'" },
	/* strings */
	{ "\033]0;t\a\033]2;u\033\\\xc2\x9d"
	  "3\xc2\x9c",
		" OSC(0;t)BEL OSC(2;u)ST OSC(3)ST" },
	{ "\033]0;\xc3\x9c\xc2\xa0\a", " OSC(0;\xc3\x9c\xc2\xa0)BEL" },
	{ "\033]0;a\030b\033]0;a\032b", " 'bb'" },
	{ "\033]0;a\033[Ab", " CSIA 'b'" },
	{ "\033]0;a\nb\a", " OSC(0;a\nb)BEL" },
	{ "\033P1;2$qm\033\\x", " DCS1;2$q(m) 'x'" },
	{ "\033P+q544e\a\033\\", " DCS+q(544e\a)" },
	{ "\033P1?2qabc\033\\x\033P\033\\y", " 'x' ESC\\ 'y'" },
	{ "\033_Ga=T;AAAA\033\\x\033^pm\033\\y\033Xsos\033\\z", " 'xyz'" },
	{ "\033\\", " ESC\\" },
	/* UTF-8 */
	{ "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80", " '<E4><4E2D><1F600>'" },
	{ "a\xc2\x85"
	  "b\xc2\x9c"
	  "c",
		" 'a' 85 'bc'" },
	{ "\x80\xbf\xc0\xaf\xfe", " '<FFFD><FFFD><FFFD><FFFD><FFFD>'" },
	{ "\xe0\x80\xaf", " '<FFFD><FFFD><FFFD>'" },
	{ "\xed\xa0\x80", " '<FFFD><FFFD><FFFD>'" },
	{ "\xf0\x9f\x98"
	  "A",
		" '<FFFD>A'" },
	{ "\xf4\x90\x80\x80", " '<FFFD><FFFD><FFFD><FFFD>'" },
	{ "\xe4\xb8\xe4\xb8\xad", " '<FFFD><4E2D>'" },
	{ "\xe4\033[A", " '<FFFD>' CSIA" },
	{ "\xc3\n", " '<FFFD>' 0a" },
};

static void run(struct log *l, const char *bytes, size_t length, size_t step)
{
	struct vt_parser p;
	*l = (struct log){ 0 };
	vt_parser_init(&p, &events, l);
	for (size_t i = 0; i < length; i += step) {
		size_t n = length - i < step ? length - i : step;
		vt_parser_feed(&p, (const uint8_t *)bytes + i, n);
	}
	if (l->in_text) {
		put(l, "'");
	}
	vt_parser_done(&p);
}

static void bytes_become_actions_however_they_are_cut(void **state)
{
	struct log l;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t step = 1; step < 5; step++) {
			run(&l, cases[i].bytes, strlen(cases[i].bytes), step);
			assert_string_equal(l.text, cases[i].actions);
		}
		run(&l, cases[i].bytes, strlen(cases[i].bytes), SIZE_MAX / 2);
		assert_string_equal(l.text, cases[i].actions);
	}
}

static void nul_is_nothing(void **state)
{
	struct log l;
	run(&l, "a\0b\033[\0001A", 8, 100);
	assert_string_equal(l.text, " 'ab' CSI1A");
}

static void a_string_beyond_the_cap_does_nothing(void **state)
{
	struct log l = { 0 };
	struct vt_parser p;
	vt_parser_init(&p, &events, &l);
	vt_parser_feed(&p, (const uint8_t *)"\033]0;", 4);
	for (size_t i = 0; i <= VT_STRING_MAX; i += 16) {
		vt_parser_feed(&p, (const uint8_t *)"0123456789abcdef", 16);
	}
	assert_true(vt_parser_bytes(&p) <= VT_STRING_MAX + VT_PARSER_PENDING_MAX);
	vt_parser_feed(&p, (const uint8_t *)"\ax", 2);
	assert_string_equal(l.text, " 'x");
	vt_parser_trim(&p);
	assert_int_equal(vt_parser_bytes(&p), 0);
	vt_parser_done(&p);
}

static void assert_pending(const char *bytes, const char *expected, size_t step)
{
	struct log l = { 0 };
	struct vt_parser p;
	const uint8_t *pending = NULL;
	size_t length = 99;
	vt_parser_init(&p, &events, &l);
	for (size_t i = 0; i < strlen(bytes); i += step) {
		size_t left = strlen(bytes) - i;
		vt_parser_feed(&p, (const uint8_t *)bytes + i, left < step ? left : step);
	}
	assert_int_equal(vt_parser_pending(&p, &pending, &length), 0);
	assert_int_equal(length, strlen(expected));
	assert_true(length == 0 || memcmp(pending, expected, length) == 0);
	assert_int_equal(vt_parser_ground(&p), length == 0);
	vt_parser_done(&p);
}

static void the_bytes_of_an_open_sequence_are_known(void **state)
{
	static const struct {
		const char *bytes;
		const char *pending;
	} rows[] = {
		{ "abc", "" },
		{ "abc\033[1m", "" },
		{ "abc\033", "\033" },
		{ "abc\033[1;2", "\033[1;2" },
		{ "\033[1;2\033[3", "\033[3" },
		{ "\033[1\n2", "\033[12" }, /* LF was executed: it must not be again */
		{ "\033]0;tit", "\033]0;tit" },
		{ "\033]0;t\033", "\033]0;t\033" },
		{ "\033]0;t\033[", "\033[" },
		{ "\033]0;t\033\\", "" },
		{ "\033P1$q", "\033P1$q" },
		{ "a\xe4\xb8", "\xe4\xb8" },
		{ "a\xe4\xb8\xad", "" },
		{ "a\xc2", "\xc2" },
		{ "a\xc2\x9b"
		  "1",
			"\xc2\x9b"
			"1" },
		{ "\033[3\xe4", "\xe4" },
		{ "\xe4\xb8"
		  "a\033(",
			"\033(" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t step = 1; step < 8; step++) {
			assert_pending(rows[i].bytes, rows[i].pending, step);
		}
	}
}

static void an_open_sequence_beyond_the_cap_says_so(void **state)
{
	struct log l = { 0 };
	struct vt_parser p;
	const uint8_t *pending;
	size_t length;
	vt_parser_init(&p, &events, &l);
	vt_parser_feed(&p, (const uint8_t *)"\033]0;", 4);
	for (size_t i = 0; i < VT_PARSER_PENDING_MAX - 4; i++) {
		assert_int_equal(vt_parser_pending(&p, &pending, &length), 0);
		vt_parser_feed(&p, (const uint8_t *)"x", 1);
	}
	assert_int_equal(vt_parser_pending(&p, &pending, &length), 0);
	vt_parser_feed(&p, (const uint8_t *)"x", 1);
	assert_int_equal(vt_parser_pending(&p, &pending, &length), 1);
	assert_false(vt_parser_ground(&p));
	vt_parser_feed(&p, (const uint8_t *)"\033[", 2);
	assert_int_equal(vt_parser_pending(&p, &pending, &length), 0);
	assert_int_equal(length, 2);
	vt_parser_feed(&p, (const uint8_t *)"A", 1);
	assert_true(vt_parser_ground(&p));
	vt_parser_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_actions_however_they_are_cut),
		cmocka_unit_test(nul_is_nothing),
		cmocka_unit_test(a_string_beyond_the_cap_does_nothing),
		cmocka_unit_test(the_bytes_of_an_open_sequence_are_known),
		cmocka_unit_test(an_open_sequence_beyond_the_cap_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
