/* The screen takes any bytes, cut anywhere, with changes of size in between: it never fails, every
 * cell stays what vt/cell.h promises, and where the bytes are cut makes no difference.
 *
 * Input: rows, columns, size of the pieces, how often the size changes, then the bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "compare.h"
#include "vt/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 4
#define HISTORY (128 * 1024)

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_glyph(const struct vt_screen *s, uint32_t glyph)
{
	const uint32_t *points = &glyph;
	size_t count = 1;
	if ((glyph & VT_CLUSTER) != 0) {
		count = vt_screen_cluster(s, glyph, &points);
		if (count < 2 || count > VT_CLUSTER_LENGTH) {
			fail("a cluster of too few or too many code points");
		}
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t p = points[i];
		if (p < 0x20 || (p >= 0x7f && p < 0xa0) || p > 0x10ffff ||
			(p >= 0xd800 && p < 0xe000)) {
			fail("a glyph that is no character");
		}
	}
}

static void check_row(const struct vt_screen *s, const struct vt_cell *cells, unsigned used)
{
	for (unsigned x = 0; x < used; x++) {
		const struct vt_cell *c = &cells[x];
		if (c->width > 2 || (c->width == 0) != (x > 0 && cells[x - 1].width == 2) ||
			(c->width == 2 && x + 1 == used) ||
			(c->width == 0 && c->glyph != VT_EMPTY)) {
			fail("half of a wide character");
		}
		if (c->glyph != VT_EMPTY) {
			check_glyph(s, c->glyph);
		}
	}
}

static unsigned columns_at(const struct vt_screen *s, unsigned which, unsigned y)
{
	bool single = vt_screen_line_scale(s, which, y) == VT_LINE_SINGLE;
	return single ? vt_screen_columns(s) : vt_line_half(vt_screen_columns(s));
}

static void check(struct vt_screen *s)
{
	const struct vt_modes *m = vt_screen_modes(s);
	struct vt_cursor c = vt_screen_cursor(s);
	unsigned rows = vt_screen_rows(s);
	unsigned columns = vt_screen_columns(s);
	for (unsigned which = 0; which < 2; which++) {
		for (unsigned y = 0; y < rows; y++) {
			struct vt_row row = vt_screen_row(s, which, y);
			if (row.used > columns_at(s, which, y)) {
				fail("a row is wider than the screen, or than half of it");
			}
			check_row(s, row.cells, row.used);
		}
	}
	if (c.row >= rows || c.column >= columns_at(s, vt_screen_active(s), c.row) ||
		m->top > m->bottom || m->bottom >= rows || m->left > m->right ||
		m->right >= columns) {
		fail("cursor or margins are outside of the screen");
	}
	if (vt_screen_memory(s).history > HISTORY) {
		fail("history is above its budget");
	}
}

static void check_history(struct vt_screen *s)
{
	struct vt_cell cells[VT_SIZE_MAX];
	size_t count = vt_history_count(vt_screen_history(s));
	for (size_t i = 0; i < count; i++) {
		bool wrapped;
		size_t n = vt_screen_history_line(s, i, cells, &wrapped);
		if (wrapped != vt_history_wrapped(vt_screen_history(s), i)) {
			fail("two opinions about a wrapped line");
		}
		check_row(s, cells, (unsigned)n);
	}
}

static struct vt_screen *new_screen(const uint8_t *data)
{
	struct vt_screen *s;
	if (vt_screen_new(&s, 1 + data[0] % 40, 1 + data[1] % 100, HISTORY, NULL, NULL) < 0) {
		abort();
	}
	vt_screen_answer(s, true);
	return s;
}

/* Sizes are taken from the bytes themselves. */
static void resize(struct vt_screen *s, const uint8_t *bytes)
{
	if (vt_screen_resize(s, 1 + bytes[0] % 40, 1 + bytes[1] % 100) < 0) {
		abort();
	}
}

static void must_be_equal(struct vt_screen *a, struct vt_screen *b)
{
	struct comparison c = compare_screens(a, b, COMPARE_ALL);
	if (c.why[0] != '\0') {
		fail(c.why);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD + 2 || size > 65536) {
		return 0;
	}
	struct vt_screen *whole = new_screen(data);
	struct vt_screen *pieces = new_screen(data);
	struct vt_screen *single = new_screen(data); /* byte by byte: no fast path ever */
	size_t piece = 1 + data[2] % 61;
	size_t stretch = data[3] == 0 ? size : (size_t)data[3] * 8;
	for (size_t from = HEAD; from < size; from += stretch) {
		size_t end = size - from < stretch ? size : from + stretch;
		vt_screen_feed(whole, data + from, end - from);
		for (size_t at = from; at < end; at += piece) {
			vt_screen_feed(pieces, data + at, end - at < piece ? end - at : piece);
			check(pieces);
		}
		for (size_t at = from; at < end; at++) {
			vt_screen_feed(single, data + at, 1);
		}
		vt_screen_trim(pieces); /* shows no change */
		must_be_equal(whole, pieces);
		must_be_equal(whole, single);
		resize(whole, data + from - 2);
		resize(pieces, data + from - 2);
		resize(single, data + from - 2);
		check(whole);
	}
	check_history(whole);
	vt_screen_free(whole);
	vt_screen_free(pieces);
	vt_screen_free(single);
	return 0;
}
