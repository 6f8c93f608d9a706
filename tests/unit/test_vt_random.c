/* Any bytes, cut anywhere, at any size: the screen keeps its own laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "vt/history.h"
#include "vt/screen.h"

#define BUDGET (64 * 1024)

static uint32_t random_state;

static uint32_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static unsigned random_below(unsigned n)
{
	return random_next() % n;
}

static void check_point(uint32_t point)
{
	assert_true(point >= 0x20 && point < 0x110000);
	assert_false(point >= 0x7f && point < 0xa0);
	assert_false(point >= 0xd800 && point < 0xe000);
}

static void check_glyph(const struct vt_screen *s, const struct vt_cell *c)
{
	if ((c->glyph & VT_CLUSTER) != 0) {
		const uint32_t *points;
		size_t n = vt_screen_cluster(s, c->glyph, &points);
		assert_in_range(n, 2, VT_CLUSTER_LENGTH);
		for (size_t i = 0; i < n; i++) {
			check_point(points[i]);
		}
	} else if (c->glyph != VT_EMPTY) {
		check_point(c->glyph);
	}
}

static void check_cells(const struct vt_screen *s, const struct vt_cell *cells, size_t used)
{
	for (size_t x = 0; x < used; x++) {
		assert_in_range(cells[x].width, 0, 2);
		check_glyph(s, &cells[x]);
		if (cells[x].width == 2) {
			assert_true(x + 1 < used);
			assert_int_equal(cells[x + 1].width, 0);
			assert_int_equal(cells[x + 1].style, cells[x].style);
		}
		if (cells[x].width == 0) {
			assert_true(x > 0 && cells[x - 1].width == 2);
			assert_int_equal(cells[x].glyph, VT_EMPTY);
		}
		const struct vt_style *style = vt_screen_style(s, cells[x].style);
		assert_true(style->underline <= VT_UNDERLINE_DASHED);
		assert_true(style->link == 0 || vt_screen_link(s, style->link).uri[0] != '\0');
	}
}

static void check_buffer(const struct vt_screen *s, enum vt_buffer which)
{
	for (unsigned y = 0; y < vt_screen_rows(s); y++) {
		struct vt_row row = vt_screen_row(s, which, y);
		assert_true(row.used <= vt_screen_columns(s));
		assert_true(row.changed <= vt_screen_changes(s));
		check_cells(s, row.cells, row.used);
	}
}

static void check_modes(const struct vt_screen *s)
{
	const struct vt_modes *m = vt_screen_modes(s);
	unsigned rows = vt_screen_rows(s);
	unsigned columns = vt_screen_columns(s);
	assert_true(m->bottom < rows && (m->top < m->bottom || rows == 1));
	assert_true(m->right < columns && (m->left < m->right || columns == 1));
	assert_true(m->cursor_shape <= VT_CURSOR_SHAPE_MAX);
	assert_true(m->titles.depth <= VT_TITLE_STACK);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(m->saved[i].cursor.row < rows);
		assert_true(m->saved[i].cursor.column < columns);
		assert_true(m->kitty[i].depth <= VT_KITTY_DEPTH);
	}
}

static void check(struct vt_screen *s)
{
	struct vt_cursor c = vt_screen_cursor(s);
	assert_true(c.row < vt_screen_rows(s));
	assert_true(c.column < vt_screen_columns(s));
	check_buffer(s, VT_PRIMARY);
	check_buffer(s, VT_ALTERNATE);
	check_modes(s);
	const struct vt_history *h = vt_screen_history(s);
	assert_true(vt_history_bytes(h) <= BUDGET);
	if (vt_history_count(h) > 0) {
		static struct vt_cell cells[VT_SIZE_MAX];
		bool wrapped;
		size_t i = random_below((unsigned)vt_history_count(h));
		size_t n = vt_screen_history_line(s, i, cells, &wrapped);
		assert_true(n <= VT_SIZE_MAX);
		check_cells(s, cells, n);
	}
	const uint8_t *pending;
	size_t length;
	if (vt_screen_pending(s, &pending, &length) == 0) {
		assert_int_equal(length == 0, vt_screen_ground(s));
	}
}

/* Pieces that make random streams meet each other's state often. */
static const char *const pieces[] = {
	"\033[",
	"\033]",
	"\033P",
	"\033(0",
	"\033(B",
	"\033[?1049h",
	"\033[?1049l",
	"\033[?69h",
	"\033[?69l",
	"\033[?6h",
	"\033[?6l",
	"\033[4h",
	"\033[4l",
	"\033[2;5r",
	"\033[r",
	"\033[3;9s",
	"\033[38;2;1;2;3m",
	"\033[48;5;9m",
	"\033[m",
	"\033]8;;http://a/b\033\\",
	"\033]8;;\033\\",
	"\033]2;title\a",
	"\033[22t",
	"\033[23t",
	"\033[5b",
	"\033[3L",
	"\033[2M",
	"\033[4P",
	"\033[3@",
	"\033[2J",
	"\033[3J",
	"\033[K",
	"\033[1K",
	"\033[X",
	"\033M",
	"\033D",
	"\033[3S",
	"\033[2T",
	"\r\n",
	"\n\n\n\n",
	"\t",
	"\b\b",
	"\033[H",
	"\033[99;99H",
	"\0337",
	"\0338",
	"\033c",
	"\033[!p",
	"\033#8",
	"\xe4\xb8\xad\xe6\x96\x87",
	"e\xcc\x81",
	"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
	"\xe2\x9d\xa4\xef\xb8\x8f",
	"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
	"\xe0\xa4\x95\xe0\xa4\xbf",
	"\xc2\x9b",
	"\xc2\x9d",
	"\xff\xfe",
	"\xe4\xb8",
	"\033[?7l",
	"\033[?7h",
	"\033[?2027l",
	"\033[?45h",
	"\033[1\"q",
	"\033[0\"q",
	"\033[?J",
	"\033[?K",
	"\033[2'}",
	"\033[2'~",
	"\0336",
	"\0339",
	"\033[2 @",
	"\033[2 A",
	"\033[?1h\033[?s\033[?r",
	"\033]4;1;rgb:1/2/3\a",
	"\033[>1u",
	"\033]104\a",
	"\033N",
	"\033[5n\033[6n\033[?1$p\033[c\033P$qm\033\\\033[18t",
	"a long line of quite ordinary text that needs more than one row of the screen",
	"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 ",
};

