/* Answers to queries, while no terminal is there to give them. Built from numbers and fixed text
 * only: nothing that a program stored as text ever comes back to a program.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vt/state.h"

/* What a cell measures to programs that ask while nobody looks. */
#define CELL_HEIGHT 16u
#define CELL_WIDTH 8u

void vt_reply(struct vt_screen *s, const char *format, ...)
{
	char text[512];
	if (!s->answer || s->events.reply == NULL) {
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < sizeof(text)) {
		s->events.reply(s->user, (const uint8_t *)text, (size_t)n);
	}
}

/* DA1: a VT220 with selective erase and colour. DA2: xterm-like. DA3: unit 0. */
void vt_reply_attributes(struct vt_screen *s, const struct vt_sequence *q)
{
	if (vt_sequence_value(q, 0, 0) != 0) {
		return;
	}
	switch (q->prefix) {
	case '>':
		vt_reply(s, "\033[>1;279;0c");
		break;
	case '=':
		vt_reply(s, "\033P!|00000000\033\\");
		break;
	default:
		vt_reply(s, "\033[?62;6;22c");
		break;
	}
}

void vt_reply_status(struct vt_screen *s, const struct vt_sequence *q)
{
	bool origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	unsigned row = s->cursor.row + 1u;
	unsigned column = s->cursor.column + 1u;
	row -= origin ? vt_min(s->modes.top, row - 1) : 0;
	column -= origin ? vt_min(s->modes.left, column - 1) : 0;
	int what = vt_sequence_value(q, 0, 0);
	if (q->prefix == 0) {
		if (what == 5) {
			vt_reply(s, "\033[0n");
		} else if (what == 6) {
			vt_reply(s, "\033[%u;%uR", row, column);
		}
		return;
	}
	switch (what) {
	case 6:
		vt_reply(s, "\033[?%u;%u;1R", row, column);
		break;
	case 15: /* no printer */
		vt_reply(s, "\033[?13n");
		break;
	case 25: /* user keys are locked */
		vt_reply(s, "\033[?21n");
		break;
	case 26: /* North American keyboard */
		vt_reply(s, "\033[?27;1;0;0n");
		break;
	case 996: /* dark */
		vt_reply(s, "\033[?997;1n");
		break;
	default:
		break;
	}
}

/* DECRQM: 0 unknown, 1 set, 2 reset */
void vt_reply_mode(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned number = (unsigned)vt_sequence_value(q, 0, 0);
	const struct vt_mode_row *row = vt_mode_find(q->prefix == '?', number);
	unsigned value = row == NULL ? 0 : vt_mode_is_set(&s->modes, row) ? 1 : 2;
	vt_reply(s, "\033[%s%u;%u$y", q->prefix == '?' ? "?" : "", number, value);
}

/* XTWINOPS: sizes are told, titles are not. */
void vt_reply_window(struct vt_screen *s, unsigned what)
{
	unsigned height = s->rows * CELL_HEIGHT;
	unsigned width = s->columns * CELL_WIDTH;
	switch (what) {
	case 11:
		vt_reply(s, "\033[1t");
		break;
	case 13:
		vt_reply(s, "\033[3;0;0t");
		break;
	case 14:
		vt_reply(s, "\033[4;%u;%ut", height, width);
		break;
	case 15:
		vt_reply(s, "\033[5;%u;%ut", height, width);
		break;
	case 16:
		vt_reply(s, "\033[6;%u;%ut", CELL_HEIGHT, CELL_WIDTH);
		break;
	case 18:
		vt_reply(s, "\033[8;%u;%ut", s->rows, s->columns);
		break;
	case 19:
		vt_reply(s, "\033[9;%u;%ut", s->rows, s->columns);
		break;
	case 20:
		vt_reply(s, "\033]L\033\\");
		break;
	case 21:
		vt_reply(s, "\033]l\033\\");
		break;
	default:
		break;
	}
}

void vt_reply_version(struct vt_screen *s)
{
	vt_reply(s, "\033P>|termserv(%s)\033\\", TERMSERV_VERSION);
}

void vt_reply_resized(struct vt_screen *s)
{
	vt_reply(s, "\033[48;%u;%u;%u;%ut", s->rows, s->columns, s->rows * CELL_HEIGHT,
		s->columns * CELL_WIDTH);
}

/* DECRQSS: the settings in force, from the state and never from stored text. */
static void reply_setting(struct vt_screen *s, const char *what)
{
	const struct vt_modes *m = &s->modes;
	if (strcmp(what, "m") == 0) {
		char text[160];
		text[vt_sgr_describe(&m->pen, text, sizeof(text))] = '\0';
		vt_reply(s, "\033P1$r%sm\033\\", text);
	} else if (strcmp(what, "r") == 0) {
		vt_reply(s, "\033P1$r%u;%ur\033\\", m->top + 1u, m->bottom + 1u);
	} else if (strcmp(what, "s") == 0) {
		vt_reply(s, "\033P1$r%u;%us\033\\", m->left + 1u, m->right + 1u);
	} else if (strcmp(what, " q") == 0) {
		unsigned blinks = vt_modes_get(m, VT_MODE_CURSOR_BLINK);
		unsigned shape = m->cursor_shape; /* odd = blinking; 0 = the terminal's own */
		vt_reply(s, "\033P1$r%u q\033\\", shape == 0 ? 0 : ((shape + 1) & ~1u) - blinks);
	} else if (strcmp(what, "\"q") == 0) {
		bool on = (m->pen.attributes & VT_PROTECTED) != 0;
		vt_reply(s, "\033P1$r%u\"q\033\\", on ? 1 : 0);
	} else if (strcmp(what, "*x") == 0) {
		vt_reply(s, "\033P1$r%u*x\033\\", m->attribute_extent);
	} else if (strcmp(what, "\"p") == 0) {
		vt_reply(s, "\033P1$r62;1\"p\033\\");
	} else {
		vt_reply(s, "\033P0$r\033\\");
	}
}

void vt_reply_dcs(void *screen, const struct vt_sequence *q, const uint8_t *payload, size_t length)
{
	struct vt_screen *s = screen;
	s->join.valid = false;
	if (q->prefix != 0 || q->intermediate_count != 1 || q->final != 'q') {
		return;
	}
	if (q->intermediates[0] == '$') {
		char what[4] = "";
		if (length < sizeof(what)) {
			memcpy(what, payload, length);
		}
		reply_setting(s, what);
	} else if (q->intermediates[0] == '+') { /* XTGETTCAP: nothing is known */
		vt_reply(s, "\033P0+r\033\\");
	}
}
