#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "vt/history.h"
#include "vt/painter.h"

#define PAINT_MAX (16 * 1024 * 1024)

static struct vt_screen *screen_with(unsigned rows, unsigned columns, const char *bytes)
{
	struct vt_screen *s = NULL;
	assert_int_equal(vt_screen_new(&s, rows, columns, 1024 * 1024, NULL, NULL), 0);
	vt_screen_feed(s, bytes, strlen(bytes));
	return s;
}

static struct vt_paint_target target_of(
	enum vt_paint_class class, uint32_t colours, unsigned rows, unsigned columns)
{
	return (struct vt_paint_target){
		.class = class, .colours = colours, .rows = rows, .columns = columns
	};
}

static void take(struct vt_screen *terminal, struct buf *out)
{
	assert_false(out->failed);
	if (out->length > 0) {
		vt_screen_feed(terminal, out->data, out->length);
	}
	buf_clear(out);
}

/* One row as ASCII, blanks behind it left out. */
static const char *row_text(const struct vt_screen *s, unsigned y)
{
	static char text[512];
	struct vt_row row = vt_screen_row(s, vt_screen_active(s), y);
	size_t length = 0;
	for (unsigned x = 0; x < row.used && x < sizeof(text) - 1; x++) {
		uint32_t glyph = row.cells[x].glyph;
		text[x] = glyph == VT_EMPTY ? ' ' : glyph < 0x7f ? (char)glyph : '*';
		length = text[x] != ' ' ? x + 1 : length;
	}
	text[length] = '\0';
	return text;
}

static bool contains(const struct buf *out, const char *text)
{
	return out->length > 0 && memmem(out->data, out->length, text, strlen(text)) != NULL;
}

static struct vt_style style_at(const struct vt_screen *s, unsigned y, unsigned x)
{
	return *vt_screen_style(s, vt_screen_row(s, VT_PRIMARY, y).cells[x].style);
}

/* What a terminal of so many colours shows of one cell. */
static struct vt_style shown(uint32_t colours, const char *bytes)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, colours, 2, 4);
	struct vt_screen *s = screen_with(2, 4, bytes);
	struct vt_screen *terminal = screen_with(2, 4, "");
	struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_enter(&out, &target);
	vt_paint_screen(&out, s, &target);
	take(terminal, &out);
	struct vt_style style = style_at(terminal, 0, 0);
	buf_done(&out);
	vt_screen_free(s);
	vt_screen_free(terminal);
	return style;
}

