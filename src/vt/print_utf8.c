/* The fast way of text that is not ASCII alone: from its bytes into the cells of one row, without a
 * stop between. It takes only what is whole, valid and stands alone (vt_width_alone()); at anything
 * else it stops, and the parser's careful way takes that one character.
 */
#include <string.h>

#include "vt/print.h"

#define ASCII_RUN 8 /* so many ASCII in a row: vt_print_ascii() is faster */

/* The character at b if it is well-formed and of 2 to 4 bytes, v being four bytes from there on;
 * returns its bytes, 0 = it is something else. */
static inline unsigned decode(uint32_t v, uint32_t *ret)
{
	if ((v & 0xe0c00000u) == 0xc0800000u) {
		*ret = (v >> 18 & 0x7c0) | (v >> 16 & 0x3f);
		return *ret >= 0x80 ? 2 : 0;
	}
	if ((v & 0xf0c0c000u) == 0xe0808000u) { /* surrogates do not stand alone */
		*ret = (v >> 12 & 0xf000) | (v >> 10 & 0xfc0) | (v >> 8 & 0x3f);
		return *ret >= 0x800 ? 3 : 0;
	}
	if ((v & 0xf8c0c0c0u) == 0xf0808080u) {
		*ret = (v >> 6 & 0x1c0000) | (v >> 4 & 0x3f000) | (v >> 2 & 0xfc0) | (v & 0x3f);
		return *ret - 0x10000 < 0x100000 ? 4 : 0;
	}
	return 0;
}

/* The upper half of a cell: all but its glyph. */
static inline uint32_t look_of(struct vt_cell cell)
{
	uint32_t look;
	memcpy(&look, (const uint8_t *)&cell + 4, sizeof(look));
	return look;
}

static inline void put(struct vt_cell *at, uint32_t glyph, uint32_t look)
{
	at->glyph = glyph;
	memcpy((uint8_t *)at + 4, &look, sizeof(look));
}

/* Stores characters from b on in the cells from *ret_at, which end at `stop`. Returns where it
 * stopped, and where the next cell is. */
static inline const uint8_t *store(const uint8_t *b, const uint8_t *end, uint16_t style,
	struct vt_cell *stop, struct vt_cell **ret_at)
{
	const struct vt_widths widths = vt_widths();
	const uint32_t narrow = look_of((struct vt_cell){ .style = style, .width = 1 });
	const uint32_t wide = look_of((struct vt_cell){ .style = style, .width = 2 });
	const uint32_t half = look_of((struct vt_cell){ .style = style });
	struct vt_cell *at = *ret_at;
	const uint8_t *last = end - ASCII_RUN; /* so much can be read up to there */
	while (at < stop && b <= last) {
		uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
			     b[3];
		uint32_t point = v >> 24;
		if (point < 0x80) {
			uint64_t run;
			memcpy(&run, b, ASCII_RUN);
			if (point - 0x20 >= 0x5f || (run & UINT64_C(0x8080808080808080)) == 0) {
				break;
			}
			put(at++, point, narrow);
			b++;
			continue;
		}
		unsigned length = decode(v, &point);
		unsigned width = length == 0 ? 0 : vt_width_alone(&widths, point);
		if (width == 1) {
			put(at++, point, narrow);
		} else if (width == 2 && stop - at >= 2) {
			put(at++, point, wide);
			put(at++, VT_EMPTY, half);
		} else {
			break;
		}
		b += length;
	}
	*ret_at = at;
	return b;
}

const uint8_t *vt_print_utf8(void *screen, const uint8_t *b, const uint8_t *end)
{
	struct vt_screen *s = screen;
	unsigned x = s->cursor.column;
	unsigned limit = vt_cursor_margin(s);
	struct vt_line *line = vt_line_at(s, s->cursor.row);
	/* A character never has more cells than bytes. */
	size_t left = (size_t)(end - b);
	unsigned most = left < limit - x ? x + (unsigned)left : limit;
	if (left < ASCII_RUN || !print_plain(s) || s->cursor.pending_wrap || x > line->used ||
		(x < line->used && line->cells[x].width == 0) ||
		!vt_line_reserve(s->grid, line, most)) {
		return b;
	}
	struct vt_cell *at = line->cells + x;
	const uint8_t *next = store(b, end, vt_pen(s), line->cells + most, &at);
	if (next == b) {
		return b;
	}
	unsigned stored = (unsigned)(at - line->cells);
	if (stored >= line->used) {
		line->used = (uint16_t)stored;
	} else if (at->width == 0) { /* its left half is no more */
		*at = (struct vt_cell){ .glyph = ' ', .style = at->style, .width = 1 };
	}
	line->changed = s->changes;
	unsigned last = stored - (at[-1].width == 0 ? 2 : 1);
	print_remember(s, last, line->cells[last].glyph);
	print_advance(s, stored, limit);
	return next;
}
