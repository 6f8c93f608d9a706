/* Lasting modes, styles, titles, colours, links, and the answers to queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "vt_dump.h"

struct fixture {
	struct vt_screen *screen;
	char replies[4096];
	size_t used;
	unsigned bells;
	unsigned titles;
};

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	struct fixture *f = user;
	assert_true(f->used + length < sizeof(f->replies));
	memcpy(f->replies + f->used, bytes, length);
	f->used += length;
	f->replies[f->used] = '\0';
}

static void on_bell(void *user)
{
	((struct fixture *)user)->bells++;
}

static void on_title(void *user)
{
	((struct fixture *)user)->titles++;
}

static int setup(void **state)
{
	static const struct vt_screen_events events = {
		.reply = on_reply,
		.bell = on_bell,
		.title = on_title,
	};
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	return vt_screen_new(&f->screen, 24, 80, 1 << 20, &events, f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	(void)vt_screen_free(f->screen);
	free(f);
	return 0;
}

static const struct vt_modes *feed(struct fixture *f, const char *bytes)
{
	vt_screen_feed(f->screen, bytes, strlen(bytes));
	return vt_screen_modes(f->screen);
}

static void the_table_is_sorted_and_finds_its_rows(void **state)
{
	size_t count;
	const struct vt_mode_row *table = vt_mode_table(&count);
	uint64_t seen = 0;
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(vt_mode_find(table[i].is_private, table[i].number), &table[i]);
		assert_true(table[i].name[0] != '\0');
		if (i > 0) {
			assert_true(table[i - 1].is_private < table[i].is_private ||
				    (table[i - 1].is_private == table[i].is_private &&
					    table[i - 1].number < table[i].number));
		}
		if (table[i].kind == VT_KIND_BIT) {
			assert_int_equal(seen >> table[i].value & 1, 0);
			seen |= UINT64_C(1) << table[i].value;
		}
	}
	assert_int_equal(seen, (UINT64_C(1) << VT_MODE_COUNT) - 1);
	assert_null(vt_mode_find(true, 31337));
	assert_null(vt_mode_find(false, 25));
}

static void every_mode_is_set_reported_reset_saved_and_restored(void **state)
{
	struct fixture *f = *state;
	size_t count;
	const struct vt_mode_row *table = vt_mode_table(&count);
	vt_screen_answer(f->screen, true);
	for (size_t i = 0; i < count; i++) {
		char text[128];
		char expected[64];
		const char *mark = table[i].is_private ? "?" : "";
		unsigned n = table[i].number;
		const struct vt_modes *m = vt_screen_modes(f->screen);
		if (table[i].kind == VT_KIND_BIT) {
			assert_int_equal(vt_mode_is_set(m, &table[i]), table[i].initial);
		}
		snprintf(text, sizeof(text), "\033[%s%uh", mark, n);
		feed(f, text);
		f->used = 0;
		assert_true(vt_mode_is_set(m, &table[i]));
		snprintf(text, sizeof(text), "\033[%s%u$p", mark, n);
		feed(f, text);
		snprintf(expected, sizeof(expected), "\033[%s%u;1$y", mark, n);
		assert_string_equal(f->replies, expected);
		if (table[i].kind != VT_KIND_ALTERNATE && table[i].kind != VT_KIND_SAVE &&
			table[i].is_private) {
			snprintf(text, sizeof(text), "\033[?%us\033[?%ul", n, n);
			feed(f, text);
			assert_false(vt_mode_is_set(m, &table[i]));
			snprintf(text, sizeof(text), "\033[?%ur", n);
			feed(f, text);
			assert_true(vt_mode_is_set(m, &table[i]));
		}
		snprintf(text, sizeof(text), "\033[%s%ul", mark, n);
		feed(f, text);
		f->used = 0;
		if (table[i].kind != VT_KIND_SAVE) {
			assert_false(vt_mode_is_set(m, &table[i]));
		}
		feed(f, "\033c");
		if (table[i].kind == VT_KIND_BIT) {
			assert_int_equal(vt_mode_is_set(m, &table[i]), table[i].initial);
		}
	}
}

static void mouse_modes_exclude_one_another(void **state)
{
	struct fixture *f = *state;
	const struct vt_modes *m = feed(f, "\033[?1000;1006h");
	assert_int_equal(m->mouse, 1000);
	assert_int_equal(m->mouse_encoding, 1006);
	feed(f, "\033[?1003h\033[?1015l");
	assert_int_equal(m->mouse, 1003);
	assert_int_equal(m->mouse_encoding, 1006);
	feed(f, "\033[?1000l\033[?1006l");
	assert_int_equal(m->mouse, 0);
	assert_int_equal(m->mouse_encoding, 0);
}

static const struct {
	const char *bytes;
	struct vt_style pen;
} pens[] = {
	{ "\033[1;2;3;5;7;8;9;53m",
		{ .attributes = VT_BOLD | VT_DIM | VT_ITALIC | VT_BLINK | VT_INVERSE |
				VT_INVISIBLE | VT_STRIKE | VT_OVERLINE } },
	{ "\033[1;2;3;5;7;8;9;53m\033[22;23;25;27;28;29;55m", { 0 } },
	{ "\033[1;31m\033[m", { 0 } },
	{ "\033[31;42m",
		{ .foreground = VT_COLOR_INDEXED | 1, .background = VT_COLOR_INDEXED | 2 } },
	{ "\033[97;100m",
		{ .foreground = VT_COLOR_INDEXED | 15, .background = VT_COLOR_INDEXED | 8 } },
	{ "\033[31;42;39;49m", { 0 } },
	{ "\033[38;5;208;1m", { .foreground = VT_COLOR_INDEXED | 208, .attributes = VT_BOLD } },
	{ "\033[38:5:208;1m", { .foreground = VT_COLOR_INDEXED | 208, .attributes = VT_BOLD } },
	{ "\033[48;2;1;2;3;4m",
		{ .background = VT_COLOR_RGB | 0x010203, .underline = VT_UNDERLINE_SINGLE } },
	{ "\033[48:2:1:2:3;4m",
		{ .background = VT_COLOR_RGB | 0x010203, .underline = VT_UNDERLINE_SINGLE } },
	{ "\033[48:2::1:2:3;4m",
		{ .background = VT_COLOR_RGB | 0x010203, .underline = VT_UNDERLINE_SINGLE } },
	{ "\033[38;2;300;0;0m", { .foreground = VT_COLOR_RGB | 0xff0000 } },
	{ "\033[38;5;256m\033[38;2;1m\033[38m\033[38;9;1m", { .attributes = VT_BOLD } },
	{ "\033[4:3;58:2::1:2:3m",
		{ .underline = VT_UNDERLINE_CURLY, .underline_color = VT_COLOR_RGB | 0x010203 } },
	{ "\033[4:5;58;5;9m",
		{ .underline = VT_UNDERLINE_DASHED, .underline_color = VT_COLOR_INDEXED | 9 } },
	{ "\033[4:2;58;5;9;59m", { .underline = VT_UNDERLINE_DOUBLE } },
	{ "\033[21m", { .underline = VT_UNDERLINE_DOUBLE } },
	{ "\033[4m\033[4:0m", { 0 } },
	{ "\033[4;24m", { 0 } },
	{ "\033[4:9m", { 0 } },
	{ "\033[1\"q\033[0m", { .attributes = VT_PROTECTED } },
	{ "\033[>4;1m\033[?4m", { 0 } },
};

static void sgr_sets_the_pen(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_SIZE(pens); i++) {
		feed(f, "\033c");
		const struct vt_modes *m = feed(f, pens[i].bytes);
		if (!vt_style_equal(&m->pen, &pens[i].pen)) {
			fail_msg("case %zu: %s", i, pens[i].bytes + 1);
		}
		feed(f, "x");
		struct vt_row row = vt_screen_row(f->screen, VT_PRIMARY, 0);
		assert_true(vt_style_equal(
			vt_screen_style(f->screen, row.cells[0].style), &pens[i].pen));
	}
}

static void erased_cells_take_the_background_only(void **state)
{
	struct fixture *f = *state;
	feed(f, "\033[1;4;7;31;44mab\033[1;1H\033[K\033[5;1H\n\033[2;3r\033[3;1H\n\033[1;24r");
	const struct vt_style expected = { .background = VT_COLOR_INDEXED | 4 };
	static const unsigned rows[] = { 0, 2 };
	for (unsigned i = 0; i < 2; i++) {
		struct vt_row row = vt_screen_row(f->screen, VT_PRIMARY, rows[i]);
		assert_int_equal(row.used, 80);
		assert_int_equal(row.cells[79].glyph, VT_EMPTY);
		assert_true(
			vt_style_equal(vt_screen_style(f->screen, row.cells[79].style), &expected));
	}
}

static void blank_rows_take_no_cells(void **state)
{
	struct fixture *f = *state;
	feed(f, "text\033[2J");
	for (unsigned y = 0; y < 24; y++) {
		assert_int_equal(vt_screen_row(f->screen, VT_PRIMARY, y).used, 0);
	}
}

static void titles_are_kept_cleaned_and_stacked(void **state)
{
	struct fixture *f = *state;
	const struct vt_modes *m = feed(f, "\033]0;both\a");
	assert_string_equal(m->titles.title, "both");
	assert_string_equal(m->titles.icon, "both");
	assert_int_equal(f->titles, 1);
	feed(f, "\033]2;t\xc3\xa4\xff\xc2\x85\tx\033\\\033]1;i\a");
	assert_string_equal(m->titles.title, "t\xc3\xa4x");
	assert_string_equal(m->titles.icon, "i");
	feed(f, "\033[22t\033]0;new\a\033[22;2t\033]2;newer\a");
	assert_int_equal(m->titles.depth, 2);
	feed(f, "\033[23;2t");
	assert_string_equal(m->titles.title, "new");
	assert_string_equal(m->titles.icon, "new");
	feed(f, "\033[23t\033[23t");
	assert_string_equal(m->titles.title, "t\xc3\xa4x");
	assert_string_equal(m->titles.icon, "i");
	feed(f, "\033]2;\a");
	assert_null(m->titles.title);
	for (unsigned i = 0; i < 50; i++) {
		feed(f, "\033]2;again\a\033[22t");
	}
	assert_int_equal(m->titles.depth, VT_TITLE_STACK);
	feed(f, "\033]2;");
	for (unsigned i = 0; i < VT_TITLE_MAX; i++) {
		feed(f, "\xc3\xa4");
	}
	feed(f, "\a");
	assert_int_equal(strlen(m->titles.title), VT_TITLE_MAX);
}

static void colours_change_and_come_back(void **state)
{
	struct fixture *f = *state;
	const struct vt_modes *m = feed(f, "\033]4;1;rgb:12/34/56;200;#abcdef\033\\");
	assert_int_equal(m->palette.indexed[1], VT_COLOR_RGB | 0x123456);
	assert_int_equal(m->palette.indexed[200], VT_COLOR_RGB | 0xabcdef);
	feed(f, "\033]10;#fff;rgb:f/8/0;rgb:ffff/0000/8080\a");
	assert_int_equal(m->palette.foreground, VT_COLOR_RGB | 0xf0f0f0);
	assert_int_equal(m->palette.background, VT_COLOR_RGB | 0xff8800);
	assert_int_equal(m->palette.cursor, VT_COLOR_RGB | 0xff0080);
	feed(f, "\033]4;1;red;x;#12345g\a\033]11;rgb:1/2\a\033]4;256;#000000\a\033]4\a");
	assert_int_equal(m->palette.indexed[1], VT_COLOR_RGB | 0x123456);
	assert_int_equal(m->palette.background, VT_COLOR_RGB | 0xff8800);
	feed(f, "\033]104;1\a\033]110\a\033]111\a\033]112\a");
	assert_int_equal(m->palette.indexed[1], VT_COLOR_DEFAULT);
	assert_int_equal(m->palette.indexed[200], VT_COLOR_RGB | 0xabcdef);
	assert_int_equal(m->palette.foreground, VT_COLOR_DEFAULT);
	assert_int_equal(m->palette.background, VT_COLOR_DEFAULT);
	assert_int_equal(m->palette.cursor, VT_COLOR_DEFAULT);
	feed(f, "\033]104\a");
	assert_null(m->palette.indexed);
}

static struct vt_link link_at(const struct fixture *f, unsigned x)
{
	struct vt_row row = vt_screen_row(f->screen, VT_PRIMARY, 0);
	return vt_screen_link(f->screen, vt_screen_style(f->screen, row.cells[x].style)->link);
}

static void hyperlinks_open_and_close(void **state)
{
	struct fixture *f = *state;
	feed(f, "\033]8;a=b:id=7;http://x/;y\033\\A\033]8;;\033\\B\033]8;;http://\xc3\xa4\aC");
	assert_string_equal(link_at(f, 0).uri, "http://x/;y");
	assert_string_equal(link_at(f, 0).id, "7");
	assert_string_equal(link_at(f, 1).uri, "");
	assert_string_equal(link_at(f, 2).uri, "");
	feed(f, "\r\033]8;;");
	for (unsigned i = 0; i < VT_LINK_MAX; i++) {
		feed(f, "u");
	}
	feed(f, "\aX\033]8;;");
	assert_int_equal(strlen(link_at(f, 0).uri), VT_LINK_MAX);
	for (unsigned i = 0; i <= VT_LINK_MAX; i++) {
		feed(f, "u");
	}
	feed(f, "\aY");
	assert_string_equal(link_at(f, 1).uri, "");
}

/* Many more styles, clusters and links than the tables hold pass through; what is seen stays right.
 */