static void a_colour_becomes_the_nearest_that_the_terminal_has(void **state)
{
	static const struct {
		uint32_t colours;
		const char *bytes;
		uint32_t foreground;
		uint16_t attributes;
	} cases[] = {
		{ 16777216, "\033[38;2;255;0;1mx", VT_COLOR_RGB | 0xff0001, 0 },
		{ 256, "\033[38;2;255;0;1mx", VT_COLOR_INDEXED | 196, 0 },
		{ 256, "\033[38;2;128;128;128mx", VT_COLOR_INDEXED | 244, 0 },
		{ 256, "\033[38;2;0;0;0mx", VT_COLOR_INDEXED | 16, 0 },
		{ 256, "\033[38;5;123mx", VT_COLOR_INDEXED | 123, 0 },
		{ 16, "\033[38;5;196mx", VT_COLOR_INDEXED | 9, 0 },
		{ 16, "\033[38;2;200;0;0mx", VT_COLOR_INDEXED | 1, 0 },
		{ 16, "\033[92mx", VT_COLOR_INDEXED | 10, 0 },
		{ 8, "\033[92mx", VT_COLOR_INDEXED | 2, VT_BOLD },
		{ 8, "\033[38;2;0;0;230mx", VT_COLOR_INDEXED | 4, 0 },
		{ 8, "\033[33mx", VT_COLOR_INDEXED | 3, 0 },
		{ 0, "\033[31mx", VT_COLOR_DEFAULT, 0 },
		{ 0, "\033[30;46mx", VT_COLOR_DEFAULT, VT_INVERSE },
		{ 0, "\033[37;44mx", VT_COLOR_DEFAULT, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vt_style style = shown(cases[i].colours, cases[i].bytes);
		assert_int_equal(style.foreground, cases[i].foreground);
		assert_int_equal(style.attributes, cases[i].attributes);
		if (cases[i].colours == 0) {
			assert_int_equal(style.background, VT_COLOR_DEFAULT);
		}
	}
}

static void a_changed_palette_counts_when_colours_are_reduced(void **state)
{
	struct vt_style style = shown(8, "\033]4;200;#00cd00\a\033[38;5;200mx");
	assert_int_equal(style.foreground, VT_COLOR_INDEXED | 2);
}

static void what_was_visible_moves_into_the_scrollback(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 4, 20);
	struct vt_screen *s = screen_with(4, 20, "session");
	struct vt_screen *terminal = screen_with(4, 20, "mine 1\r\nmine 2\r\nmine 3\r\nmine 4");
	struct buf out = BUF_INIT(PAINT_MAX);
	struct vt_cell cells[VT_SIZE_MAX];
	bool wrapped;
	vt_paint_enter(&out, &target);
	vt_paint_screen(&out, s, &target);
	take(terminal, &out);
	assert_int_equal(vt_history_count(vt_screen_history(terminal)), 4);
	assert_int_equal(vt_screen_history_line(terminal, 3, cells, &wrapped), 6);
	assert_int_equal(cells[5].glyph, '4');
	assert_string_equal(row_text(terminal, 0), "session");
	assert_string_equal(row_text(terminal, 1), "");
	buf_done(&out);
	vt_screen_free(s);
	vt_screen_free(terminal);
}

static void reset_leaves_text_and_cursor_where_they_are(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 4, 20);
	struct vt_screen *terminal = screen_with(
		4, 20, "one\r\ntwo\033[2;3r\033[2;5H\033[1;44m\033[?1003;2004h");
	struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_reset(&out, &target);
	take(terminal, &out);
	assert_string_equal(row_text(terminal, 0), "one");
	assert_string_equal(row_text(terminal, 1), "two");
	assert_int_equal(vt_screen_cursor(terminal).row, 1);
	assert_int_equal(vt_screen_cursor(terminal).column, 4);
	assert_int_equal(vt_screen_modes(terminal)->mouse, 0);
	assert_int_equal(vt_history_count(vt_screen_history(terminal)), 0);
	buf_done(&out);
	vt_screen_free(terminal);
}

static void leaving_puts_the_cursor_behind_the_text(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 5, 20);
	struct vt_screen *s = screen_with(5, 20, "one\r\ntwo\r\nthree\033[1;1H");
	struct vt_screen *terminal = screen_with(5, 20, "one\r\ntwo\r\nthree\033[1;1H\033[?1h");
	struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_leave(&out, s, &target);
	take(terminal, &out);
	assert_int_equal(vt_screen_cursor(terminal).row, 3);
	assert_int_equal(vt_screen_cursor(terminal).column, 0);
	assert_string_equal(row_text(terminal, 2), "three");
	buf_done(&out);
	vt_screen_free(s);
	vt_screen_free(terminal);
}

