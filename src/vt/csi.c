/* Control sequences: one table row each. Plain ones (no prefix, no intermediate) are found by their
 * final byte, the others by a short search.
 */
#include <string.h>

#include "vt/state.h"

typedef void csi_handler(struct vt_screen *s, const struct vt_sequence *q);

static unsigned count_of(const struct vt_sequence *q)
{
	return (unsigned)vt_sequence_arg(q, 0, 1);
}

/* --- cursor --- */

static void csi_up(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_up(s, count_of(q));
}

static void csi_down(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_down(s, count_of(q));
}

static void csi_forward(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_forward(s, count_of(q));
}

static void csi_back(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_back(s, count_of(q));
}

static void csi_next_line(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_down(s, count_of(q));
	vt_cursor_return(s);
}

static void csi_previous_line(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_up(s, count_of(q));
	vt_cursor_return(s);
}

/* The row or column as addresses count it: from the margin in origin mode. */
static unsigned own_row(const struct vt_screen *s)
{
	bool origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	return s->cursor.row - vt_min(s->cursor.row, origin ? s->modes.top : 0);
}

static unsigned own_column(const struct vt_screen *s)
{
	bool origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	return s->cursor.column - vt_min(s->cursor.column, origin ? s->modes.left : 0);
}

static void csi_column(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_address(s, own_row(s), count_of(q) - 1);
}

static void csi_column_relative(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_address(s, own_row(s), own_column(s) + count_of(q));
}

static void csi_row(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_address(s, count_of(q) - 1, own_column(s));
}

static void csi_row_relative(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_address(s, own_row(s) + count_of(q), own_column(s));
}

static void csi_position(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_address(s, count_of(q) - 1, (unsigned)vt_sequence_arg(q, 1, 1) - 1);
}

static void csi_tab(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_tab(s, count_of(q));
}

static void csi_tab_back(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_tab_back(s, count_of(q));
}

static void csi_tab_clear(struct vt_screen *s, const struct vt_sequence *q)
{
	switch (vt_sequence_value(q, 0, 0)) {
	case 0:
		vt_tabs_set(&s->modes, s->cursor.column, false);
		break;
	case 3:
		memset(s->modes.tabs, 0, sizeof(s->modes.tabs));
		break;
	default:
		break;
	}
}

/* DECST8C: CSI ? 5 W */
static void csi_tab_initial(struct vt_screen *s, const struct vt_sequence *q)
{
	if (vt_sequence_value(q, 0, 0) == 5) {
		vt_tabs_initial(&s->modes);
	}
}

/* SCOSC, or DECSLRM while left and right margins are allowed. */
static void csi_save_or_margins(struct vt_screen *s, const struct vt_sequence *q)
{
	if (!vt_modes_get(&s->modes, VT_MODE_LEFT_RIGHT_MARGINS)) {
		vt_cursor_save(s);
		return;
	}
	unsigned left = count_of(q);
	unsigned right = vt_min((unsigned)vt_sequence_arg(q, 1, (int)s->columns), s->columns);
	if (left < right) {
		s->modes.left = (uint16_t)(left - 1);
		s->modes.right = (uint16_t)(right - 1);
		vt_cursor_home(s);
	}
}

static void csi_restore(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_cursor_restore(s);
}

/* DECSTBM */
static void csi_region(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned top = count_of(q);
	unsigned bottom = vt_min((unsigned)vt_sequence_arg(q, 1, (int)s->rows), s->rows);
	if (top < bottom) {
		s->modes.top = (uint16_t)(top - 1);
		s->modes.bottom = (uint16_t)(bottom - 1);
		vt_cursor_home(s);
	}
}

/* --- editing --- */

static void erase_display(struct vt_screen *s, int what, bool selective)
{
	unsigned row = s->cursor.row;
	switch (what) {
	case 0:
		if (!selective) { /* of rows that are erased as a whole (DEC STD 070: ED) */
			vt_line_scale_reset(s, row + (s->cursor.column > 0), s->rows);
		}
		vt_edit_erase(s, row, s->cursor.column, s->columns, selective);
		for (unsigned y = row + 1; y < s->rows; y++) {
			vt_edit_erase(s, y, 0, s->columns, selective);
		}
		s->cursor.pending_wrap = false;
		break;
	case 1:
		vt_edit_erase_rows(s, 0, row, selective);
		vt_edit_erase(s, row, 0, s->cursor.column + 1u, selective);
		s->cursor.pending_wrap = false;
		break;
	case 2:
		vt_edit_erase_rows(s, 0, s->rows, selective);
		s->cursor.pending_wrap = false;
		break;
	case 3:
		if (!selective) {
			vt_history_clear(s->history);
		}
		break;
	default:
		break;
	}
}

