/* Bytes at one size, then a resize: screen, history and cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "vt_dump.h"

static const struct reflow_case {
	const char *name;
	unsigned rows, columns; /* before */
	const char *bytes;
	unsigned new_rows, new_columns;
	const char *history;
	const char *shows;
	unsigned row, column;
	bool pending_wrap;
} cases[] = {
	{ "a long row breaks", 4, 10, "0123456789\r\nab", 4, 5, "", "01234\\|56789|ab", 2, 2,
		false },
	{ "and is joined again", 4, 5, "0123456789\r\nab", 4, 10, "", "0123456789|ab", 1, 2,
		false },
	{ "other widths", 4, 5, "0123456789\r\nab", 4, 7, "", "0123456\\|789|ab", 2, 2, false },
	{ "hard lines stay apart", 4, 5, "01234\r\n56789", 4, 10, "", "01234|56789", 1, 5, false },
	{ "rows that do not fit become history", 3, 10, "0123456789\r\nab\r\ncd", 3, 5, "01234\\",
		"56789|ab|cd", 2, 2, false },
	{ "and come back", 3, 5, "0123456789\r\nab\r\ncd", 3, 10, "", "0123456789|ab|cd", 2, 2,
		false },
	{ "a line that begins in history is joined", 2, 4, "0123456789ab\r\nX", 2, 12, "",
		"0123456789ab|X", 1, 1, false },
	{ "lower: the top goes", 4, 10, "a\r\nb\r\nc\r\nd", 2, 10, "a|b", "c|d", 1, 1, false },
	{ "lower: blank rows below the cursor go first", 4, 10, "a\r\nb", 2, 10, "", "a|b", 1, 1,
		false },
	{ "lower: the cursor stays", 4, 10, "a\r\nb\r\nc\r\nd\033[H", 2, 10, "", "a|b", 0, 0,
		false },
	{ "higher: history comes back", 2, 10, "a\r\nb\r\nc\r\nd", 4, 10, "", "a|b|c|d", 3, 1,
		false },
	{ "higher: as much as there is", 2, 10, "a\r\nb\r\nc", 9, 10, "", "a|b|c", 2, 1, false },
	{ "higher: not when there is room below", 3, 10, "a\r\nb\r\nc\r\nd\033[2J\033[H$", 5, 10,
		"a", "$", 0, 1, false },
	{ "a wide one that does not fit wraps", 3, 6,
		"ab\xe4\xb8\xad"
		"cd",
		3, 3, "",
		"ab\\|\xe4\xb8\xad"
		"c\\|d",
		2, 1, false },
	{ "the gap that it left is no text", 3, 3,
		"ab\xe4\xb8\xad"
		"cd",
		3, 6, "",
		"ab\xe4\xb8\xad"
		"cd",
		0, 5, true },
	{ "a wide one in one column is a space", 4, 4,
		"a\xe4\xb8\xad"
		"b",
		4, 1, "", "a\\| \\|b", 2, 0, true },
	{ "blanks behind the text are no text", 4, 10, "ab\033[1;8H\033[K\r\ncd", 4, 5, "", "ab|cd",
		1, 2, false },
	{ "spaces that were written are", 4, 10, "ab     \r\ncd", 4, 5, "", "ab   \\|  |cd", 2, 2,
		false },
	{ "the cursor stays on its character", 4, 10, "0123456789\r\nab\033[1;8H", 4, 5, "",
		"01234\\|56789|ab", 1, 2, false },
	{ "on the right half of a wide one too", 4, 6, "a\xe4\xb8\xad\xe6\x96\x87\033[1;3H", 4, 3,
		"", "a\xe4\xb8\xad\\|\xe6\x96\x87", 0, 2, false },
	{ "behind the text at the same distance", 4, 10, "ab\033[1;5H", 4, 20, "", "ab", 0, 4,
		false },
	{ "but not out of the screen", 4, 10, "ab\033[1;9H", 4, 5, "", "ab", 0, 4, false },
	{ "a pending wrap becomes a place", 4, 5, "01234", 4, 10, "", "01234", 0, 5, false },
	{ "a place becomes a pending wrap", 4, 10, "01234", 4, 5, "", "01234", 0, 4, true },
	{ "a pending wrap stays one", 4, 10, "0123456789", 4, 5, "", "01234\\|56789", 1, 4, true },
	{ "same width: rows are as they were", 4, 10, "ab\033[1;5Hcd\r\n\r\nx", 5, 10, "",
		"ab..cd||x", 2, 1, false },
	{ "the saved cursor follows its text", 4, 10, "0123456\0337\r\nab\033[?1049h", 4, 5, "", "",
		1, 2, false },
	{ "the alternate buffer is cropped", 4, 10, "\033[?1049h\033[H0123456789\r\nab\r\nc\r\nd",
		3, 5, "", "01234|ab|c", 2, 1, false },
	{ "a wide one at its edge becomes a space", 2, 6, "\033[?1049h\033[Hab\xe4\xb8\xad", 2, 3,
		"", "ab ", 0, 2, false },
	{ "the alternate buffer is padded", 2, 3, "\033[?1049h\033[Hab\r\nc", 4, 10, "", "ab|c", 1,
		1, false },
	/* What kitty, foot, VTE, Alacritty and Windows Terminal were found to get wrong at some
	   time. */
	{ "behind the text of a second row", 4, 10, "0123456789ab\033[2;7H", 4, 20, "",
		"0123456789ab", 0, 16, false },
	{ "behind the text of a line that breaks", 4, 10, "0123456\033[1;10H", 4, 5, "",
		"01234\\|56", 1, 4, false },
	{ "on a blank row below the text", 5, 10, "0123456789\033[4;3H", 5, 5, "", "01234\\|56789",
		4, 2, false },
	{ "a blank row below the text is kept down to the cursor", 4, 10, "0123456789\033[4;3H", 4,
		5, "01234\\", "56789", 3, 2, false },
	{ "the first row stays where nothing needs its room", 3, 8, "01234", 3, 3, "", "012\\|34",
		1, 2, false },
	{ "and the cursor is back when it is wide again", 3, 3, "01234", 3, 8, "", "01234", 0, 5,
		false },
	{ "a wrap that is pending in the second row", 4, 5, "0123456789", 4, 20, "", "0123456789",
		0, 10, false },
	{ "the cursor in a line that begins in history", 2, 4, "0123456789ab\033[1;2H", 2, 6, "",
		"012345\\|6789ab", 0, 5, false },
	{ "a line that fills the screen and goes on in history", 2, 4, "0123456789ab", 2, 3,
		"012\\|345\\", "678\\|9ab", 1, 2, true },
	{ "a hard break at the last column", 3, 5, "01234\r\n\r\nx", 3, 10, "", "01234||x", 2, 1,
		false },
	{ "what is erased within a wrapped row is space in the line", 3, 5,
		"0123456\033[1;4H\033[X", 3, 10, "", "012.456", 0, 3, false },
	{ "a wrapped row whose end is erased is a line of its own", 3, 5, "0123456\033[1;4H\033[2X",
		3, 10, "", "012|56", 0, 3, false },
	{ "coloured blanks are text", 3, 8, "ab\033[41m\033[1;7H\033[K\033[m", 3, 4, "", "ab\\|", 1,
		2, false },
	{ "a cluster stays whole", 3, 4, "abc\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa8", 3, 6,
		"", "abc\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa8", 0, 5, false },
	{ "lower with text below the cursor: as much of it as there is room for", 4, 10,
		"a\r\nb\r\nc\r\nd\033[2;1H", 2, 10, "a", "b|c", 0, 0, false },
	{ "one row, one column", 3, 5, "abc", 1, 1, "a\\|b\\", "c", 0, 0, true },
};