static void the_terminal_gets_its_own_title_and_preferences_back(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 4, 20);
	struct vt_screen *first = screen_with(4, 20, "\033]2;first\a\033[22;0t\033]2;more\a");
	struct vt_screen *second = screen_with(4, 20, "no title");
	struct vt_screen *terminal = screen_with(4, 20, "\033]0;mine\a\033[?1036;1007h");
	struct buf out = BUF_INIT(PAINT_MAX);
	static const char more[] = "\033[?1036l\033]2;even more\a";
	target.remembered = true;
	vt_paint_begin(&out, &target);
	vt_paint_enter(&out, &target);
	vt_paint_screen(&out, first, &target);
	take(terminal, &out);
	assert_string_equal(vt_screen_modes(terminal)->titles.title, "more");
	vt_screen_feed(terminal, more, sizeof(more) - 1);
	vt_paint_enter(&out, &target);
	vt_paint_screen(&out, second, &target);
	take(terminal, &out);
	assert_string_equal(vt_screen_modes(terminal)->titles.title, "mine");
	vt_paint_reset(&out, &target);
	take(terminal, &out);
	assert_string_equal(vt_screen_modes(terminal)->titles.title, "mine");
	assert_int_equal(vt_screen_modes(terminal)->titles.depth, 0);
	assert_true(vt_modes_get(vt_screen_modes(terminal), VT_MODE_META_ESCAPE));
	assert_true(vt_modes_get(vt_screen_modes(terminal), VT_MODE_ALTERNATE_SCROLL));
	buf_done(&out);
	vt_screen_free(first);
	vt_screen_free(second);
	vt_screen_free(terminal);
}

static void a_plain_terminal_gets_only_what_a_vt100_knows(void **state)
{
	static const char *const foreign[] = { "\033]", "\033P", "\033[>", "\033[<",
		"\033[=", "?1049", "?47", "?2026", "?2004h", "?1003", " q", "\"q", "X", "38;",
		"48;", ":" };
	struct vt_paint_target target = target_of(VT_PAINT_PLAIN, 8, 5, 30);
	struct vt_screen *s = screen_with(5, 30,
		"\033]2;title\a\033]8;;http://x\alink\033]8;;\a \033[4:3mcurly\033[m "
		"\033[38;2;1;2;3;48;5;200mrgb\033[m\r\na\033[44m   \033[m\033[10Cb"
		"\033[?1003;2004h\033[>1u\033[5 q\033[1\"qkept\033[?1h\033=");
	struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_begin(&out, &target);
	vt_paint_enter(&out, &target);
	vt_paint_history(&out, s, 0, SIZE_MAX, &target);
	vt_paint_screen(&out, s, &target);
	vt_paint_reset(&out, &target);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (contains(&out, foreign[i])) {
			fail_msg("a plain terminal gets '%s'", foreign[i] + (foreign[i][0] == 27));
		}
	}
	assert_true(contains(&out, "\033[?1h"));
	assert_true(contains(&out, "\033="));
	buf_done(&out);
	vt_screen_free(s);
}

/* A screen that is followed on a terminal of any size, for as long as a test feeds it. */
struct follower {
	struct vt_screen *screen, *terminal;
	struct vt_paint_state state;
	struct buf out;
};

static struct follower follow(
	unsigned rows, unsigned columns, unsigned terminal_rows, unsigned terminal_columns)
{
	struct vt_paint_target target = target_of(
		VT_PAINT_PLAIN, 8, terminal_rows, terminal_columns);
	struct follower f = { .screen = screen_with(rows, columns, ""),
		.terminal = screen_with(terminal_rows, terminal_columns, ""),
		.out = BUF_INIT(PAINT_MAX) };
	vt_paint_enter(&f.out, &target);
	vt_paint_start(&f.state, &target);
	take(f.terminal, &f.out);
	return f;
}

static size_t feed(struct follower *f, const char *bytes)
{
	vt_screen_feed(f->screen, bytes, strlen(bytes));
	vt_paint_update(&f->out, f->screen, &f->state);
	size_t length = f->out.length;
	take(f->terminal, &f->out);
	return length;
}

static void done(struct follower *f)
{
	buf_done(&f->out);
	vt_screen_free(f->screen);
	vt_screen_free(f->terminal);
}

static void an_update_of_nothing_is_nothing(void **state)
{
	struct follower f = follow(5, 20, 5, 20);
	(void)feed(&f, "hello");
	vt_paint_update(&f.out, f.screen, &f.state);
	assert_int_equal(f.out.length, 0);
	done(&f);
}

