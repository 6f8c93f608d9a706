/* Modes, from those of a terminal that has just been reset to those of the screen. */
#include "vt/painter_modes.h"

void vt_mode_list_add(struct vt_mode_list *list, unsigned number)
{
	if (list->count == 0) {
		(void)buf_put_text(list->out, list->is_private ? "\033[?" : "\033[");
	}
	(void)buf_printf(list->out, list->count == 0 ? "%u" : ";%u", number);
	if (++list->count == VT_MODE_LIST_MAX) {
		vt_mode_list_end(list);
	}
}

void vt_mode_list_end(struct vt_mode_list *list)
{
	if (list->count > 0) {
		(void)buf_put_byte(list->out, (uint8_t)list->final);
		list->count = 0;
	}
}

bool vt_paint_is_preference(unsigned number)
{
	return number == 67 || number == 1007 || number == 1034 || number == 1036 || number == 1039;
}

bool vt_paint_is_late(enum vt_mode mode)
{
	return mode == VT_MODE_INSERT || mode == VT_MODE_NEWLINE || mode == VT_MODE_ORIGIN ||
	       mode == VT_MODE_AUTOWRAP || mode == VT_MODE_CURSOR_VISIBLE ||
	       mode == VT_MODE_CURSOR_BLINK || mode == VT_MODE_SYNCHRONIZED ||
	       mode == VT_MODE_LEFT_RIGHT_MARGINS || mode == VT_MODE_GRAPHEME;
}

uint64_t vt_paint_initial_bits(void)
{
	size_t count = 0;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	uint64_t bits = 0;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].kind == VT_KIND_BIT && rows[i].initial) {
			bits |= UINT64_C(1) << rows[i].value;
		}
	}
	return bits;
}

void vt_paint_toggle(struct buf *out, uint64_t from, uint64_t to, uint64_t among)
{
	size_t count = 0;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	for (unsigned on = 0; on < 2; on++) {
		struct vt_mode_list list = {
			.out = out, .is_private = true, .final = on != 0 ? 'h' : 'l'
		};
		for (size_t i = 0; i < count; i++) {
			const struct vt_mode_row *row = &rows[i];
			bool changes = row->kind == VT_KIND_BIT && row->is_private &&
				       (among & (from ^ to)) >> row->value & 1;
			if (changes && (to >> row->value & 1) == on) {
				vt_mode_list_add(&list, row->number);
			}
		}
		vt_mode_list_end(&list);
	}
}

/* Sets one of several exclusive modes, saves it, and turns it off again. */
static void save_number(struct buf *out, unsigned number, unsigned none)
{
	if (number == 0) {
		(void)buf_printf(out, "\033[?%us", none);
	} else {
		(void)buf_printf(out, "\033[?%uh\033[?%us\033[?%ul", number, number, number);
	}
}

void vt_paint_xtsave(struct buf *out, const struct vt_modes *m)
{
	size_t count = 0;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	uint64_t initial = vt_paint_initial_bits();
	if (m->xtsave.known != 0) { /* the two modes that differ while the screen is painted */
		(void)buf_put_text(out, "\033[?2026l\033[?25h");
	}
	vt_paint_toggle(out, initial, m->xtsave.bits, m->xtsave.known);
	struct vt_mode_list list = { .out = out, .is_private = true, .final = 's' };
	for (size_t i = 0; i < count; i++) {
		if (rows[i].kind == VT_KIND_BIT && rows[i].is_private &&
			(m->xtsave.known >> rows[i].value & 1) != 0) {
			vt_mode_list_add(&list, rows[i].number);
		}
	}
	vt_mode_list_end(&list);
	vt_paint_toggle(out, m->xtsave.bits, initial, m->xtsave.known);
	if (m->xtsave.known != 0) {
		(void)buf_put_text(out, "\033[?2026h\033[?25l");
	}
	if (m->xtsave.mouse_known) {
		save_number(out, m->xtsave.mouse, 1000);
	}
	if (m->xtsave.encoding_known) {
		save_number(out, m->xtsave.mouse_encoding, 1006);
	}
}

static void put_title(struct buf *out, char kind, const char *text)
{
	(void)buf_printf(out, "\033]%c;", kind);
	if (text != NULL) {
		vt_paint_text(out, text);
	}
	(void)buf_put_text(out, "\033\\");
}

static bool has_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* An entry is pushed as the title that is set just then. */
void vt_paint_titles(struct buf *out, const struct vt_modes *m)
{
	const struct vt_titles *t = &m->titles;
	bool dirty[2] = { false, false }; /* icon, title: not empty on the terminal */
	for (unsigned i = 0; i < t->depth; i++) {
		const struct vt_title_entry *e = &t->stack[i];
		if ((e->kinds & 1) != 0 && (has_text(e->icon) || dirty[0])) {
			put_title(out, '1', e->icon);
			dirty[0] = has_text(e->icon);
		}
		if ((e->kinds & 2) != 0 && (has_text(e->title) || dirty[1])) {
			put_title(out, '2', e->title);
			dirty[1] = has_text(e->title);
		}
		(void)buf_printf(out, "\033[22;%ut", e->kinds == 3 ? 0U : e->kinds);
	}
	if (has_text(t->icon) || dirty[0]) {
		put_title(out, '1', t->icon);
	}
	if (has_text(t->title) || dirty[1]) {
		put_title(out, '2', t->title);
	}
}

