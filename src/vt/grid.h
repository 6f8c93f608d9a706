/* The rows of one buffer: a ring of lines, so that scrolling moves lines and no cells. A line owns
 * its cells, allocated when first written and only as wide as is used.
 *
 * Always holds: used <= size <= columns; cells behind `used` are empty in the default style; each
 * wide cell is followed by its right half.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vt/cell.h"

/* Cells that are allocated behind a line's size: text is stored without asking where it ends. */
#define VT_LINE_SPARE 1

struct vt_draft;

struct vt_line {
	struct vt_cell *cells; /* NULL = never written */
	uint64_t changed;      /* see vt_grid_changed() */
	uint16_t used;
	uint16_t size;
	bool wrapped;		/* its text goes on in the next line */
	uint8_t scale;		/* enum vt_line_scale (vt/screen.h) */
	uint16_t draft_next;	/* see vt/draft.h; 0 = no draft */
	struct vt_draft *draft; /* NULL = never made */
};

struct vt_grid {
	struct vt_line *lines; /* NULL = not allocated: all empty */
	unsigned rows;
	unsigned columns;
	unsigned head;	   /* lines[head] is row 0 */
	uint64_t scrolled; /* rows scroll_top..scroll_bottom changed at least then */
	unsigned scroll_top;
	unsigned scroll_bottom;
};

bool vt_grid_init(struct vt_grid *g, unsigned rows, unsigned columns); /* false: no memory */
void vt_grid_done(struct vt_grid *g);
size_t vt_grid_bytes(const struct vt_grid *g);
void vt_grid_trim(struct vt_grid *g); /* frees room of lines that they do not use */

/* y < rows, g allocated */
static inline struct vt_line *vt_grid_line(const struct vt_grid *g, unsigned y)
{
	unsigned i = g->head + y;
	return &g->lines[i >= g->rows ? i - g->rows : i];
}

/* When row y last changed, by its own writes or because lines moved. */
uint64_t vt_grid_changed(const struct vt_grid *g, unsigned y);

/* Makes the line at least `size` cells wide inside (at most g->columns). */
bool vt_line_reserve(const struct vt_grid *g, struct vt_line *line, unsigned size);

/* Whether cells [x, x + n) can be written as they are: there is room, the ones before them exist,
 * and no half of a wide character reaches in. */
static inline bool vt_line_ready(const struct vt_line *line, unsigned x, unsigned n)
{
	unsigned end = x + n;
	return end <= line->size && x <= line->used &&
	       (x == line->used || line->cells[x].width != 0) &&
	       (end >= line->used || line->cells[end].width != 0);
}

/* Makes cells [x, x + n) ready to be written: room is made, those before x exist, halves of wide
 * characters that reach in from outside become spaces. The caller writes all n of them. NULL: no
 * memory, nothing changed. x + n <= columns. */
static inline struct vt_cell *vt_line_write(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned n);

/* The same with the care that is seldom needed. */
struct vt_cell *vt_line_write_slow(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned n);

static inline struct vt_cell *vt_line_write(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned n)
{
	if (!vt_line_ready(line, x, n)) {
		return vt_line_write_slow(g, line, x, n);
	}
	if (line->used < x + n) {
		line->used = (uint16_t)(x + n);
	}
	return line->cells + x;
}

/* Cells [x, end) become empty in `style`; end is cut to columns. wrapped goes when the end of the
 * row is among them. */
void vt_line_erase(
	const struct vt_grid *g, struct vt_line *line, unsigned x, unsigned end, uint16_t style);

void vt_line_clear(struct vt_line *line); /* empty, default style, not wrapped; keeps its memory */

/* Rows top..bottom move up (n > 0) or down (n < 0); those that go out come in again at the other
 * end, cleared. `now` is the value of the change counter. |n| is cut to the height. */
void vt_grid_scroll(struct vt_grid *g, unsigned top, unsigned bottom, int n, uint64_t now);
