/* Operations on a rectangle of cells: copy (DECCRA), fill (DECFRA), erase (DECERA, DECSERA), and
 * change or reverse attributes (DECCARA, DECRARA), these also from one place to another (DECSACE).
 * Margins hold in origin mode only, and then places count from them. The cursor stays, and so does
 * a wrap that is pending.
 */
#include <string.h>

#include "vt/state.h"

/* Borders are inclusive. */
struct rectangle {
	unsigned top, left, bottom, right;
};

/* A row or column as the program counts it, from 1, in that range. */
static unsigned place(int value, unsigned first, unsigned last)
{
	return vt_min(first + (unsigned)value - 1, last);
}

/* The four parameters from `first` on. False: no cell is in it. */
static bool rectangle(const struct vt_screen *s, const struct vt_sequence *q, unsigned first,
	struct rectangle *ret)
{
	bool origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	unsigned top = origin ? s->modes.top : 0;
	unsigned bottom = origin ? s->modes.bottom : s->rows - 1;
	unsigned left = origin ? s->modes.left : 0;
	unsigned right = origin ? s->modes.right : s->columns - 1;
	int all = VT_SIZE_MAX;
	if (top + (unsigned)vt_sequence_arg(q, first, 1) - 1 > bottom ||
		left + (unsigned)vt_sequence_arg(q, first + 1, 1) - 1 > right) {
		return false;
	}
	ret->top = place(vt_sequence_arg(q, first, 1), top, bottom);
	ret->left = place(vt_sequence_arg(q, first + 1, 1), left, right);
	ret->bottom = place(vt_sequence_arg(q, first + 2, all), top, bottom);
	ret->right = place(vt_sequence_arg(q, first + 3, all), left, right);
	return ret->top <= ret->bottom && ret->left <= ret->right;
}

static void erase(struct vt_screen *s, const struct rectangle *r, bool selective)
{
	for (unsigned y = r->top; y <= r->bottom; y++) {
		vt_edit_erase(s, y, r->left, r->right + 1, selective);
	}
}

/* Columns left.. of row y become these cells, which hold no half of a wide character. */
static void put(
	struct vt_screen *s, unsigned y, unsigned left, const struct vt_cell *cells, unsigned n)
{
	struct vt_line *line = vt_touch(s, y);
	unsigned columns = vt_columns_at(s, y);
	n = vt_min(left + n, vt_max(left, columns)) - left;
	struct vt_cell *out = n > 0 ? vt_line_write(s->grid, line, left, n) : NULL;
	if (out != NULL) {
		memcpy(out, cells, n * sizeof(*cells));
		if (out[n - 1].width == 2) { /* of a scaled row there is only half */
			out[n - 1] = (struct vt_cell){ ' ', out[n - 1].style, 1, 0 };
		}
		line->wrapped &= left + n < columns;
	}
}

static void fill(struct vt_screen *s, const struct rectangle *r, unsigned character)
{
	struct vt_cell cells[VT_SIZE_MAX];
	unsigned n = r->right - r->left + 1;
	struct vt_cell cell = { .glyph = character, .style = vt_pen(s), .width = 1 };
	for (unsigned i = 0; i < n; i++) {
		cells[i] = cell;
	}
	for (unsigned y = r->top; y <= r->bottom; y++) {
		put(s, y, r->left, cells, n);
	}
}

/* n cells of a row; halves of wide characters that reach out become spaces. */
static void take(
	const struct vt_screen *s, unsigned y, unsigned left, struct vt_cell *cells, unsigned n)
{
	const struct vt_line *line = vt_line_at(s, y);
	for (unsigned i = 0; i < n; i++) {
		bool exists = left + i < line->used;
		cells[i] = exists ? line->cells[left + i] : (struct vt_cell){ .width = 1 };
	}
	if (cells[0].width == 0) {
		cells[0] = (struct vt_cell){ ' ', cells[0].style, 1, 0 };
	}
	if (cells[n - 1].width == 2) {
		cells[n - 1] = (struct vt_cell){ ' ', cells[n - 1].style, 1, 0 };
	}
}

/* Whole rows are taken before they are put, and in the order in which none is overwritten before.
 */
static void copy(struct vt_screen *s, const struct rectangle *from, const struct rectangle *to)
{
	struct vt_cell cells[VT_SIZE_MAX];
	unsigned height = vt_min(from->bottom - from->top, to->bottom - to->top) + 1;
	unsigned n = vt_min(from->right - from->left, to->right - to->left) + 1;
	for (unsigned i = 0; i < height; i++) {
		unsigned y = to->top <= from->top ? i : height - 1 - i;
		take(s, from->top + y, from->left, cells, n);
		put(s, to->top + y, to->left, cells, n);
	}
}

/* --- attributes --- */

/* What DECCARA and DECRARA know of SGR (VT510; 8 as xterm has it). Colours stay as they are. */
static const struct {
	uint8_t number;
	uint16_t attribute; /* 0 = underline */
} known[] = {
	{ 1, VT_BOLD },
	{ 4, 0 },
	{ 5, VT_BLINK },
	{ 7, VT_INVERSE },
	{ 8, VT_INVISIBLE },
};

