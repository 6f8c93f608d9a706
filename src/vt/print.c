/* Text at the cursor: the hot path. Plain runs are stored a row's rest at a time (those that are
 * not ASCII in print_utf8.c); single characters go through put_cell(), and code points that belong
 * to the character before them through join().
 */
#include <string.h>

#include "vt/print.h"
#include "vt/state.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A cell in the pen's style without a glyph. */
static inline struct vt_cell model_cell(struct vt_screen *s, unsigned width)
{
	return (struct vt_cell){ .style = vt_pen(s), .width = (uint8_t)width };
}

/* The row is full: the text goes on in the next one, if there is one (below the bottom margin the
 * last row is written again). */
static void wrap(struct vt_screen *s)
{
	bool stays = s->cursor.row + 1u == s->rows && s->cursor.row != s->modes.bottom;
	if (s->modes.left == 0 && s->modes.right + 1u == s->columns && !stays) {
		struct vt_line *line = print_line(s);
		unsigned columns = vt_columns_at(s, s->cursor.row);
		line->wrapped = true;
		if (line->used < columns) { /* erased since: what is joined keeps its place */
			(void)vt_line_write(s->grid, line, columns, 0);
		}
	}
	s->cursor.column = s->modes.left;
	s->join.valid = false;
	vt_cursor_index(s);
}

/* The line is full: padding that an earlier wrap has left in its last cell is none of this one's.
 */
static void wrap_full(struct vt_screen *s)
{
	const struct vt_line *line = vt_line_at(s, s->cursor.row);
	unsigned x = s->cursor.column;
	if (x < line->used && (line->cells[x].flags & VT_CELL_PAD) != 0) {
		vt_touch(s, s->cursor.row)->cells[x].flags &= (uint8_t)~VT_CELL_PAD;
	}
	wrap(s);
}

/* Before a character is stored: a wrap that was put off is done now. */
static inline void wrap_pending(struct vt_screen *s)
{
	if (s->cursor.pending_wrap) {
		s->cursor.pending_wrap = false;
		if (vt_modes_get(&s->modes, VT_MODE_AUTOWRAP)) {
			wrap_full(s);
		}
	}
}

#ifdef __SSE2__
static inline void store_eight(struct vt_cell *cells, __m128i looks, const uint8_t *bytes)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i v = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
	__m128i words = _mm_unpacklo_epi8(v, zero);
	__m128i low = _mm_unpacklo_epi16(words, zero);
	__m128i high = _mm_unpackhi_epi16(words, zero);
	__m128i *out = (__m128i *)(void *)cells;
	_mm_storeu_si128(out, _mm_unpacklo_epi32(low, looks));
	_mm_storeu_si128(out + 1, _mm_unpackhi_epi32(low, looks));
	_mm_storeu_si128(out + 2, _mm_unpacklo_epi32(high, looks));
	_mm_storeu_si128(out + 3, _mm_unpackhi_epi32(high, looks));
}

static inline void store_four(struct vt_cell *cells, __m128i looks, const uint8_t *bytes)
{
	const __m128i zero = _mm_setzero_si128();
	int32_t four;
	memcpy(&four, bytes, sizeof(four));
	__m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
	__m128i low = _mm_unpacklo_epi16(words, zero);
	__m128i *out = (__m128i *)(void *)cells;
	_mm_storeu_si128(out, _mm_unpacklo_epi32(low, looks));
	_mm_storeu_si128(out + 1, _mm_unpackhi_epi32(low, looks));
}

/* Words are short and of any length: the rest of a run is stored by one more group that overlaps
 * the last, which costs less than a loop whose end cannot be foretold. */
static inline void store_ascii(
	struct vt_cell *cells, struct vt_cell model, const uint8_t *bytes, size_t n)
{
	int32_t look;
	memcpy(&look, (const uint8_t *)&model + 4, sizeof(look));
	const __m128i looks = _mm_set1_epi32(look);
	if (n >= 8) {
		for (size_t i = 0; i + 8 <= n; i += 8) {
			store_eight(cells + i, looks, bytes + i);
		}
		store_eight(cells + n - 8, looks, bytes + n - 8);
	} else if (n >= 4) {
		store_four(cells, looks, bytes);
		store_four(cells + n - 4, looks, bytes + n - 4);
	} else if (n > 0) {
		model.glyph = bytes[0];
		cells[0] = model;
		model.glyph = bytes[n / 2];
		cells[n / 2] = model;
		model.glyph = bytes[n - 1];
		cells[n - 1] = model;
	}
}
#else
static inline void store_ascii(
	struct vt_cell *cells, struct vt_cell model, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		model.glyph = bytes[i];
		cells[i] = model;
	}
}
#endif

