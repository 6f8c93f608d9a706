/* One row of cells as bytes. Private to the painter. */
#pragma once

#include "vt/painter_brush.h"

struct vt_paint_row {
	const struct vt_cell *cells;
	unsigned count; /* cells that exist; what is behind is empty */
	unsigned width; /* columns to paint, from the left */
	bool blank;	/* the terminal's row is empty and default already */
	bool wraps;	/* must end so that the next character wraps into the next row */
	bool wrapped;	/* the row before has ended so: its wrap leads into this row */
};

/* Paints the terminal's row `y`. */
void vt_paint_row(struct vt_brush *b, unsigned y, const struct vt_paint_row *row);

/* Whether this cell would go into the next row of the terminal. */
bool vt_paint_breaks(const struct vt_brush *b, const struct vt_cell *cell);

/* Paints one logical line's next piece at the cursor, wherever that is: the terminal wraps it. */
void vt_paint_piece(struct vt_brush *b, const struct vt_cell *cells, unsigned count, bool wraps);