static void an_update_draws_only_the_rows_that_changed(void **state)
{
	struct follower f = follow(24, 80, 24, 80);
	for (int i = 0; i < 23; i++) {
		(void)feed(&f, "a line of some length that would cost a lot to draw again\r\n");
	}
	assert_true(feed(&f, "x") < 64);
	assert_string_equal(row_text(f.terminal, 23), "x");
	done(&f);
}

static void lines_that_leave_the_screen_reach_the_scrollback(void **state)
{
	struct follower f = follow(3, 20, 3, 20);
	(void)feed(&f, "1\r\n2\r\n3");
	size_t before = vt_history_count(vt_screen_history(f.terminal));
	(void)feed(&f, "\r\n4\r\n5");
	assert_int_equal(vt_history_count(vt_screen_history(f.terminal)), before + 2);
	assert_string_equal(row_text(f.terminal, 0), "3");
	assert_string_equal(row_text(f.terminal, 2), "5");
	done(&f);
}

static void a_smaller_terminal_shows_the_part_around_the_cursor(void **state)
{
	struct follower f = follow(10, 40, 4, 10);
	(void)feed(&f, "top left\033[10;31Hbottom 89\033[10;35H");
	assert_string_equal(row_text(f.terminal, 3) + 5, "botto");
	assert_int_equal(vt_screen_cursor(f.terminal).row, 3);
	(void)feed(&f, "\033[1;3H");
	assert_string_equal(row_text(f.terminal, 0), "p left");
	assert_int_equal(vt_screen_cursor(f.terminal).column, 0);
	(void)feed(&f, "\033[1;1H");
	assert_string_equal(row_text(f.terminal, 0), "top left");
	done(&f);
}

static void a_wide_character_at_the_border_of_sight_is_a_space(void **state)
{
	struct follower f = follow(2, 12, 2, 5);
	(void)feed(&f, "abcd\xe6\xbc\xa2"
		       "efgh\r");
	assert_string_equal(row_text(f.terminal, 0), "abcd");
	assert_int_equal(vt_screen_row(f.terminal, VT_PRIMARY, 0).cells[4].width, 1);
	(void)feed(&f, "\033[1;10H");
	assert_string_equal(row_text(f.terminal, 0), " efgh");
	done(&f);
}

static void a_larger_terminal_keeps_the_rest_blank(void **state)
{
	struct follower f = follow(2, 5, 5, 20);
	(void)feed(&f, "12345678901234567890");
	assert_string_equal(row_text(f.terminal, 0), "12345");
	(void)feed(&f, "\033[2J\033[Hab\033[44m\033[K");
	assert_string_equal(row_text(f.terminal, 0), "ab");
	assert_string_equal(row_text(f.terminal, 3), "");
	assert_int_equal(vt_screen_cursor(f.terminal).column, 2);
	done(&f);
}

static void the_alternate_buffer_is_shown_in_place(void **state)
{
	struct follower f = follow(3, 20, 3, 20);
	(void)feed(&f, "shell");
	(void)feed(&f, "\033[?1049h\033[Hvim");
	assert_string_equal(row_text(f.terminal, 0), "vim");
	(void)feed(&f, "\033[?1049l");
	assert_string_equal(row_text(f.terminal, 0), "shell");
	assert_int_equal(vt_screen_cursor(f.terminal).column, 5);
	done(&f);
}

