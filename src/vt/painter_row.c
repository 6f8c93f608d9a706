/* One row of cells. What was never written is skipped on an empty row and erased on another; blank
 * tails are one EL. */
#include "vt/painter_row.h"

static const struct vt_style plain_style;

static bool is_default(const struct vt_cell *c)
{
	return vt_cell_is_empty(c) && c->style == 0;
}

/* The number of empty cells in the same style from i on. */
static unsigned empty_run(const struct vt_cell *cells, unsigned i, unsigned end)
{
	unsigned n = 0;
	while (i + n < end && vt_cell_is_empty(&cells[i + n]) &&
		cells[i + n].style == cells[i].style) {
		n++;
	}
	return n;
}

/* Before a wrap leads into this row: whether its first character is one that the terminal would
 * wrap in the way in which the row before was wrapped. */
static bool wraps_by_itself(const struct vt_brush *b, const struct vt_paint_row *row)
{
	if (row->count == 0 || vt_cell_is_empty(&row->cells[0]) || row->cells[0].width == 0) {
		return false;
	}
	if (b->pending) {
		return true;
	}
	/* The wrap fills the last column with the background of the pen that wraps. */
	uint32_t background = vt_screen_style(b->screen, row->cells[0].style)->background;
	return vt_brush_breaks_before(b, &row->cells[0]) && background == b->pen.background;
}

/* Makes the terminal wrap into row y. Returns how many of its first cells are dirty now. */
static unsigned wrap_into(struct vt_brush *b, unsigned y, const struct vt_paint_row *row)
{
	if (wraps_by_itself(b, row)) {
		return 0; /* printing does it */
	}
	unsigned width = b->pending || row->width < 2 ? 1 : 2;
	vt_brush_glyph(b, width == 2 ? 0x3000 : ' ', width);
	vt_brush_move(b, y, 0);
	return width;
}

/* An empty run [i, i + n) of row y. */
static void paint_empty(
	struct vt_brush *b, unsigned y, const struct vt_paint_row *row, unsigned i, unsigned n)
{
	const struct vt_style *style = i < row->count
					       ? vt_screen_style(b->screen, row->cells[i].style)
					       : &plain_style;
	vt_brush_move(b, y, i);
	vt_brush_style(b, style);
	if (i + n >= b->target->columns) {
		vt_brush_erase_line(b);
	} else {
		vt_brush_erase(b, n);
	}
}

/* Ends a row that wraps: the cursor stands so that the next character goes to the next row. */
static void end_wrapped(struct vt_brush *b, unsigned y, const struct vt_paint_row *row)
{
	if (b->pending && b->row == y) {
		return;
	}
	unsigned last = row->width - 1;
	const struct vt_cell *cell = last < row->count ? &row->cells[last] : NULL;
	vt_brush_move(b, y, last);
	if (cell != NULL && (cell->flags & VT_CELL_PAD) != 0) {
		vt_brush_style(b, vt_screen_style(b->screen, cell->style));
		return;
	}
	vt_brush_style(b, cell != NULL ? vt_screen_style(b->screen, cell->style) : &plain_style);
	vt_brush_glyph(b, ' ', 1);
}

void vt_paint_row(struct vt_brush *b, unsigned y, const struct vt_paint_row *row)
{
	unsigned count = row->count < row->width ? row->count : row->width;
	unsigned dirty = row->wrapped ? wrap_into(b, y, row) : 0;
	bool wrapping = row->wrapped && dirty == 0;
	unsigned i = 0;
	while (i < count) {
		const struct vt_cell *cell = &row->cells[i];
		unsigned n = empty_run(row->cells, i, count);
		if (n > 0) {
			bool last_pad = row->wraps && i + n == row->width;
			unsigned end = last_pad ? n - 1 : n;
			if (end > 0 && !(is_default(cell) && row->blank && i >= dirty)) {
				paint_empty(b, y, row, i, end);
			}
			i += n;
			continue;
		}
		if (!wrapping || i > 0) {
			vt_brush_move(b, y, i);
		}
		if (cell->width == 0 || i + cell->width > row->width) { /* half is out of sight */
			vt_brush_style(b, vt_screen_style(b->screen, cell->style));
			vt_brush_glyph(b, ' ', 1);
			i++;
		} else {
			vt_brush_cell(b, cell);
			i += cell->width;
		}
	}
	if (count < row->width && (!row->blank || count < dirty)) {
		unsigned n = row->width - count;
		unsigned end = row->wraps ? n - 1 : n;
		if (end > 0) {
			paint_empty(b, y, row, count, end);
		}
	}
	if (row->wraps) {
		end_wrapped(b, y, row);
	}
}

/* An empty run within a line that the terminal wraps: erased where it stays in one row, printed as
 * spaces where it does not. */
static void piece_empty(struct vt_brush *b, const struct vt_cell *cell, unsigned n, bool last)
{
	bool fits = !b->pending && b->column + n < vt_brush_columns(b);
	vt_brush_style(b, vt_screen_style(b->screen, cell->style));
	if (last && !b->pending) {
		vt_brush_erase_line(b);
	} else if (fits && !last) {
		if (cell->style != 0 || b->filled) {
			vt_brush_erase(b, n);
		}
		vt_brush_move(b, b->row, b->column + n);
	} else {
		for (unsigned i = 0; i < n; i++) {
			vt_brush_glyph(b, ' ', 1);
		}
	}
}

bool vt_paint_breaks(const struct vt_brush *b, const struct vt_cell *cell)
{
	return b->pending || b->column + cell->width > vt_brush_columns(b);
}

void vt_paint_piece(struct vt_brush *b, const struct vt_cell *cells, unsigned count, bool wraps)
{
	if (count > 0 && (cells[count - 1].flags & VT_CELL_PAD) != 0 && wraps) {
		count--;
	}
	for (unsigned i = 0; i < count;) {
		unsigned n = empty_run(cells, i, count);
		if (n > 0) {
			piece_empty(b, &cells[i], n, i + n == count && !wraps);
			i += n;
			continue;
		}
		if (b->column > 0 && !b->pending &&
			b->column + cells[i].width > vt_brush_columns(b) &&
			!vt_brush_breaks_before(b, &cells[i])) {
			vt_brush_glyph(b, 0x3000, 2); /* makes the terminal wrap */
			vt_brush_move(b, b->row, 0);
			vt_brush_erase(b, 2);
		}
		vt_brush_cell(b, &cells[i]);
		i += cells[i].width == 2 ? 2 : 1;
	}
}
