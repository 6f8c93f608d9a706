/* The fast way of text that is not ASCII alone: from its bytes into the cells of one row, without a
 * stop between. It takes only what is whole, valid and stands alone (vt_width_alone()); at anything
 * else it stops, and the parser's careful way takes that one character.
 */
#include <endian.h>
#include <string.h>

#include "vt/print.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define GLYPH_SHIFT 0 /* of a cell that is read as one word */
#else
#define GLYPH_SHIFT 32
#endif

#define REPEATS_MANY 4 /* in one go: history writes them as one */
#define ASCII_RUN 8    /* so many ASCII in a row: vt_print_ascii() is faster */

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

/* Where cells are stored, and how they look. */
struct target {
	struct vt_cell *at;
	struct vt_cell *stop; /* no character goes beyond */
	struct vt_cell *free; /* cells from `at` up to here hold nothing that is needed */
	uint64_t narrow;      /* cells without a glyph */
	uint64_t wide;
	uint64_t half;
	uint32_t before; /* the last character of three bytes, and how often it was that again */
	uint32_t repeats;
};

/* A cell as one word. */
static inline uint64_t word_of(struct vt_cell cell)
{
	uint64_t word;
	memcpy(&word, &cell, sizeof(word));
	return word;
}

static inline void put(struct target *t, uint32_t glyph, uint64_t look)
{
	uint64_t word = look | (uint64_t)glyph << GLYPH_SHIFT;
	memcpy(t->at++, &word, sizeof(word));
}

/* Stores a character of one or two cells, if there is room. */
static inline bool put_width(struct target *t, uint32_t point, unsigned width)
{
	if (width == 2 && t->stop - t->at >= 2) {
		put(t, point, t->wide);
		put(t, VT_EMPTY, t->half);
		return true;
	}
	if (width == 1) {
		put(t, point, t->narrow);
		return true;
	}
	return false;
}

/* Stores the character that v begins with, which is no ASCII. Returns its bytes; 0 = it is not of
 * the plain kind, or has no room. */
static inline unsigned put_any(struct target *t, const struct vt_widths *widths, uint64_t v)
{
	uint32_t point;
	unsigned length = decode(__builtin_bswap32((uint32_t)v), &point);
	if (length == 0 || !put_width(t, point, vt_width_alone(widths, point))) {
		return 0;
	}
	return length;
}

static inline unsigned put_three(struct target *t, const struct vt_widths *widths, uint64_t v)
{
	uint32_t point = (v & 0xf) << 12 | (v >> 2 & 0xfc0) | (v >> 16 & 0x3f);
	t->repeats += point == t->before;
	t->before = point;
	return put_width(t, point, widths->three[point >> 6]) ? 3 : 0;
}

#ifdef __SSE2__
#define EIGHT 8

/* Lanes between two points. */
static inline __m128i between(__m128i points, int16_t first, int16_t last)
{
	return _mm_and_si128(_mm_cmpgt_epi16(points, _mm_set1_epi16((int16_t)(first - 1))),
		_mm_cmplt_epi16(points, _mm_set1_epi16((int16_t)(last + 1))));
}

/* Stores the characters of two bytes from b on that are of the two alphabets' ranges, at most
 * eight: sixteen bytes can be read, and eight cells be written, whatever comes. Returns how many.
 */
static inline unsigned put_letters(struct target *t, const uint8_t *b)
{
	const __m128i zero = _mm_setzero_si128();
	const __m128i looks = _mm_set1_epi32((int)(t->narrow >> 32));
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)b);
	__m128i marks = _mm_cmpeq_epi16(
		_mm_and_si128(v, _mm_set1_epi16((int16_t)0xc0e0)), _mm_set1_epi16((int16_t)0x80c0));
	__m128i points = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(v, _mm_set1_epi16(0x1f)), 6),
		_mm_and_si128(_mm_srli_epi16(v, 8), _mm_set1_epi16(0x3f)));
	__m128i letters = _mm_or_si128(between(points, VT_LATIN_FIRST, VT_LATIN_LAST),
		between(points, VT_GREEK_FIRST, VT_CYRILLIC_LAST));
	unsigned good = (unsigned)_mm_movemask_epi8(_mm_and_si128(marks, letters));
	__m128i low = _mm_unpacklo_epi16(points, zero);
	__m128i high = _mm_unpackhi_epi16(points, zero);
	__m128i *out = (__m128i *)(void *)t->at;
	_mm_storeu_si128(out, _mm_unpacklo_epi32(low, looks));
	_mm_storeu_si128(out + 1, _mm_unpackhi_epi32(low, looks));
	_mm_storeu_si128(out + 2, _mm_unpacklo_epi32(high, looks));
	_mm_storeu_si128(out + 3, _mm_unpackhi_epi32(high, looks));
	unsigned n = (unsigned)__builtin_ctz(~good) / 2;
	t->at += n;
	return n;
}
#endif

