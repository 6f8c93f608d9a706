#include "compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compare_parts.h"
#include "vt/width.h"

void compare_differs(struct comparison *c, const char *format, ...)
{
	if (c->why[0] != '\0') {
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(c->why, sizeof(c->why), format, arguments);
	va_end(arguments);
}

/* --- cells ------------------------------------------------------------------------------------ */

bool compare_style(const struct vt_screen *a, const struct vt_style *x, const struct vt_screen *b,
	const struct vt_style *y)
{
	struct vt_style without_x = *x;
	struct vt_style without_y = *y;
	without_x.link = without_y.link = 0;
	if (!vt_style_equal(&without_x, &without_y) || (x->link == 0) != (y->link == 0)) {
		return false;
	}
	struct vt_link link_x = vt_screen_link(a, x->link);
	struct vt_link link_y = vt_screen_link(b, y->link);
	return x->link == 0 ||
	       (strcmp(link_x.uri, link_y.uri) == 0 && strcmp(link_x.id, link_y.id) == 0);
}

bool compare_glyph(const struct vt_screen *a, uint32_t x, const struct vt_screen *b, uint32_t y)
{
	const uint32_t *points_x;
	const uint32_t *points_y;
	size_t count = vt_screen_cluster(a, x, &points_x);
	if (count != vt_screen_cluster(b, y, &points_y)) {
		return false;
	}
	return count == 0 ? x == y : memcmp(points_x, points_y, count * sizeof(*points_x)) == 0;
}

bool compare_is_squeezed(const struct vt_screen *s, const struct vt_cell *cell)
{
	const uint32_t *points;
	size_t count = vt_screen_cluster(s, cell->glyph, &points);
	unsigned width = count > 0 ? vt_width(points[0]) : cell->width;
	for (size_t i = 1; i < count; i++) {
		width = vt_width_joined(points[0], width, points[i]);
	}
	return cell->width != width;
}

static void put_utf8(char **to, const char *end, uint32_t point)
{
	char bytes[5];
	int n = point < 0x80	? snprintf(bytes, 5, "%c", (int)point)
		: point < 0x800 ? snprintf(bytes, 5, "%c%c", (int)(0xc0 | point >> 6),
					  (int)(0x80 | (point & 0x3f)))
		: point < 0x10000
			? snprintf(bytes, 5, "%c%c%c", (int)(0xe0 | point >> 12),
				  (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)))
			: snprintf(bytes, 5, "%c%c%c%c", (int)(0xf0 | point >> 18),
				  (int)(0x80 | (point >> 12 & 0x3f)),
				  (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)));
	if (end - *to > n) {
		memcpy(*to, bytes, (size_t)n);
		*to += n;
	}
}

void compare_row_text(const struct vt_screen *s, const struct vt_cell *cells, unsigned count,
	char *text, size_t size)
{
	char *to = text;
	char *used = text;
	for (unsigned i = 0; i < count; i++) {
		if (cells[i].width == 0) {
			continue;
		}
		const uint32_t *points = &cells[i].glyph;
		size_t n = (cells[i].glyph & VT_CLUSTER) != 0
				   ? vt_screen_cluster(s, cells[i].glyph, &points)
				   : 1;
		for (size_t k = 0; k < n; k++) {
			put_utf8(&to, text + size, points[k] == VT_EMPTY ? ' ' : points[k]);
		}
		if (cells[i].glyph != VT_EMPTY && cells[i].glyph != ' ') {
			used = to;
		}
	}
	*used = '\0';
}

static struct vt_cell cell_at(const struct vt_row *row, unsigned x)
{
	return x < row->used ? row->cells[x] : (struct vt_cell){ .width = 1 };
}

static bool is_blank(const struct vt_cell *c)
{
	return c->width == 1 && (c->glyph == VT_EMPTY || c->glyph == ' ');
}

static unsigned row_columns(const struct vt_screen *s, enum vt_buffer which, unsigned y)
{
	bool single = vt_screen_line_scale(s, which, y) == VT_LINE_SINGLE;
	return single ? vt_screen_columns(s) : vt_line_half(vt_screen_columns(s));
}

/* The one place where a space may stand for nothing: a wrap is pending there. */
static bool is_pending_place(
	const struct vt_screen *s, enum vt_buffer which, unsigned y, unsigned x)
{
	const struct vt_modes *m = vt_screen_modes(s);
	struct vt_cursor c = vt_screen_cursor(s);
	if (which == vt_screen_active(s) && c.pending_wrap && c.row == y && c.column == x) {
		return true;
	}
	c = m->saved[VT_PRIMARY].cursor;
	return which == VT_PRIMARY && m->alternate_by == 1049 && c.pending_wrap && c.row == y &&
	       c.column == x;
}

