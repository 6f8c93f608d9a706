/* A new size. The primary buffer is written anew: its soft-wrapped rows are joined and broken again
 * at the new width, rows that no longer fit go into history, and rows come back from there when a
 * screen that was full grows. The alternate buffer is cropped or padded: its program will redraw
 * it.
 *
 * Rows of an unchanged width are taken as they are. History keeps the rows as they were pushed; of
 * it only what is needed on the screen, and the beginning of a line that reaches into the screen,
 * is taken back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vt/state.h"

/* Rows of one line that are taken back from history at most, so that a line without end costs a
 * resize no more than this. */
#define PULL_MAX 512

struct source {
	const struct vt_cell *cells;
	unsigned used;
	bool wrapped;
	bool verbatim; /* a row of the old grid, and the width is the same */
	uint8_t scale; /* enum vt_line_scale */
};

/* A place that follows its text. */
struct mark {
	bool active;
	unsigned source; /* index among all sources */
	unsigned column; /* one more than the cursor's while its wrap is pending */
	unsigned row;	 /* result, counted from the first new row */
	struct vt_cursor result;
};

struct reflow {
	struct vt_screen *s;
	unsigned rows;
	unsigned columns;
	struct source *pulled; /* newest first; cells are owned */
	size_t pulled_count;
	size_t pulled_size;
	struct source *grid; /* rows 0..last of the old grid */
	unsigned grid_count;
	struct vt_cell *row; /* the new row that is being filled */
	unsigned x;
	uint8_t scale;	/* of that row: as its first cell was */
	unsigned count; /* new rows so far */
	struct mark cursor;
	struct mark saved;
	struct vt_grid *target; /* NULL = only count */
	unsigned top;		/* new rows before this one go into history */
};

static bool has_content(const struct vt_line *line)
{
	for (unsigned x = 0; x < line->used; x++) {
		if (line->cells[x].glyph != VT_EMPTY || line->cells[x].style != 0) {
			return true;
		}
	}
	return false;
}

/* The last row that matters: with content, or the cursor's. */
static unsigned last_row(const struct vt_grid *g, unsigned cursor_row)
{
	unsigned last = g->rows - 1;
	while (last > cursor_row && !has_content(vt_grid_line(g, last))) {
		last--;
	}
	return last;
}

/* --- writing new rows --- */

static unsigned columns_of(const struct reflow *r, uint8_t scale)
{
	return scale == VT_LINE_SINGLE ? r->columns : vt_line_half(r->columns);
}

static void store_row(struct reflow *r, const struct vt_cell *cells, unsigned used, bool wrapped)
{
	struct vt_line *line = vt_grid_line(r->target, r->count - r->top);
	line->wrapped = wrapped;
	line->scale = r->scale;
	if (used > 0 && vt_line_reserve(r->target, line, used)) {
		memcpy(line->cells, cells, used * sizeof(*cells));
		line->used = (uint16_t)used;
	}
}

static void emit(struct reflow *r, const struct vt_cell *cells, unsigned used, bool wrapped)
{
	if (r->target != NULL && r->count < r->top) {
		vt_history_push(r->s->history, &r->s->pool, cells, used,
			vt_history_kind(wrapped, r->scale));
	} else if (r->target != NULL && r->count - r->top < r->rows) {
		store_row(r, cells, used, wrapped);
	}
	r->count++;
}

static void emit_filled(struct reflow *r, bool wrapped)
{
	emit(r, r->row, r->x, wrapped);
	r->x = 0;
}

/* Makes room for a cell of that width in the row being filled, or else in a new one. */
static void make_room(struct reflow *r, unsigned width, uint8_t scale)
{
	unsigned columns = columns_of(r, r->scale);
	if (r->x + width <= columns) {
		return;
	}
	if (r->x < columns) {
		r->row[r->x++] = (struct vt_cell){ .width = 1, .flags = VT_CELL_PAD };
	}
	emit_filled(r, true);
	r->scale = scale;
}

static void note(struct reflow *r, struct mark *m, unsigned source, unsigned column)
{
	if (m->active && m->source == source && m->column == column) {
		m->row = r->count;
		m->result.column = (uint16_t)r->x;
		m->result.pending_wrap = false;
	}
}

/* A place behind the text of its row. */
static void note_end(struct reflow *r, struct mark *m, unsigned source, unsigned length)
{
	if (!m->active || m->source != source || m->column < length) {
		return;
	}
	unsigned column = r->x + (m->column - length);
	unsigned columns = columns_of(r, r->scale);
	m->row = r->count;
	m->result.column = (uint16_t)vt_min(column, columns - 1);
	m->result.pending_wrap = column == columns && m->column == length;
}