/* The same for a character of two bytes, with those behind it where that is quick. */
static inline unsigned put_two(struct target *t, const struct vt_widths *widths, uint64_t v,
	const uint8_t *b, const uint8_t *end)
{
	if (widths->two[v & 0x1f] == 0) {
		return 0;
	}
#ifdef __SSE2__
	if (t->free - t->at >= EIGHT && end - b >= 2 * EIGHT) {
		unsigned n = put_letters(t, b);
		if (n > 0) {
			return 2 * n;
		}
	}
#endif
	put(t, (v & 0x1f) << 6 | (v >> 8 & 0x3f), t->narrow);
	return 2;
}

/* Stores characters from b on. Returns where it stopped: at the end of the cells, at a character
 * that is not of the plain kind, or at a run of ASCII. */
static inline const uint8_t *store(struct target *t, const uint8_t *b, const uint8_t *end)
{
	const struct vt_widths widths = vt_widths();
	const uint8_t *last = end - ASCII_RUN; /* so much can be read up to there */
	while (t->at < t->stop && b <= last) {
		uint64_t v;
		memcpy(&v, b, sizeof(v));
		v = le64toh(v);
		unsigned used = 0;
		if ((v & 0x80) == 0) {
			uint32_t c = v & 0x7f;
			if (c < 0x20 || c == 0x7f || (v & UINT64_C(0x8080808080808080)) == 0) {
				break;
			}
			put(t, c, t->narrow);
			b++;
			continue;
		}
		if ((v & 0xc0e0) == 0x80c0) {
			used = put_two(t, &widths, v, b, end);
		} else if ((v & 0xc0c0f0) == 0x8080e0) {
			used = put_three(t, &widths, v);
		}
		if (used == 0) {
			used = put_any(t, &widths, v);
		}
		if (used == 0) {
			break;
		}
		b += used;
	}
	return b;
}

/* The bytes are the draft, too, unless history would write them shorter. */
static void write_draft(struct vt_screen *s, struct vt_line *line, const struct target *t,
	unsigned x, unsigned cells, const uint8_t *b, const uint8_t *next)
{
	size_t size = (size_t)(next - b);
	if (t->repeats >= REPEATS_MANY) {
		line->draft_next = 0;
	}
	uint8_t *draft = vt_draft_add(line, x, s->pen_style, size, cells);
	if (draft != NULL) {
		memcpy(draft, b, size);
	}
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
	uint16_t style = vt_pen(s);
	struct target t = {
		.at = line->cells + x,
		.stop = line->cells + most,
		.free = line->cells + (x == line->used ? most : 0),
		.narrow = word_of((struct vt_cell){ .style = style, .width = 1 }),
		.wide = word_of((struct vt_cell){ .style = style, .width = 2 }),
		.half = word_of((struct vt_cell){ .style = style }),
	};
	const uint8_t *next = store(&t, b, end);
	if (next == b) {
		return b;
	}
	struct vt_cell *at = t.at;
	unsigned stored = (unsigned)(at - line->cells);
	if (stored >= line->used) {
		line->used = (uint16_t)stored;
	} else if (at->width == 0) { /* its left half is no more */
		*at = (struct vt_cell){ .glyph = ' ', .style = at->style, .width = 1 };
	}
	line->changed = s->changes;
	if (line->draft_next != 0) {
		write_draft(s, line, &t, x, stored - x, b, next);
	}
	unsigned last = stored - (at[-1].width == 0 ? 2 : 1);
	print_remember(s, last, line->cells[last].glyph);
	print_advance(s, stored, limit);
	return next;
}