static size_t random_bytes(uint8_t *bytes, size_t size)
{
	size_t used = 0;
	while (used + 100 < size) {
		switch (random_below(4)) {
		case 0:
			bytes[used++] = (uint8_t)random_below(256);
			break;
		case 1:
			bytes[used++] = (uint8_t) "0123456789;:?mhlABCDHJKX "[random_below(25)];
			break;
		case 2:
			bytes[used++] = (uint8_t)(0x20 + random_below(95));
			break;
		default: {
			const char *piece = pieces[random_below(ARRAY_SIZE(pieces))];
			size_t n = strlen(piece);
			memcpy(bytes + used, piece, n);
			used += n;
			break;
		}
		}
	}
	return used;
}

static void feed_in_pieces(struct vt_screen *s, const uint8_t *bytes, size_t length)
{
	size_t at = 0;
	while (at < length) {
		size_t n = 1 + random_below(70);
		n = n > length - at ? length - at : n;
		vt_screen_feed(s, bytes + at, n);
		at += n;
	}
}

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) { /* an answer is never more than one printable line */
		assert_true(bytes[i] < 0x7f && bytes[i] != '\n' && bytes[i] != '\r');
	}
}

static void random_bytes_at_random_sizes_keep_every_law(void **state)
{
	const struct vt_screen_events events = { .reply = on_reply };
	uint8_t bytes[2048];
	for (unsigned round = 0; round < 300; round++) {
		random_state = 0x9e3779b9u * (round + 1);
		struct vt_screen *s = NULL;
		assert_int_equal(vt_screen_new(&s, 1 + random_below(30), 1 + random_below(90),
					 BUDGET, &events, NULL),
			0);
		vt_screen_answer(s, true);
		for (unsigned step = 0; step < 12; step++) {
			feed_in_pieces(s, bytes, random_bytes(bytes, sizeof(bytes)));
			check(s);
			if (random_below(3) == 0) {
				assert_int_equal(vt_screen_resize(s, 1 + random_below(40),
							 1 + random_below(120)),
					0);
				check(s);
			}
			if (random_below(8) == 0) {
				vt_screen_trim(s);
				check(s);
			}
		}
		(void)vt_screen_free(s);
	}
}