static void a_terminal_with_fewer_colours_is_told_the_modes(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 256, 5, 20);
	struct vt_screen *s = screen_with(5, 20, "");
	struct vt_screen *terminal = screen_with(5, 20, "");
	struct vt_paint_state follower;
	struct buf out = BUF_INIT(PAINT_MAX);
	const struct vt_modes *m = vt_screen_modes(terminal);
	static const char on[] = "\033[?1;1004;2004h\033[?1003;1006h\033[>5u\033[>4;2m\033[5 q"
				 "\033]2;t\a\033[?25l\033=";
	static const char off[] = "\033[?1;1004;2004l\033[?1003;1006l\033[<u\033[>4m\033[0 q"
				  "\033]2;\a\033[?25h\033>";
	vt_paint_enter(&out, &target);
	vt_paint_start(&follower, &target);
	vt_screen_feed(s, on, sizeof(on) - 1);
	vt_paint_update(&out, s, &follower);
	take(terminal, &out);
	assert_true(vt_modes_get(m, VT_MODE_CURSOR_KEYS));
	assert_true(vt_modes_get(m, VT_MODE_BRACKETED_PASTE));
	assert_true(vt_modes_get(m, VT_MODE_KEYPAD));
	assert_false(vt_modes_get(m, VT_MODE_CURSOR_VISIBLE));
	assert_int_equal(m->mouse, 1003);
	assert_int_equal(m->mouse_encoding, 1006);
	assert_int_equal(vt_modes_kitty(m), 5);
	assert_int_equal(m->modify_keys[4], 2);
	assert_int_equal(m->cursor_shape, 5);
	assert_string_equal(m->titles.title, "t");
	vt_screen_feed(s, off, sizeof(off) - 1);
	vt_paint_update(&out, s, &follower);
	take(terminal, &out);
	assert_false(vt_modes_get(m, VT_MODE_CURSOR_KEYS));
	assert_true(vt_modes_get(m, VT_MODE_CURSOR_VISIBLE));
	assert_int_equal(m->mouse, 0);
	assert_int_equal(vt_modes_kitty(m), 0);
	assert_int_equal(m->modify_keys[4], VT_MODIFY_INITIAL);
	assert_int_equal(m->cursor_shape, 0);
	buf_done(&out);
	vt_screen_free(s);
	vt_screen_free(terminal);
}

static void a_screen_of_text_costs_little_more_than_its_text(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 24, 80);
	struct vt_screen *s = screen_with(24, 80, "");
	struct buf out = BUF_INIT(PAINT_MAX);
	for (int i = 0; i < 23; i++) {
		static const char line[] =
			"\033[1;32muser@host\033[m:\033[34m~\033[m$ a command\r\n";
		vt_screen_feed(s, line, sizeof(line) - 1);
	}
	vt_paint_screen(&out, s, &target);
	assert_true(out.length < 23 * 55);
	buf_done(&out);
	vt_screen_free(s);
}

static void a_buffer_that_is_full_is_told(void **state)
{
	struct vt_paint_target target = target_of(VT_PAINT_XTERM, 16777216, 24, 80);
	struct vt_screen *s = screen_with(24, 80, "\033#8");
	struct buf out = BUF_INIT(1000);
	vt_paint_screen(&out, s, &target);
	assert_true(out.failed);
	assert_true(out.length <= 1000);
	buf_done(&out);
	vt_screen_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_colour_becomes_the_nearest_that_the_terminal_has),
		cmocka_unit_test(a_changed_palette_counts_when_colours_are_reduced),
		cmocka_unit_test(what_was_visible_moves_into_the_scrollback),
		cmocka_unit_test(reset_leaves_text_and_cursor_where_they_are),
		cmocka_unit_test(leaving_puts_the_cursor_behind_the_text),
		cmocka_unit_test(the_terminal_gets_its_own_title_and_preferences_back),
		cmocka_unit_test(a_plain_terminal_gets_only_what_a_vt100_knows),
		cmocka_unit_test(an_update_of_nothing_is_nothing),
		cmocka_unit_test(an_update_draws_only_the_rows_that_changed),
		cmocka_unit_test(lines_that_leave_the_screen_reach_the_scrollback),
		cmocka_unit_test(a_smaller_terminal_shows_the_part_around_the_cursor),
		cmocka_unit_test(a_wide_character_at_the_border_of_sight_is_a_space),
		cmocka_unit_test(a_larger_terminal_keeps_the_rest_blank),
		cmocka_unit_test(the_alternate_buffer_is_shown_in_place),
		cmocka_unit_test(a_terminal_with_fewer_colours_is_told_the_modes),
		cmocka_unit_test(a_screen_of_text_costs_little_more_than_its_text),
		cmocka_unit_test(a_buffer_that_is_full_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
