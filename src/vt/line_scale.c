/* Lines of double width and height (DECDWL, DECDHL). Such a line has half of the columns (as xterm
 * halves them): what stood right of there is erased when it becomes one (DEC STD 070), text wraps
 * at its middle, and the cursor stays left of it.
 *
 * Always holds: no cell of a scaled line is behind its half. While a line of the active buffer may
 * be scaled, vt_screen.scaled is set: then text takes the careful way, and the parser calls the
 * functions at the end of this file, which keep the cursor where it may be. Without scaled lines
 * nothing of this costs anything.
 */
#include "vt/state.h"

/* How many calls pass between two looks whether there still is a scaled line. */
#define LOOK_EVERY 64

enum vt_line_scale vt_screen_line_scale(const struct vt_screen *s, enum vt_buffer which, unsigned y)
{
	const struct vt_grid *g = &s->grids[which];
	bool exists = g->lines != NULL && y < g->rows;
	return exists ? (enum vt_line_scale)vt_grid_line(g, y)->scale : VT_LINE_SINGLE;
}

unsigned vt_line_scale_columns(const struct vt_screen *s, unsigned y)
{
	bool single = vt_line_at(s, y)->scale == VT_LINE_SINGLE;
	return single ? s->columns : vt_line_half(s->columns);
}

/* The line of the active buffer is scaled so from now on. */
static void change(struct vt_screen *s, struct vt_line *line, uint8_t scale)
{
	if ((line->scale == VT_LINE_SINGLE) != (scale == VT_LINE_SINGLE)) {
		line->wrapped = false; /* its end is elsewhere now */
	}
	line->scale = scale;
	line->changed = s->changes;
	if (scale != VT_LINE_SINGLE && line->used > vt_line_half(s->columns)) {
		vt_line_erase(s->grid, line, vt_line_half(s->columns), s->columns, 0);
	}
}

static void keep_cursor(struct vt_screen *s)
{
	unsigned columns = vt_columns_at(s, s->cursor.row);
	if (s->cursor.column >= columns) {
		s->cursor.column = (uint16_t)(columns - 1);
		s->cursor.pending_wrap = false;
		s->join.valid = false;
	}
	if (s->cursor.pending_wrap && s->cursor.column + 1u != vt_cursor_limit(s)) {
		s->cursor.pending_wrap = false;
		s->join.valid = false;
	}
}

/* As in xterm a line has no scale while left and right margins are allowed. */
void vt_line_scale_set(struct vt_screen *s, uint8_t final)
{
	static const uint8_t scales[] = { VT_LINE_TOP, VT_LINE_BOTTOM, VT_LINE_SINGLE,
		VT_LINE_WIDE };
	if (final < '3' || final > '6' || vt_modes_get(&s->modes, VT_MODE_LEFT_RIGHT_MARGINS)) {
		return;
	}
	change(s, vt_line_at(s, s->cursor.row), scales[final - '3']);
	vt_line_scale_look(s);
}

void vt_line_scale_reset(struct vt_screen *s, unsigned from, unsigned end)
{
	if (!s->scaled) {
		return;
	}
	for (unsigned y = from; y < end; y++) {
		if (vt_line_at(s, y)->scale != VT_LINE_SINGLE) {
			change(s, vt_line_at(s, y), VT_LINE_SINGLE);
		}
	}
	vt_line_scale_look(s);
}

void vt_line_scale_look(struct vt_screen *s)
{
	bool margins = vt_modes_get(&s->modes, VT_MODE_LEFT_RIGHT_MARGINS);
	s->scaled = false;
	for (unsigned y = 0; y < s->rows; y++) {
		struct vt_line *line = vt_line_at(s, y);
		if (line->scale != VT_LINE_SINGLE && margins) { /* set in the other buffer */
			change(s, line, VT_LINE_SINGLE);
		}
		s->scaled |= line->scale != VT_LINE_SINGLE;
	}
	vt_charset_changed(s);
	vt_screen_listen(s);
	keep_cursor(s);
}

/* --- in place of the parser's other listeners while a line may be scaled --- */

static void after(struct vt_screen *s)
{
	keep_cursor(s);
	if (s->scaled && ++s->scaled_age % LOOK_EVERY == 0) {
		vt_line_scale_look(s);
	}
}

void vt_line_scale_control(void *screen, uint8_t control)
{
	vt_control(screen, control);
	after(screen);
}

void vt_line_scale_escape(void *screen, const struct vt_sequence *q)
{
	vt_escape(screen, q);
	after(screen);
}

void vt_line_scale_csi(void *screen, const struct vt_sequence *q)
{
	vt_csi(screen, q);
	after(screen);
}
