/* Changes of the active buffer other than text: erase, insert, delete, scroll. What becomes empty
 * takes the pen's background and nothing else of it (back-colour erase as xterm).
 */
#include <string.h>

#include "vt/draft.h"
#include "vt/state.h"

static bool whole_width(const struct vt_screen *s)
{
	return s->modes.left == 0 && s->modes.right + 1u == s->columns;
}

static void fill_row(struct vt_screen *s, unsigned row, uint16_t style)
{
	vt_line_erase(s->grid, vt_touch(s, row), 0, s->columns, style);
}

/* Columns left..right of row `from` go to row `to`; both rows keep the rest. */
static void copy_part(struct vt_screen *s, unsigned from, unsigned to)
{
	unsigned left = s->modes.left;
	unsigned n = s->modes.right + 1u - left;
	struct vt_line *source = vt_touch(s, from);
	struct vt_line *target = vt_touch(s, to);
	/* The half of a wide character that sticks out at the left margin becomes a space. */
	bool ready = source->used == 0 || vt_line_write(s->grid, source, left, 0) != NULL;
	struct vt_cell *out = ready ? vt_line_write(s->grid, target, left, n) : NULL;
	if (out == NULL) {
		return;
	}
	target->wrapped &= left + n < s->columns;
	for (unsigned i = 0; i < n; i++) {
		bool exists = left + i < source->used;
		out[i] = exists ? source->cells[left + i] : (struct vt_cell){ .width = 1 };
	}
	if (n > 0 && out[n - 1].width == 2) {
		out[n - 1] = (struct vt_cell){
			.glyph = ' ', .style = out[n - 1].style, .width = 1
		};
	}
}

/* Rows top..bottom between the left and right margin move by n (up = positive). */
static void scroll_part(struct vt_screen *s, unsigned top, unsigned bottom, int n)
{
	unsigned height = bottom - top + 1;
	unsigned amount = vt_min((unsigned)(n < 0 ? -n : n), height);
	for (unsigned i = 0; i + amount < height; i++) {
		if (n > 0) {
			copy_part(s, top + amount + i, top + i);
		} else {
			copy_part(s, bottom - amount - i, bottom - i);
		}
	}
	for (unsigned i = 0; i < amount; i++) {
		vt_edit_erase(
			s, n > 0 ? bottom - i : top + i, s->modes.left, s->modes.right + 1u, false);
	}
}

/* Row y is no longer the continuation of the one before it. */
static void unwrap_before(struct vt_screen *s, unsigned y)
{
	if (y > 0) {
		vt_line_at(s, y - 1)->wrapped = false;
	} else if (!s->modes.alternate) {
		vt_history_unwrap(s->history);
	}
}

/* Whole rows top..bottom move by n. */
static void scroll_rows(struct vt_screen *s, unsigned top, unsigned bottom, int n)
{
	unsigned height = bottom - top + 1;
	unsigned amount = vt_min((unsigned)(n < 0 ? -n : n), height);
	if (top > 0 || n < 0) {
		unwrap_before(s, top);
	}
	vt_grid_scroll(s->grid, top, bottom, n, s->changes);
	if (n < 0) {
		vt_line_at(s, bottom)->wrapped = false;
	}
	uint16_t style = vt_blank(s);
	unsigned from = n > 0 ? bottom + 1 - amount : top;
	for (unsigned y = from; style != 0 && y < from + amount; y++) {
		fill_row(s, y, style);
	}
}

/* Lines that leave the top of the primary buffer are history, whatever the bottom margin. */
static void keep_history(struct vt_screen *s, unsigned n)
{
	for (unsigned y = 0; y < n; y++) {
		const struct vt_line *line = vt_line_at(s, y);
		unsigned kind = vt_history_kind(line->wrapped, line->scale);
		const struct vt_draft *d = vt_draft_whole(line);
		if (d != NULL && vt_history_push_code(s->history, d->bytes, d->length, kind)) {
			continue;
		}
		vt_history_push(s->history, &s->pool, line->cells, line->used, kind);
	}
}

void vt_edit_scroll(struct vt_screen *s, int n)
{
	unsigned top = s->modes.top;
	unsigned bottom = s->modes.bottom;
	if (!whole_width(s)) {
		scroll_part(s, top, bottom, n);
		return;
	}
	if (n > 0 && top == 0 && !s->modes.alternate) {
		keep_history(s, vt_min((unsigned)n, bottom + 1));
	}
	scroll_rows(s, top, bottom, n);
	if (n == 1 && top == 0 && !s->modes.alternate) {
		vt_draft_begin(vt_line_at(s, bottom));
	}
}

static bool is_protected(const struct vt_screen *s, const struct vt_cell *c)
{
	return (vt_pool_style(&s->pool, c->style)->attributes & VT_PROTECTED) != 0;
}

void vt_edit_erase(struct vt_screen *s, unsigned row, unsigned from, unsigned end, bool selective)
{
	struct vt_line *line = vt_touch(s, row);
	uint16_t style = vt_blank(s);
	if (s->scaled && end >= vt_line_scale_columns(s, row)) {
		end = vt_line_scale_columns(s, row);
		line->wrapped = false;
	}
	if (!selective) {
		vt_line_erase(s->grid, line, from, end, style);
		return;
	}
	bool wrapped = line->wrapped;
	for (unsigned x = from; x < end; x++) {
		if (x >= line->used) {
			vt_line_erase(s->grid, line, x, end, style);
			break;
		}
		if (!is_protected(s, &line->cells[x])) {
			vt_line_erase(s->grid, line, x, x + 1, style);
		}
	}
	line->wrapped = wrapped && end < s->columns;
}

