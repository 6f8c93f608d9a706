/* The table of numbered modes and the values after power on. */
#include "vt/modes.h"

#include <stdlib.h>
#include <string.h>

#define BIT(number, private, mode, initial, name)                                                  \
	{                                                                                          \
		number, private, VT_KIND_BIT, mode, initial, name                                  \
	}

static const struct vt_mode_row table[] = {
	BIT(4, false, VT_MODE_INSERT, false, "insert (IRM)"),
	BIT(20, false, VT_MODE_NEWLINE, false, "newline (LNM)"),
	BIT(1, true, VT_MODE_CURSOR_KEYS, false, "application cursor keys (DECCKM)"),
	BIT(4, true, VT_MODE_SMOOTH_SCROLL, false, "smooth scroll (DECSCLM)"),
	BIT(5, true, VT_MODE_REVERSE_VIDEO, false, "reverse video (DECSCNM)"),
	BIT(6, true, VT_MODE_ORIGIN, false, "origin (DECOM)"),
	BIT(7, true, VT_MODE_AUTOWRAP, true, "autowrap (DECAWM)"),
	BIT(8, true, VT_MODE_AUTOREPEAT, true, "key repeat (DECARM)"),
	{ 9, true, VT_KIND_MOUSE, 0, false, "mouse: X10" },
	BIT(12, true, VT_MODE_CURSOR_BLINK, false, "blinking cursor"),
	BIT(25, true, VT_MODE_CURSOR_VISIBLE, true, "visible cursor (DECTCEM)"),
	BIT(45, true, VT_MODE_REVERSE_WRAP, false, "reverse wrap"),
	{ 47, true, VT_KIND_ALTERNATE, 0, false, "alternate screen" },
	BIT(66, true, VT_MODE_KEYPAD, false, "application keypad (DECNKM)"),
	BIT(67, true, VT_MODE_BACKARROW, false, "backarrow sends backspace (DECBKM)"),
	BIT(69, true, VT_MODE_LEFT_RIGHT_MARGINS, false, "left and right margins (DECLRMM)"),
	{ 1000, true, VT_KIND_MOUSE, 0, false, "mouse: buttons" },
	{ 1002, true, VT_KIND_MOUSE, 0, false, "mouse: buttons and drag" },
	{ 1003, true, VT_KIND_MOUSE, 0, false, "mouse: all motion" },
	BIT(1004, true, VT_MODE_FOCUS, false, "focus reports"),
	{ 1005, true, VT_KIND_ENCODING, 0, false, "mouse encoding: UTF-8" },
	{ 1006, true, VT_KIND_ENCODING, 0, false, "mouse encoding: SGR" },
	BIT(1007, true, VT_MODE_ALTERNATE_SCROLL, false, "wheel sends cursor keys"),
	{ 1015, true, VT_KIND_ENCODING, 0, false, "mouse encoding: urxvt" },
	{ 1016, true, VT_KIND_ENCODING, 0, false, "mouse encoding: SGR pixels" },
	BIT(1034, true, VT_MODE_META, true, "meta sets the eighth bit"),
	BIT(1036, true, VT_MODE_META_ESCAPE, false, "meta sends escape"),
	BIT(1039, true, VT_MODE_ALT_ESCAPE, false, "alt sends escape"),
	{ 1047, true, VT_KIND_ALTERNATE, 0, false, "alternate screen, cleared on leaving" },
	{ 1048, true, VT_KIND_SAVE, 0, false, "saved cursor" },
	{ 1049, true, VT_KIND_ALTERNATE, 0, false, "alternate screen and saved cursor" },
	BIT(2004, true, VT_MODE_BRACKETED_PASTE, false, "bracketed paste"),
	BIT(2026, true, VT_MODE_SYNCHRONIZED, false, "synchronized output"),
	BIT(2027, true, VT_MODE_GRAPHEME, true, "grapheme clusters"),
	BIT(2031, true, VT_MODE_COLOR_SCHEME, false, "colour scheme reports"),
	BIT(2048, true, VT_MODE_INBAND_RESIZE, false, "in-band resize reports"),
	BIT(9001, true, VT_MODE_WIN32_INPUT, false, "win32 input"),
};

