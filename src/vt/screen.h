/* The screen of one session: what a terminal would show that had read all the bytes fed so far,
 * with its history and every lasting mode. It draws nothing and knows no terminal: bytes in, cells
 * and modes out, events upward through callbacks.
 *
 * Always holds: no input makes it fail, block or grow without bound. Where memory is refused, text
 * is dropped and the screen stays usable. It never logs, and no answer that it gives to the program
 * ever contains text that a program stored.
 *
 * Pointers that accessors return stay valid until the next call that takes a non-const screen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vt/cell.h"
#include "vt/modes.h"

struct vt_screen;
struct vt_history;

enum vt_buffer { VT_PRIMARY = 0, VT_ALTERNATE = 1 };

/* Called from within vt_screen_feed(), in the order of the bytes; any may be NULL. None may call a
 * function of this screen that takes it non-const. */
struct vt_screen_events {
	/* The answer to a query, for the program's input. Only while answering is on. */
	void (*reply)(void *user, const uint8_t *bytes, size_t length);
	void (*bell)(void *user);
	void (*title)(void *user); /* title or icon name is another one now: vt_screen_modes() */
};

/* Sizes are cut to 1..VT_SIZE_MAX. history_budget: bytes that the history may take at most; 0 = no
 * history. Nothing is allocated for cells or history before they are used.
 * events (may be NULL) is copied. 0 or -ENOMEM. */
int vt_screen_new(struct vt_screen **ret, unsigned rows, unsigned columns, size_t history_budget,
	const struct vt_screen_events *events, void *user);
struct vt_screen *vt_screen_free(struct vt_screen *s); /* NULL is fine; returns NULL */

/* The program's output, cut anywhere. Never fails. */
void vt_screen_feed(struct vt_screen *s, const void *bytes, size_t length);

/* Reflows the primary buffer and its history, crops or pads the alternate one; margins become the
 * whole screen. -ENOMEM: nothing has changed. With VT_MODE_INBAND_RESIZE and answering on, the
 * program is sent its report. */
int vt_screen_resize(struct vt_screen *s, unsigned rows, unsigned columns);

/* Whether queries are answered (off at first). */
void vt_screen_answer(struct vt_screen *s, bool on);

/* Forgets all history lines, as CSI 3 J. */
void vt_screen_clear_history(struct vt_screen *s);

/* Gives back what is not needed now: an alternate grid that is not shown, spare room of rows and
 * tables. Shows no change. For the host, when the session falls quiet. */
void vt_screen_trim(struct vt_screen *s);

/* --- the stream ------------------------------------------------------------------------------ */

#define VT_PENDING_MAX 4096
#define VT_PENDING_TOO_LONG 1

/* Whether the next byte begins something new: no escape sequence, string or UTF-8 character is
 * open. */
bool vt_screen_ground(const struct vt_screen *s);

/* The raw bytes of the sequence that has begun but not ended (controls within it that were executed
 * already are left out); length 0 in ground state. Whoever joins the stream now is given them
 * first. 0, or VT_PENDING_TOO_LONG (ret untouched): more than VT_PENDING_MAX, wait for ground
 * state. */
int vt_screen_pending(const struct vt_screen *s, const uint8_t **ret, size_t *ret_length);

/* --- what is on the screen ------------------------------------------------------------------- */

struct vt_row {
	const struct vt_cell *cells; /* NULL when used is 0 */
	unsigned used;		     /* cells that exist; the ones behind are empty, style 0 */
	bool wrapped;		     /* soft-wrapped: the text goes on in the next row */
	uint64_t changed;	     /* value of vt_screen_changes() when this place last changed */
};

/* DECSWL, DECDWL, and the upper and lower half of DECDHL. */
enum vt_line_scale { VT_LINE_SINGLE, VT_LINE_WIDE, VT_LINE_TOP, VT_LINE_BOTTOM };

/* The columns of a line that is not single: as xterm, which halves the number of the last one; but
 * two where there are two, so that a wide character fits. */
static inline unsigned vt_line_half(unsigned columns)
{
	return columns == 2 ? 2 : (columns + 1) / 2;
}

unsigned vt_screen_rows(const struct vt_screen *s);
unsigned vt_screen_columns(const struct vt_screen *s);
enum vt_buffer vt_screen_active(const struct vt_screen *s);

/* The row at place y (0 = top; y >= rows gives an empty row). VT_ALTERNATE that was never used is
 * empty. The primary buffer can be read while the alternate one is active, and the other way. */
struct vt_row vt_screen_row(const struct vt_screen *s, enum vt_buffer which, unsigned y);

/* How that row is scaled. Where it is not single the row has only half of the columns. */
enum vt_line_scale vt_screen_line_scale(
	const struct vt_screen *s, enum vt_buffer which, unsigned y);

/* Raised by each feed() and resize() that may have changed anything. A row whose `changed` is not
 * above a value read earlier shows what it showed then (same buffer, same size). */
uint64_t vt_screen_changes(const struct vt_screen *s);

/* The cursor of the active buffer. Visibility, shape and blinking are modes. */
struct vt_cursor vt_screen_cursor(const struct vt_screen *s);

/* Whether the character before the cursor (under it, while a wrap is pending) is still open: a code
 * point that continues its cluster would join it, whatever its width. Only in mode 2027. */
bool vt_screen_joins(const struct vt_screen *s);

/* All lasting modes, pen, margins, tab stops, charsets, saved cursors, titles, palette. */
const struct vt_modes *vt_screen_modes(const struct vt_screen *s);

/* The style of a cell; an id that no cell has gives the default style. Never NULL. */
const struct vt_style *vt_screen_style(const struct vt_screen *s, uint16_t id);

/* The code points of a cell with VT_CLUSTER in its glyph (pass the whole glyph), at most
 * VT_CLUSTER_LENGTH; 0 for a glyph that is none. */
size_t vt_screen_cluster(const struct vt_screen *s, uint32_t glyph, const uint32_t **ret);

/* A hyperlink: NUL-ended printable ASCII, never NULL. An unknown id gives two empty strings. */
struct vt_link {
	const char *uri;
	const char *id; /* the id= of OSC 8, "" = none was given */
};
struct vt_link vt_screen_link(const struct vt_screen *s, uint32_t id);

/* The character that REP (CSI b) would repeat: a glyph as in a cell, 0 = none. */
uint32_t vt_screen_last_glyph(const struct vt_screen *s);

/* --- history ---------------------------------------------------------------------------------- */

/* Counters only (vt/history.h): count, total, bytes. */
const struct vt_history *vt_screen_history(const struct vt_screen *s);

/* Line i of the history (0 = oldest kept), as rows were when they left the screen: a line with
 * `wrapped` goes on in the next one, the last in row 0 of the primary buffer. Lines keep the width
 * that the screen had then: join wrapped ones and let the terminal wrap them.
 * Writes at most VT_SIZE_MAX cells to `cells` and returns their number; style ids and clusters are
 * valid until the next call of this function or of feed, resize or trim. */
size_t vt_screen_history_line(
	struct vt_screen *s, size_t i, struct vt_cell *cells, bool *ret_wrapped);

/* How line i of the history is scaled. */
enum vt_line_scale vt_screen_history_scale(const struct vt_screen *s, size_t i);

/* --- what it weighs --------------------------------------------------------------------------- */

struct vt_memory { /* bytes allocated */
	size_t grid;
	size_t history;
	size_t styles;
	size_t clusters;
	size_t links;
	size_t other; /* the struct itself, parser, titles, palette */
};
struct vt_memory vt_screen_memory(const struct vt_screen *s);