static void the_pool_is_collected(void **state)
{
	struct fixture *f = *state;
	char text[256];
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text),
			"\033[38;2;%u;%u;%um\033]8;;http://%u\ae\xcc%c\xcc%c\xcc%c\r\n", i & 255,
			i >> 8 & 255, i >> 16, i, (int)(0x80 + i % 40), (int)(0x80 + i / 40 % 40),
			(int)(0x80 + i / 1600 % 40));
		feed(f, text);
	}
	struct vt_memory memory = vt_screen_memory(f->screen);
	assert_true(memory.styles < 200000);
	assert_true(memory.clusters < 200000);
	assert_true(memory.links < 200000);
	for (unsigned y = 0; y < 23; y++) {
		unsigned i = 100000 - 23 + y;
		struct vt_row row = vt_screen_row(f->screen, VT_PRIMARY, y);
		const struct vt_style *style = vt_screen_style(f->screen, row.cells[0].style);
		uint32_t color = (i & 255) << 16 | (i >> 8 & 255) << 8 | i >> 16;
		assert_int_equal(style->foreground, VT_COLOR_RGB | color);
		snprintf(text, sizeof(text), "http://%u", i);
		assert_string_equal(vt_screen_link(f->screen, style->link).uri, text);
		const uint32_t *points;
		assert_int_equal(vt_screen_cluster(f->screen, row.cells[0].glyph, &points), 4);
		assert_int_equal(points[1], 0x300 + i % 40);
	}
	static struct vt_cell cells[VT_SIZE_MAX];
	bool wrapped;
	size_t count = vt_history_count(vt_screen_history(f->screen));
	assert_int_equal(vt_screen_history_line(f->screen, count - 1, cells, &wrapped), 1);
	snprintf(text, sizeof(text), "http://%u", 100000 - 24);
	assert_string_equal(
		vt_screen_link(f->screen, vt_screen_style(f->screen, cells[0].style)->link).uri,
		text);
}

