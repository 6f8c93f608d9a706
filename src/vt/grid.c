#include "vt/grid.h"

#include <stdlib.h>
#include <string.h>

#include "vt/draft.h"

#define STEP 16u /* cells: lines grow by multiples of this */

static const struct vt_cell blank = { .width = 1 };

bool vt_grid_init(struct vt_grid *g, unsigned rows, unsigned columns)
{
	struct vt_line *lines = calloc(rows, sizeof(*lines));
	if (lines == NULL) {
		return false;
	}
	*g = (struct vt_grid){ .lines = lines, .rows = rows, .columns = columns };
	return true;
}

void vt_grid_done(struct vt_grid *g)
{
	for (unsigned y = 0; g->lines != NULL && y < g->rows; y++) {
		free(g->lines[y].cells);
		free(g->lines[y].draft);
	}
	free(g->lines);
	g->lines = NULL;
}

size_t vt_grid_bytes(const struct vt_grid *g)
{
	if (g->lines == NULL) {
		return 0;
	}
	size_t bytes = g->rows * sizeof(*g->lines);
	for (unsigned y = 0; y < g->rows; y++) {
		const struct vt_line *line = &g->lines[y];
		if (line->cells != NULL) {
			bytes += (line->size + VT_LINE_SPARE) * sizeof(struct vt_cell);
		}
		if (line->draft != NULL) {
			bytes += sizeof(*line->draft) + line->draft->size;
		}
	}
	return bytes;
}

void vt_grid_trim(struct vt_grid *g)
{
	for (unsigned y = 0; g->lines != NULL && y < g->rows; y++) {
		struct vt_line *line = &g->lines[y];
		free(line->draft);
		line->draft = NULL;
		line->draft_next = 0;
		if (line->used == 0) {
			free(line->cells);
			line->cells = NULL;
			line->size = 0;
		} else if (line->size >= line->used + STEP) {
			struct vt_cell *cells = realloc(
				line->cells, (line->used + VT_LINE_SPARE) * sizeof(*cells));
			if (cells != NULL) {
				line->cells = cells;
				line->size = line->used;
			}
		}
	}
}

uint64_t vt_grid_changed(const struct vt_grid *g, unsigned y)
{
	uint64_t own = vt_grid_line(g, y)->changed;
	bool inside = y >= g->scroll_top && y <= g->scroll_bottom;
	return inside && g->scrolled > own ? g->scrolled : own;
}

bool vt_line_reserve(const struct vt_grid *g, struct vt_line *line, unsigned size)
{
	if (size <= line->size) {
		return true;
	}
	unsigned wanted = (size + line->size / 2 + STEP - 1) / STEP * STEP;
	wanted = wanted > g->columns ? g->columns : wanted;
	struct vt_cell *cells = realloc(line->cells, (wanted + VT_LINE_SPARE) * sizeof(*cells));
	if (cells == NULL) {
		return false;
	}
	line->cells = cells;
	line->size = (uint16_t)wanted;
	return true;
}

/* The wide character that stands on both sides of the border before x becomes two spaces. */
static inline void split_at(struct vt_line *line, unsigned x)
{
	if (x == 0 || x >= line->used || line->cells[x].width != 0) {
		return;
	}
	struct vt_cell space = { .glyph = ' ', .style = line->cells[x].style, .width = 1 };
	line->cells[x] = space;
	line->cells[x - 1] = space;
}

struct vt_cell *vt_line_write_slow(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned n)
{
	if (!vt_line_reserve(g, line, x + n)) {
		return NULL;
	}
	line->draft_next = x == line->used ? line->draft_next : 0;
	split_at(line, x);
	split_at(line, x + n);
	for (unsigned i = line->used; i < x; i++) {
		line->cells[i] = blank;
	}
	if (line->used < x + n) {
		line->used = (uint16_t)(x + n);
	}
	return line->cells + x;
}

void vt_line_erase(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned end, uint16_t style)
{
	if (end >= g->columns) {
		end = g->columns;
		line->wrapped = false;
	}
	if (x >= end) {
		return;
	}
	line->draft_next = 0;
	split_at(line, x);
	split_at(line, end);
	if (style == 0 && end >= line->used) {
		line->used = (uint16_t)(x < line->used ? x : line->used);
		return;
	}
	struct vt_cell *cells = vt_line_write(g, line, x, end - x);
	if (cells == NULL) {
		return;
	}
	struct vt_cell empty = { .style = style, .width = 1 };
	for (unsigned i = 0; i < end - x; i++) {
		cells[i] = empty;
	}
}

void vt_line_clear(struct vt_line *line)
{
	line->used = 0;
	line->wrapped = false;
	line->scale = 0;
	line->draft_next = 0;
}

static void swap_lines(struct vt_grid *g, unsigned a, unsigned b)
{
	struct vt_line *x = vt_grid_line(g, a);
	struct vt_line *y = vt_grid_line(g, b);
	struct vt_line line = *x;
	*x = *y;
	*y = line;
}

static void reverse(struct vt_grid *g, unsigned from, unsigned to)
{
	while (from < to) {
		swap_lines(g, from++, to--);
	}
}

/* The first n of rows top..bottom go behind the others, 0 < n < height. */
static void rotate(struct vt_grid *g, unsigned top, unsigned bottom, unsigned n)
{
	if (n == 1) {
		struct vt_line first = *vt_grid_line(g, top);
		for (unsigned y = top; y < bottom; y++) {
			*vt_grid_line(g, y) = *vt_grid_line(g, y + 1);
		}
		*vt_grid_line(g, bottom) = first;
		return;
	}
	reverse(g, top, top + n - 1);
	reverse(g, top + n, bottom);
	reverse(g, top, bottom);
}

/* Rows top..bottom changed now. Kept as one range, because output scrolls the same one again and
 * again; an older range is written down in its rows first, before they move. */
static void note_scroll(struct vt_grid *g, unsigned top, unsigned bottom, uint64_t now)
{
	if (g->scrolled != 0 && (g->scroll_top != top || g->scroll_bottom != bottom)) {
		for (unsigned y = g->scroll_top; y <= g->scroll_bottom; y++) {
			struct vt_line *line = vt_grid_line(g, y);
			line->changed = line->changed > g->scrolled ? line->changed : g->scrolled;
		}
	}
	g->scrolled = now;
	g->scroll_top = top;
	g->scroll_bottom = bottom;
}

void vt_grid_scroll(struct vt_grid *g, unsigned top, unsigned bottom, int n, uint64_t now)
{
	unsigned height = bottom - top + 1;
	unsigned amount = (unsigned)(n < 0 ? -n : n);
	amount = amount > height ? height : amount;
	note_scroll(g, top, bottom, now);
	if (amount < height) {
		unsigned first = n > 0 ? amount : height - amount;
		if (height == g->rows) {
			g->head = (g->head + first) % g->rows;
		} else if (amount > 0) {
			rotate(g, top, bottom, first);
		}
	}
	unsigned from = n > 0 ? bottom + 1 - amount : top;
	for (unsigned y = from; y < from + amount; y++) {
		vt_line_clear(vt_grid_line(g, y));
	}
}
