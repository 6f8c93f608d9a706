/* The exact screen for a terminal of the same size that will be given the program's bytes next. The
 * order matters: what moves the cursor or changes how text prints comes as late as it can, and
 * nothing that was brought back is touched again.
 */
#include "vt/painter_exact.h"

#include "vt/painter_modes.h"
#include "vt/painter_row.h"

#define ASCII_EVERYWHERE "\033(B\033)B\033*B\033+B\017\033}"

static const struct vt_style plain_style;

/* Before the text, so that it wraps where it did. */
static void paint_scales(struct vt_brush *b, enum vt_buffer which)
{
	b->scaled = false;
	b->which = which;
	for (unsigned y = 0; y < b->target->rows; y++) {
		enum vt_line_scale scale = vt_brush_scale(b, which, y);
		if (scale != VT_LINE_SINGLE) {
			vt_brush_place(b, y, 0);
			vt_brush_put_scale(b, scale);
			b->scaled = true;
		}
	}
	b->row_columns = 0;
}

static void paint_rows(struct vt_brush *b, enum vt_buffer which)
{
	bool wrapped = false;
	paint_scales(b, which);
	for (unsigned y = 0; y < b->target->rows; y++) {
		struct vt_row row = vt_screen_row(b->screen, which, y);
		struct vt_paint_row paint = {
			.cells = row.cells,
			.count = row.used,
			.width = vt_brush_columns_of(b, y),
			.blank = true,
			.wraps = row.wrapped && y + 1 < b->target->rows,
			.wrapped = wrapped,
		};
		vt_paint_row(b, y, &paint);
		wrapped = paint.wraps;
	}
	vt_brush_style(b, &plain_style);
}

/* --- the saved cursors ------------------------------------------------------------------------ */

/* The character whose cell, or whose right half, is at (row, *column), which becomes its first
 * cell. NULL = nothing stands there. */
static const struct vt_cell *text_at(
	const struct vt_brush *b, enum vt_buffer which, unsigned row, unsigned *column)
{
	struct vt_row r = vt_screen_row(b->screen, which, row);
	unsigned first = *column;
	if (first < r.used && r.cells[first].width == 0 && first > 0) {
		first--;
	}
	if (first >= r.used || vt_cell_is_empty(&r.cells[first])) {
		return NULL;
	}
	*column = first;
	return &r.cells[first];
}

/* Places the cursor where addresses count from `offset`; the brush knows the true place. */
static void place_from(struct vt_brush *b, unsigned row, unsigned column, struct vt_cursor offset)
{
	vt_brush_place(b, row - offset.row, column - offset.column);
	b->row = row;
	b->column = column;
	b->row_columns = 0;
}

/* Prints the character under a cursor with a pending wrap, so that it is pending again. Where
 * nothing stands a space is printed. `offset`: what addresses count from. */
static void put_pending(
	struct vt_brush *b, enum vt_buffer which, struct vt_cursor c, struct vt_cursor offset)
{
	unsigned column = c.column;
	const struct vt_cell *cell = text_at(b, which, c.row, &column);
	if (cell != NULL && column + cell->width != c.column + 1u) {
		cell = NULL; /* another one has come since, that ends elsewhere */
		column = c.column;
	}
	place_from(b, c.row, column, offset);
	b->edge = c.column + 1;
	if (cell != NULL) {
		vt_brush_cell(b, cell);
	} else {
		vt_brush_style(b, &plain_style);
		vt_brush_glyph(b, ' ', 1);
	}
	b->edge = b->target->columns;
}

/* Whether a wrap is pending where only a margin makes one pending now. */
static bool is_margin(const struct vt_brush *b, const struct vt_cursor *c)
{
	return c->pending_wrap && c->column > 0 && c->column + 1U < vt_brush_columns_of(b, c->row);
}

/* Everything that DECSC keeps, as it is to be kept. */
static void enter_saved(
	struct vt_brush *b, enum vt_buffer which, const struct vt_saved_cursor *saved)
{
	if (is_margin(b, &saved->cursor)) { /* the wrap was pending at a right margin */
		(void)buf_printf(b->out, "\033[?69h\033[1;%us", saved->cursor.column + 1U);
	}
	if (saved->origin) {
		(void)buf_put_text(b->out, "\033[?6h");
	}
	if (saved->cursor.pending_wrap) {
		put_pending(b, which, saved->cursor, (struct vt_cursor){ 0 });
	} else {
		vt_brush_place(b, saved->cursor.row, saved->cursor.column);
	}
	vt_brush_style(b, &saved->pen);
	vt_paint_charsets(b->out, &saved->charsets);
	vt_paint_single_shift(b->out, &saved->charsets);
}

/* Back to what the brush counts on, in a buffer that is empty but for what enter_saved() may have
 * printed there (`printed`). */