static void note_verbatim(struct reflow *r, struct mark *m, unsigned source)
{
	if (m->active && m->source == source) {
		unsigned columns = columns_of(r, r->scale);
		m->row = r->count;
		m->result.column = (uint16_t)vt_min(m->column, columns - 1);
		m->result.pending_wrap = m->column == columns;
	}
}

static bool is_blank(const struct vt_cell *c)
{
	return c->glyph == VT_EMPTY && c->width != 0;
}

/* Text of a row: without padding, without what was never written behind it, and without what was
 * erased in one colour as far as the edge: *fill then, which it has as far as the new edge too. */
static unsigned text_length(const struct reflow *r, const struct source *source, uint16_t *fill)
{
	const struct vt_cell *cells = source->cells;
	unsigned n = source->used;
	*fill = 0;
	if (source->wrapped) {
		return n > 0 && (cells[n - 1].flags & VT_CELL_PAD) != 0 ? n - 1 : n;
	}
	bool single = source->scale == VT_LINE_SINGLE;
	unsigned edge = single ? r->s->columns : vt_line_half(r->s->columns);
	if (n >= edge && n > 0 && is_blank(&cells[n - 1])) {
		*fill = cells[n - 1].style;
	}
	while (n > 0 && is_blank(&cells[n - 1]) && cells[n - 1].style == *fill) {
		n--;
	}
	return n;
}

static void flow(struct reflow *r, const struct source *source, unsigned index)
{
	uint16_t fill;
	unsigned length = text_length(r, source, &fill);
	r->scale = r->x == 0 ? source->scale : r->scale;
	for (unsigned i = 0; i < length; i++) {
		struct vt_cell c = source->cells[i];
		if (c.width == 0) { /* came with its left half */
			r->x--;
			note(r, &r->cursor, index, i);
			note(r, &r->saved, index, i);
			r->x++;
			continue;
		}
		if (c.width > columns_of(r, source->scale)) {
			c = (struct vt_cell){ .glyph = ' ', .style = c.style, .width = 1 };
		}
		make_room(r, c.width, source->scale);
		note(r, &r->cursor, index, i);
		note(r, &r->saved, index, i);
		r->row[r->x++] = c;
		if (c.width == 2) {
			r->row[r->x++] = (struct vt_cell){ .style = c.style };
		}
	}
	note_end(r, &r->cursor, index, length);
	note_end(r, &r->saved, index, length);
	if (!source->wrapped) {
		while (fill != 0 && r->x < columns_of(r, r->scale)) {
			r->row[r->x++] = (struct vt_cell){ .style = fill, .width = 1 };
		}
		emit_filled(r, false);
	}
}

static void flow_or_copy(struct reflow *r, const struct source *source, unsigned index, bool open)
{
	if (!source->verbatim) {
		flow(r, source, index);
		return;
	}
	if (open) { /* a line out of history goes on here */
		emit_filled(r, true);
	}
	r->scale = source->scale;
	note_verbatim(r, &r->cursor, index);
	note_verbatim(r, &r->saved, index);
	emit(r, source->cells, source->used, source->wrapped);
}

/* All sources, oldest first. Marks count from the first row of the old grid. */
static void flow_all(struct reflow *r)
{
	bool open = false;
	r->count = 0;
	r->x = 0;
	for (size_t i = r->pulled_count; i > 0; i--) {
		flow(r, &r->pulled[i - 1], UINT32_MAX);
		open = r->pulled[i - 1].wrapped;
	}
	for (unsigned i = 0; i < r->grid_count; i++) {
		flow_or_copy(r, &r->grid[i], i, open);
		open = r->grid[i].wrapped && !r->grid[i].verbatim;
	}
	if (open) {
		emit_filled(r, false);
	}
}

/* --- taking rows back from history --- */

static bool pulled_grow(struct reflow *r)
{
	if (r->pulled_count < r->pulled_size) {
		return true;
	}
	size_t size = r->pulled_size == 0 ? 32 : r->pulled_size * 2;
	struct source *pulled = realloc(r->pulled, size * sizeof(*pulled));
	if (pulled == NULL) {
		return false;
	}
	r->pulled = pulled;
	r->pulled_size = size;
	return true;
}