const struct vt_mode_row *vt_mode_table(size_t *ret_count)
{
	*ret_count = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct vt_mode_row *vt_mode_find(bool is_private, unsigned number)
{
	size_t low = 0;
	size_t high = sizeof(table) / sizeof(table[0]);
	uint32_t wanted = (uint32_t)is_private << 16 | (number & 0xffff);
	while (low < high) {
		size_t middle = (low + high) / 2;
		uint32_t its = (uint32_t)table[middle].is_private << 16 | table[middle].number;
		if (its == wanted) {
			return &table[middle];
		}
		if (its < wanted) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

bool vt_mode_is_set(const struct vt_modes *m, const struct vt_mode_row *row)
{
	switch ((enum vt_mode_kind)row->kind) {
	case VT_KIND_BIT:
		return vt_modes_get(m, row->value);
	case VT_KIND_MOUSE:
		return m->mouse == row->number;
	case VT_KIND_ENCODING:
		return m->mouse_encoding == row->number;
	case VT_KIND_ALTERNATE:
		return m->alternate;
	case VT_KIND_SAVE:
		return m->saved[m->alternate].saved;
	}
	return false;
}

void vt_tabs_set(struct vt_modes *m, unsigned column, bool on)
{
	if (column >= VT_SIZE_MAX) {
		return;
	}
	unsigned bit = 1u << column % 8;
	m->tabs[column / 8] = (uint8_t)((m->tabs[column / 8] & ~bit) | (on ? bit : 0));
}

void vt_tabs_initial(struct vt_modes *m)
{
	memset(m->tabs, 1, sizeof(m->tabs));
}

static void margins_whole(struct vt_modes *m, unsigned rows, unsigned columns)
{
	m->top = 0;
	m->bottom = (uint16_t)(rows - 1);
	m->left = 0;
	m->right = (uint16_t)(columns - 1);
}

void vt_modes_init(struct vt_modes *m, unsigned rows, unsigned columns)
{
	*m = (struct vt_modes){ .charsets.gr = 2 };
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].kind == VT_KIND_BIT) {
			vt_modes_set(m, table[i].value, table[i].initial);
		}
	}
	memset(m->modify_keys, VT_MODIFY_INITIAL, sizeof(m->modify_keys));
	memset(m->format_keys, VT_MODIFY_INITIAL, sizeof(m->format_keys));
	margins_whole(m, rows, columns);
	vt_tabs_initial(m);
}

void vt_modes_done(struct vt_modes *m)
{
	struct vt_titles *t = &m->titles;
	for (unsigned i = 0; i < t->depth; i++) {
		free(t->stack[i].title);
		free(t->stack[i].icon);
	}
	free(t->title);
	free(t->icon);
	free(m->palette.indexed);
	*t = (struct vt_titles){ 0 };
	m->palette = (struct vt_palette){ 0 };
}

void vt_modes_reset(struct vt_modes *m, unsigned rows, unsigned columns)
{
	vt_modes_done(m);
	vt_modes_init(m, rows, columns);
}

void vt_modes_soft_reset(struct vt_modes *m, unsigned rows, unsigned columns)
{
	vt_modes_set(m, VT_MODE_INSERT, false);
	vt_modes_set(m, VT_MODE_ORIGIN, false);
	vt_modes_set(m, VT_MODE_AUTOWRAP, true);
	vt_modes_set(m, VT_MODE_CURSOR_VISIBLE, true);
	vt_modes_set(m, VT_MODE_CURSOR_KEYS, false);
	vt_modes_set(m, VT_MODE_KEYPAD, false);
	vt_modes_set(m, VT_MODE_REVERSE_WRAP, false);
	vt_modes_set(m, VT_MODE_LEFT_RIGHT_MARGINS, false);
	margins_whole(m, rows, columns);
	m->charsets = (struct vt_charsets){ .gr = 2 };
	m->saved[m->alternate] = (struct vt_saved_cursor){ 0 };
	m->pen = (struct vt_style){ 0 };
}

/* xterm's: 16 colours, a cube of 6x6x6, 24 greys. */
uint32_t vt_palette_initial(unsigned index)
{
	static const uint32_t first[] = {
		0x000000,
		0xcd0000,
		0x00cd00,
		0xcdcd00,
		0x0000ee,
		0xcd00cd,
		0x00cdcd,
		0xe5e5e5,
		0x7f7f7f,
		0xff0000,
		0x00ff00,
		0xffff00,
		0x5c5cff,
		0xff00ff,
		0x00ffff,
		0xffffff,
	};
	if (index < 16) {
		return first[index];
	}
	if (index < 232) {
		static const uint8_t levels[] = { 0, 95, 135, 175, 215, 255 };
		unsigned i = index - 16;
		return (uint32_t)levels[i / 36] << 16 | (uint32_t)levels[i / 6 % 6] << 8 |
		       levels[i % 6];
	}
	uint32_t grey = 8 + (index - 232) * 10;
	return grey << 16 | grey << 8 | grey;
}