static void put_rgb(struct buf *out, uint32_t color)
{
	(void)buf_printf(
		out, "rgb:%02x/%02x/%02x", color >> 16 & 0xff, color >> 8 & 0xff, color & 0xff);
}

#define COLORS_IN_ONE 16 /* of an OSC 4: terminals cap the length of a string */

void vt_paint_palette(struct buf *out, const struct vt_modes *m)
{
	const struct vt_palette *p = &m->palette;
	unsigned open = 0;
	for (unsigned i = 0; p->indexed != NULL && i < 256; i++) {
		if (p->indexed[i] == VT_COLOR_DEFAULT) {
			continue;
		}
		(void)buf_printf(out, open == 0 ? "\033]4;%u;" : ";%u;", i);
		put_rgb(out, p->indexed[i]);
		if (++open == COLORS_IN_ONE) {
			(void)buf_put_text(out, "\033\\");
			open = 0;
		}
	}
	if (open > 0) {
		(void)buf_put_text(out, "\033\\");
	}
	const uint32_t dynamic[] = { p->foreground, p->background, p->cursor };
	for (unsigned i = 0; i < 3; i++) {
		if (dynamic[i] != VT_COLOR_DEFAULT) {
			(void)buf_printf(out, "\033]%u;", 10 + i);
			put_rgb(out, dynamic[i]);
			(void)buf_put_text(out, "\033\\");
		}
	}
}

void vt_paint_keys(struct buf *out, const struct vt_modes *m)
{
	for (unsigned i = 0; i < VT_MODIFY_KEYS; i++) {
		if (m->modify_keys[i] == VT_MODIFY_OFF) {
			(void)buf_printf(out, "\033[>%un", i);
		} else if (m->modify_keys[i] != VT_MODIFY_INITIAL) {
			(void)buf_printf(out, "\033[>%u;%um", i, m->modify_keys[i]);
		}
		if (m->format_keys[i] != VT_MODIFY_INITIAL) {
			(void)buf_printf(out, "\033[>%u;%uf", i, m->format_keys[i]);
		}
	}
}

void vt_paint_kitty(struct buf *out, const struct vt_kitty *kitty)
{
	for (unsigned i = 0; i < kitty->depth && i < VT_KITTY_DEPTH; i++) {
		(void)buf_printf(out, "\033[>%uu", kitty->flags[i]);
	}
}

void vt_paint_early_modes(struct buf *out, const struct vt_modes *m)
{
	uint64_t among = 0;
	for (unsigned i = 0; i < VT_MODE_COUNT; i++) {
		among |= (uint64_t)!vt_paint_is_late((enum vt_mode)i) << i;
	}
	among &= ~(UINT64_C(1) << VT_MODE_KEYPAD); /* more terminals know ESC = than ?66 */
	vt_paint_toggle(out, vt_paint_initial_bits(), m->bits, among);
	if (vt_modes_get(m, VT_MODE_KEYPAD)) {
		(void)buf_put_text(out, "\033=");
	}
	if (m->mouse != 0) {
		(void)buf_printf(out, "\033[?%uh", m->mouse);
	}
	if (m->mouse_encoding != 0) {
		(void)buf_printf(out, "\033[?%uh", m->mouse_encoding);
	}
}

void vt_paint_late_modes(struct buf *out, const struct vt_modes *m)
{
	if (!vt_modes_get(m, VT_MODE_GRAPHEME)) {
		(void)buf_put_text(out, "\033[?2027l");
	}
	if (!vt_modes_get(m, VT_MODE_AUTOWRAP)) {
		(void)buf_put_text(out, "\033[?7l");
	}
	if (vt_modes_get(m, VT_MODE_INSERT)) {
		(void)buf_put_text(out, "\033[4h");
	}
	if (vt_modes_get(m, VT_MODE_NEWLINE)) {
		(void)buf_put_text(out, "\033[20h");
	}
}

void vt_paint_cursor_shape(struct buf *out, const struct vt_modes *m)
{
	bool blinks = false;
	if (m->cursor_shape != 0) {
		(void)buf_printf(out, "\033[%u q", m->cursor_shape);
		blinks = m->cursor_shape % 2 == 1;
	}
	if (vt_modes_get(m, VT_MODE_CURSOR_BLINK) != blinks) {
		(void)buf_put_text(out, blinks ? "\033[?12l" : "\033[?12h");
	}
}

void vt_paint_charsets(struct buf *out, const struct vt_charsets *c)
{
	static const char finals[] = { 'B', '0', 'A' };
	static const char *const left[] = { "", "\016", "\033n", "\033o" };
	static const char *const right[] = { "", "\033~", "", "\033|" };
	for (unsigned i = 0; i < 4; i++) {
		if (c->g[i] != VT_CHARSET_ASCII) {
			(void)buf_printf(out, "\033%c%c", "()*+"[i], finals[c->g[i] % 3]);
		}
	}
	(void)buf_put_text(out, left[c->gl % 4]);
	(void)buf_put_text(out, right[c->gr % 4]);
}

void vt_paint_single_shift(struct buf *out, const struct vt_charsets *c)
{
	if (c->single == 2 || c->single == 3) {
		(void)buf_put_text(out, c->single == 2 ? "\033N" : "\033O");
	}
}
