/* History, and the choice between the exact screen and updates. */
#include "vt/painter.h"

#include "vt/history.h"
#include "vt/painter_brush.h"
#include "vt/painter_exact.h"
#include "vt/painter_row.h"

static const struct vt_style plain_style;

/* The line that was printed last goes on in row 0 of the screen: makes the terminal wrap into the
 * next row, which is left empty. */
static void wrap_out(struct vt_brush *b)
{
	vt_brush_style(b, &plain_style);
	/* One column was left: a wide character comes next. */
	bool wide = b->column > 0 && !b->pending && b->column + 1 == vt_brush_columns(b);
	if (!wide && !b->pending) { /* the widths differ: no row ends here */
		vt_brush_newline(b);
		return;
	}
	vt_brush_glyph(b, wide ? 0x3000 : ' ', wide ? 2 : 1);
	vt_brush_move(b, b->row, 0);
	vt_brush_erase_line(b);
}

static void end_line(struct vt_brush *b)
{
	vt_brush_style(b, &plain_style);
	if (b->filled && !b->pending) {
		vt_brush_erase_line(b);
	}
	vt_brush_newline(b);
}

/* The row that line i begins in is scaled as the line; where the line before wraps into it, the
 * terminal wraps first. */
static void begin_scaled(struct vt_brush *b, size_t i, const struct vt_cell *cells, unsigned n)
{
	enum vt_line_scale scale = vt_screen_history_scale(b->screen, i);
	bool begins = b->column == 0 && !b->pending;
	if (scale == VT_LINE_SINGLE || b->target->class != VT_PAINT_XTERM ||
		n > vt_line_half(b->target->columns)) {
		return;
	}
	if (!begins && n > 0 && vt_paint_breaks(b, &cells[0])) {
		wrap_out(b);
		begins = true;
	}
	if (begins) {
		vt_brush_put_scale(b, scale);
	}
}

void vt_paint_history(struct buf *out, struct vt_screen *screen, size_t first, size_t count,
	const struct vt_paint_target *target)
{
	struct vt_brush b = vt_brush_new(out, screen, target);
	struct vt_cell cells[VT_SIZE_MAX];
	bool wrapped = false;
	size_t end = vt_history_count(vt_screen_history(screen));
	end = first < end && count < end - first ? first + count : end;
	if (first >= end) {
		return;
	}
	for (size_t i = first; i < end; i++) {
		if (b.pen.link != 0) { /* its number may be another one's after the next line */
			vt_brush_style(&b, &plain_style);
		}
		size_t n = vt_screen_history_line(screen, i, cells, &wrapped);
		begin_scaled(&b, i, cells, (unsigned)n);
		vt_paint_piece(&b, cells, (unsigned)n, wrapped);
		if (!wrapped) {
			end_line(&b);
		}
	}
	bool last = end == vt_history_count(vt_screen_history(screen));
	if (wrapped && last) {
		wrap_out(&b);
	} else if (wrapped) {
		end_line(&b);
	}
	unsigned lines = b.row;
	vt_brush_place(&b, target->rows - 1, 0);
	for (unsigned i = 0; i < lines; i++) {
		(void)buf_put_byte(out, '\n');
	}
	vt_brush_place(&b, 0, 0);
}

bool vt_paint_is_exact(const struct vt_screen *screen, const struct vt_paint_target *target)
{
	return target->class == VT_PAINT_XTERM && target->colours > 256 &&
	       target->rows == vt_screen_rows(screen) &&
	       target->columns == vt_screen_columns(screen);
}

void vt_paint_screen(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target)
{
	if (vt_paint_is_exact(screen, target)) {
		struct vt_brush b = vt_brush_new(out, screen, target);
		vt_paint_exact(&b);
		return;
	}
	struct vt_paint_state state;
	vt_paint_start(&state, target);
	vt_paint_update(out, screen, &state);
}
