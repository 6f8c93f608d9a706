/* C0 and C1 controls, and escape sequences of two or three bytes. */
#include "vt/state.h"

static void newline(struct vt_screen *s)
{
	vt_cursor_index(s);
	if (vt_modes_get(&s->modes, VT_MODE_NEWLINE)) {
		vt_cursor_return(s);
	}
}

static void next_line(struct vt_screen *s)
{
	vt_cursor_index(s);
	vt_cursor_return(s);
}

static void bell(struct vt_screen *s)
{
	if (s->events.bell != NULL) {
		s->events.bell(s->user);
	}
}

/* The controls that neither move the cursor nor change a cell: the character before it stays open.
 */
static bool keeps_place(uint8_t control)
{
	return control == '\a' || control == 0x0e || control == 0x0f || control == 0x88 ||
	       control == 0x8e || control == 0x8f || control == 0x9a;
}

static void execute_c1(struct vt_screen *s, uint8_t control)
{
	if (!keeps_place(control)) {
		s->join.valid = false;
	}
	switch (control) {
	case 0x84: /* IND */
		vt_cursor_index(s);
		break;
	case 0x85: /* NEL */
		next_line(s);
		break;
	case 0x88: /* HTS */
		vt_tabs_set(&s->modes, s->cursor.column, true);
		break;
	case 0x8d: /* RI */
		vt_cursor_reverse_index(s);
		break;
	case 0x8e: /* SS2 */
		vt_charset_single(s, 2);
		break;
	case 0x8f: /* SS3 */
		vt_charset_single(s, 3);
		break;
	case 0x9a: /* DECID */
		vt_reply(s, "\033[?62;6;22c");
		break;
	default:
		break;
	}
}

void vt_control(void *screen, uint8_t control)
{
	struct vt_screen *s = screen;
	if (!keeps_place(control)) {
		s->join.valid = false;
	}
	switch (control) {
	case '\r':
		vt_cursor_return(s);
		break;
	case '\n':
	case '\v':
	case '\f':
		newline(s);
		break;
	case '\b':
		vt_cursor_back(s, 1);
		break;
	case '\t':
		vt_cursor_tab(s, 1);
		break;
	case '\a':
		bell(s);
		break;
	case 0x0e: /* SO */
		vt_charset_shift(s, 1);
		break;
	case 0x0f: /* SI */
		vt_charset_shift(s, 0);
		break;
	default:
		execute_c1(s, control);
		break;
	}
}

/* DECBI, DECFI: back and forward index. */
static void index_column(struct vt_screen *s, bool forward)
{
	unsigned border = forward ? s->modes.right : s->modes.left;
	if (s->cursor.column == border && vt_cursor_in_columns(s)) {
		vt_edit_columns(s, s->modes.left, forward ? 1 : -1);
	} else if (forward) {
		vt_cursor_forward(s, 1);
	} else {
		vt_cursor_back(s, 1);
	}
}

static void escape_plain(struct vt_screen *s, uint8_t final)
{
	switch (final) {
	case '6':
		s->join.valid = false;
		index_column(s, false);
		break;
	case '7':
		vt_cursor_save(s);
		break;
	case '8':
		vt_cursor_restore(s);
		break;
	case '9':
		s->join.valid = false;
		index_column(s, true);
		break;
	case '=':
	case '>':
		vt_modes_set(&s->modes, VT_MODE_KEYPAD, final == '=');
		break;
	case 'c':
		vt_switch_reset(s);
		break;
	case 'n': /* LS2, LS3 */
	case 'o':
		vt_charset_shift(s, final == 'n' ? 2 : 3);
		break;
	case '|': /* LS3R, LS2R, LS1R */
	case '}':
	case '~':
		s->modes.charsets.gr = final == '|' ? 3 : final == '}' ? 2 : 1;
		break;
	default:
		if (final >= 0x40 && final <= 0x5f) { /* ESC and C1 in seven bits */
			execute_c1(s, (uint8_t)(final + 0x40));
		}
		break;
	}
}

void vt_escape(void *screen, const struct vt_sequence *q)
{
	struct vt_screen *s = screen;
	if (q->intermediate_count == 0) {
		escape_plain(s, q->final);
		return;
	}
	if (q->intermediate_count > 1) {
		return;
	}
	switch (q->intermediates[0]) {
	case '(':
	case ')':
	case '*':
	case '+':
		vt_charset_designate(s, q->intermediates[0] - '(', q->final);
		break;
	case '#':
		if (q->final == '8') {
			vt_edit_alignment(s);
		} else {
			vt_line_scale_set(s, q->final);
		}
		break;
	default:
		break;
	}
}
