/* A terminal that is followed by updates: each one moves it from what it was told to what the
 * screen is now. Between updates it has the default pen, no margins and no origin mode.
 */
#include "vt/painter.h"

#include <string.h>

#include "vt/history.h"
#include "vt/painter_brush.h"
#include "vt/painter_modes.h"
#include "vt/painter_row.h"

#define BIT(mode) (UINT64_C(1) << (mode))

/* What changes what the terminal sends, and how the whole screen looks. */
#define FOLLOWED_PLAIN                                                                             \
	(BIT(VT_MODE_CURSOR_KEYS) | BIT(VT_MODE_REVERSE_VIDEO) | BIT(VT_MODE_AUTOREPEAT))
#define FOLLOWED_XTERM                                                                             \
	(FOLLOWED_PLAIN | BIT(VT_MODE_BACKARROW) | BIT(VT_MODE_FOCUS) |                            \
		BIT(VT_MODE_ALTERNATE_SCROLL) | BIT(VT_MODE_META) | BIT(VT_MODE_META_ESCAPE) |     \
		BIT(VT_MODE_ALT_ESCAPE) | BIT(VT_MODE_BRACKETED_PASTE) |                           \
		BIT(VT_MODE_COLOR_SCHEME) | BIT(VT_MODE_WIN32_INPUT))

static const struct vt_style plain_style;

void vt_paint_start(struct vt_paint_state *state, const struct vt_paint_target *target)
{
	*state = (struct vt_paint_state){ .target = *target };
	state->bits = vt_paint_initial_bits() & ~BIT(VT_MODE_CURSOR_VISIBLE);
	memset(state->modify_keys, VT_MODIFY_INITIAL, sizeof(state->modify_keys));
}

void vt_paint_resized(struct vt_paint_state *state, unsigned rows, unsigned columns)
{
	state->target.rows = rows;
	state->target.columns = columns;
	state->drawn = false;
	state->scaled = true; /* what it may have brought back from its scrollback */
}

/* The first row or column to show, so that `cursor` is in sight and as little as possible moves. */
static unsigned view(unsigned first, unsigned cursor, unsigned size, unsigned shown)
{
	if (size <= shown) {
		return 0;
	}
	if (cursor < first) {
		first = cursor;
	} else if (cursor >= first + shown) {
		first = cursor - shown + 1;
	}
	return first > size - shown ? size - shown : first;
}

/* Notes what of the screen is shown now. Returns whether all of it must be drawn anew. */
static bool look(struct vt_paint_state *state, const struct vt_screen *screen)
{
	struct vt_paint_state before = *state;
	struct vt_cursor cursor = vt_screen_cursor(screen);
	state->buffer = vt_screen_active(screen);
	state->rows = vt_screen_rows(screen);
	state->columns = vt_screen_columns(screen);
	state->top = view(before.top, cursor.row, state->rows, state->target.rows);
	state->left = view(before.left, cursor.column, state->columns, state->target.columns);
	return !before.drawn || before.buffer != state->buffer || before.rows != state->rows ||
	       before.columns != state->columns || before.top != state->top ||
	       before.left != state->left;
}

/* Lines that have left the screen leave the terminal's too, into its scrollback. Returns whether
 * any did: then no row is where it was. */
static bool scroll(struct vt_brush *b, const struct vt_paint_state *state)
{
	uint64_t total = vt_history_total(vt_screen_history(b->screen));
	if (state->buffer != VT_PRIMARY || state->rows != state->target.rows ||
		total <= state->history || total - state->history >= state->rows) {
		return false;
	}
	vt_brush_place(b, state->rows - 1, 0);
	for (uint64_t i = state->history; i < total; i++) {
		(void)buf_put_byte(b->out, '\n');
	}
	return true;
}

/* Rows of a terminal that knows them are scaled before they are drawn; those that may have been
 * are single again. */
static bool scale_row(struct vt_brush *b, struct vt_paint_state *state, unsigned y)
{
	bool shown = state->target.class == VT_PAINT_XTERM && state->left == 0;
	enum vt_line_scale scale = shown ? vt_brush_scale(b, state->buffer, y) : VT_LINE_SINGLE;
	if (scale != VT_LINE_SINGLE || state->scaled) {
		vt_brush_place(b, y, 0);
		vt_brush_put_scale(b, scale);
	}
	return scale != VT_LINE_SINGLE;
}

static void draw_rows(struct vt_brush *b, struct vt_paint_state *state, bool all)
{
	bool any_scaled = false;
	b->top = state->top;
	for (unsigned y = 0; y < state->target.rows; y++) {
		struct vt_row row = vt_screen_row(b->screen, state->buffer, state->top + y);
		if (!all && (row.changed <= state->changes || state->top + y >= state->rows)) {
			continue;
		}
		any_scaled |= scale_row(b, state, y);
		bool any = row.used > state->left;
		struct vt_paint_row paint = {
			.cells = any ? row.cells + state->left : NULL,
			.count = any ? row.used - state->left : 0,
			.width = b->row == y ? vt_brush_columns(b) : state->target.columns,
		};
		vt_paint_row(b, y, &paint);
	}
	state->scaled = any_scaled || (state->scaled && !all);
	vt_brush_style(b, &plain_style);
}

static uint64_t title_hash(const char *title)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	if (title == NULL || title[0] == '\0') {
		return 0;
	}
	for (; *title != '\0'; title++) {
		hash = (hash ^ (uint8_t)*title) * UINT64_C(1099511628211);
	}
	return hash | 1;
}