static void check(const struct reflow_case *c)
{
	struct vt_screen *s = NULL;
	struct dump d;
	struct dump h;
	assert_int_equal(vt_screen_new(&s, c->rows, c->columns, 1 << 20, NULL, NULL), 0);
	vt_screen_feed(s, c->bytes, strlen(c->bytes));
	if (strncmp(c->name, "the saved cursor", 16) ==
		0) { /* its place shows when it comes back */
		assert_int_equal(vt_screen_resize(s, c->new_rows, c->new_columns), 0);
		vt_screen_feed(s, "\033[?1049l", 8);
		dump_screen(&d, s);
		assert_string_equal(d.text, "01234\\|56|ab");
		(void)vt_screen_free(s);
		return;
	}
	assert_int_equal(vt_screen_resize(s, c->new_rows, c->new_columns), 0);
	struct vt_cursor cursor = vt_screen_cursor(s);
	dump_screen(&d, s);
	dump_history(&h, s);
	if (strcmp(d.text, c->shows) != 0 || strcmp(h.text, c->history) != 0 ||
		cursor.row != c->row || cursor.column != c->column ||
		cursor.pending_wrap != c->pending_wrap) {
		fail_msg("%s: shows \"%s\" history \"%s\" cursor %u,%u%s", c->name, d.text, h.text,
			cursor.row, cursor.column, cursor.pending_wrap ? " pending" : "");
	}
	(void)vt_screen_free(s);
}

static void text_follows_the_size(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check(&cases[i]);
	}
}

/* All text of history and screen with soft wraps undone. */
static void joined(struct dump *out, struct vt_screen *s)
{
	struct dump d;
	out->used = 0;
	out->text[0] = '\0';
	for (unsigned part = 0; part < 2; part++) {
		const char *text = part == 0 ? dump_history(&d, s) : dump_buffer(&d, s, VT_PRIMARY);
		for (const char *p = text; *p != '\0'; p++) {
			if (p[0] == '\\' && (p[1] == '|' || p[1] == '\0')) {
				p += p[1] == '|';
				continue;
			}
			dump_byte(out, (uint8_t)*p);
		}
		if (part == 0 && d.used > 0 && d.text[d.used - 1] != '\\') {
			dump_byte(out, '|');
		}
	}
}

