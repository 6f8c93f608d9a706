/* History is compared by logical lines: physical ones may be split elsewhere, because a terminal
 * wraps them at its own width. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "compare_parts.h"
#include "vt/history.h"

/* A logical line: cells without padding, styles resolved (a link by its hash, because its number
 * may soon be another one's), trailing emptiness left out. */
struct line {
	size_t count;
	size_t size;
	struct cell {
		uint32_t points[VT_CLUSTER_LENGTH];
		size_t point_count;
		struct vt_style style;
		uint8_t width;
	} * cells;
	unsigned scale; /* of its first row, if it can be shown so */
	bool squeezed;	/* holds a character that no terminal of this width shows whole */
	bool open;	/* goes on in the screen's first row */
	bool full;	/* all its rows are as wide as the screen is now */
};

static void line_done(struct line *l)
{
	free(l->cells);
	*l = (struct line){ 0 };
}

static void auto_line(struct line *l)
{
	line_done(l);
}

static uint32_t link_hash(const struct vt_screen *s, uint32_t number)
{
	struct vt_link link = vt_screen_link(s, number);
	uint32_t hash = 2166136261u;
	for (const char *p = link.uri; number != 0 && *p != '\0'; p++) {
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	}
	for (const char *p = link.id; number != 0 && *p != '\0'; p++) {
		hash = (hash ^ (uint8_t)*p ^ 0x80) * 16777619u;
	}
	return number == 0 ? 0 : hash | 1;
}

static bool is_nothing(const struct cell *c)
{
	return c->width == 1 && c->point_count == 1 && c->points[0] == ' ' &&
	       c->style.attributes == 0 && c->style.underline == 0 && c->style.link == 0;
}

static bool add(struct line *l, const struct vt_screen *s, const struct vt_cell *cell)
{
	if (l->count == l->size) {
		size_t size = l->size == 0 ? 128 : l->size * 2;
		struct cell *cells = realloc(l->cells, size * sizeof(*cells));
		if (cells == NULL) {
			return false;
		}
		l->cells = cells;
		l->size = size;
	}
	l->squeezed |= compare_is_squeezed(s, cell) || cell->width > vt_screen_columns(s);
	struct cell *c = &l->cells[l->count++];
	*c = (struct cell){ .style = *vt_screen_style(s, cell->style), .width = cell->width };
	c->style.link = link_hash(s, c->style.link);
	const uint32_t *points = &cell->glyph;
	c->point_count = 1;
	if ((cell->glyph & VT_CLUSTER) != 0) {
		c->point_count = vt_screen_cluster(s, cell->glyph, &points);
	}
	memcpy(c->points, points, c->point_count * sizeof(*points));
	if (cell->glyph == VT_EMPTY && cell->width == 1) {
		c->points[0] = ' ';
	}
	return true;
}

/* The logical line that ends with physical line *end - 1; *end goes to its first one. */
static struct line line_before(struct vt_screen *s, size_t *end)
{
	const struct vt_history *h = vt_screen_history(s);
	struct line l = { .full = true };
	size_t first = *end - 1;
	while (first > 0 && vt_history_wrapped(h, first - 1)) {
		first--;
	}
	struct vt_cell cells[VT_SIZE_MAX];
	bool padded = false;
	for (size_t i = first; i < *end; i++) {
		size_t n = vt_screen_history_line(s, i, cells, &l.open);
		unsigned columns = vt_screen_columns(s);
		unsigned scale = vt_screen_history_scale(s, i);
		columns = scale == VT_LINE_SINGLE ? columns : vt_line_half(columns);
		if (i == first && n <= columns) {
			l.scale = scale;
		}
		l.full &= (n == columns || (n > 0 && n + 1 == columns)) &&
			  (!padded || (n > 0 && cells[0].width == 2));
		padded = n + 1 == columns;
		if (n > 0 && (cells[n - 1].flags & VT_CELL_PAD) != 0 && l.open) {
			n--;
		}
		for (size_t x = 0; x < n; x++) {
			(void)add(&l, s, &cells[x]);
		}
	}
	while (l.count > 0 && is_nothing(&l.cells[l.count - 1])) {
		l.count--;
	}
	*end = first;
	return l;
}

static bool same_cell(const struct cell *x, const struct cell *y)
{
	return x->point_count == y->point_count && x->width == y->width &&
	       memcmp(x->points, y->points, x->point_count * sizeof(x->points[0])) == 0 &&
	       vt_style_equal(&x->style, &y->style);
}

/* ASCII as it is, nothing as a dot, all else as a star. */
static void sketch(const struct line *l, char *text, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < l->count && n + 1 < size; i++) {
		uint32_t p = l->cells[i].points[0];
		if (l->cells[i].width != 0) {
			text[n++] = p == ' ' ? '.' : p > 0x20 && p < 0x7f ? (char)p : '*';
		}
	}
	text[n] = '\0';
}

static void compare_lines(
	struct comparison *c, size_t back, const struct line *a, const struct line *b)
{
	size_t count = a->count < b->count ? a->count : b->count;
	for (size_t i = 0; i < count; i++) {
		if (!same_cell(&a->cells[i], &b->cells[i])) {
			char text_a[128];
			char text_b[128];
			sketch(a, text_a, sizeof(text_a));
			sketch(b, text_b, sizeof(text_b));
			compare_differs(c,
				"history line %zu from the end is '%s', should be '%s', differs in "
				"cell %zu",
				back, text_b, text_a, i);
			return;
		}
	}
	if (a->scale != b->scale) {
		compare_differs(c, "history line %zu from the end is scaled %u, should be %u", back,
			b->scale, a->scale);
	}
	if (a->count != b->count) {
		compare_differs(c, "history line %zu from the end has %zu cells, should have %zu",
			back, b->count, a->count);
	}
}

void compare_history(struct comparison *c, struct vt_screen *of, struct vt_screen *other)
{
	size_t end_a = vt_history_count(vt_screen_history(of));
	size_t end_b = vt_history_count(vt_screen_history(other));
	bool whole = vt_history_total(vt_screen_history(of)) == end_a;
	for (size_t back = 1; end_a > 0 && end_b > 0 && c->why[0] == '\0'; back++) {
		__attribute__((cleanup(auto_line))) struct line a = line_before(of, &end_a);
		if (end_a == 0 && !whole) {
			return; /* its first part is forgotten */
		}
		__attribute__((cleanup(auto_line))) struct line b = line_before(other, &end_b);
		if (a.squeezed) { /* the terminal breaks the line elsewhere */
			c->tolerated |= TOLERATED_SQUEEZED;
			return;
		}
		compare_lines(c, back, &a, &b);
		if (back == 1 && a.open != b.open && (b.open || a.full)) {
			compare_differs(c, "history %s into the screen",
				b.open ? "goes on" : "does not go on");
		} else if (back == 1 && a.open != b.open) {
			c->tolerated |= TOLERATED_BREAK;
		}
	}
	if (whole && (end_a > 0) != (end_b > 0)) {
		compare_differs(
			c, "history has %s lines than it should", end_a > 0 ? "fewer" : "more");
	}
}
