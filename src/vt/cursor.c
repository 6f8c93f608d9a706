/* Where the cursor may go (as xterm: the region's borders stop it only from inside). */
#include "vt/state.h"

void vt_cursor_to(struct vt_screen *s, unsigned row, unsigned column)
{
	s->cursor.row = (uint16_t)vt_min(row, s->rows - 1);
	s->cursor.column = (uint16_t)vt_min(column, s->columns - 1);
	s->cursor.pending_wrap = false;
	s->join.valid = false;
}

void vt_cursor_address(struct vt_screen *s, unsigned row, unsigned column)
{
	if (vt_modes_get(&s->modes, VT_MODE_ORIGIN)) {
		row = vt_min(row + s->modes.top, s->modes.bottom);
		column = vt_min(column + s->modes.left, s->modes.right);
	}
	vt_cursor_to(s, row, column);
}

void vt_cursor_home(struct vt_screen *s)
{
	vt_cursor_address(s, 0, 0);
}

void vt_cursor_up(struct vt_screen *s, unsigned n)
{
	unsigned top = s->cursor.row < s->modes.top ? 0 : s->modes.top;
	s->cursor.row = (uint16_t)(s->cursor.row - vt_min(n, s->cursor.row - top));
	s->cursor.pending_wrap = false;
}

void vt_cursor_down(struct vt_screen *s, unsigned n)
{
	unsigned bottom = s->cursor.row > s->modes.bottom ? s->rows - 1 : s->modes.bottom;
	s->cursor.row = (uint16_t)vt_min(s->cursor.row + n, bottom);
	s->cursor.pending_wrap = false;
}

void vt_cursor_forward(struct vt_screen *s, unsigned n)
{
	s->cursor.column = (uint16_t)vt_min(s->cursor.column + n, vt_cursor_limit(s) - 1);
	s->cursor.pending_wrap = false;
}

/* Reverse wrap (mode 45) goes up only over soft-wrapped rows. */
void vt_cursor_back(struct vt_screen *s, unsigned n)
{
	bool reverse = vt_modes_get(&s->modes, VT_MODE_REVERSE_WRAP) &&
		       vt_modes_get(&s->modes, VT_MODE_AUTOWRAP);
	if (s->cursor.pending_wrap && reverse && n > 0) {
		n--;
	}
	s->cursor.pending_wrap = false;
	unsigned left = s->cursor.column < s->modes.left ? 0 : s->modes.left;
	while (reverse && n > s->cursor.column - left && s->cursor.row > s->modes.top &&
		vt_line_at(s, s->cursor.row - 1u)->wrapped) {
		n -= s->cursor.column - left + 1;
		s->cursor.row--;
		s->cursor.column = (uint16_t)vt_min(
			s->modes.right, vt_columns_at(s, s->cursor.row) - 1);
		left = s->modes.left;
	}
	s->cursor.column = (uint16_t)(s->cursor.column - vt_min(n, s->cursor.column - left));
}

void vt_cursor_return(struct vt_screen *s)
{
	bool outside = s->cursor.column < s->modes.left && !vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	s->cursor.column = outside ? 0 : s->modes.left;
	s->cursor.pending_wrap = false;
}

void vt_cursor_index(struct vt_screen *s)
{
	if (s->cursor.row == s->modes.bottom && vt_cursor_in_columns(s)) {
		vt_edit_scroll(s, 1);
		s->cursor.pending_wrap = false;
	} else {
		vt_cursor_down(s, 1);
	}
}

void vt_cursor_reverse_index(struct vt_screen *s)
{
	if (s->cursor.row == s->modes.top && vt_cursor_in_columns(s)) {
		vt_edit_scroll(s, -1);
		s->cursor.pending_wrap = false;
	} else {
		vt_cursor_up(s, 1);
	}
}

/* A tab keeps a wrap that is pending, as in xterm: the cursor does not move then. */
void vt_cursor_tab(struct vt_screen *s, unsigned n)
{
	unsigned last = vt_cursor_limit(s) - 1;
	unsigned column = s->cursor.column;
	while (n > 0 && column < last) {
		column++;
		n -= vt_tabs_get(&s->modes, column);
	}
	s->cursor.column = (uint16_t)column;
}

void vt_cursor_tab_back(struct vt_screen *s, unsigned n)
{
	unsigned first = vt_modes_get(&s->modes, VT_MODE_ORIGIN) ? s->modes.left : 0;
	unsigned column = s->cursor.column;
	while (n > 0 && column > first) {
		column--;
		n -= vt_tabs_get(&s->modes, column);
	}
	s->cursor.column = (uint16_t)column;
	s->cursor.pending_wrap = false;
}

void vt_cursor_save(struct vt_screen *s)
{
	struct vt_saved_cursor *saved = &s->modes.saved[s->modes.alternate];
	saved->saved = true;
	saved->origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	saved->cursor = s->cursor;
	saved->charsets = s->modes.charsets;
	saved->pen = s->modes.pen;
	saved->pen.link = 0;
}

/* Into the margins that are set now when it counts from them; a wrap stays pending only where text
 * could have left it so. */
static void restore_place(struct vt_screen *s, const struct vt_saved_cursor *saved)
{
	unsigned row = saved->cursor.row;
	unsigned column = saved->cursor.column;
	if (saved->origin) {
		row = vt_max(vt_min(row, s->modes.bottom), s->modes.top);
		column = vt_max(vt_min(column, s->modes.right), s->modes.left);
	}
	vt_cursor_to(s, row, column);
	s->cursor.pending_wrap = saved->cursor.pending_wrap &&
				 s->cursor.column + 1u == vt_cursor_limit(s);
}

void vt_cursor_restore(struct vt_screen *s)
{
	const struct vt_saved_cursor *saved = &s->modes.saved[s->modes.alternate];
	uint32_t link = s->modes.pen.link;
	vt_modes_set(&s->modes, VT_MODE_ORIGIN, saved->saved && saved->origin);
	if (saved->saved) {
		s->modes.charsets = saved->charsets;
		s->modes.pen = saved->pen;
		restore_place(s, saved);
	} else {
		s->modes.charsets = (struct vt_charsets){ .gr = 2 };
		s->modes.pen = (struct vt_style){ 0 };
		vt_cursor_to(s, 0, 0);
	}
	s->modes.pen.link = link;
	vt_charset_changed(s);
	vt_pen_changed(s);
	if (s->scaled) { /* on the way back from the other buffer nothing else looks */
		vt_line_scale_look(s);
	}
}
