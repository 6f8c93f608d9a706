/* The painter's hand: where the terminal's cursor is and which pen it holds, so that moves and SGR
 * are sent only where they are needed, and in their shortest form. Private to the painter.
 *
 * Always holds while a brush is in use: autowrap on, insert and origin off, no margins, ASCII in
 * G0, clusters counted as whole (mode 2027).
 */
#pragma once

#include "vt/painter.h"
#include "vt/width.h"

struct vt_brush {
	struct buf *out;
	const struct vt_screen *screen;
	const struct vt_paint_target *target;
	unsigned edge; /* where text ends: the columns, or behind a right margin */
	bool scaled; /* rows are scaled already as those of buffer `which` (see vt_brush_scale()) */
	enum vt_buffer which;
	unsigned top;	      /* the screen's row that the terminal's row 0 shows */
	unsigned row_columns; /* columns of the cursor's row where they are its own; else 0 */
	unsigned row, column;
	bool pending; /* the last column was written; column is the last one */
	bool unsure;  /* terminals disagree about the width of what was printed last */
	bool filled;  /* a wrap has scrolled a row in that is not blank but the pen's colour */
	struct vt_style pen; /* as the terminal has it */
	bool joined;	     /* the cursor stands right behind the text of `grapheme` */
	bool ascii;	     /* it is the ASCII character `last`; grapheme is not computed */
	uint32_t last;
	vt_grapheme grapheme;
};

/* The terminal is as enter leaves it. */
struct vt_brush vt_brush_new(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target);

/* How the terminal's row y is to be scaled: what would not fit into half a row is not. */
enum vt_line_scale vt_brush_scale(const struct vt_brush *b, enum vt_buffer which, unsigned y);

/* The columns of row y, and of the cursor's row. */
unsigned vt_brush_columns_of(const struct vt_brush *b, unsigned y);
unsigned vt_brush_columns(const struct vt_brush *b);

/* DECSWL, DECDWL or DECDHL for the row of the cursor, which stays. */
void vt_brush_put_scale(struct vt_brush *b, enum vt_line_scale scale);

void vt_brush_move(struct vt_brush *b, unsigned row, unsigned column);
void vt_brush_place(struct vt_brush *b, unsigned row, unsigned column); /* always absolute */

/* Sets the pen to what the target can show of this style; with its hyperlink and DECSCA. */
void vt_brush_style(struct vt_brush *b, const struct vt_style *style);

/* Prints a cell (not a right half) at the cursor, which moves on; when it does not fit the terminal
 * wraps, and scrolls at the bottom. Empty cells are printed as a space. */
void vt_brush_cell(struct vt_brush *b, const struct vt_cell *cell);

/* Whether the terminal would break the row before this cell although there is one column left: its
 * first code point decides. */
bool vt_brush_breaks_before(const struct vt_brush *b, const struct vt_cell *cell);

/* As vt_brush_cell() with only a glyph, in the pen that is set. */
void vt_brush_glyph(struct vt_brush *b, uint32_t glyph, unsigned width);

void vt_brush_erase(struct vt_brush *b, unsigned count); /* ECH; the cursor stays */
void vt_brush_erase_line(struct vt_brush *b);		 /* EL 0 */

/* CR LF with a pen that fills nothing: scrolls at the bottom. */
void vt_brush_newline(struct vt_brush *b);

/* Cells that were never written or erased (not the right half of a wide character). */
static inline bool vt_cell_is_empty(const struct vt_cell *c)
{
	return c->glyph == VT_EMPTY && c->width != 0;
}

/* What the target can show of a style: colours reduced, attributes mapped. */
struct vt_style vt_paint_reduce(const struct vt_screen *screen,
	const struct vt_paint_target *target, const struct vt_style *style);

/* Appends the SGR sequence that leads from one pen to another (link and DECSCA aside); nothing when
 * they are the same. */
void vt_paint_sgr(struct buf *out, const struct vt_style *from, const struct vt_style *to);

/* Text of an OSC: well-formed UTF-8 without any control character. */
void vt_paint_text(struct buf *out, const char *text);