/* More styles on one screen than there are numbers: the rest is plain, and nothing becomes slow. */
static void a_screen_with_more_styles_than_numbers_stays_usable(void **state)
{
	struct vt_screen *s = NULL;
	char text[64];
	assert_int_equal(vt_screen_new(&s, 300, 300, 0, NULL, NULL), 0);
	for (unsigned i = 0; i < 90000; i++) {
		int n = snprintf(text, sizeof(text), "\033[38;2;%u;%u;%umx", i & 255, i >> 8 & 255,
			1 + (i >> 16));
		vt_screen_feed(s, text, (size_t)n);
	}
	struct vt_row first = vt_screen_row(s, VT_PRIMARY, 0);
	assert_int_equal(
		vt_screen_style(s, first.cells[7].style)->foreground, VT_COLOR_RGB | 7u << 16 | 1);
	assert_int_equal(vt_screen_row(s, VT_PRIMARY, 299).used, 300);
	vt_screen_feed(s, "\033[m\033[2J\033[H", 10);
	for (unsigned i = 0; i < 3000; i++) { /* in the end the old ones are found to be unused */
		int n = snprintf(text, sizeof(text), "\033[48;2;%u;%u;9mx", i & 255, i >> 8);
		vt_screen_feed(s, text, (size_t)n);
	}
	struct vt_row row = vt_screen_row(s, VT_PRIMARY, 9);
	assert_int_equal(vt_screen_style(s, row.cells[299].style)->background,
		VT_COLOR_RGB | (2999u & 255) << 16 | (2999u >> 8) << 8 | 9);
	(void)vt_screen_free(s);
}