static void compare_cell(struct comparison *c, struct vt_screen *of, struct vt_screen *other,
	enum vt_buffer which, unsigned y, unsigned x)
{
	struct vt_row row_a = vt_screen_row(of, which, y);
	struct vt_row row_b = vt_screen_row(other, which, y);
	struct vt_cell a = cell_at(&row_a, x);
	struct vt_cell b = cell_at(&row_b, x);
	const char *buffer = which == VT_PRIMARY ? "primary" : "alternate";
	bool wraps_over = row_a.wrapped && x + 1 == row_columns(of, which, y);
	if (is_blank(&a) && is_blank(&b) && a.glyph != b.glyph &&
		(wraps_over || is_pending_place(of, which, y, x))) {
		c->tolerated |= TOLERATED_SPACE;
		return;
	}
	if (!compare_glyph(of, a.glyph, other, b.glyph) && compare_is_squeezed(of, &a) &&
		a.width == b.width) {
		c->tolerated |= TOLERATED_SQUEEZED;
		return;
	}
	if (!compare_glyph(of, a.glyph, other, b.glyph) || a.width != b.width) {
		char text_a[64];
		char text_b[64];
		compare_row_text(of, &a, 1, text_a, sizeof(text_a));
		compare_row_text(other, &b, 1, text_b, sizeof(text_b));
		compare_differs(c,
			"%s cell %u,%u is '%s' (%x, width %u), should be '%s' (%x, width %u)",
			buffer, y, x, text_b, b.glyph, b.width, text_a, a.glyph, a.width);
	}
	const struct vt_style *s = vt_screen_style(of, a.style);
	const struct vt_style *t = vt_screen_style(other, b.style);
	if (!compare_style(of, s, other, t)) {
		compare_differs(c,
			"style of %s cell %u,%u is fg %x bg %x attributes %x underline %u/%x link "
			"%s, should be fg %x bg %x attributes %x underline %u/%x link %s",
			buffer, y, x, t->foreground, t->background, t->attributes, t->underline,
			t->underline_color, vt_screen_link(other, t->link).uri, s->foreground,
			s->background, s->attributes, s->underline, s->underline_color,
			vt_screen_link(of, s->link).uri);
	}
}

static void compare_cells(struct comparison *c, struct vt_screen *of, struct vt_screen *other)
{
	for (unsigned which = 0; which < 2; which++) {
		if (which == VT_ALTERNATE && !vt_screen_modes(of)->alternate) {
			break; /* its content is gone when it is left */
		}
		for (unsigned y = 0; y < vt_screen_rows(of); y++) {
			struct vt_row a = vt_screen_row(of, which, y);
			struct vt_row b = vt_screen_row(other, which, y);
			for (unsigned x = 0; x < vt_screen_columns(of); x++) {
				compare_cell(c, of, other, which, y, x);
			}
			if (vt_screen_line_scale(of, which, y) !=
				vt_screen_line_scale(other, which, y)) {
				compare_differs(
					c, "row %u of buffer %u is scaled otherwise", y, which);
			}
			if (a.wrapped != b.wrapped) {
				compare_differs(c, "row %u of buffer %u is %swrapped", y, which,
					b.wrapped ? "" : "not ");
			}
			unsigned last = row_columns(of, which, y) - 1;
			if (a.wrapped && (c->tolerated & TOLERATED_SPACE) == 0 &&
				((cell_at(&a, last).flags ^ cell_at(&b, last).flags) &
					VT_CELL_PAD) != 0) {
				compare_differs(c, "the end of row %u is padded in one only", y);
			}
		}
	}
}

/* --- cursor ----------------------------------------------------------------------------------- */

static bool has_room(const struct vt_screen *s)
{
	for (unsigned y = 0; y < vt_screen_rows(s); y++) {
		struct vt_row row = vt_screen_row(s, vt_screen_active(s), y);
		for (unsigned x = 0; x + 2 < row_columns(s, vt_screen_active(s), y); x++) {
			struct vt_cell a = cell_at(&row, x);
			struct vt_cell b = cell_at(&row, x + 1);
			if (a.glyph == VT_EMPTY && a.width == 1 && b.glyph == VT_EMPTY &&
				b.width == 1) {
				return true;
			}
		}
	}
	return false;
}

static void compare_cursor(struct comparison *c, struct vt_screen *of, struct vt_screen *other)
{
	struct vt_cursor a = vt_screen_cursor(of);
	struct vt_cursor b = vt_screen_cursor(other);
	if (a.row != b.row || a.column != b.column || a.pending_wrap != b.pending_wrap) {
		compare_differs(c, "cursor is %u,%u%s, should be %u,%u%s", b.row, b.column,
			b.pending_wrap ? " pending" : "", a.row, a.column,
			a.pending_wrap ? " pending" : "");
	}
	uint32_t glyph = vt_screen_last_glyph(of);
	if (!compare_glyph(of, glyph, other, vt_screen_last_glyph(other))) {
		if (glyph == VT_EMPTY || a.pending_wrap || c->tolerated != 0 || !has_room(of)) {
			c->tolerated |= TOLERATED_REPEAT;
		} else {
			compare_differs(c, "REP repeats %x, should repeat %x",
				vt_screen_last_glyph(other), glyph);
		}
	}
	if (vt_screen_joins(of) != vt_screen_joins(other)) {
		compare_differs(c, "the character before the cursor is %sopen",
			vt_screen_joins(other) ? "" : "not ");
	}
}

struct comparison compare_screens(struct vt_screen *of, struct vt_screen *other, unsigned what)
{
	struct comparison c = { .tolerated = 0 };
	if (vt_screen_rows(of) != vt_screen_rows(other) ||
		vt_screen_columns(of) != vt_screen_columns(other)) {
		compare_differs(&c, "size is %ux%u, should be %ux%u", vt_screen_rows(other),
			vt_screen_columns(other), vt_screen_rows(of), vt_screen_columns(of));
		return c;
	}
	if ((what & COMPARE_CELLS) != 0) {
		compare_cells(&c, of, other);
	}
	if ((what & COMPARE_CURSOR) != 0) {
		compare_cursor(&c, of, other);
	}
	if ((what & COMPARE_MODES) != 0) {
		compare_modes(&c, of, other);
	}
	if ((what & COMPARE_HISTORY) != 0) {
		compare_history(&c, of, other);
	}
	return c;
}