static void leave_saved(struct vt_brush *b, const struct vt_saved_cursor *saved, bool printed)
{
	vt_brush_style(b, &plain_style);
	if (is_margin(b, &saved->cursor)) {
		(void)buf_put_text(b->out, "\033[?69l");
	}
	if (saved->origin) {
		(void)buf_put_text(b->out, "\033[?6l");
	}
	if (saved->charsets.single != 0) { /* a character uses it up */
		vt_brush_place(b, 0, 0);
		vt_brush_glyph(b, ' ', 1);
		vt_brush_place(b, 0, 0);
		vt_brush_erase(b, 1);
	}
	(void)buf_put_text(b->out, ASCII_EVERYWHERE);
	if (printed && saved->cursor.pending_wrap) {
		vt_brush_place(b, saved->cursor.row, 0);
		vt_brush_erase_line(b);
	}
	vt_brush_place(b, 0, 0);
}

/* DECSC in an empty buffer. */
static void paint_saved(struct vt_brush *b, enum vt_buffer which)
{
	const struct vt_saved_cursor *saved = &vt_screen_modes(b->screen)->saved[which];
	if (!saved->saved) {
		return;
	}
	enter_saved(b, which, saved);
	(void)buf_put_text(b->out, "\0337");
	leave_saved(b, saved, true);
}

/* --- the two buffers -------------------------------------------------------------------------- */

/* What the alternate buffer keeps while it is not shown: a cursor and a keyboard stack. */
static void paint_hidden_alternate(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	if (!m->saved[VT_ALTERNATE].saved && m->kitty[VT_ALTERNATE].depth == 0) {
		return;
	}
	(void)buf_put_text(b->out, "\033[?47h");
	paint_saved(b, VT_ALTERNATE);
	vt_paint_kitty(b->out, &m->kitty[VT_ALTERNATE]);
	(void)buf_put_text(b->out, "\033[?47l");
	vt_brush_place(b, 0, 0);
}

static void paint_alternate(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	const struct vt_saved_cursor *saved = &m->saved[VT_PRIMARY];
	bool saves = m->alternate_by == 1049 && saved->saved;
	if (saves) {
		enter_saved(b, VT_PRIMARY, saved);
	}
	(void)buf_printf(b->out, "\033[?%uh", m->alternate_by != 0 ? m->alternate_by : 47U);
	b->scaled = false;
	if (saves) {
		leave_saved(b, saved, false);
		(void)buf_put_text(b->out, "\033[2J"); /* it was filled with that pen's colour */
	}
	vt_brush_place(b, 0, 0);
	paint_saved(b, VT_ALTERNATE);
	vt_paint_kitty(b->out, &m->kitty[VT_ALTERNATE]);
	paint_rows(b, VT_ALTERNATE);
}

static void paint_buffers(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	if (!m->alternate) {
		paint_hidden_alternate(b);
	}
	if (!m->alternate || m->alternate_by != 1049) {
		paint_saved(b, VT_PRIMARY);
	}
	vt_paint_kitty(b->out, &m->kitty[VT_PRIMARY]);
	paint_rows(b, VT_PRIMARY);
	if (m->alternate) {
		paint_alternate(b);
	}
}

/* --- what comes after the cells --------------------------------------------------------------- */

static void paint_tabs(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	bool initial = true;
	for (unsigned x = 1; x < VT_SIZE_MAX && initial; x++) {
		initial = vt_tabs_get(m, x) == (x % 8 == 0);
	}
	if (initial) {
		return;
	}
	(void)buf_put_text(b->out, "\033[3g");
	for (unsigned x = 0; x < b->target->columns; x++) {
		if (vt_tabs_get(m, x)) {
			vt_brush_move(b, b->row, x);
			(void)buf_put_text(b->out, "\033H");
		}
	}
}

static void paint_margins(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	if (vt_modes_get(m, VT_MODE_LEFT_RIGHT_MARGINS)) {
		(void)buf_put_text(b->out, "\033[?69h");
		if (m->left != 0 || m->right + 1U != b->target->columns) {
			(void)buf_printf(b->out, "\033[%u;%us", m->left + 1U, m->right + 1U);
		}
	}
	if (m->top != 0 || m->bottom + 1U != b->target->rows) {
		(void)buf_printf(b->out, "\033[%u;%ur", m->top + 1U, m->bottom + 1U);
	}
	if (vt_modes_get(m, VT_MODE_ORIGIN)) {
		(void)buf_put_text(b->out, "\033[?6h");
	}
}

static unsigned glyph_width(const struct vt_brush *b, uint32_t glyph)
{
	const uint32_t *points;
	size_t count = vt_screen_cluster(b->screen, glyph, &points);
	unsigned width = vt_width(count > 0 ? points[0] : glyph);
	for (size_t i = 1; i < count; i++) {
		width = vt_width_joined(points[0], width, points[i]);
	}
	return width;
}