static void keyboard_modes_are_kept_a_buffer(void **state)
{
	struct fixture *f = *state;
	const struct vt_modes *m = feed(f, "\033[>1u\033[>5u");
	assert_int_equal(vt_modes_kitty(m), 5);
	feed(f, "\033[=8;2u");
	assert_int_equal(vt_modes_kitty(m), 13);
	feed(f, "\033[=1;3u");
	assert_int_equal(vt_modes_kitty(m), 12);
	feed(f, "\033[?1049h");
	assert_int_equal(vt_modes_kitty(m), 0);
	feed(f, "\033[=3u");
	assert_int_equal(vt_modes_kitty(m), 3);
	feed(f, "\033[?1049l\033[<u");
	assert_int_equal(vt_modes_kitty(m), 1);
	feed(f, "\033[<9u");
	assert_int_equal(vt_modes_kitty(m), 0);
	for (unsigned i = 0; i < 20; i++) {
		feed(f, "\033[>2u");
	}
	assert_int_equal(m->kitty[0].depth, VT_KITTY_DEPTH);
	feed(f, "\033[>4;2m\033[>1;3m");
	assert_int_equal(m->modify_keys[4], 2);
	feed(f, "\033[>4m");
	assert_int_equal(m->modify_keys[4], VT_MODIFY_INITIAL);
	feed(f, "\033[>1n");
	assert_int_equal(m->modify_keys[1], VT_MODIFY_OFF);
	feed(f, "\033[>m\033=");
	assert_int_equal(m->modify_keys[1], VT_MODIFY_INITIAL);
	assert_true(vt_modes_get(m, VT_MODE_KEYPAD));
	feed(f, "\033>");
	assert_false(vt_modes_get(m, VT_MODE_KEYPAD));
}