static void follow_title(struct buf *out, struct vt_paint_state *state, const char *title)
{
	uint64_t hash = title_hash(title);
	if (hash == state->title) {
		return;
	}
	state->title = hash;
	(void)buf_put_text(out, "\033]2;");
	if (title != NULL) {
		vt_paint_text(out, title);
	}
	(void)buf_put_text(out, "\033\\");
}

/* Places of another size are not the program's: then the mouse is left to the terminal. */
static void follow_mouse(struct buf *out, struct vt_paint_state *state, const struct vt_modes *m)
{
	bool same = state->top == 0 && state->left == 0;
	uint16_t mouse = same ? m->mouse : 0;
	if (mouse != state->mouse) {
		(void)buf_printf(out, "\033[?%u%c", mouse != 0 ? mouse : state->mouse,
			mouse != 0 ? 'h' : 'l');
		state->mouse = mouse;
	}
	if (m->mouse_encoding != state->mouse_encoding) {
		bool on = m->mouse_encoding != 0;
		(void)buf_printf(out, "\033[?%u%c", on ? m->mouse_encoding : state->mouse_encoding,
			on ? 'h' : 'l');
		state->mouse_encoding = m->mouse_encoding;
	}
}

static void follow_keyboard(struct buf *out, struct vt_paint_state *state, const struct vt_modes *m)
{
	unsigned kitty = vt_modes_kitty(m);
	if (kitty != state->kitty) {
		(void)buf_printf(out, "\033[=%uu", kitty);
		state->kitty = (uint8_t)kitty;
	}
	for (unsigned i = 0; i < VT_MODIFY_KEYS; i++) {
		uint8_t value = m->modify_keys[i];
		if (value == state->modify_keys[i]) {
			continue;
		}
		if (value == VT_MODIFY_INITIAL) {
			(void)buf_printf(out, "\033[>%um", i);
		} else if (value == VT_MODIFY_OFF) {
			(void)buf_printf(out, "\033[>%un", i);
		} else {
			(void)buf_printf(out, "\033[>%u;%um", i, value);
		}
		state->modify_keys[i] = value;
	}
}

static void follow_cursor_shape(
	struct buf *out, struct vt_paint_state *state, const struct vt_modes *m)
{
	uint64_t blink = BIT(VT_MODE_CURSOR_BLINK);
	if (m->cursor_shape != state->cursor_shape) {
		(void)buf_printf(out, "\033[%u q", m->cursor_shape);
		state->cursor_shape = m->cursor_shape;
		state->bits = (state->bits & ~blink) | (m->cursor_shape % 2 == 1 ? blink : 0);
	}
	vt_paint_toggle(out, state->bits, m->bits, blink);
	state->bits = (state->bits & ~blink) | (m->bits & blink);
}

static void follow_modes(struct buf *out, struct vt_paint_state *state, const struct vt_modes *m)
{
	bool xterm = state->target.class == VT_PAINT_XTERM;
	uint64_t followed = xterm ? FOLLOWED_XTERM : FOLLOWED_PLAIN;
	vt_paint_toggle(out, state->bits, m->bits, followed);
	if (((state->bits ^ m->bits) & BIT(VT_MODE_KEYPAD)) != 0) {
		(void)buf_put_text(out, vt_modes_get(m, VT_MODE_KEYPAD) ? "\033=" : "\033>");
	}
	followed |= BIT(VT_MODE_KEYPAD);
	state->bits = (state->bits & ~followed) | (m->bits & followed);
	if (xterm) {
		follow_mouse(out, state, m);
		follow_keyboard(out, state, m);
		follow_cursor_shape(out, state, m);
		follow_title(out, state, m->titles.title);
	}
}

/* Whether anything that an update follows can have changed. */
static bool is_idle(const struct vt_paint_state *state, const struct vt_screen *screen)
{
	return state->drawn && state->changes == vt_screen_changes(screen);
}

void vt_paint_update(struct buf *out, const struct vt_screen *screen, struct vt_paint_state *state)
{
	if (is_idle(state, screen)) {
		return;
	}
	const struct vt_modes *m = vt_screen_modes(screen);
	uint64_t visible = BIT(VT_MODE_CURSOR_VISIBLE);
	struct vt_brush b = vt_brush_new(out, screen, &state->target);
	b.unsure = true; /* where the cursor is */
	b.row = state->target.rows;
	if (state->target.class == VT_PAINT_XTERM) {
		(void)buf_put_text(out, "\033[?2026h");
	}
	if ((state->bits & visible) != 0) {
		(void)buf_put_text(out, "\033[?25l");
	}
	bool all = look(state, screen);
	if (!all) {
		all = scroll(&b, state);
	}
	draw_rows(&b, state, all);
	follow_modes(out, state, m);
	struct vt_cursor cursor = vt_screen_cursor(screen);
	vt_brush_place(&b, cursor.row - state->top, cursor.column - state->left);
	if ((m->bits & visible) != 0) {
		(void)buf_put_text(out, "\033[?25h");
	}
	state->bits = (state->bits & ~visible) | (m->bits & visible);
	if (state->target.class == VT_PAINT_XTERM) {
		(void)buf_put_text(out, "\033[?2026l");
	}
	state->drawn = true;
	state->changes = vt_screen_changes(screen);
	state->history = vt_history_total(vt_screen_history(screen));
}