static void erase_line(struct vt_screen *s, int what, bool selective)
{
	unsigned column = s->cursor.column;
	unsigned row = s->cursor.row;
	switch (what) {
	case 0:
		vt_edit_erase(s, row, column, s->columns, selective);
		break;
	case 1:
		vt_edit_erase(s, row, 0, column + 1, selective);
		break;
	case 2:
		vt_edit_erase(s, row, 0, s->columns, selective);
		break;
	default:
		return;
	}
	s->cursor.pending_wrap = false;
}

static void csi_erase_display(struct vt_screen *s, const struct vt_sequence *q)
{
	erase_display(s, vt_sequence_value(q, 0, 0), q->prefix == '?');
}

static void csi_erase_line(struct vt_screen *s, const struct vt_sequence *q)
{
	erase_line(s, vt_sequence_value(q, 0, 0), q->prefix == '?');
}

static void csi_erase_cells(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned column = s->cursor.column;
	vt_edit_erase(s, s->cursor.row, column, vt_min(column + count_of(q), s->columns), false);
	s->cursor.pending_wrap = false;
}

static void csi_insert_cells(struct vt_screen *s, const struct vt_sequence *q)
{
	if (vt_cursor_in_columns(s)) {
		vt_edit_insert_cells(s, s->cursor.row, s->cursor.column, count_of(q));
		s->cursor.pending_wrap = false;
	}
}

static void csi_delete_cells(struct vt_screen *s, const struct vt_sequence *q)
{
	if (vt_cursor_in_columns(s)) {
		vt_edit_delete_cells(s, s->cursor.row, s->cursor.column, count_of(q));
		s->cursor.pending_wrap = false;
	}
}

static void csi_insert_lines(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_lines(s, -(int)count_of(q));
}

static void csi_delete_lines(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_lines(s, (int)count_of(q));
}

static void csi_scroll_up(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_scroll(s, (int)count_of(q)); /* a pending wrap stays: the cursor does not move */
}

static void csi_scroll_down(struct vt_screen *s, const struct vt_sequence *q)
{
	if (q->count == 1) { /* more: xterm's highlight tracking, long gone */
		vt_edit_scroll(s, -(int)count_of(q));
	}
}

static void csi_scroll_left(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_columns(s, s->modes.left, (int)count_of(q));
}

static void csi_scroll_right(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_columns(s, s->modes.left, -(int)count_of(q));
}

static void csi_insert_columns(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_columns(s, s->cursor.column, -(int)count_of(q));
}

static void csi_delete_columns(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_edit_columns(s, s->cursor.column, (int)count_of(q));
}

static void csi_repeat(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_print_repeat(s, count_of(q));
}

/* DECSCA */
static void csi_protect(struct vt_screen *s, const struct vt_sequence *q)
{
	bool on = vt_sequence_value(q, 0, 0) == 1;
	unsigned others = s->modes.pen.attributes & ~(unsigned)VT_PROTECTED;
	s->modes.pen.attributes = (uint16_t)(others | (on ? VT_PROTECTED : 0));
	vt_pen_changed(s);
}

/* --- modes --- */

static void csi_modes(struct vt_screen *s, const struct vt_sequence *q)
{
	for (unsigned i = 0; i < q->count; i++) {
		const struct vt_mode_row *row = vt_mode_find(
			q->prefix == '?', (unsigned)vt_sequence_value(q, i, 0));
		if (row == NULL) {
			continue;
		}
		switch (q->final) {
		case 's':
			vt_switch_save(s, row);
			break;
		case 'r':
			vt_switch_restore(s, row);
			break;
		default:
			vt_switch_mode(s, row, q->final == 'h');
			break;
		}
	}
}

static void csi_soft_reset(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_switch_soft_reset(s);
}

static void csi_cursor_shape(struct vt_screen *s, const struct vt_sequence *q)
{
	int shape = vt_sequence_value(q, 0, 0);
	if (shape <= VT_CURSOR_SHAPE_MAX) {
		s->modes.cursor_shape = (uint8_t)shape;
		vt_modes_set(&s->modes, VT_MODE_CURSOR_BLINK, shape % 2 == 1);
	}
}

/* XTMODKEYS and XTFMTKEYS: CSI > Pp ; Pv m (f) sets, without Pv goes back to the initial value. */
static void csi_keys(struct vt_screen *s, const struct vt_sequence *q)
{
	uint8_t *values = q->final == 'm' ? s->modes.modify_keys : s->modes.format_keys;
	int which = vt_sequence_value(q, 0, -1);
	if (which < 0) {
		for (unsigned i = 0; i < VT_MODIFY_KEYS; i++) {
			values[i] = VT_MODIFY_INITIAL;
		}
	} else if (which < VT_MODIFY_KEYS) {
		unsigned value = (unsigned)vt_sequence_value(q, 1, VT_MODIFY_INITIAL);
		values[which] = value < VT_MODIFY_OFF ? (uint8_t)value : VT_MODIFY_INITIAL;
	}
}