static void the_cursor_takes_each_shape(void **state)
{
	struct fixture *f = *state;
	const struct vt_modes *m = feed(f, "\033[5 q");
	assert_int_equal(m->cursor_shape, 5);
	assert_true(vt_modes_get(m, VT_MODE_CURSOR_BLINK));
	feed(f, "\033[2 q\033[9 q");
	assert_int_equal(m->cursor_shape, 2);
	assert_false(vt_modes_get(m, VT_MODE_CURSOR_BLINK));
}

static const struct {
	const char *query;
	const char *reply;
} queries[] = {
	{ "\033[c", "\033[?62;6;22c" },
	{ "\033[0c\033Z", "\033[?62;6;22c\033[?62;6;22c" },
	{ "\033[>c", "\033[>1;279;0c" },
	{ "\033[=c", "\033P!|00000000\033\\" },
	{ "\033[1c", "" },
	{ "\033[5n", "\033[0n" },
	{ "\033[3;7H\033[6n", "\033[3;7R" },
	{ "\033[3;7H\033[?6n", "\033[?3;7;1R" },
	{ "\033[5;10r\033[?6h\033[2;3H\033[6n", "\033[2;3R" },
	{ "\033[?996n", "\033[?997;1n" },
	{ "\033[>q", "\033P>|termserv(" TERMSERV_VERSION ")\033\\" },
	{ "\033[>5u\033[?u", "\033[?5u" },
	{ "\033[?25$p\033[4$p\033[?31337$p", "\033[?25;1$y\033[4;2$y\033[?31337;0$y" },
	{ "\033]10;?\a", "\033]10;rgb:e5e5/e5e5/e5e5\a" },
	{ "\033]10;?;?\033\\", "\033]10;rgb:e5e5/e5e5/e5e5\033\\\033]11;rgb:0000/0000/0000\033\\" },
	{ "\033]11;#123456\a\033]11;?\a", "\033]11;rgb:1212/3434/5656\a" },
	{ "\033]4;1;?;9;?\a", "\033]4;1;rgb:cdcd/0000/0000\a\033]4;9;rgb:ffff/0000/0000\a" },
	{ "\033[1;4:3;38;5;9;48;2;1;2;3;58;5;4m\033P$qm\033\\",
		"\033P1$r0;1;4:3;91;48:2::1:2:3;58:5:4m\033\\" },
	{ "\033[2;9r\033P$qr\033\\", "\033P1$r2;9r\033\\" },
	{ "\033[?69h\033[3;40s\033P$qs\033\\", "\033P1$r3;40s\033\\" },
	{ "\033[4 q\033P$q q\033\\", "\033P1$r4 q\033\\" },
	{ "\033P$q\"p\033\\\033P$q\"q\033\\", "\033P1$r62;1\"p\033\\\033P1$r0\"q\033\\" },
	{ "\033P$qhello\033\\\033P$qx\033\\", "\033P0$r\033\\\033P0$r\033\\" },
	{ "\033P+q544e\033\\", "\033P0+r\033\\" },
	{ "\033[14t\033[16t\033[18t\033[19t",
		"\033[4;384;640t\033[6;16;8t\033[8;24;80t\033[9;24;80t" },
	{ "\033]2;evil\a\033[20t\033[21t", "\033]L\033\\\033]l\033\\" },
	{ "\033]52;c;ZXZpbA==\a\033]52;c;?\a", "\033]52;c;\a" },
	{ "\033[?2048h", "\033[48;24;80;384;640t" },
	{ "\033[?4m\033[>4;1m\033[?4m\033[?1m", "\033[>4;0m\033[>4;1m\033[>1;2m" },
	{ "\033[x", "\033[2;1;1;128;128;1;0x" },
	{ "\005", "" },
};

