/* Lines of double width and height (DECDWL, DECDHL): kept with the line and painted again. The
 * cells stay as they are; what a terminal shows of the right half of such a line is its own affair.
 */
#include "vt/state.h"

enum vt_line_scale vt_screen_line_scale(const struct vt_screen *s, enum vt_buffer which, unsigned y)
{
	const struct vt_grid *g = &s->grids[which];
	bool exists = g->lines != NULL && y < g->rows;
	return exists ? (enum vt_line_scale)vt_grid_line(g, y)->scale : VT_LINE_SINGLE;
}

/* As in xterm a line has no scale while left and right margins are allowed. */
void vt_line_scale_set(struct vt_screen *s, uint8_t final)
{
	static const uint8_t scales[] = { VT_LINE_TOP, VT_LINE_BOTTOM, VT_LINE_SINGLE,
		VT_LINE_WIDE };
	if (final >= '3' && final <= '6' && !vt_modes_get(&s->modes, VT_MODE_LEFT_RIGHT_MARGINS)) {
		vt_touch(s, s->cursor.row)->scale = scales[final - '3'];
	}
}

void vt_line_scale_reset(struct vt_screen *s, unsigned from, unsigned end)
{
	for (unsigned y = from; y < end; y++) {
		if (vt_line_at(s, y)->scale != VT_LINE_SINGLE) {
			vt_touch(s, y)->scale = VT_LINE_SINGLE;
		}
	}
}