/* XTMODKEYS off: CSI > Pp n */
static void csi_keys_off(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned which = (unsigned)vt_sequence_value(q, 0, 2);
	if (which < VT_MODIFY_KEYS) {
		s->modes.modify_keys[which] = VT_MODIFY_OFF;
	}
}

static void csi_keys_query(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned which = (unsigned)vt_sequence_value(q, 0, 0);
	if (which < VT_MODIFY_KEYS) {
		unsigned value = s->modes.modify_keys[which];
		unsigned initial = which == 1 || which == 2 ? 2 : 0;
		vt_reply(s, "\033[>%u;%um", which, value >= VT_MODIFY_OFF ? initial : value);
	}
}

static void csi_title_or_window(struct vt_screen *s, const struct vt_sequence *q)
{
	static const uint8_t kinds[] = { 3, 1, 2 }; /* 0 = both, 1 = icon, 2 = title */
	int what = vt_sequence_value(q, 0, 0);
	int which = vt_sequence_value(q, 1, 0);
	if (what != 22 && what != 23) {
		vt_reply_window(s, (unsigned)what);
	} else if (which <= 2 && what == 22) {
		vt_title_push(s, kinds[which]);
	} else if (which <= 2) {
		vt_title_pop(s, kinds[which]);
	}
}

/* --- kitty's keyboard protocol --- */

static void csi_kitty_push(struct vt_screen *s, const struct vt_sequence *q)
{
	struct vt_kitty *k = &s->modes.kitty[s->modes.alternate];
	if (k->depth == VT_KITTY_DEPTH) {
		for (unsigned i = 1; i < VT_KITTY_DEPTH; i++) {
			k->flags[i - 1] = k->flags[i];
		}
		k->depth--;
	}
	k->flags[k->depth++] = vt_sequence_value(q, 0, 0) & 31;
}

static void csi_kitty_pop(struct vt_screen *s, const struct vt_sequence *q)
{
	struct vt_kitty *k = &s->modes.kitty[s->modes.alternate];
	k->depth = (uint8_t)(k->depth - vt_min(k->depth, count_of(q)));
}

static void csi_kitty_set(struct vt_screen *s, const struct vt_sequence *q)
{
	struct vt_kitty *k = &s->modes.kitty[s->modes.alternate];
	unsigned flags = (unsigned)vt_sequence_value(q, 0, 0) & 31;
	unsigned old = vt_modes_kitty(&s->modes);
	switch (vt_sequence_arg(q, 1, 1)) {
	case 1:
		break;
	case 2:
		flags |= old;
		break;
	case 3:
		flags = old & ~flags;
		break;
	default:
		return;
	}
	if (k->depth == 0) {
		k->depth = 1;
	}
	k->flags[k->depth - 1] = (uint8_t)flags;
}

static void csi_kitty_query(struct vt_screen *s, const struct vt_sequence *q)
{
	vt_reply(s, "\033[?%uu", vt_modes_kitty(&s->modes));
}

/* --- queries --- */

static void csi_version(struct vt_screen *s, const struct vt_sequence *q)
{
	if (vt_sequence_value(q, 0, 0) == 0) {
		vt_reply_version(s);
	}
}

/* DECREQTPARM: 9600 baud, no parity. */
static void csi_parameters(struct vt_screen *s, const struct vt_sequence *q)
{
	int what = vt_sequence_value(q, 0, 0);
	if (what <= 1) {
		vt_reply(s, "\033[%d;1;1;128;128;1;0x", what + 2);
	}
}

struct row {
	csi_handler *handler;
	bool keeps_place; /* leaves cells and cursor alone: the character before the cursor stays
			     open (a mode that moves the cursor sees to that itself) */
};