static void queries_are_answered_while_nobody_else_does(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		f->used = 0;
		f->replies[0] = '\0';
		vt_screen_answer(f->screen, true);
		feed(f, "\033c");
		feed(f, queries[i].query);
		assert_string_equal(f->replies, queries[i].reply);
		f->used = 0;
		f->replies[0] = '\0';
		vt_screen_answer(f->screen, false);
		feed(f, "\033c");
		feed(f, queries[i].query);
		assert_string_equal(f->replies, "");
	}
}

static void bells_are_told(void **state)
{
	struct fixture *f = *state;
	feed(f, "\a\a\033]2;x\a");
	assert_int_equal(f->bells, 2);
	assert_int_equal(f->titles, 1);
}

static void rows_tell_when_they_changed(void **state)
{
	struct fixture *f = *state;
	feed(f, "one\r\ntwo\r\nthree");
	uint64_t seen = vt_screen_changes(f->screen);
	feed(f, "\033[2;1HTWO");
	for (unsigned y = 0; y < 24; y++) {
		bool changed = vt_screen_row(f->screen, VT_PRIMARY, y).changed > seen;
		assert_int_equal(changed, y == 1);
	}
	seen = vt_screen_changes(f->screen);
	feed(f, "\033[3;5r\033[5;1H\n");
	feed(f, "\033[10;12r\033[12;1H\n");
	for (unsigned y = 0; y < 24; y++) {
		bool changed = vt_screen_row(f->screen, VT_PRIMARY, y).changed > seen;
		assert_int_equal(changed, (y >= 2 && y <= 4) || (y >= 9 && y <= 11));
	}
	seen = vt_screen_changes(f->screen);
	feed(f, "\033[?1049h");
	assert_true(vt_screen_row(f->screen, VT_ALTERNATE, 23).changed > seen);
	assert_int_equal(vt_screen_row(f->screen, VT_PRIMARY, 1).cells[0].glyph, 'T');
}