/* The newest line of the history, into the place before all others. */
static bool pull(struct reflow *r, struct vt_cell *scratch)
{
	struct vt_history *h = r->s->history;
	size_t count = vt_history_count(h);
	if (count == 0 || !pulled_grow(r)) {
		return false;
	}
	bool wrapped;
	size_t used = vt_history_read(h, &r->s->pool, count - 1, scratch, VT_SIZE_MAX, &wrapped);
	struct vt_cell *cells = malloc((used + 1) * sizeof(*cells));
	if (cells == NULL) {
		return false;
	}
	memcpy(cells, scratch, used * sizeof(*cells));
	r->pulled[r->pulled_count++] = (struct source){
		.cells = cells,
		.used = (unsigned)used,
		.wrapped = wrapped,
		.scale = (uint8_t)vt_history_scale(h, count - 1),
	};
	vt_history_pop(h);
	return true;
}

/* The rest of the line that begins in history and ends in what has been pulled so far. */
static void pull_wrapped(struct reflow *r, struct vt_cell *scratch)
{
	struct vt_history *h = r->s->history;
	for (unsigned n = 0; n < PULL_MAX; n++) {
		size_t count = vt_history_count(h);
		if (count == 0 || !vt_history_wrapped(h, count - 1) || !pull(r, scratch)) {
			return;
		}
	}
}

static void pull_needed(struct reflow *r, struct vt_cell *scratch, bool full)
{
	if (r->columns != r->s->columns) {
		pull_wrapped(r, scratch);
	}
	flow_all(r);
	unsigned have = r->count;
	while (full && have < r->rows) {
		size_t before = r->pulled_count;
		if (!pull(r, scratch)) {
			break;
		}
		pull_wrapped(r, scratch);
		r->count = 0;
		r->x = 0;
		bool open = false;
		for (size_t i = r->pulled_count; i > before; i--) {
			flow(r, &r->pulled[i - 1], UINT32_MAX);
			open = r->pulled[i - 1].wrapped;
		}
		have += r->count + (open ? 1 : 0);
	}
}

/* --- the whole --- */

static void reflow_done(struct reflow *r)
{
	for (size_t i = 0; i < r->pulled_count; i++) {
		free((void *)(uintptr_t)r->pulled[i].cells);
	}
	free(r->pulled);
	free(r->grid);
	free(r->row);
}

static void mark_init(struct mark *m, const struct vt_cursor *c, unsigned last)
{
	m->active = c->row <= last;
	m->source = c->row;
	m->column = c->column + (c->pending_wrap ? 1u : 0);
}

static void mark_finish(const struct reflow *r, const struct mark *m, struct vt_cursor *c)
{
	if (m->active) {
		*c = m->result;
		c->row = (uint16_t)vt_min(m->row - vt_min(m->row, r->top), r->rows - 1);
		return;
	}
	c->row = (uint16_t)vt_min(c->row, r->rows - 1);
	c->column = (uint16_t)vt_min(c->column, r->columns - 1);
	c->pending_wrap = false;
}

static bool sources_init(struct reflow *r, const struct vt_grid *old, unsigned last)
{
	r->grid_count = last + 1;
	r->grid = calloc(r->grid_count, sizeof(*r->grid));
	r->row = calloc(r->columns + 1, sizeof(*r->row));
	if (r->grid == NULL || r->row == NULL) {
		return false;
	}
	for (unsigned y = 0; y <= last; y++) {
		const struct vt_line *line = vt_grid_line(old, y);
		r->grid[y] = (struct source){
			.cells = line->cells,
			.used = line->used,
			.wrapped = line->wrapped,
			.verbatim = r->columns == old->columns,
			.scale = line->scale,
		};
	}
	return true;
}

/* The primary buffer at the new size, in *ret; its cursors are moved. False: no memory, no change.
 */
static bool reflow_primary(
	struct vt_screen *s, unsigned rows, unsigned columns, struct vt_grid *ret)
{
	struct vt_grid *old = &s->grids[VT_PRIMARY];
	struct vt_cursor *saved = &s->modes.saved[VT_PRIMARY].cursor;
	struct vt_cursor *cursor = s->modes.alternate ? saved : &s->cursor;
	unsigned last = last_row(old, cursor->row);
	struct reflow r = { .s = s, .rows = rows, .columns = columns };
	struct vt_cell *scratch = malloc(VT_SIZE_MAX * sizeof(*scratch));
	if (scratch == NULL || !vt_grid_init(ret, rows, columns)) {
		free(scratch);
		return false;
	}
	if (!sources_init(&r, old, last)) {
		vt_grid_done(ret);
		free(scratch);
		reflow_done(&r);
		return false;
	}
	mark_init(&r.cursor, cursor, last);
	mark_init(&r.saved, saved, last);
	pull_needed(&r, scratch, last + 1 == old->rows && rows > 0);
	free(scratch);
	flow_all(&r);
	r.top = r.count > rows ? r.count - rows : 0;
	r.top = r.cursor.active ? vt_min(r.top, r.cursor.row) : r.top;
	r.target = ret;
	flow_all(&r);
	mark_finish(&r, &r.saved, saved);
	if (cursor != saved) {
		mark_finish(&r, &r.cursor, cursor);
	}
	reflow_done(&r);
	return true;
}

