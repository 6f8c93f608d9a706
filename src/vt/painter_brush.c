/* Moves, pen and text. Each function leaves the brush telling exactly what the terminal knows. */
#include "vt/painter_brush.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct vt_brush vt_brush_new(
	struct buf *out, const struct vt_screen *screen, const struct vt_paint_target *target)
{
	return (struct vt_brush){
		.out = out, .screen = screen, .target = target, .edge = target->columns
	};
}

enum vt_line_scale vt_brush_scale(const struct vt_brush *b, enum vt_buffer which, unsigned y)
{
	struct vt_row row = vt_screen_row(b->screen, which, b->top + y);
	bool fits = row.used <= vt_line_half(b->target->columns);
	return fits ? vt_screen_line_scale(b->screen, which, b->top + y) : VT_LINE_SINGLE;
}

unsigned vt_brush_columns_of(const struct vt_brush *b, unsigned y)
{
	unsigned columns = b->target->columns;
	bool single = !b->scaled || vt_brush_scale(b, b->which, y) == VT_LINE_SINGLE;
	return single ? columns : vt_line_half(columns);
}

unsigned vt_brush_columns(const struct vt_brush *b)
{
	return b->row_columns != 0 ? b->row_columns : vt_brush_columns_of(b, b->row);
}

void vt_brush_put_scale(struct vt_brush *b, enum vt_line_scale scale)
{
	static const char *const sequences[] = { "\033#5", "\033#6", "\033#3", "\033#4" };
	unsigned columns = b->target->columns;
	(void)buf_put_text(b->out, sequences[scale]);
	b->row_columns = scale == VT_LINE_SINGLE ? columns : vt_line_half(columns);
}

static void moved(struct vt_brush *b, unsigned row, unsigned column)
{
	if (row != b->row) {
		b->row_columns = 0;
	}
	b->row = row;
	b->column = column;
	b->pending = false;
	b->unsure = false;
	b->joined = false;
}

void vt_brush_place(struct vt_brush *b, unsigned row, unsigned column)
{
	if (column > 0) {
		(void)buf_printf(b->out, "\033[%u;%uH", row + 1, column + 1);
	} else if (row > 0) {
		(void)buf_printf(b->out, "\033[%uH", row + 1);
	} else {
		(void)buf_put_text(b->out, "\033[H");
	}
	moved(b, row, column);
}

void vt_brush_move(struct vt_brush *b, unsigned row, unsigned column)
{
	bool sure = !b->pending && !b->unsure;
	if (sure && row == b->row && column == b->column) {
		return;
	}
	if (column == 0 && row == b->row) {
		(void)buf_put_byte(b->out, '\r');
	} else if (column == 0 && row == b->row + 1) {
		(void)buf_put_text(b->out, "\r\n");
	} else if (sure && row == b->row && column == b->column + 1) {
		(void)buf_put_text(b->out, "\033[C");
	} else if (sure && row == b->row && column > b->column) {
		(void)buf_printf(b->out, "\033[%uC", column - b->column);
	} else {
		vt_brush_place(b, row, column);
	}
	moved(b, row, column);
}

static void put_link(struct vt_brush *b, uint32_t link)
{
	if (link == 0) {
		(void)buf_put_text(b->out, "\033]8;;\033\\");
		return;
	}
	struct vt_link l = vt_screen_link(b->screen, link);
	(void)buf_put_text(b->out, "\033]8;");
	if (l.id[0] != '\0') {
		(void)buf_put_text(b->out, "id=");
		vt_paint_text(b->out, l.id);
	}
	(void)buf_put_byte(b->out, ';');
	vt_paint_text(b->out, l.uri);
	(void)buf_put_text(b->out, "\033\\");
}

void vt_brush_style(struct vt_brush *b, const struct vt_style *style)
{
	if (vt_style_equal(style, &b->pen)) {
		return;
	}
	struct vt_style want = vt_paint_reduce(b->screen, b->target, style);
	vt_paint_sgr(b->out, &b->pen, &want);
	if (((want.attributes ^ b->pen.attributes) & VT_PROTECTED) != 0) {
		(void)buf_put_text(
			b->out, (want.attributes & VT_PROTECTED) != 0 ? "\033[1\"q" : "\033[0\"q");
	}
	if (want.link != b->pen.link) {
		put_link(b, want.link);
	}
	b->pen = want;
}