/* The same with bytes as they are. */
static inline void copy_ascii(uint8_t *to, const uint8_t *bytes, size_t n)
{
	if (n >= 8) {
		for (size_t i = 0; i + 8 <= n; i += 8) {
			memcpy(to + i, bytes + i, 8);
		}
		memcpy(to + n - 8, bytes + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, bytes, 4);
		memcpy(to + n - 4, bytes + n - 4, 4);
	} else if (n > 0) {
		to[0] = bytes[0];
		to[n / 2] = bytes[n / 2];
		to[n - 1] = bytes[n - 1];
	}
}

/* Without autowrap what does not fit overwrites the last column: only its last character is seen.
 */
static void overwrite_last(struct vt_screen *s, const uint8_t *bytes, size_t length)
{
	struct vt_cell *cell = vt_line_write(
		s->grid, vt_touch(s, s->cursor.row), s->cursor.column, 1);
	if (cell != NULL) {
		*cell = model_cell(s, 1);
		cell->glyph = bytes[length - 1];
	}
	s->cursor.pending_wrap = true;
}

/* Into cells that are ready, and into the row's draft if it has one. */
static inline void store_run(
	struct vt_line *line, unsigned x, struct vt_cell model, const uint8_t *bytes, unsigned n)
{
	uint8_t *draft = vt_draft_add(line, x, model.style, n, n);
	if (draft != NULL) {
		copy_ascii(draft, bytes, n);
	}
	store_ascii(line->cells + x, model, bytes, n);
}

/* A run of any length, over as many rows as it takes. */
static void ascii_across(struct vt_screen *s, const uint8_t *bytes, size_t length)
{
	struct vt_cell model = model_cell(s, 1);
	const uint8_t *end = bytes + length;
	while (bytes < end) {
		if (s->cursor.pending_wrap && !vt_modes_get(&s->modes, VT_MODE_AUTOWRAP)) {
			overwrite_last(s, bytes, (size_t)(end - bytes));
			break;
		}
		wrap_pending(s);
		unsigned limit = vt_cursor_margin(s);
		unsigned x = s->cursor.column;
		size_t left = (size_t)(end - bytes);
		unsigned n = left < limit - x ? (unsigned)left : limit - x;
		struct vt_line *line = print_line(s);
		if (vt_line_write(s->grid, line, x, n) != NULL) {
			store_run(line, x, model, bytes, n);
		}
		bytes += n;
		print_advance(s, x + n, limit);
	}
	unsigned column = s->cursor.column - (s->cursor.pending_wrap ? 0 : 1);
	print_remember(s, column, end[-1]);
}