void vt_edit_erase_rows(struct vt_screen *s, unsigned from, unsigned end, bool selective)
{
	if (from < end) {
		unwrap_before(s, from);
	}
	if (!selective) {
		vt_line_scale_reset(s, from, end);
	}
	for (unsigned y = from; y < end; y++) {
		vt_edit_erase(s, y, 0, s->columns, selective);
	}
}

/* The part of a row that ICH and DCH move: from `column` to the margin, or to the end of the screen
 * right of it. The row's cells exist up to there afterwards; false: no memory, or nothing to do. */
static bool movable(struct vt_screen *s, unsigned row, unsigned column, unsigned *ret_limit)
{
	unsigned columns = vt_columns_at(s, row);
	unsigned limit = column <= s->modes.right ? s->modes.right + 1u : s->columns;
	struct vt_line *line = vt_touch(s, row);
	limit = vt_min(limit, columns);
	*ret_limit = limit;
	if (limit == columns) {
		line->wrapped = false;
	}
	if (line->used <= column) {
		return false;
	}
	if (line->used < limit) {
		unsigned used = line->used;
		struct vt_cell *cells = vt_line_write(s->grid, line, used, limit - used);
		for (unsigned i = 0; cells != NULL && i < limit - used; i++) {
			cells[i] = (struct vt_cell){ .width = 1 };
		}
		if (cells == NULL) {
			return false;
		}
	}
	/* Wide characters across one of the borders become spaces. */
	return vt_line_write(s->grid, line, column, 0) != NULL &&
	       vt_line_write(s->grid, line, limit, 0) != NULL;
}

void vt_edit_insert_cells(struct vt_screen *s, unsigned row, unsigned column, unsigned n)
{
	unsigned limit;
	if (!movable(s, row, column, &limit)) {
		vt_edit_erase(s, row, column, vt_min(column + n, limit), false);
		return;
	}
	struct vt_line *line = vt_line_at(s, row);
	n = vt_min(n, limit - column);
	(void)vt_line_write(s->grid, line, limit - n, 0); /* a wide one that is cut by the margin */
	memmove(line->cells + column + n, line->cells + column,
		(limit - column - n) * sizeof(*line->cells));
	struct vt_cell empty = { .style = vt_blank(s), .width = 1 };
	for (unsigned i = 0; i < n; i++) {
		line->cells[column + i] = empty;
	}
}

void vt_edit_delete_cells(struct vt_screen *s, unsigned row, unsigned column, unsigned n)
{
	unsigned limit;
	if (!movable(s, row, column, &limit)) {
		if (vt_blank(s) != 0) {
			unsigned from = limit - vt_min(n, limit - column);
			vt_edit_erase(s, row, from, limit, false);
		}
		return;
	}
	struct vt_line *line = vt_line_at(s, row);
	n = vt_min(n, limit - column);
	(void)vt_line_write(s->grid, line, column + n, 0); /* a wide one of which half is deleted */
	memmove(line->cells + column, line->cells + column + n,
		(limit - column - n) * sizeof(*line->cells));
	struct vt_cell empty = { .style = 0, .width = 1 };
	for (unsigned i = limit - n; i < limit; i++) {
		line->cells[i] = empty;
	}
	vt_edit_erase(s, row, limit - n, limit, false);
}

void vt_edit_lines(struct vt_screen *s, int n)
{
	if (s->cursor.row < s->modes.top || s->cursor.row > s->modes.bottom ||
		!vt_cursor_in_columns(s)) {
		return;
	}
	if (whole_width(s)) {
		vt_line_at(s, s->modes.bottom)->wrapped = false;
		scroll_rows(s, s->cursor.row, s->modes.bottom, n);
	} else {
		scroll_part(s, s->cursor.row, s->modes.bottom, n);
	}
	vt_cursor_to(s, s->cursor.row, s->modes.left);
}

void vt_edit_columns(struct vt_screen *s, unsigned column, int n)
{
	if (s->cursor.row < s->modes.top || s->cursor.row > s->modes.bottom ||
		!vt_cursor_in_columns(s)) {
		return;
	}
	for (unsigned y = s->modes.top; y <= s->modes.bottom; y++) {
		if (column >= vt_columns_at(s, y)) {
			continue;
		}
		if (n < 0) {
			vt_edit_insert_cells(s, y, column, (unsigned)-n);
		} else {
			vt_edit_delete_cells(s, y, column, (unsigned)n);
		}
	}
}

void vt_edit_alignment(struct vt_screen *s)
{
	s->modes.top = 0;
	s->modes.bottom = (uint16_t)(s->rows - 1);
	s->modes.left = 0;
	s->modes.right = (uint16_t)(s->columns - 1);
	vt_modes_set(&s->modes, VT_MODE_LEFT_RIGHT_MARGINS, false); /* as xterm */
	vt_line_scale_reset(s, 0, s->rows);
	for (unsigned y = 0; y < s->rows; y++) {
		struct vt_line *line = vt_touch(s, y);
		struct vt_cell *cells = vt_line_write(s->grid, line, 0, s->columns);
		for (unsigned x = 0; cells != NULL && x < s->columns; x++) {
			cells[x] = (struct vt_cell){ .glyph = 'E', .width = 1 };
		}
		line->wrapped = false;
	}
	vt_cursor_to(s, 0, 0);
}