static void set_attribute(struct vt_style *style, uint16_t attribute, bool on)
{
	if (attribute == 0) {
		style->underline = on ? VT_UNDERLINE_SINGLE : VT_UNDERLINE_NONE;
	} else {
		unsigned others = style->attributes & ~(unsigned)attribute;
		style->attributes = (uint16_t)(others | (on ? attribute : 0));
	}
}

static bool has_attribute(const struct vt_style *style, uint16_t attribute)
{
	return attribute == 0 ? style->underline != VT_UNDERLINE_NONE
			      : (style->attributes & attribute) != 0;
}

/* One parameter: 0 = all of them (but DECRARA not invisible, as the VT520), 20 + n = off. */
static void change(struct vt_style *style, unsigned value, bool reverse)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		unsigned number = known[i].number;
		unsigned off = number == 1 ? 22 : number + 20;
		uint16_t attribute = known[i].attribute;
		if (reverse && (value == number || (value == 0 && number != 8))) {
			set_attribute(style, attribute, !has_attribute(style, attribute));
		} else if (!reverse && value == number) {
			set_attribute(style, attribute, true);
		} else if (!reverse && (value == 0 || value == off)) {
			set_attribute(style, attribute, false);
		}
	}
}

static uint16_t changed_style(struct vt_screen *s, const struct vt_sequence *q, uint16_t id)
{
	struct vt_style style = *vt_pool_style(&s->pool, id);
	for (unsigned i = 4; i < q->count || i == 4; i++) {
		change(&style, (unsigned)vt_sequence_value(q, i, 0), q->final == 't');
	}
	return vt_pool_style_put(&s->pool, &style);
}

/* Cells that were never written exist afterwards as far as `end`. */
static void extend(struct vt_screen *s, struct vt_line *line, unsigned end)
{
	unsigned used = line->used;
	struct vt_cell *cells = end > used ? vt_line_write(s->grid, line, used, end - used) : NULL;
	for (unsigned i = 0; cells != NULL && i < end - used; i++) {
		cells[i] = (struct vt_cell){ .width = 1 };
	}
}

/* Where a look is put on nothing, a space shows it; a wide character goes with its left half. */
static void mark_row(
	struct vt_screen *s, const struct vt_sequence *q, unsigned y, unsigned left, unsigned end)
{
	struct vt_line *line = vt_touch(s, y);
	end = vt_min(end, vt_columns_at(s, y));
	uint16_t from = 0;
	uint16_t to = changed_style(s, q, 0);
	if (to != 0 && left < end) {
		extend(s, line, end);
	}
	for (unsigned x = left; x < vt_min(end, line->used); x++) {
		struct vt_cell *cell = &line->cells[x];
		if (cell->width == 0) {
			continue;
		}
		if (cell->style != from) {
			from = cell->style;
			to = changed_style(s, q, from);
		}
		cell->style = to;
		if (cell->width == 2) {
			cell[1].style = to;
		}
		const struct vt_style *style = vt_pool_style(&s->pool, to);
		bool shows = style->underline != VT_UNDERLINE_NONE ||
			     (style->attributes & ~(unsigned)VT_PROTECTED) != 0;
		if (cell->glyph == VT_EMPTY && shows) {
			cell->glyph = ' ';
			cell->flags = 0;
		}
	}
}

void vt_rectangle_attributes(struct vt_screen *s, const struct vt_sequence *q)
{
	struct rectangle r;
	if (!rectangle(s, q, 0, &r)) {
		return;
	}
	bool origin = vt_modes_get(&s->modes, VT_MODE_ORIGIN);
	bool exact = s->modes.attribute_extent == 2;
	unsigned first = origin ? s->modes.left : 0;
	unsigned last = origin ? s->modes.right : s->columns - 1;
	vt_collect(s);
	for (unsigned y = r.top; y <= r.bottom; y++) {
		unsigned left = exact || y == r.top ? r.left : first;
		unsigned right = exact || y == r.bottom ? r.right : last;
		mark_row(s, q, y, left, right + 1);
	}
}

void vt_rectangle_extent(struct vt_screen *s, const struct vt_sequence *q)
{
	unsigned extent = (unsigned)vt_sequence_value(q, 0, 0);
	if (extent <= 2) {
		s->modes.attribute_extent = (uint8_t)extent;
	}
}

void vt_rectangle(struct vt_screen *s, const struct vt_sequence *q)
{
	struct rectangle r;
	struct rectangle to;
	int character = vt_sequence_value(q, 0, 0);
	switch (q->final) {
	case 'v': { /* the fifth and eighth parameter are pages: there is one */
		struct vt_sequence target = { .count = 2 };
		target.values[0] = vt_sequence_arg(q, 5, 1);
		target.values[1] = vt_sequence_arg(q, 6, 1);
		if (rectangle(s, q, 0, &r) && rectangle(s, &target, 0, &to)) {
			copy(s, &r, &to);
		}
		break;
	}
	case 'x':
		if (((character >= 0x20 && character <= 0x7e) ||
			    (character >= 0xa0 && character <= 0xff && character != 0xad)) &&
			rectangle(s, q, 1, &r)) {
			fill(s, &r, (unsigned)character);
		}
		break;
	default:
		if (rectangle(s, q, 0, &r)) {
			erase(s, &r, q->final == '{');
		}
		break;
	}
}
