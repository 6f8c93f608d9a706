/* Modes that do something at the moment they change, the change between the two buffers, and the
 * resets.
 */
#include "vt/state.h"

static void margins_whole(struct vt_screen *s)
{
	s->modes.left = 0;
	s->modes.right = (uint16_t)(s->columns - 1);
}

static void set_bit(struct vt_screen *s, enum vt_mode mode, bool on)
{
	vt_modes_set(&s->modes, mode, on);
	switch (mode) {
	case VT_MODE_ORIGIN:
		vt_cursor_home(s);
		break;
	case VT_MODE_LEFT_RIGHT_MARGINS:
		margins_whole(s);
		if (on) {
			vt_line_scale_reset(s, 0, s->rows);
		}
		vt_cursor_home(s);
		break;
	case VT_MODE_GRAPHEME: /* what is open is no longer counted in the same way */
		s->join.valid = false;
		break;
	case VT_MODE_INBAND_RESIZE:
		if (on) {
			vt_reply_resized(s);
		}
		break;
	default:
		break;
	}
}

void vt_switch_buffer(struct vt_screen *s, enum vt_buffer which)
{
	struct vt_grid *g = &s->grids[which];
	if (s->grid == g) {
		return;
	}
	if (g->lines == NULL && !vt_grid_init(g, s->rows, s->columns)) {
		return; /* no memory: the program goes on drawing where it is */
	}
	s->grid = g;
	s->modes.alternate = which == VT_ALTERNATE;
	s->cursor.pending_wrap = false;
	s->join.valid = false;
	if (which == VT_PRIMARY) { /* what nobody sees is not kept: each entry finds it empty */
		vt_grid_done(&s->grids[VT_ALTERNATE]);
	}
	for (unsigned y = 0; y < s->rows; y++) {
		(void)vt_touch(s, y);
	}
	vt_line_scale_look(s);
}

static void alternate(struct vt_screen *s, unsigned number, bool on)
{
	bool was = s->modes.alternate;
	if (on) {
		if (number == 1049) {
			vt_cursor_save(s);
		}
		vt_switch_buffer(s, VT_ALTERNATE);
		if (!was && s->modes.alternate) {
			s->modes.alternate_by = (uint16_t)number;
			if (number == 1049) {
				vt_edit_erase_rows(s, 0, s->rows, false);
			}
		}
		return;
	}
	if (number == 1047 && was) {
		vt_edit_erase_rows(s, 0, s->rows, false);
	}
	vt_switch_buffer(s, VT_PRIMARY);
	s->modes.alternate_by = 0;
	if (number == 1049) {
		vt_cursor_restore(s);
	}
}

void vt_switch_mode(struct vt_screen *s, const struct vt_mode_row *row, bool on)
{
	switch ((enum vt_mode_kind)row->kind) {
	case VT_KIND_BIT:
		set_bit(s, row->value, on);
		break;
	case VT_KIND_MOUSE:
		s->modes.mouse = on ? row->number : 0;
		break;
	case VT_KIND_ENCODING:
		if (on) {
			s->modes.mouse_encoding = row->number;
		} else if (s->modes.mouse_encoding == row->number) {
			s->modes.mouse_encoding = 0;
		}
		break;
	case VT_KIND_ALTERNATE:
		alternate(s, row->number, on);
		break;
	case VT_KIND_SAVE:
		if (on) {
			vt_cursor_save(s);
		} else {
			vt_cursor_restore(s);
		}
		break;
	}
}

void vt_switch_save(struct vt_screen *s, const struct vt_mode_row *row)
{
	struct vt_saved_modes *saved = &s->modes.xtsave;
	switch ((enum vt_mode_kind)row->kind) {
	case VT_KIND_BIT: {
		uint64_t bit = UINT64_C(1) << row->value;
		saved->known |= bit;
		saved->bits = (saved->bits & ~bit) | (s->modes.bits & bit);
		break;
	}
	case VT_KIND_MOUSE:
		saved->mouse_known = true;
		saved->mouse = s->modes.mouse;
		break;
	case VT_KIND_ENCODING:
		saved->encoding_known = true;
		saved->mouse_encoding = s->modes.mouse_encoding;
		break;
	default:
		break;
	}
}

void vt_switch_restore(struct vt_screen *s, const struct vt_mode_row *row)
{
	const struct vt_saved_modes *saved = &s->modes.xtsave;
	if (row->kind == VT_KIND_BIT) { /* never saved: as after power on */
		bool known = (saved->known >> row->value & 1) != 0;
		set_bit(s, row->value, known ? (saved->bits >> row->value & 1) != 0 : row->initial);
	} else if (row->kind == VT_KIND_MOUSE) {
		s->modes.mouse = saved->mouse_known ? saved->mouse : 0;
	} else if (row->kind == VT_KIND_ENCODING) {
		s->modes.mouse_encoding = saved->encoding_known ? saved->mouse_encoding : 0;
	}
}

void vt_switch_reset(struct vt_screen *s)
{
	vt_switch_buffer(s, VT_PRIMARY);
	vt_grid_done(&s->grids[VT_ALTERNATE]);
	vt_modes_reset(&s->modes, s->rows, s->columns);
	vt_pen_changed(s);
	vt_charset_changed(s);
	vt_edit_erase_rows(s, 0, s->rows, false);
	vt_history_clear(s->history);
	vt_cursor_to(s, 0, 0);
	s->last_glyph = VT_EMPTY;
	if (s->events.title != NULL) {
		s->events.title(s->user);
	}
}

void vt_switch_soft_reset(struct vt_screen *s)
{
	uint32_t link = s->modes.pen.link;
	vt_modes_soft_reset(&s->modes, s->rows, s->columns);
	s->modes.pen.link = link;
	s->cursor.pending_wrap &= s->cursor.column + 1u == vt_cursor_limit(s);
	vt_pen_changed(s);
	vt_charset_changed(s);
}
