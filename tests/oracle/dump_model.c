/* The model itself as a dump program (stream.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "vt/history.h"
#include "vt/screen.h"

#define HISTORY (1024 * 1024)

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	stream_reply(bytes, length);
}

static void *start(unsigned rows, unsigned columns)
{
	struct vt_screen_events events = { .reply = on_reply };
	struct vt_screen *s = NULL;
	if (vt_screen_new(&s, rows, columns, HISTORY, &events, NULL) < 0) {
		abort();
	}
	vt_screen_answer(s, true);
	return s;
}

static void feed(void *emulator, const uint8_t *bytes, size_t length)
{
	vt_screen_feed(emulator, bytes, length);
}

static void resize(void *emulator, unsigned rows, unsigned columns)
{
	(void)vt_screen_resize(emulator, rows, columns);
}

static void end(void *emulator)
{
	(void)vt_screen_free(emulator);
}

static void put_color(char out[16], uint32_t color)
{
	if (VT_COLOR_KIND(color) == VT_COLOR_INDEXED) {
		(void)snprintf(out, 16, "%u", VT_COLOR_VALUE(color));
	} else if (VT_COLOR_KIND(color) == VT_COLOR_RGB) {
		(void)snprintf(out, 16, "#%06x", VT_COLOR_VALUE(color));
	}
}

static void put_points(
	const struct vt_screen *s, const struct vt_cell *cell, struct stream_cell *out)
{
	const uint32_t *points;
	out->count = vt_screen_cluster(s, cell->glyph, &points);
	if (out->count > 0) {
		memcpy(out->points, points, out->count * sizeof(*points));
	} else if (cell->glyph != VT_EMPTY) {
		out->points[0] = cell->glyph;
		out->count = 1;
	}
}

static void dump_cell(struct vt_screen *s, unsigned y, unsigned x, const struct vt_cell *cell)
{
	static const char *const looks[] = { "bold", "dim", "italic", "blink", "inverse",
		"invisible", "strike", "overline", "protected" };
	static const char *const underlines[] = { "none", "single", "double", "curly", "dotted",
		"dashed" };
	const struct vt_style *style = vt_screen_style(s, cell->style);
	struct stream_cell out = { .width = cell->width,
		.underline = underlines[style->underline] };
	put_points(s, cell, &out);
	for (unsigned i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		stream_look(&out, looks[i], (style->attributes >> i & 1) != 0);
	}
	put_color(out.foreground, style->foreground);
	put_color(out.background, style->background);
	put_color(out.underline_color, style->underline_color);
	stream_cell(y, x, &out);
}

static void dump_history(struct vt_screen *s)
{
	static struct vt_cell cells[VT_SIZE_MAX];
	for (size_t i = 0; i < vt_history_count(vt_screen_history(s)); i++) {
		bool wrapped;
		size_t n = vt_screen_history_line(s, i, cells, &wrapped);
		printf("history %zu", i);
		for (size_t x = 0; x < n; x++) {
			struct stream_cell one = { 0 };
			put_points(s, &cells[x], &one);
			printf(" ");
			stream_points(one.points, one.count);
		}
		printf("\n");
	}
}

static void dump(void *emulator)
{
	struct vt_screen *s = emulator;
	for (unsigned y = 0; y < vt_screen_rows(s); y++) {
		struct vt_row row = vt_screen_row(s, vt_screen_active(s), y);
		for (unsigned x = 0; x < row.used; x++) {
			dump_cell(s, y, x, &row.cells[x]);
		}
	}
	struct vt_cursor cursor = vt_screen_cursor(s);
	printf("cursor %u %u\n", cursor.row, cursor.column);
	const char *title = vt_screen_modes(s)->titles.title;
	stream_hex("title", title, title != NULL ? strlen(title) : 0);
	printf("alternate %d\n", vt_screen_active(s) == VT_ALTERNATE);
	dump_history(s);
}

int main(void)
{
	return stream_run(&(struct stream_emulator){ start, feed, resize, dump, end });
}