static void put_point(struct buf *out, uint32_t point)
{
	uint8_t bytes[4];
	size_t length = 1;
	if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point > 0x10ffff ||
		(point >= 0xd800 && point < 0xe000)) {
		point = 0xfffd; /* cells never hold these; nothing may break out even so */
	}
	if (point < 0x80) {
		bytes[0] = (uint8_t)point;
	} else if (point < 0x800) {
		bytes[0] = (uint8_t)(0xc0 | point >> 6);
		bytes[1] = (uint8_t)(0x80 | (point & 0x3f));
		length = 2;
	} else if (point < 0x10000) {
		bytes[0] = (uint8_t)(0xe0 | point >> 12);
		bytes[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		bytes[2] = (uint8_t)(0x80 | (point & 0x3f));
		length = 3;
	} else {
		bytes[0] = (uint8_t)(0xf0 | point >> 18);
		bytes[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
		bytes[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		bytes[3] = (uint8_t)(0x80 | (point & 0x3f));
		length = 4;
	}
	(void)buf_put(out, bytes, length);
}

/* Accounts for what the terminal does to its cursor when `width` cells are printed. */
static void advance(struct vt_brush *b, unsigned width)
{
	unsigned columns = vt_brush_columns(b);
	if (b->pending || b->column + width > columns) {
		b->column = 0;
		b->row_columns = 0;
		if (b->row + 1 < b->target->rows) {
			b->row++;
		} else {
			b->filled |= b->pen.background != VT_COLOR_DEFAULT;
		}
		columns = vt_brush_columns(b);
	}
	b->column += width;
	b->pending = b->column >= columns;
	if (b->pending) {
		b->column = columns - 1;
	}
}

/* Two cells that stand side by side but would become one when they are printed in a row. */
static void keep_apart(struct vt_brush *b, uint32_t first)
{
	bool ascii = first < 0x80;
	if (!b->joined || (ascii && b->ascii)) {
		return;
	}
	vt_grapheme state = b->grapheme;
	if (b->ascii) {
		(void)vt_grapheme_next(&state, b->last);
	}
	if (vt_grapheme_next(&state, first)) {
		return;
	}
	if (!b->pending) {
		vt_brush_place(b, b->row, b->column);
	} else if (b->target->class == VT_PAINT_XTERM) { /* ends the cluster, keeps the wrap */
		(void)buf_put_text(b->out, "\033[?2027h");
	}
}

/* Cells that a terminal which counts whole clusters would give these code points here. */
static unsigned counted_width(const struct vt_brush *b, const uint32_t *points, size_t count)
{
	unsigned width = vt_width(points[0]);
	unsigned next = b->row + 1 < b->target->rows ? b->row + 1 : b->row;
	unsigned columns = vt_brush_columns(b);
	bool edge = b->pending ? vt_brush_columns_of(b, next) == 1
			       : b->column + 1 == (b->edge < columns ? b->edge : columns);
	for (size_t i = 1; i < count && !(edge && width == 1); i++) {
		width = vt_width_joined(points[0], width, points[i]);
	}
	return width;
}

/* A cluster that became what it is while code points were counted one by one, or where there was no
 * room for it, is printed in that way; what would take a cell of its own then is left out. */
static void put_points(struct vt_brush *b, const uint32_t *points, size_t count, unsigned width)
{
	bool apart = count > 1 && counted_width(b, points, count) != width;
	bool xterm = b->target->class == VT_PAINT_XTERM;
	if (apart && xterm) {
		(void)buf_put_text(b->out, "\033[?2027l");
	}
	for (size_t i = 0; i < count; i++) {
		bool fits = i == 0 || (vt_width(points[i]) == 0 && (xterm || points[i] != 0xfe0f));
		if (!apart || fits) {
			put_point(b->out, points[i]);
		}
	}
	if (apart && xterm) {
		(void)buf_put_text(b->out, "\033[?2027h");
	}
}

bool vt_brush_breaks_before(const struct vt_brush *b, const struct vt_cell *cell)
{
	const uint32_t *points = &cell->glyph;
	if ((cell->glyph & VT_CLUSTER) != 0 &&
		vt_screen_cluster(b->screen, cell->glyph, &points) == 0) {
		return false;
	}
	return cell->width == 2 && vt_width(points[0]) == 2;
}

static void put_spaces(struct vt_brush *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		(void)buf_put_byte(b->out, ' ');
	}
	advance(b, count);
}

void vt_brush_glyph(struct vt_brush *b, uint32_t glyph, unsigned width)
{
	uint32_t one = glyph == VT_EMPTY ? ' ' : glyph;
	const uint32_t *points = &one;
	size_t count = 1;
	if ((glyph & VT_CLUSTER) != 0) {
		count = vt_screen_cluster(b->screen, glyph, &points);
	}
	bool hidden = (b->pen.attributes & VT_INVISIBLE) != 0 &&
		      b->target->class == VT_PAINT_PLAIN; /* a VT100 would show it */
	if (count == 0 || hidden || width > b->target->columns) {
		put_spaces(b, width > b->target->columns ? 1 : width);
		return;
	}
	keep_apart(b, points[0]);
	bool ascii = count == 1 && points[0] < 0x80;
	b->grapheme = 0;
	for (size_t i = 0; i < count && !ascii; i++) {
		(void)vt_grapheme_next(&b->grapheme, points[i]);
	}
	put_points(b, points, count, width);
	advance(b, width);
	b->unsure = count > 1 || (points[0] >= 0x1f000 && points[0] < 0x20000);
	b->joined = true;
	b->ascii = ascii;
	b->last = points[0];
}

void vt_brush_cell(struct vt_brush *b, const struct vt_cell *cell)
{
	const struct vt_style *style = vt_screen_style(b->screen, cell->style);
	unsigned width = cell->width == 2 ? 2 : 1;
	vt_brush_style(b, style);
	if ((style->attributes & VT_INVISIBLE) != 0 && b->target->class == VT_PAINT_PLAIN) {
		for (unsigned i = 0; i < width;
			i++) { /* what it cannot hide it must not be given */
			vt_brush_glyph(b, ' ', 1);
		}
		return;
	}
	vt_brush_glyph(b, cell->glyph, width);
}

void vt_brush_erase(struct vt_brush *b, unsigned count)
{
	if (b->target->class == VT_PAINT_PLAIN) { /* a VT100 has no ECH */
		unsigned row = b->row;
		unsigned column = b->column;
		for (unsigned i = 0; i < count; i++) {
			vt_brush_glyph(b, ' ', 1);
		}
		vt_brush_move(b, row, column);
		return;
	}
	if (count == 1) {
		(void)buf_put_text(b->out, "\033[X");
	} else {
		(void)buf_printf(b->out, "\033[%uX", count);
	}
	b->joined = false;
}

void vt_brush_erase_line(struct vt_brush *b)
{
	(void)buf_put_text(b->out, "\033[K");
	b->joined = false;
}

void vt_brush_newline(struct vt_brush *b)
{
	vt_brush_style(b, &(struct vt_style){ 0 });
	(void)buf_put_text(b->out, "\r\n");
	bool bottom = b->row + 1 >= b->target->rows;
	b->filled = false;
	b->row_columns = 0;
	moved(b, bottom ? b->row : b->row + 1, 0);
}

void vt_paint_text(struct buf *out, const char *text)
{
	size_t length = strlen(text);
	while (length > 0) {
		uint32_t point = 0;
		size_t n = text_decode(text, length, &point);
		if (n > 0 && point >= 0x20 && (point < 0x7f || point >= 0xa0)) {
			(void)buf_put(out, text, n);
		}
		text += n > 0 ? n : 1;
		length -= n > 0 ? n : 1;
	}
}