static const struct row plain[] = {
	['@' - '@'] = { csi_insert_cells },
	['A' - '@'] = { csi_up },
	['B' - '@'] = { csi_down },
	['C' - '@'] = { csi_forward },
	['D' - '@'] = { csi_back },
	['E' - '@'] = { csi_next_line },
	['F' - '@'] = { csi_previous_line },
	['G' - '@'] = { csi_column },
	['H' - '@'] = { csi_position },
	['I' - '@'] = { csi_tab },
	['J' - '@'] = { csi_erase_display },
	['K' - '@'] = { csi_erase_line },
	['L' - '@'] = { csi_insert_lines },
	['M' - '@'] = { csi_delete_lines },
	['P' - '@'] = { csi_delete_cells },
	['S' - '@'] = { csi_scroll_up },
	['T' - '@'] = { csi_scroll_down },
	['X' - '@'] = { csi_erase_cells },
	['Z' - '@'] = { csi_tab_back },
	['^' - '@'] = { csi_scroll_down },
	['`' - '@'] = { csi_column },
	['a' - '@'] = { csi_column_relative },
	['b' - '@'] = { csi_repeat },
	['c' - '@'] = { vt_reply_attributes, true },
	['d' - '@'] = { csi_row },
	['e' - '@'] = { csi_row_relative },
	['f' - '@'] = { csi_position },
	['g' - '@'] = { csi_tab_clear, true },
	['h' - '@'] = { csi_modes, true },
	['j' - '@'] = { csi_back },
	['k' - '@'] = { csi_up },
	['l' - '@'] = { csi_modes, true },
	['m' - '@'] = { vt_sgr, true },
	['n' - '@'] = { vt_reply_status, true },
	['r' - '@'] = { csi_region },
	['s' - '@'] = { csi_save_or_margins },
	['t' - '@'] = { csi_title_or_window, true },
	['u' - '@'] = { csi_restore },
	['x' - '@'] = { csi_parameters, true },
	['~' - '@'] = { NULL },
};

static const struct {
	char prefix; /* 0 = none */
	char intermediate;
	char final;
	struct row row;
} others[] = {
	{ '?', 0, 'h', { csi_modes, true } },
	{ '?', 0, 'l', { csi_modes, true } },
	{ '?', 0, 's', { csi_modes, true } },
	{ '?', 0, 'r', { csi_modes, true } },
	{ '?', 0, 'J', { csi_erase_display } },
	{ '?', 0, 'K', { csi_erase_line } },
	{ '?', 0, 'W', { csi_tab_initial, true } },
	{ '?', 0, 'm', { csi_keys_query, true } },
	{ '?', 0, 'n', { vt_reply_status, true } },
	{ '?', 0, 'u', { csi_kitty_query, true } },
	{ '>', 0, 'c', { vt_reply_attributes, true } },
	{ '=', 0, 'c', { vt_reply_attributes, true } },
	{ '>', 0, 'q', { csi_version, true } },
	{ '>', 0, 'f', { csi_keys, true } },
	{ '>', 0, 'm', { csi_keys, true } },
	{ '>', 0, 'n', { csi_keys_off, true } },
	{ '>', 0, 'u', { csi_kitty_push, true } },
	{ '<', 0, 'u', { csi_kitty_pop, true } },
	{ '=', 0, 'u', { csi_kitty_set, true } },
	{ 0, ' ', '@', { csi_scroll_left } },
	{ 0, ' ', 'A', { csi_scroll_right } },
	{ 0, ' ', 'q', { csi_cursor_shape, true } },
	{ 0, '!', 'p', { csi_soft_reset } },
	{ 0, '"', 'q', { csi_protect, true } },
	{ 0, '$', 'p', { vt_reply_mode, true } },
	{ '?', '$', 'p', { vt_reply_mode, true } },
	{ 0, '$', 'r', { vt_rectangle_attributes } },
	{ 0, '$', 't', { vt_rectangle_attributes } },
	{ 0, '$', 'v', { vt_rectangle } },
	{ 0, '$', 'x', { vt_rectangle } },
	{ 0, '$', 'z', { vt_rectangle } },
	{ 0, '$', '{', { vt_rectangle } },
	{ 0, '*', 'x', { vt_rectangle_extent, true } },
	{ 0, '\'', '}', { csi_insert_columns } },
	{ 0, '\'', '~', { csi_delete_columns } },
};

static const struct row *find(const struct vt_sequence *q)
{
	if (q->prefix == 0 && q->intermediate_count == 0) {
		unsigned i = q->final - '@';
		return i < sizeof(plain) / sizeof(plain[0]) ? &plain[i] : NULL;
	}
	char intermediate = q->intermediate_count > 0 ? (char)q->intermediates[0] : 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].prefix == (char)q->prefix && others[i].final == (char)q->final &&
			others[i].intermediate == intermediate) {
			return q->intermediate_count <= 1 ? &others[i].row : NULL;
		}
	}
	return NULL;
}

void vt_csi(void *screen, const struct vt_sequence *q)
{
	struct vt_screen *s = screen;
	if (q->final == 'm' && q->prefix == 0 && q->intermediate_count == 0) {
		vt_sgr(s, q); /* more often than all others: without its row */
		return;
	}
	const struct row *row = find(q);
	if (row != NULL && row->handler != NULL) {
		s->join.valid &= row->keeps_place;
		row->handler(s, q);
	}
}