static void assert_same_row(const struct vt_screen *a, const struct vt_screen *b, unsigned y)
{
	struct vt_row x = vt_screen_row(a, vt_screen_active(a), y);
	struct vt_row z = vt_screen_row(b, vt_screen_active(b), y);
	assert_int_equal(x.used, z.used);
	assert_int_equal(x.wrapped, z.wrapped);
	for (unsigned i = 0; i < x.used; i++) {
		const uint32_t *p = NULL;
		const uint32_t *q = NULL;
		size_t n = vt_screen_cluster(a, x.cells[i].glyph, &p);
		assert_int_equal(n, vt_screen_cluster(b, z.cells[i].glyph, &q));
		if (n == 0) {
			assert_int_equal(x.cells[i].glyph, z.cells[i].glyph);
		} else {
			assert_memory_equal(p, q, n * sizeof(*p));
		}
		assert_int_equal(x.cells[i].width, z.cells[i].width);
	}
}

static void how_bytes_are_cut_makes_no_difference(void **state)
{
	uint8_t bytes[4096];
	for (unsigned round = 0; round < 200; round++) {
		random_state = 0x85ebca6bu * (round + 1);
		size_t length = random_bytes(bytes, sizeof(bytes));
		struct vt_screen *a = NULL;
		struct vt_screen *b = NULL;
		assert_int_equal(vt_screen_new(&a, 24, 80, BUDGET, NULL, NULL), 0);
		assert_int_equal(vt_screen_new(&b, 24, 80, BUDGET, NULL, NULL), 0);
		vt_screen_feed(a, bytes, length);
		feed_in_pieces(b, bytes, length);
		for (unsigned y = 0; y < 24; y++) {
			assert_same_row(a, b, y);
		}
		struct vt_cursor c = vt_screen_cursor(a);
		struct vt_cursor d = vt_screen_cursor(b);
		assert_int_equal(c.row, d.row);
		assert_int_equal(c.column, d.column);
		assert_int_equal(c.pending_wrap, d.pending_wrap);
		assert_int_equal(vt_screen_modes(a)->bits, vt_screen_modes(b)->bits);
		assert_int_equal(vt_history_total(vt_screen_history(a)),
			vt_history_total(vt_screen_history(b)));
		(void)vt_screen_free(a);
		(void)vt_screen_free(b);
	}
}

/* Whoever is given the pending bytes and then the rest sees what a reader from the start sees. */
static void pending_bytes_complete_what_follows(void **state)
{
	uint8_t bytes[2048];
	for (unsigned round = 0; round < 300; round++) {
		random_state = 0xc2b2ae35u * (round + 1);
		size_t length = random_bytes(bytes, sizeof(bytes));
		size_t cut = random_below((unsigned)length);
		struct vt_screen *a = NULL;
		assert_int_equal(vt_screen_new(&a, 24, 80, 0, NULL, NULL), 0);
		vt_screen_feed(a, bytes, cut);
		const uint8_t *pending;
		size_t pending_length;
		uint8_t kept[VT_PENDING_MAX];
		assert_int_equal(vt_screen_pending(a, &pending, &pending_length), 0);
		if (pending_length > 0) {
			memcpy(kept, pending, pending_length);
		}
		struct vt_screen *b = NULL;
		assert_int_equal(vt_screen_new(&b, 24, 80, 0, NULL, NULL), 0);
		vt_screen_feed(b, kept, pending_length);
		const uint8_t *again;
		size_t again_length;
		assert_int_equal(vt_screen_pending(b, &again, &again_length), 0);
		assert_int_equal(again_length, pending_length);
		assert_true(pending_length == 0 || memcmp(again, kept, pending_length) == 0);
		assert_int_equal(vt_screen_ground(a), vt_screen_ground(b));
		(void)vt_screen_free(a);
		(void)vt_screen_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_at_random_sizes_keep_every_law),
		cmocka_unit_test(how_bytes_are_cut_makes_no_difference),
		cmocka_unit_test(pending_bytes_complete_what_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