/* A place of the active buffer where this glyph stands already. */
static bool find_glyph(const struct vt_brush *b, uint32_t glyph, unsigned width, unsigned *ret_row,
	unsigned *ret_column)
{
	enum vt_buffer which = vt_screen_active(b->screen);
	for (unsigned y = 0; y < b->target->rows; y++) {
		struct vt_row row = vt_screen_row(b->screen, which, y);
		for (unsigned x = 0; x < row.used; x++) {
			if (row.cells[x].glyph == glyph && row.cells[x].width == width) {
				*ret_row = y;
				*ret_column = x;
				return true;
			}
		}
	}
	return false;
}

/* `width` empty cells that do not touch the last column. */
static bool find_room(
	const struct vt_brush *b, unsigned width, unsigned *ret_row, unsigned *ret_column)
{
	enum vt_buffer which = vt_screen_active(b->screen);
	for (unsigned y = b->target->rows; y-- > 0;) {
		struct vt_row row = vt_screen_row(b->screen, which, y);
		unsigned run = 0;
		for (unsigned x = 0; x + 1 < vt_brush_columns_of(b, y); x++) {
			bool empty = x >= row.used || vt_cell_is_empty(&row.cells[x]);
			run = empty ? run + 1 : 0;
			if (run == width) {
				*ret_row = y;
				*ret_column = x + 1 - width;
				return true;
			}
		}
	}
	return false;
}

/* What REP would repeat: printed where it stands, or on an empty place that is erased again. On a
 * full screen without it there is no way; REP then repeats another character. */
static void paint_last_glyph(struct vt_brush *b)
{
	uint32_t glyph = vt_screen_last_glyph(b->screen);
	unsigned row;
	unsigned column;
	if (glyph == VT_EMPTY) {
		return;
	}
	unsigned width = glyph_width(b, glyph);
	if (find_glyph(b, glyph, width, &row, &column)) {
		struct vt_row r = vt_screen_row(b->screen, vt_screen_active(b->screen), row);
		vt_brush_place(b, row, column);
		vt_brush_cell(b, &r.cells[column]);
		return;
	}
	if (!find_room(b, width, &row, &column)) {
		return;
	}
	vt_brush_place(b, row, column);
	vt_brush_style(b, &plain_style);
	vt_brush_glyph(b, glyph, width);
	struct vt_row r = vt_screen_row(b->screen, vt_screen_active(b->screen), row);
	for (unsigned i = 0; i < width; i++) {
		unsigned x = column + i;
		vt_brush_place(b, row, x);
		vt_brush_style(b, vt_screen_style(b->screen, x < r.used ? r.cells[x].style : 0));
		vt_brush_erase(b, 1);
	}
}

static void paint_cursor(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	enum vt_buffer which = vt_screen_active(b->screen);
	struct vt_cursor c = vt_screen_cursor(b->screen);
	struct vt_cursor offset = { 0 };
	if (vt_modes_get(m, VT_MODE_ORIGIN)) {
		offset = (struct vt_cursor){ .row = m->top, .column = m->left };
	}
	if (c.pending_wrap) {
		put_pending(b, which, c, offset);
		if (!vt_screen_joins(b->screen)) { /* ends the cluster and leaves the cursor */
			(void)buf_put_text(b->out, "\033[?2027h");
		}
		return;
	}
	unsigned before = c.column - 1U;
	const struct vt_cell *cell = c.column > 0 && vt_screen_joins(b->screen)
					     ? text_at(b, which, c.row, &before)
					     : NULL;
	if (cell == NULL) {
		place_from(b, c.row, c.column, offset);
		return;
	}
	place_from(b, c.row, before, offset);
	vt_brush_cell(b, cell);
}

/* Ends in nothing that moves the cursor, and in nothing that prints. */
static void paint_end(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	vt_brush_style(b, &m->pen);
	if (m->attribute_extent != 0) {
		(void)buf_printf(b->out, "\033[%u*x", m->attribute_extent);
	}
	vt_paint_charsets(b->out, &m->charsets);
	vt_paint_late_modes(b->out, m);
	vt_paint_cursor_shape(b->out, m);
	if (vt_modes_get(m, VT_MODE_CURSOR_VISIBLE)) {
		(void)buf_put_text(b->out, "\033[?25h");
	}
	if (!vt_modes_get(m, VT_MODE_SYNCHRONIZED)) {
		(void)buf_put_text(b->out, "\033[?2026l");
	}
	vt_paint_single_shift(b->out, &m->charsets);
}

void vt_paint_exact(struct vt_brush *b)
{
	const struct vt_modes *m = vt_screen_modes(b->screen);
	vt_paint_xtsave(b->out, m);
	vt_brush_place(b, 0, 0);
	paint_tabs(b); /* before a row is scaled, which has fewer columns */
	vt_brush_place(b, 0, 0);
	paint_buffers(b);
	vt_paint_titles(b->out, m);
	vt_paint_palette(b->out, m);
	vt_paint_keys(b->out, m);
	vt_paint_early_modes(b->out, m);
	paint_last_glyph(b);
	paint_margins(b);
	paint_cursor(b);
	paint_end(b);
}