static void no_text_is_lost_by_any_row_of_sizes(void **state)
{
	static const char text[] =
		"$ ls\r\nsome words \xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87 and more of "
		"them, "
		"longer than any row here\r\n\r\nshort\r\n"
		"e\xcc\x81\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 clusters \xf0\x9f\x98\x80 "
		"x\r\n"
		"0123456789012345678901234567890123456789012345678901234567890123456789\r\n$ ";
	struct vt_screen *s = NULL;
	struct dump before;
	struct dump after;
	assert_int_equal(vt_screen_new(&s, 24, 80, 1 << 20, NULL, NULL), 0);
	vt_screen_feed(s, text, strlen(text));
	joined(&before, s);
	for (unsigned i = 0; i < 400; i++) {
		unsigned rows = 1 + i * 7 % 30;
		unsigned columns = 2 + i * 13 % 90;
		assert_int_equal(vt_screen_resize(s, rows, columns), 0);
		joined(&after, s);
		assert_string_equal(after.text, before.text);
	}
	(void)vt_screen_free(s);
}

static void a_resize_makes_the_margins_whole(void **state)
{
	struct vt_screen *s = NULL;
	assert_int_equal(vt_screen_new(&s, 10, 40, 0, NULL, NULL), 0);
	static const char bytes[] = "\033[3;7r\033[?69h\033[5;20s";
	vt_screen_feed(s, bytes, strlen(bytes));
	assert_int_equal(vt_screen_resize(s, 20, 30), 0);
	const struct vt_modes *m = vt_screen_modes(s);
	assert_int_equal(m->top, 0);
	assert_int_equal(m->bottom, 19);
	assert_int_equal(m->left, 0);
	assert_int_equal(m->right, 29);
	(void)vt_screen_free(s);
}

static void sizes_are_cut_to_what_is_allowed(void **state)
{
	struct vt_screen *s = NULL;
	assert_int_equal(vt_screen_new(&s, 0, 100000, 0, NULL, NULL), 0);
	assert_int_equal(vt_screen_rows(s), 1);
	assert_int_equal(vt_screen_columns(s), VT_SIZE_MAX);
	assert_int_equal(vt_screen_resize(s, 100000, 0), 0);
	assert_int_equal(vt_screen_rows(s), VT_SIZE_MAX);
	assert_int_equal(vt_screen_columns(s), 1);
	(void)vt_screen_free(s);
}

/* A mark that is put on the screen anywhere is under the cursor, or under the one that was saved,
 * after any change of size. */
static void a_cursor_stays_on_its_character(void **state)
{
	static const char *const words[] = { "a", "bc ", "word", "0123456789", "\xe4\xb8\xad",
		"\xe4\xb8\xad\xe6\x96\x87", "\r\n", "\r\n\r\n", "e\xcc\x81", " ", "\t" };
	uint32_t seed = 1;
	for (unsigned round = 0; round < 2000; round++) {
		struct vt_screen *s = NULL;
		char place[64];
		unsigned numbers[6];
		for (unsigned i = 0; i < 6; i++) {
			seed = seed * 1664525 + 1013904223;
			numbers[i] = seed >> 8;
		}
		unsigned rows = 1 + numbers[0] % 8;
		unsigned columns = 2 + numbers[1] % 20;
		bool saved = round % 2 != 0;
		assert_int_equal(vt_screen_new(&s, rows, columns, 1 << 20, NULL, NULL), 0);
		for (unsigned i = 0; i < 30; i++) {
			seed = seed * 1664525 + 1013904223;
			const char *word = words[(seed >> 8) % ARRAY_SIZE(words)];
			vt_screen_feed(s, word, strlen(word));
		}
		snprintf(place, sizeof(place), "\033[%u;%uH", 1 + numbers[2] % rows,
			1 + numbers[3] % columns);
		vt_screen_feed(s, place, strlen(place));
		struct vt_cursor at = vt_screen_cursor(s);
		snprintf(place, sizeof(place), "@\033[%u;%uH%s", at.row + 1u, at.column + 1u,
			saved ? "\0337\033[?1049h\033[?1048l" : "");
		vt_screen_feed(s, place, strlen(place));
		assert_int_equal(vt_screen_resize(s, 1 + numbers[4] % 8, 2 + numbers[5] % 20), 0);
		if (saved) { /* 1049 has saved it, in the primary buffer */
			vt_screen_feed(s, "\033[?1049l", 8);
		}
		at = vt_screen_cursor(s);
		struct vt_row row = vt_screen_row(s, VT_PRIMARY, at.row);
		if (at.column >= row.used || row.cells[at.column].glyph != '@') {
			struct dump d;
			fail_msg("round %u: %ux%u: \"%s\" cursor %u,%u", round, rows, columns,
				dump_buffer(&d, s, VT_PRIMARY), at.row, at.column);
		}
		(void)vt_screen_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_follows_the_size),
		cmocka_unit_test(no_text_is_lost_by_any_row_of_sizes),
		cmocka_unit_test(a_cursor_stays_on_its_character),
		cmocka_unit_test(a_resize_makes_the_margins_whole),
		cmocka_unit_test(sizes_are_cut_to_what_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
