/* The painter: a screen and all its lasting modes as the bytes that turn any terminal, whatever
 * state it is in, into this one; and the bytes that undo all of it.
 *
 * Two ways. A terminal that takes the program's own bytes is painted once on connect (enter,
 * history, screen) and follows by itself from then on: for it the picture is exact, down to the
 * pending wrap and the stacks. Any other one (plain, fewer colours, another size) is followed with
 * vt_paint_update() and shows what it can.
 *
 * Always holds: nothing that a program stored (text, title, link) can begin or end a control
 * sequence of the painter's. Output goes into a buf; whoever passed it checks `failed` once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vt/modes.h"
#include "vt/screen.h"

enum vt_paint_class {
	VT_PAINT_PLAIN = 0, /* what a VT100 or the Linux console understands; UTF-8 */
	VT_PAINT_XTERM = 1, /* xterm and its kin: alternate buffer, OSC, mouse, kitty keyboard */
};

struct vt_paint_target {
	enum vt_paint_class class;
	uint32_t colours; /* 0, 8, 16, 256 or 16777216 */
	unsigned rows, columns;
	/* vt_paint_begin() was written when the terminal was taken: what it remembered is brought
	 * back. Else the title is emptied and preferences get their usual values. */
	bool remembered;
};

/* What a door writes once, before anything else: the terminal remembers its own title and those of
 * its preferences that programs can change. */
void vt_paint_begin(struct buf *out, const struct vt_paint_target *target);

/* Undoes everything that any session could have set, a half-sent sequence first; needs no screen.
 * The cursor stays where it is (on the primary buffer). */
void vt_paint_reset(struct buf *out, const struct vt_paint_target *target);

/* What comes first when a session is shown on a terminal: reset; what was visible moves into the
 * terminal's own scrollback; an empty screen, cursor home. Drawing is held back from here to the
 * end of vt_paint_screen(), where the terminal can do that. */
void vt_paint_enter(struct buf *out, const struct vt_paint_target *target);

/* Like enter, but what is visible is cleared: for a terminal that shows this session already and
 * has fallen behind. */
void vt_paint_clear(struct buf *out, const struct vt_paint_target *target);

/* After enter or clear: prints `count` lines of history from line `first` on, so that they stand in
 * the terminal's own scrollback, soft-wrapped where they were; leaves an empty screen, cursor home.
 */
void vt_paint_history(struct buf *out, struct vt_screen *screen, size_t first, size_t count,
	const struct vt_paint_target *target);

/* Whether vt_paint_screen() gives this terminal the exact screen, so that it may be given the
 * program's bytes from there on. */
bool vt_paint_is_exact(const struct vt_screen *screen, const struct vt_paint_target *target);

/* After enter, clear or history: the screen. When exact: the primary buffer, on it the alternate
 * one if that is active, saved cursors, margins, tab stops, charsets, pen and every mode of
 * vt/modes.h; the program's bytes may follow, those of vt_screen_pending() first. Else as
 * vt_paint_update() with a new vt_paint_state. */
void vt_paint_screen(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target);

/* After the last byte of a session on this terminal: reset, then the cursor at the start of the
 * line behind what is shown, for a notice. */
void vt_paint_leave(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target);

/* What a terminal that is followed by updates has been told. */
struct vt_paint_state {
	struct vt_paint_target target;
	bool drawn;  /* false: nothing is known, draw all */
	bool scaled; /* a row may be of double width */
	uint64_t changes;
	uint64_t history; /* vt_history_total() then */
	enum vt_buffer buffer;
	unsigned rows, columns; /* of the screen */
	unsigned top, left;	/* the part of the screen that is shown */
	uint64_t bits;
	uint16_t mouse;
	uint16_t mouse_encoding;
	uint8_t cursor_shape;
	uint8_t kitty;
	uint8_t modify_keys[VT_MODIFY_KEYS];
	uint64_t title; /* a hash; 0 = none was set */
};

/* The terminal is in the state that enter, clear or history leave. */
void vt_paint_start(struct vt_paint_state *state, const struct vt_paint_target *target);

/* The terminal is another size now (its content is drawn anew by the next update). */
void vt_paint_resized(struct vt_paint_state *state, unsigned rows, unsigned columns);

/* What has changed since the last update with this state: rows, cursor, modes. Colours are reduced
 * to those of the target; what it cannot show is mapped or left out; of a larger screen the part
 * around the cursor is shown. */
void vt_paint_update(struct buf *out, const struct vt_screen *screen, struct vt_paint_state *state);