/* A run that vt_print_ascii() does not store by itself. */
static __attribute__((noinline)) void ascii_with_care(
	struct vt_screen *s, const uint8_t *bytes, size_t length)
{
	if (print_plain(s)) {
		ascii_across(s, bytes, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		uint32_t point = bytes[i];
		vt_print_text(s, &point, 1);
	}
}

static __attribute__((noinline)) void ascii_new_pen(
	struct vt_screen *s, const uint8_t *bytes, size_t length)
{
	(void)vt_pen_find(s);
	vt_print_ascii(s, bytes, length);
}

/* The cursor's row has got n characters from column x on. */
static inline void ascii_stored(
	struct vt_screen *s, struct vt_line *line, unsigned x, const uint8_t *bytes, unsigned n)
{
	line->changed = s->changes;
	if (line->used < x + n) {
		line->used = (uint16_t)(x + n);
	}
	s->cursor.column = (uint16_t)(x + n);
	print_remember(s, x + n - 1, bytes[n - 1]);
}

static __attribute__((noinline)) void ascii_drafted(
	struct vt_screen *s, struct vt_line *line, const uint8_t *bytes, unsigned n)
{
	unsigned x = s->cursor.column;
	struct vt_cell model = { .style = s->pen_style, .width = 1 };
	store_run(line, x, model, bytes, n);
	ascii_stored(s, line, x, bytes, n);
}

/* The usual run is done here, without a call: all of it and the cursor behind it stand in the row,
 * whose cells are there. */
void vt_print_ascii(void *screen, const uint8_t *bytes, size_t length)
{
	struct vt_screen *s = screen;
	unsigned x = s->cursor.column;
	if (!s->pen_known) {
		ascii_new_pen(s, bytes, length);
		return;
	}
	if (!s->plain || vt_modes_get(&s->modes, VT_MODE_INSERT) || s->join.grapheme != 0 ||
		s->cursor.pending_wrap || length >= vt_cursor_margin(s) - x) {
		ascii_with_care(s, bytes, length);
		return;
	}
	unsigned n = (unsigned)length;
	struct vt_line *line = vt_line_at(s, s->cursor.row);
	if (!vt_line_ready(line, x, n)) {
		ascii_with_care(s, bytes, length);
		return;
	}
	if (line->draft_next != 0) {
		ascii_drafted(s, line, bytes, n);
		return;
	}
	struct vt_cell model = { .style = s->pen_style, .width = 1 };
	store_ascii(line->cells + x, model, bytes, n);
	ascii_stored(s, line, x, bytes, n);
}

/* A wide character does not fit into the last column: it goes into the next row, or without
 * autowrap ends at the margin. False: there is no room for it anywhere. */
static bool make_room(struct vt_screen *s, unsigned width)
{
	unsigned limit = vt_cursor_limit(s);
	if (s->cursor.column + width <= limit) {
		return true;
	}
	if (!vt_modes_get(&s->modes, VT_MODE_AUTOWRAP)) {
		unsigned start = limit == s->modes.right + 1u ? s->modes.left : 0;
		s->cursor.column = (uint16_t)(limit - vt_min(width, limit - start));
		return s->cursor.column + width <= limit;
	}
	if (s->modes.right + 1u - s->modes.left < width) {
		return false;
	}
	struct vt_cell *cell = vt_line_write(
		s->grid, vt_touch(s, s->cursor.row), s->cursor.column, 1);
	if (cell != NULL) {
		*cell = (struct vt_cell){ .style = vt_blank(s), .width = 1, .flags = VT_CELL_PAD };
	}
	wrap(s);
	return s->cursor.column + width <= vt_cursor_limit(s);
}

static void put_cell(struct vt_screen *s, uint32_t glyph, unsigned width)
{
	wrap_pending(s);
	if (!make_room(s, width)) {
		s->join.valid = false;
		return;
	}
	unsigned x = s->cursor.column;
	if (vt_modes_get(&s->modes, VT_MODE_INSERT)) {
		vt_edit_insert_cells(s, s->cursor.row, x, width);
	}
	struct vt_cell *cells = vt_line_write(s->grid, vt_touch(s, s->cursor.row), x, width);
	if (cells != NULL) {
		cells[0] = model_cell(s, width);
		cells[0].glyph = glyph;
		if (width == 2) {
			cells[1] = model_cell(s, 0);
		}
	}
	print_remember(s, x, glyph);
	print_advance(s, x + width, vt_cursor_limit(s));
}

/* Cells that a glyph takes where there is room for it. */
static unsigned glyph_width(const struct vt_screen *s, uint32_t glyph)
{
	uint32_t own;
	const uint32_t *points;
	size_t count = vt_pool_points(&s->pool, glyph, &own, &points);
	unsigned width = count > 0 ? vt_width(points[0]) : 1;
	for (size_t i = 1; i < count && vt_modes_get(&s->modes, VT_MODE_GRAPHEME); i++) {
		width = vt_width_joined(points[0], width, points[i]);
	}
	return width;
}

void vt_print_repeat(struct vt_screen *s, unsigned times)
{
	uint32_t glyph = s->last_glyph;
	unsigned width = glyph_width(s, glyph);
	if (glyph == VT_EMPTY) {
		return;
	}
	times = vt_min(times, s->rows * s->columns); /* more would show the same */
	while (times-- > 0) {
		put_cell(s, glyph, width);
	}
	s->join.valid = false;
}

/* The cell that a code point would join: the one printed last, or for a combining mark that comes
 * after a movement the one before the cursor. NULL = none. */
static struct vt_cell *joint(struct vt_screen *s, bool combining, unsigned *ret_column)
{
	unsigned column = s->join.column;
	unsigned row = s->join.row;
	if (!s->join.valid) {
		row = s->cursor.row;
		column = s->cursor.column;
		if (!combining || (column == 0 && !s->cursor.pending_wrap)) {
			return NULL;
		}
		column -= s->cursor.pending_wrap ? 0 : 1;
	}
	struct vt_line *line = vt_line_at(s, row);
	if (row != s->cursor.row || column >= line->used) {
		return NULL;
	}
	if (line->cells[column].width == 0 && column > 0) {
		column--;
	}
	*ret_column = column;
	return line->cells[column].glyph == VT_EMPTY ? NULL : &line->cells[column];
}

/* The character at `column` of the cursor's row becomes two cells wide, if it stands right before
 * the cursor and there is room. */
static void widen(struct vt_screen *s, unsigned column)
{
	if (column + 1 != s->cursor.column || s->cursor.pending_wrap) {
		return;
	}
	if (vt_modes_get(&s->modes, VT_MODE_INSERT)) {
		vt_edit_insert_cells(s, s->cursor.row, column + 1, 1);
	}
	struct vt_line *line = vt_touch(s, s->cursor.row);
	struct vt_cell *cells = vt_line_write(s->grid, line, column + 1, 1);
	if (cells == NULL) {
		return;
	}
	line->cells[column].width = 2;
	cells[0] = (struct vt_cell){ .style = line->cells[column].style };
	print_advance(s, column + 2, vt_cursor_limit(s));
}

/* The code point becomes a part of the character in `cell`. False: it is full. */
static bool join(struct vt_screen *s, struct vt_cell *cell, unsigned column, uint32_t point)
{
	uint32_t points[VT_CLUSTER_LENGTH];
	uint32_t own;
	const uint32_t *old;
	size_t count = vt_pool_points(&s->pool, cell->glyph, &own, &old);
	if (count == 0 || count == VT_CLUSTER_LENGTH) {
		return false;
	}
	memcpy(points, old, count * sizeof(*points));
	points[count++] = point;
	vt_collect(s);
	uint32_t glyph = vt_pool_cluster_put(&s->pool, points, count);
	if (glyph == VT_EMPTY) {
		return false;
	}
	uint32_t before = cell->glyph;
	cell->glyph = glyph;
	vt_draft_join(print_line(s), &s->pool, column, before);
	if (vt_modes_get(&s->modes, VT_MODE_GRAPHEME) &&
		vt_width_joined(points[0], cell->width, point) > cell->width) {
		widen(s, column);
	}
	s->last_glyph = glyph;
	return true;
}

/* The state of grapheme breaking behind the character that was printed last. */
static vt_grapheme grapheme_so_far(struct vt_screen *s, const struct vt_cell *cell)
{
	vt_grapheme state = 0;
	if (s->join.valid) {
		state = s->join.grapheme;
		if (state == 0) {
			(void)vt_grapheme_next(&state, s->join.point);
		}
		return state;
	}
	uint32_t own;
	const uint32_t *points;
	size_t count = vt_pool_points(&s->pool, cell->glyph, &own, &points);
	for (size_t i = 0; i < count; i++) {
		(void)vt_grapheme_next(&state, points[i]);
	}
	return state;
}

static void put_point(struct vt_screen *s, uint32_t point)
{
	unsigned width = vt_width(point);
	unsigned column;
	struct vt_cell *cell = joint(s, width == 0, &column);
	vt_grapheme state = cell != NULL ? grapheme_so_far(s, cell) : 0;
	bool breaks = vt_grapheme_next(&state, point);
	if (cell != NULL && !breaks && (width == 0 || vt_modes_get(&s->modes, VT_MODE_GRAPHEME))) {
		if (join(s, cell, column, point) && s->join.valid) {
			s->join.grapheme = state;
		}
		return;
	}
	if (width == 0) { /* nothing to combine with, or invisible: it has no place on a screen */
		return;
	}
	put_cell(s, point, width);
	state = 0; /* its own alone, also where it was not allowed to join */
	(void)vt_grapheme_next(&state, point);
	s->join.grapheme = state;
}

void vt_print_text(void *screen, const uint32_t *points, size_t count)
{
	struct vt_screen *s = screen;
	for (size_t i = 0; i < count; i++) {
		put_point(s, s->plain ? points[i] : vt_charset_map(s, points[i]));
	}
}
