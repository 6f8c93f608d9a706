/* Bytes in, cells and cursor out: one row a case, on a screen of 5 rows and 10 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "vt_dump.h"

struct screen_case {
	const char *name;
	const char *bytes;
	const char *shows; /* vt_dump.h */
	unsigned row;
	unsigned column;
	bool pending_wrap;
};

#define FIVE_ROWS "1111|2222|3333|4444|5555"
#define E5 "EEEEEEEEEE"
#define FIVE "1111\r\n2222\r\n3333\r\n4444\r\n5555"
#define MARGINS "\033[?69h\033[3;6s"
#define BLOCK "0123456789\r\n0123456789\r\n0123456789"

static const struct screen_case cases[] = {
	/* printing and wrapping */
	{ "text", "hello", "hello", 0, 5, false },
	{ "the last column leaves the wrap pending", "0123456789", "0123456789", 0, 9, true },
	{ "the next character wraps", "0123456789a", "0123456789\\|a", 1, 1, false },
	{ "CR takes the pending wrap away", "0123456789\rX", "X123456789", 0, 1, false },
	{ "BS takes the pending wrap away", "0123456789\bX", "01234567X9", 0, 9, false },
	{ "LF takes the pending wrap away", "0123456789\nX", "0123456789|.........X", 1, 9, true },
	{ "a tab keeps the pending wrap", "0123456789\tX", "0123456789\\|X", 1, 1, false },
	{ "SGR keeps the pending wrap", "0123456789\033[1mX", "0123456789\\|X", 1, 1, false },
	{ "CUP takes the pending wrap away", "0123456789\033[1;10HX", "012345678X", 0, 9, true },
	{ "EL takes the pending wrap away", "0123456789\033[KX", "012345678X", 0, 9, true },
	{ "without autowrap the last column is overwritten", "\033[?7l0123456789abc", "012345678c",
		0, 9, true },
	{ "autowrap switched on again wraps what is pending", "\033[?7l0123456789\033[?7hX",
		"0123456789\\|X", 1, 1, false },
	{ "wrapping at the bottom scrolls", "\033[5;1H0123456789X", "|||0123456789\\|X", 4, 1,
		false },
	{ "LF and LNM", "ab\n\033[20hc\nd", "ab|..c|d", 2, 1, false },
	{ "insert mode", "abcdef\033[4h\r12", "12abcdef", 0, 2, false },
	{ "insert mode pushes out at the margin", "0123456789\033[4h\rX", "X012345678", 0, 1,
		false },
	{ "REP", "ab\033[3b", "abbbb", 0, 5, false },
	{ "REP wraps", "a\033[11b", "aaaaaaaaaa\\|aa", 1, 2, false },
	{ "REP of a wide character", "\xe4\xb8\xad\033[2b", "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad",
		0, 6, false },
	{ "REP without a character", "\033[3b", "", 0, 0, false },
	/* wide and combining characters */
	{ "wide", "\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87", 0, 4, false },
	{ "wide at the last column wraps", "012345678\xe4\xb8\xad", "012345678\\|\xe4\xb8\xad", 1,
		2, false },
	{ "wide without autowrap ends at the margin", "\033[?7l012345678\xe4\xb8\xad",
		"01234567\xe4\xb8\xad", 0, 9, true },
	{ "overwriting the left half", "\xe4\xb8\xad\rX", "X ", 0, 1, false },
	{ "overwriting the right half", "\xe4\xb8\xad\bX", " X", 0, 2, false },
	{ "a wide one over two halves", "\xe4\xb8\xad\xe6\x96\x87\033[1;2H\xe4\xb8\xad",
		" \xe4\xb8\xad ", 0, 3, false },
	{ "erasing half of a wide one", "\xe4\xb8\xad\xe6\x96\x87\033[1;2H\033[X", " .\xe6\x96\x87",
		0, 1, false },
	{ "combining", "e\xcc\x81x", "e\xcc\x81x", 0, 2, false },
	{ "combining at the last column stays there", "012345678e\xcc\x81", "012345678e\xcc\x81", 0,
		9, true },
	{ "combining behind a movement joins what is left of the cursor", "ab\033[1;2H\xcc\x81",
		"a\xcc\x81"
		"b",
		0, 1, false },
	{ "combining without a base is dropped", "\xcc\x81x", "x", 0, 1, false },
	{ "zero width space has no cell",
		"a\xe2\x80\x8b"
		"b",
		"ab", 0, 2, false },
	{ "emoji with ZWJ is one cluster", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9x",
		"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9x", 0, 3, false },
	{ "without 2027 each emoji has its cells",
		"\033[?2027l\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9x",
		"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9x", 0, 5, false },
	{ "VS16 widens", "\xe2\x9d\xa4\xef\xb8\x8fx", "\xe2\x9d\xa4\xef\xb8\x8fx", 0, 3, false },
	{ "a flag is two letters in two cells", "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaax",
		"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaax", 0, 3, false },
	{ "invalid UTF-8", "a\xff\xe4\xb8z", "a\xef\xbf\xbd\xef\xbf\xbdz", 0, 4, false },
	/* charsets */
	{ "DEC graphics", "\033(0lqk\033(Bq", "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90q", 0, 4,
		false },
	{ "SO and SI", "\033)0a\016q\017q", "a\xe2\x94\x80q", 0, 3, false },
	{ "single shift 2", "\033*0\033Nqq", "\xe2\x94\x80q", 0, 2, false },
	{ "single shift 3 as C1", "\033+0\xc2\x8fqq", "\xe2\x94\x80q", 0, 2, false },
	{ "LS2", "\033*0\033nq", "\xe2\x94\x80", 0, 1, false },
	{ "UK", "\033(A#", "\xc2\xa3", 0, 1, false },
	/* cursor movement */
	{ "CUP", "\033[3;4Hx", "||...x", 2, 4, false },
	{ "CUP beyond the screen", "\033[99;99Hx", "||||.........x", 4, 9, true },
	{ "HVP without parameters", "abc\033[fX", "Xbc", 0, 1, false },
	{ "CUU stops at the top", "\n\n\033[9Ax", "x", 0, 1, false },
	{ "CUD stops at the bottom", "\033[9Bx", "||||x", 4, 1, false },
	{ "CUF, CUB", "\033[5C\033[2Dx", "...x", 0, 4, false },
	{ "CNL, CPL", "ab\033[2Ec\033[Fd", "ab|d|c", 1, 1, false },
	{ "CHA, HPA", "\033[4Ga\033[8`b", "...a...b", 0, 8, false },
	{ "VPA, VPR, HPR", "\033[2da\033[eb\033[2ac", "|a|.b..c", 2, 5, false },
	{ "tabs", "\tx\033[Zy", "........y", 0, 9, false },
	{ "HTS and TBC", "\033[3g\033[1;4H\033H\ra\tb", "a..b", 0, 4, false },
	{ "TBC of one", "\033[1;9H\033[g\ra\tb", "a........b", 0, 9, true },
	{ "CHT and CBT by count", "\033[2I\033[2Zx", "x", 0, 1, false },
	{ "DECST8C", "\033[3g\033[?5Wa\tb", "a.......b", 0, 9, false },
	{ "NEL, IND, RI", "ab\033Ec\033Dd\033Me", "ab|c.e|.d", 1, 3, false },
	{ "C1 NEL in UTF-8",
		"ab\xc2\x85"
		"c",
		"ab|c", 1, 1, false },
	{ "reverse wrap over a wrapped row", "\033[?45h0123456789a\b\b\bX", "01234567X9\\|a", 0, 9,
		false },
	{ "reverse wrap stops at a hard line", "\033[?45hab\r\nc\b\b\bX", "ab|X", 1, 1, false },
	{ "DECSC, DECRC", "ab\0337\033[3;3Hx\0338c", "abc||..x", 0, 3, false },
	{ "DECRC restores the pending wrap", "0123456789\0337\r\0338X", "0123456789\\|X", 1, 1,
		false },
	{ "DECRC without DECSC goes home", "ab\0338c", "cb", 0, 1, false },
	{ "SCOSC, SCORC", "ab\033[s\033[4;1H\033[uc", "abc", 0, 3, false },
	/* erase */
	{ "EL 0, 1, 2", "abcdef\033[1;4H\033[K\r\nabcdef\033[2;4H\033[1K\r\nabcdef\033[2K",
		"abc|....ef", 2, 6, false },
	{ "ED 0", FIVE "\033[3;3H\033[J", "1111|2222|33", 2, 2, false },
	{ "ED 1", FIVE "\033[3;2H\033[1J", "||..33|4444|5555", 2, 1, false },
	{ "ED 2 keeps the cursor", FIVE "\033[2J", "", 4, 4, false },
	{ "ECH", "abcdef\033[1;2H\033[3X", "a...ef", 0, 1, false },
	{ "selective erase leaves what is protected", "\033[1\"qab\033[0\"qcd\033[?2J", "ab", 0, 4,
		false },
	{ "plain erase takes it", "\033[1\"qab\033[0\"qcd\033[2K", "", 0, 4, false },
	{ "DECALN", "\033[2;3r\033#8", E5 "|" E5 "|" E5 "|" E5 "|" E5, 0, 0, false },
	/* insert and delete */
	{ "ICH", "abcdef\033[1;3H\033[2@", "ab..cdef", 0, 2, false },
	{ "DCH", "abcdef\033[1;3H\033[2P", "abef", 0, 2, false },
	{ "DCH takes the wrap of the row", "0123456789a\033[1;1H\033[P", "123456789|a", 0, 0,
		false },
	{ "DCH of half a wide one",
		"a\xe4\xb8\xad"
		"b\033[1;3H\033[P",
		"a b", 0, 2, false },
	{ "ICH cuts a wide one at the margin", "01234567\xe4\xb8\xad\r\033[@", ".01234567 ", 0, 0,
		false },
	{ "IL", FIVE "\033[2;3H\033[L", "1111||2222|3333|4444", 1, 0, false },
	{ "DL", FIVE "\033[2;3H\033[2M", "1111|4444|5555", 1, 0, false },
	{ "IL within the region", FIVE "\033[2;4r\033[3;1H\033[L", "1111|2222||3333|5555", 2, 0,
		false },
	{ "IL outside of the region does nothing", FIVE "\033[2;4r\033[5;2H\033[L", FIVE_ROWS, 4, 1,
		false },
	/* scrolling */
	{ "SU", FIVE "\033[2S", "3333|4444|5555", 4, 4, false },
	{ "SD", FIVE "\033[T", "|1111|2222|3333|4444", 4, 4, false },
	{ "LF at the bottom of the region", FIVE "\033[2;4r\033[4;1H\nx", "1111|3333|4444|x|5555",
		3, 1, false },
	{ "LF below the region stops at the last row", FIVE "\033[1;3r\033[5;1H\n\nx",
		"1111|2222|3333|4444|x555", 4, 1, false },
	{ "RI at the top of the region", FIVE "\033[2;4r\033[2;1H\033M", "1111||2222|3333|5555", 1,
		0, false },
	{ "DECSTBM goes home and refuses nonsense", "ab\033[3;2rc", "abc", 0, 3, false },
	{ "origin mode", "\033[2;4r\033[?6hx\033[9;1Hy", "|x||y", 3, 1, false },
	{ "origin mode off goes home", "\033[2;4r\033[?6h\033[?6lx", "x", 0, 1, false },
	{ "CUU stops at the region's top from inside", "\033[2;4r\033[3;1H\033[9Ax", "|x", 1, 1,
		false },
	/* left and right margins */
	{ "text wraps within the margins", MARGINS "\033[1;3Habcdef", "..abcd|..ef", 1, 4, false },
	{ "right of them it wraps at the screen", MARGINS "\033[1;8Habcd", ".......abc|..d", 1, 3,
		false },
	{ "CR inside goes to the margin", MARGINS "\033[1;5Ha\rb", "..b.a", 0, 3, false },
	{ "LF scrolls only between them", BLOCK MARGINS "\033[1;3r\033[3;3H\nx",
		"0123456789|0123456789|01x...6789", 2, 3, false },
	{ "IL between them", BLOCK MARGINS "\033[1;3r\033[1;3H\033[L",
		"01....6789|0123456789|0123456789", 0, 2, false },
	{ "ICH between them", "0123456789" MARGINS "\033[1;4H\033[@", "012.346789", 0, 3, false },
	{ "DCH between them", "0123456789" MARGINS "\033[1;4H\033[P", "01245.6789", 0, 3, false },
	{ "DECIC and DECDC", "0123456789" MARGINS "\033[1;4H\033[2'}\033['~", "012.3.6789", 0, 3,
		false },
	{ "SL", "0123456789" MARGINS "\033[1;4H\033[2 @", "0145..6789", 0, 3, false },
	{ "DECFI at the margin scrolls", "0123456789" MARGINS "\033[1;6H\0339", "01345.6789", 0, 5,
		false },
	{ "DECLRMM off gives the whole width back", MARGINS "\033[?69l\033[1;1H0123456789",
		"0123456789", 0, 9, true },
	{ "a wide one does not stick out", MARGINS "\033[1;3Habc\xe4\xb8\xad",
		"..abc|..\xe4\xb8\xad", 1, 4, false },
	/* resets */
	{ "RIS", FIVE "\033[2;4r\033[?6h\033[1m\033cx", "x", 0, 1, false },
	{ "DECSTR keeps the text", "ab\033[4h\033[2;3r\033[!p\rx", "xb", 0, 1, false },
	/* what is passed over */
	{ "unknown sequences", "a\033[99z\033[?1;2$z\033%G\033 F\033[5%mb", "ab", 0, 2, false },
	{ "strings", "a\033Pq#0;2;0;0;0\033\\\033_Gf=1;AAAA\033\\\033]1337;File=x\ab\033^pm\033\\c",
		"abc", 0, 3, false },
	{ "CAN within a sequence", "a\033[3\030b", "ab", 0, 2, false },
	{ "a control within a sequence is executed", "ab\033[\r1Cc", "ac", 0, 2, false },
	{ "a new ESC begins anew", "a\033[3\033[2Cb", "a..b", 0, 4, false },
	{ "text breaks a sequence off",
		"a\033[3\xc3\xa4"
		"b",
		"a\xc3\xa4"
		"b",
		0, 3, false },
	/* alternate buffer */
	{ "1049 shows an empty screen and keeps the cursor", "ab\033[?1049h", "", 0, 2, false },
	{ "1049 comes back with text and cursor", "ab\033[?1049h\033[3;3Hxy\033[?1049lc", "abc", 0,
		3, false },
	{ "47 finds it empty again", "ab\033[?47hc\033[?47l\033[?47h", "", 0, 3, false },
	{ "1047 clears it on leaving", "ab\033[?1047hc\033[?1047l\033[?1047h", "", 0, 3, false },
	{ "1048 alone", "ab\033[?1048h\033[4;4H\033[?1048lc", "abc", 0, 3, false },
};

