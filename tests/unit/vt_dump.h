/* A screen as text that a test can compare: rows joined by '|', trailing blanks left out, '.' for a
 * cell that was never written between others, soft-wrapped rows ending with '\\'.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "vt/history.h"
#include "vt/screen.h"

struct dump {
	char text[8192];
	size_t used;
};

static inline void dump_byte(struct dump *d, unsigned byte)
{
	if (d->used + 1 < sizeof(d->text)) {
		d->text[d->used++] = (char)byte;
	}
	d->text[d->used] = '\0';
}

static inline void dump_point(struct dump *d, uint32_t p)
{
	if (p < 0x80) {
		dump_byte(d, p);
	} else if (p < 0x800) {
		dump_byte(d, 0xc0 | p >> 6);
		dump_byte(d, 0x80 | (p & 0x3f));
	} else if (p < 0x10000) {
		dump_byte(d, 0xe0 | p >> 12);
		dump_byte(d, 0x80 | (p >> 6 & 0x3f));
		dump_byte(d, 0x80 | (p & 0x3f));
	} else {
		dump_byte(d, 0xf0 | p >> 18);
		dump_byte(d, 0x80 | (p >> 12 & 0x3f));
		dump_byte(d, 0x80 | (p >> 6 & 0x3f));
		dump_byte(d, 0x80 | (p & 0x3f));
	}
}

static inline void dump_cells(
	struct dump *d, const struct vt_screen *s, const struct vt_cell *cells, size_t used)
{
	while (used > 0 && cells[used - 1].glyph == VT_EMPTY && cells[used - 1].width != 0) {
		used--;
	}
	for (size_t x = 0; x < used; x++) {
		const uint32_t *points;
		size_t n = vt_screen_cluster(s, cells[x].glyph, &points);
		for (size_t i = 0; i < n; i++) {
			dump_point(d, points[i]);
		}
		if (n == 0 && cells[x].width != 0) {
			dump_point(d, cells[x].glyph == VT_EMPTY ? '.' : cells[x].glyph);
		}
	}
}

static inline const char *dump_buffer(
	struct dump *d, const struct vt_screen *s, enum vt_buffer which)
{
	d->used = 0;
	d->text[0] = '\0';
	unsigned rows = vt_screen_rows(s);
	while (rows > 0 && vt_screen_row(s, which, rows - 1).used == 0) {
		rows--;
	}
	for (unsigned y = 0; y < rows; y++) {
		struct vt_row row = vt_screen_row(s, which, y);
		if (y > 0) {
			dump_byte(d, '|');
		}
		dump_cells(d, s, row.cells, row.used);
		if (row.wrapped) {
			dump_byte(d, '\\');
		}
	}
	return d->text;
}

static inline const char *dump_screen(struct dump *d, const struct vt_screen *s)
{
	return dump_buffer(d, s, vt_screen_active(s));
}

static inline const char *dump_history(struct dump *d, struct vt_screen *s)
{
	static struct vt_cell cells[VT_SIZE_MAX];
	size_t count = vt_history_count(vt_screen_history(s));
	d->used = 0;
	d->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		bool wrapped;
		size_t n = vt_screen_history_line(s, i, cells, &wrapped);
		if (i > 0) {
			dump_byte(d, '|');
		}
		dump_cells(d, s, cells, n);
		if (wrapped) {
			dump_byte(d, '\\');
		}
	}
	return d->text;
}