/* The alternate buffer's lines, cut or padded, in *ret (already of the new size). */
static void crop(struct vt_grid *old, struct vt_grid *ret)
{
	for (unsigned y = 0; y < vt_min(old->rows, ret->rows); y++) {
		struct vt_line *line = vt_grid_line(old, y);
		bool single = line->scale == VT_LINE_SINGLE;
		unsigned columns = single ? ret->columns : vt_line_half(ret->columns);
		if (line->used > columns) {
			vt_line_erase(old, line, columns, old->columns, 0);
		}
		line->wrapped = line->wrapped && ret->columns == old->columns;
		*vt_grid_line(ret, y) = *line;
		*line = (struct vt_line){ 0 };
		line = vt_grid_line(ret, y);
		if (line->size > ret->columns) {
			struct vt_cell *cells = realloc(
				line->cells, (ret->columns + VT_LINE_SPARE) * sizeof(*cells));
			line->cells = cells != NULL ? cells : line->cells;
			line->size = (uint16_t)ret->columns;
		}
	}
}

/* Into the new size, at the row's end still pending. */
static void clamp_cursor(const struct vt_screen *s, enum vt_buffer which, struct vt_cursor *c)
{
	unsigned row = vt_min(c->row, s->rows - 1);
	bool single = vt_screen_line_scale(s, which, row) == VT_LINE_SINGLE;
	unsigned columns = single ? s->columns : vt_line_half(s->columns);
	if (c->row >= s->rows || c->column >= columns) {
		c->pending_wrap = false;
	}
	c->row = (uint16_t)row;
	c->column = (uint16_t)vt_min(c->column, columns - 1);
	c->pending_wrap = c->pending_wrap && c->column + 1u == columns;
}

static void resized(struct vt_screen *s, unsigned rows, unsigned columns)
{
	s->rows = rows;
	s->columns = columns;
	s->modes.top = 0;
	s->modes.bottom = (uint16_t)(rows - 1);
	s->modes.left = 0;
	s->modes.right = (uint16_t)(columns - 1);
	clamp_cursor(s, VT_ALTERNATE, &s->modes.saved[VT_ALTERNATE].cursor);
	clamp_cursor(s, VT_PRIMARY, &s->modes.saved[VT_PRIMARY].cursor);
	clamp_cursor(s, vt_screen_active(s), &s->cursor);
	s->join.valid = false;
	s->changes++;
	for (unsigned which = 0; which < 2; which++) { /* nothing follows the last row */
		if (s->grids[which].lines != NULL) {
			vt_grid_line(&s->grids[which], rows - 1)->wrapped = false;
		}
	}
	for (unsigned y = 0; y < rows; y++) {
		(void)vt_touch(s, y);
	}
	vt_line_scale_look(s);
	if (vt_modes_get(&s->modes, VT_MODE_INBAND_RESIZE)) {
		vt_reply_resized(s);
	}
}

int vt_screen_resize(struct vt_screen *s, unsigned rows, unsigned columns)
{
	rows = rows < 1 ? 1 : vt_min(rows, VT_SIZE_MAX);
	columns = columns < 1 ? 1 : vt_min(columns, VT_SIZE_MAX);
	if (rows == s->rows && columns == s->columns) {
		return 0;
	}
	struct vt_grid *alternate = &s->grids[VT_ALTERNATE];
	struct vt_grid other = { 0 };
	struct vt_grid primary;
	vt_collect(s);
	if (alternate->lines != NULL && !vt_grid_init(&other, rows, columns)) {
		return -ENOMEM;
	}
	if (!reflow_primary(s, rows, columns, &primary)) {
		vt_grid_done(&other);
		return -ENOMEM;
	}
	if (alternate->lines != NULL) {
		crop(alternate, &other);
		vt_grid_done(alternate);
		*alternate = other;
	}
	vt_grid_done(&s->grids[VT_PRIMARY]);
	s->grids[VT_PRIMARY] = primary;
	resized(s, rows, columns);
	return 0;
}