static void check(const struct screen_case *c, bool byte_by_byte)
{
	struct vt_screen *s = NULL;
	struct dump d;
	assert_int_equal(vt_screen_new(&s, 5, 10, 0, NULL, NULL), 0);
	size_t step = byte_by_byte ? 1 : strlen(c->bytes) + 1;
	for (size_t i = 0; i < strlen(c->bytes); i += step) {
		vt_screen_feed(s, c->bytes + i, byte_by_byte ? 1 : strlen(c->bytes));
	}
	struct vt_cursor cursor = vt_screen_cursor(s);
	const char *shows = dump_screen(&d, s);
	if (strcmp(shows, c->shows) != 0 || cursor.row != c->row || cursor.column != c->column ||
		cursor.pending_wrap != c->pending_wrap) {
		fail_msg("%s: shows \"%s\" cursor %u,%u%s instead of \"%s\" %u,%u%s", c->name,
			shows, cursor.row, cursor.column, cursor.pending_wrap ? " pending" : "",
			c->shows, c->row, c->column, c->pending_wrap ? " pending" : "");
	}
	(void)vt_screen_free(s);
}

static void sequences_do_what_xterm_does(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check(&cases[i], false);
	}
}

static void sequences_byte_by_byte_do_the_same(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check(&cases[i], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_do_what_xterm_does),
		cmocka_unit_test(sequences_byte_by_byte_do_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