static void only_what_leaves_the_top_is_history(void **state)
{
	struct fixture *f = *state;
	struct dump d;
	feed(f, "first\r\nsecond\033[24;1H\n");
	assert_string_equal(dump_history(&d, f->screen), "first");
	feed(f, "\033[1;10r\033[10;1H\n");
	assert_string_equal(dump_history(&d, f->screen), "first|second");
	feed(f, "\033[2;10r\033[10;1H\n\033[r\033[1;1H\033[M\033[?1049h\033[24;1H\n\n\033[?1049l");
	assert_string_equal(dump_history(&d, f->screen), "first|second");
	feed(f, "\033[2J");
	assert_int_equal(vt_history_total(vt_screen_history(f->screen)), 2);
	feed(f, "\033[3J");
	assert_int_equal(vt_history_count(vt_screen_history(f->screen)), 0);
	assert_int_equal(vt_screen_memory(f->screen).history, 0);
}

static void trimming_gives_memory_back_and_shows_the_same(void **state)
{
	struct fixture *f = *state;
	struct dump d;
	feed(f, "\033#8\033[2Jhello\r\n0123456789012345678901234567890123456789");
	feed(f, "\033[2;2H\033[K\033]2;title\a");
	struct vt_memory before = vt_screen_memory(f->screen);
	vt_screen_trim(f->screen);
	struct vt_memory after = vt_screen_memory(f->screen);
	assert_true(after.grid + 10000 < before.grid);
	assert_true(after.other <= before.other);
	assert_string_equal(dump_screen(&d, f->screen), "hello|0");
	feed(f, "x");
	assert_string_equal(dump_screen(&d, f->screen), "hello|0x");
}

static void a_hidden_alternate_buffer_takes_no_memory(void **state)
{
	struct fixture *f = *state;
	size_t before = vt_screen_memory(f->screen).grid;
	feed(f, "\033[?1049h\033#8");
	assert_true(vt_screen_memory(f->screen).grid > before + 10000);
	feed(f, "\033[?1049l");
	assert_int_equal(vt_screen_memory(f->screen).grid, before);
}

static void an_idle_screen_is_small(void **state)
{
	struct fixture *f = *state;
	struct vt_memory m = vt_screen_memory(f->screen);
	size_t all = m.grid + m.history + m.styles + m.clusters + m.links + m.other;
	assert_true(all < 4096);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sorted_and_finds_its_rows),
		TEST(every_mode_is_set_reported_reset_saved_and_restored),
		TEST(mouse_modes_exclude_one_another),
		TEST(sgr_sets_the_pen),
		TEST(erased_cells_take_the_background_only),
		TEST(blank_rows_take_no_cells),
		TEST(titles_are_kept_cleaned_and_stacked),
		TEST(colours_change_and_come_back),
		TEST(hyperlinks_open_and_close),
		TEST(the_pool_is_collected),
		cmocka_unit_test(a_screen_with_more_styles_than_numbers_stays_usable),
		TEST(keyboard_modes_are_kept_a_buffer),
		TEST(the_cursor_takes_each_shape),
		TEST(queries_are_answered_while_nobody_else_does),
		TEST(bells_are_told),
		TEST(rows_tell_when_they_changed),
		TEST(only_what_leaves_the_top_is_history),
		TEST(trimming_gives_memory_back_and_shows_the_same),
		TEST(a_hidden_alternate_buffer_takes_no_memory),
		TEST(an_idle_screen_is_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
