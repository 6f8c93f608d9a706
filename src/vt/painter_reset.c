/* The bytes that undo what any session could have set. They need no screen and tell apart only two
 * classes of terminal; what a terminal does not know it passes over.
 */
#include "vt/painter.h"

#include "base/cleanup.h"
#include "vt/painter_modes.h"

/* Preferences that XTSAVE keeps: vt_paint_is_preference(). */
#define PREFERENCES "67;1007;1034;1036;1039"

void vt_paint_begin(struct buf *out, const struct vt_paint_target *target)
{
	if (target->class == VT_PAINT_XTERM) {
		(void)buf_put_text(out, "\033[22;0t\033[?" PREFERENCES "s");
	}
}

/* Every eighth column has a tab stop. The cursor ends somewhere in its row, which is single: else
 * it would have half of the columns. */
static void reset_tabs(struct buf *out, const struct vt_paint_target *target)
{
	(void)buf_put_text(out, "\r\033#5\033[3g");
	for (unsigned column = 8; column < target->columns; column += 8) {
		(void)buf_put_text(out, "\033[8C\033H");
	}
	if (target->class == VT_PAINT_XTERM) { /* also where a wider window will have them */
		(void)buf_put_text(out, "\033[?5W");
	}
}

/* All modes that are only bits, and the mouse. None of these moves the cursor. */
static void reset_modes(struct buf *out, const struct vt_paint_target *target)
{
	size_t count = 0;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	for (int on = 0; on < 2; on++) {
		struct vt_mode_list list = {
			.out = out, .is_private = true, .final = on ? 'h' : 'l'
		};
		for (size_t i = 0; i < count; i++) {
			const struct vt_mode_row *row = &rows[i];
			bool skip = !row->is_private || row->kind == VT_KIND_ALTERNATE ||
				    row->kind == VT_KIND_SAVE || row->number == 6 ||
				    row->number == 69 ||
				    (target->remembered && vt_paint_is_preference(row->number));
			if (!skip && row->initial == (on != 0)) {
				vt_mode_list_add(&list, row->number);
			}
		}
		vt_mode_list_end(&list);
	}
	if (target->remembered) {
		(void)buf_put_text(out, "\033[?" PREFERENCES "r");
	}
}

/* What XTRESTORE would bring back is the state after the reset. */
static void reset_saved_modes(struct buf *out)
{
	size_t count = 0;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	struct vt_mode_list list = { .out = out, .is_private = true, .final = 's' };
	for (size_t i = 0; i < count; i++) {
		if (rows[i].is_private && (rows[i].kind == VT_KIND_BIT || rows[i].number == 1000 ||
						  rows[i].number == 1006)) {
			vt_mode_list_add(&list, rows[i].number);
		}
	}
	vt_mode_list_end(&list);
}

/* The stack is emptied; what is left is the title at its bottom where begin or enter has put it
 * there, else none. */
static void reset_titles(struct buf *out, const struct vt_paint_target *target)
{
	static const char empty[] = "\033]0;\033\\";
	if (target->remembered) {
		(void)buf_put_text(out, empty);
	}
	for (unsigned i = 0; i < VT_TITLE_STACK; i++) {
		(void)buf_put_text(out, "\033[23;0t");
	}
	if (!target->remembered) {
		(void)buf_put_text(out, empty);
	}
}

/* CAN and ST end whatever was half sent; a VT52, a printer or another character set would not hear
 * the rest. */
#define WAKE_UP "\030\033\\\033<\033[4i\033%G"

/* Kitty's stack and the saved cursor exist once a buffer. On the primary buffer the cursor comes
 * back to where it was. */
#define LEAVE_ALTERNATE "\0337\033[?47h\033[<99u\033[!p\033[?1049l\033[<99u"

static void reset_xterm(struct buf *out, const struct vt_paint_target *target)
{
	(void)buf_put_text(out, WAKE_UP LEAVE_ALTERNATE);
	/* DECSTR first, so that DECRC brings back neither origin mode nor a pen. */
	(void)buf_put_text(out, "\033[!p\0337\033[?6;69l\033[r");
	reset_tabs(out, target);
	(void)buf_put_text(out, "\033[>f\033[>m\033[>4m\0338\033[!p");
	(void)buf_put_text(out, "\033[2;4;20l\033[12h\033>\033[0$}");
	reset_modes(out, target);
	reset_saved_modes(out);
	(void)buf_put_text(out, "\033(B\033)B\033*B\033+B\017\033}\033[0\"q\033[m\033[*x");
	(void)buf_put_text(out, "\033]8;;\033\\\033]104\033\\\033]110\033\\\033]111\033\\"
				"\033]112\033\\\033[0 q");
	reset_titles(out, target);
}

static void reset_plain(struct buf *out, const struct vt_paint_target *target)
{
	(void)buf_put_text(out, "\030\033\\\0337\033[?6l\033[r");
	reset_tabs(out, target);
	(void)buf_put_text(out, "\0338\033[4;20l\033[?1;5;9;1000;2004l\033[?7;25h\033>"
				"\033(B\033)B\017\033[m");
}

void vt_paint_reset(struct buf *out, const struct vt_paint_target *target)
{
	if (target->class == VT_PAINT_XTERM) {
		reset_xterm(out, target);
	} else {
		reset_plain(out, target);
	}
}

/* What enter and clear share: the cursor is put away, drawing is held back. */
static void begin_screen(struct buf *out, const struct vt_paint_target *target)
{
	vt_paint_reset(out, target);
	if (target->class == VT_PAINT_XTERM) {
		if (target->remembered) {
			(void)buf_put_text(out, "\033[22;0t");
		}
		(void)buf_put_text(out, "\033[?2026h");
	}
	(void)buf_put_text(out, "\033[?25l");
}

void vt_paint_enter(struct buf *out, const struct vt_paint_target *target)
{
	begin_screen(out, target);
	(void)buf_printf(out, "\033[%uH", target->rows);
	for (unsigned i = 0; i < target->rows; i++) {
		(void)buf_put_byte(out, '\n');
	}
	(void)buf_put_text(out, "\033[H");
}

void vt_paint_clear(struct buf *out, const struct vt_paint_target *target)
{
	begin_screen(out, target);
	(void)buf_put_text(out, "\033[H\033[J");
}

void vt_paint_leave(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target)
{
	unsigned row = 0;
	/* An updated terminal has the active buffer in place of the primary one. */
	enum vt_buffer shown = vt_paint_is_exact(screen, target) ? VT_PRIMARY
								 : vt_screen_active(screen);
	vt_paint_reset(out, target);
	unsigned rows = vt_screen_rows(screen);
	for (unsigned y = 0; y < rows; y++) {
		if (vt_screen_row(screen, shown, y).used > 0) {
			row = y;
		}
	}
	if (row >= target->rows) {
		row = target->rows - 1;
	}
	(void)buf_printf(out, "\033[%uH\r\n", row + 1);
}
