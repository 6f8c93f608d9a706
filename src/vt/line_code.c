/* Writing lines of history: many cells at a time where they are plain. */
#include "vt/line_code.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "vt/line_form.h"
#include "vt/modes.h"

#define REPEAT_LEAST 3
#define ASCII_RUN 8
#define ASCII_FEW 8

/* So much room is there before anything is written; only links are larger, and look themselves. */
#define MARGIN 96
#define LINK_FRAME 16 /* what a link needs beside its text, and what may follow it */

_Static_assert(MARGIN >= 3 + VT_CLUSTER_LENGTH * 4 + 6, "a repeated cluster fits");

struct writer {
	uint8_t *at;
	uint8_t *end;
	bool full; /* a link did not fit: whatever was written since is void */
	const struct vt_pool *pool;
	uint32_t link; /* the last one written in this line */
};

static inline void put(struct writer *w, unsigned byte)
{
	*w->at++ = (uint8_t)byte;
}

static void put_number(struct writer *w, size_t number)
{
	while (number >= 0x80) {
		put(w, (unsigned)(number & 0x7f) | 0x80);
		number >>= 7;
	}
	put(w, (unsigned)number);
}

static inline void put_point(struct writer *w, uint32_t point)
{
	if (point < 0x80) {
		put(w, point);
	} else if (point < 0x800) {
		put(w, 0xc0 | point >> 6);
		put(w, 0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		put(w, 0xe0 | point >> 12);
		put(w, 0x80 | (point >> 6 & 0x3f));
		put(w, 0x80 | (point & 0x3f));
	} else {
		put(w, 0xf0 | point >> 18);
		put(w, 0x80 | (point >> 12 & 0x3f));
		put(w, 0x80 | (point >> 6 & 0x3f));
		put(w, 0x80 | (point & 0x3f));
	}
}

static inline unsigned color_kind(uint32_t color)
{
	return VT_COLOR_KIND(color) >> 24; /* 0, 1 or 2 */
}

/* Always writes four bytes, of which those count that come before what it returns. */
static inline uint8_t *put_color(uint8_t *at, uint32_t color)
{
	bool rgb = VT_COLOR_KIND(color) == VT_COLOR_RGB;
	uint32_t value = rgb ? color << 8 : color << 24;
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = 0;
	return at + (rgb ? 3 : color_kind(color));
}

/* An empty URI: the one before in this line. */
static void put_link(struct writer *w, uint32_t link)
{
	const char *uri;
	const char *id;
	if (link == w->link || !vt_pool_link(w->pool, link, &uri, &id)) {
		put_number(w, 0);
		return;
	}
	size_t uri_length = strlen(uri);
	size_t id_length = strlen(id);
	if (uri_length + id_length + LINK_FRAME > (size_t)(w->end - w->at)) {
		w->full = true;
		return;
	}
	put_number(w, uri_length);
	memcpy(w->at, uri, uri_length);
	w->at += uri_length;
	put_number(w, id_length);
	memcpy(w->at, id, id_length);
	w->at += id_length;
	w->link = link;
}

static inline void put_new_style(struct writer *w, const struct vt_style *s)
{
	unsigned fields = color_kind(s->foreground) << FIELD_FOREGROUND |
			  color_kind(s->background) << FIELD_BACKGROUND |
			  (s->underline_color != VT_COLOR_DEFAULT ? FIELD_UNDERLINE_COLOR : 0) |
			  (s->attributes != 0 ? FIELD_ATTRIBUTES : 0) |
			  (s->underline != 0 ? FIELD_UNDERLINE : 0) |
			  (s->link != 0 ? FIELD_LINK : 0);
	w->at[0] = CODE_STYLE;
	w->at[1] = (uint8_t)fields;
	w->at = put_color(put_color(w->at + 2, s->foreground), s->background);
	if ((fields & FIELD_UNDERLINE_COLOR) != 0) {
		put(w, color_kind(s->underline_color));
		w->at = put_color(w->at, s->underline_color);
	}
	if ((fields & FIELD_ATTRIBUTES) != 0) {
		put_number(w, s->attributes);
	}
	if ((fields & FIELD_UNDERLINE) != 0) {
		put(w, s->underline);
	}
	if ((fields & FIELD_LINK) != 0) {
		put_link(w, s->link);
	}
}

/* Writes a style whose bytes are not kept yet, and keeps them if they are few. */
static inline void put_first(struct writer *w, uint16_t id, struct vt_style_code *code)
{
	const uint8_t *from = w->at;
	const struct vt_style *style = vt_pool_style(w->pool, id);
	put_new_style(w, style);
	size_t length = (size_t)(w->at - from);
	if (length <= sizeof(code->bytes) && style->link == 0) {
		memcpy(code->bytes, from, sizeof(code->bytes)); /* there is room behind */
		code->length = (uint8_t)length;
	}
}

/* Styles come again and again: their bytes are kept with them in the pool. */
static inline void put_style(struct writer *w, uint16_t id)
{
	struct vt_style_code *code = vt_pool_style_code(w->pool, id);
	if (code == NULL) {
		put(w, CODE_DEFAULT);
		return;
	}
	if (code->length == 0) {
		put_first(w, id, code);
		return;
	}
	memcpy(w->at, code->bytes, sizeof(code->bytes));
	w->at += code->length;
}

static inline bool same(const struct vt_cell *a, const struct vt_cell *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_empty(const struct vt_cell *c)
{
	return c->glyph == VT_EMPTY;
}

static size_t put_empty(struct writer *w, const struct vt_cell *cells, size_t count)
{
	size_t n = 1;
	while (n < count && is_empty(&cells[n]) && cells[n].style == cells[0].style) {
		n++;
	}
	put(w, CODE_EMPTY);
	put_number(w, n);
	return n;
}

static void put_cluster(struct writer *w, const struct vt_cell *c)
{
	uint32_t own;
	const uint32_t *points;
	size_t length = vt_pool_points(w->pool, c->glyph, &own, &points);
	put(w, CODE_CLUSTER);
	put(w, c->width);
	put(w, (unsigned)length);
	for (size_t i = 0; i < length; i++) {
		put_point(w, points[i]);
	}
}

/* A cell that is no plain ASCII, with the equal ones behind it. Returns the cells taken. */
static inline size_t put_cells(struct writer *w, const struct vt_cell *cells, size_t count)
{
	const struct vt_cell *c = &cells[0];
	if (is_empty(c)) {
		return put_empty(w, cells, count);
	}
	if ((c->glyph & VT_CLUSTER) != 0) {
		put_cluster(w, c);
	} else {
		put_point(w, c->glyph);
	}
	size_t each = c->width == 2 ? 2 : 1;
	size_t n = each;
	while (n + each <= count && same(&cells[n], c)) {
		n += each;
	}
	if (n / each > REPEAT_LEAST) {
		put(w, CODE_REPEAT);
		put_number(w, n / each - 1);
		return n;
	}
	return each;
}

/* The upper half of a cell: all but its glyph. */
static inline uint32_t look_of(const struct vt_cell *c)
{
	uint32_t look;
	memcpy(&look, (const uint8_t *)c + 4, sizeof(look));
	return look;
}

#ifdef __SSE2__
/* Four cells at once while there are so many: those from the first on that are one-cell ASCII of
 * that look. Four bytes are always written. */
static inline size_t put_ascii_fours(
	uint8_t *out, const struct vt_cell *cells, size_t count, uint32_t look)
{
	const __m128i looks = _mm_set1_epi32((int)look);
	const __m128i low = _mm_set1_epi32(0x1f);
	const __m128i high = _mm_set1_epi32(0x7f);
	size_t i = 0;
	while (i + 4 <= count) {
		__m128 a = _mm_loadu_ps((const float *)(const void *)(cells + i));
		__m128 b = _mm_loadu_ps((const float *)(const void *)(cells + i + 2));
		__m128i glyphs = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)));
		__m128i their = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
		__m128i good = _mm_and_si128(_mm_cmpeq_epi32(their, looks),
			_mm_and_si128(_mm_cmpgt_epi32(glyphs, low), _mm_cmplt_epi32(glyphs, high)));
		__m128i words = _mm_packs_epi32(glyphs, glyphs);
		int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
		memcpy(out + i, &four, sizeof(four));
		unsigned bad = ~(unsigned)_mm_movemask_ps(_mm_castsi128_ps(good)) & 15;
		if (bad != 0) {
			return i + (size_t)__builtin_ctz(bad);
		}
		i += 4;
	}
	return i;
}
#endif

/* The cells from the first on that are one-cell ASCII of this style; at most `count`, for which
 * there is room. Coloured text is short pieces: four cells at once pay only behind the first few.
 */
static inline size_t put_ascii(
	uint8_t *out, const struct vt_cell *cells, size_t count, uint16_t style)
{
	const struct vt_cell model = { .style = style, .width = 1 };
	uint32_t look = look_of(&model);
	size_t few = count < ASCII_FEW ? count : ASCII_FEW;
	size_t i = 0;
	for (; i < few; i++) {
		if ((look_of(&cells[i]) != look) | (cells[i].glyph - 0x20 >= 0x5f)) {
			return i;
		}
		out[i] = (uint8_t)cells[i].glyph;
	}
#ifdef __SSE2__
	i += put_ascii_fours(out + i, cells + i, count - i, look);
#endif
	for (; i < count; i++) {
		if ((look_of(&cells[i]) != look) | (cells[i].glyph - 0x20 >= 0x5f)) {
			break;
		}
		out[i] = (uint8_t)cells[i].glyph;
	}
	return i;
}

/* The code point in UTF-8; always writes four bytes, returns how many of them count. Without a
 * branch: how long the next letter is cannot be foretold. */
static inline size_t store_point(uint8_t *out, uint32_t point)
{
	static const uint32_t marks[] = { 0, 0xc080, 0xe08080, 0xf0808080 };
	unsigned more = (point >= 0x80) + (point >= 0x800) + (point >= 0x10000);
	uint32_t sixes = (point & 0x3f) | (point & 0xfc0) << 2 | (point & 0x3f000) << 4 |
			 (point & 0x1c0000) << 6;
	uint32_t bytes = (more == 0 ? point : sixes | marks[more]) << 8 * (3 - more);
	out[0] = (uint8_t)(bytes >> 24);
	out[1] = (uint8_t)(bytes >> 16);
	out[2] = (uint8_t)(bytes >> 8);
	out[3] = (uint8_t)bytes;
	return more + 1;
}

/* The cells from the first on that are single code points in this style and not repeated; a long
 * run of ASCII is left to put_ascii(), the last two cells to put_cells(). */
static inline size_t put_points(
	struct writer *w, const struct vt_cell *cells, size_t count, uint16_t style)
{
	const struct vt_cell one = { .style = style, .width = 1 };
	const struct vt_cell two = { .style = style, .width = 2 };
	uint32_t narrow = look_of(&one);
	uint32_t wide = look_of(&two);
	size_t room = (size_t)(w->end - w->at) / 4;
	size_t last = room < count ? room : count;
	uint8_t *at = w->at;
	unsigned ascii = 0;
	size_t i = 0;
	while (i + 2 < last && ascii < ASCII_RUN) {
		uint32_t glyph = cells[i].glyph;
		uint32_t look = look_of(&cells[i]);
		bool is_wide = look == wide;
		bool good = ((look == narrow) | is_wide) & (glyph - 0x20 < 0x110000 - 0x20);
		size_t next = i + 1 + is_wide;
		bool again = (cells[next].glyph == glyph) & (glyph >= 0x80);
		if (!good | again) {
			break;
		}
		at += store_point(at, glyph);
		ascii = glyph < 0x80 ? ascii + 1 : 0;
		i = next;
	}
	w->at = at;
	return i;
}

#ifdef __SSE2__
#define WORDS_MAX 252 /* of one CODE_WORDS: fours, and fit a byte */
#define WORDS_LOOK 4  /* fours of cells whose kind decides */
#define WORDS_BAD 6   /* cells after which words are tried again */
#define WORDS_WORTH 6 /* of these sixteen are no ASCII: two bytes for each cell cost no more */

/* Four cells: their glyphs, and their looks (upper halves). */
static inline void load_four(const struct vt_cell *cells, __m128i *glyphs, __m128i *looks)
{
	__m128 a = _mm_loadu_ps((const float *)(const void *)cells);
	__m128 b = _mm_loadu_ps((const float *)(const void *)(cells + 2));
	*glyphs = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)));
	*looks = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}

/* The lanes that are printable ASCII (in cells, glyphs below 0x20 are VT_EMPTY, those with the top
 * bit clusters). */
static inline __m128i ascii_of(__m128i glyphs)
{
	return _mm_and_si128(_mm_cmpgt_epi32(glyphs, _mm_set1_epi32(0x1f)),
		_mm_cmplt_epi32(glyphs, _mm_set1_epi32(0x80)));
}

/* Whether what comes is dense: letters that UTF-8, too, gives two bytes and more. */
static inline bool worth_words(const struct vt_cell *cells, size_t count)
{
	if (count < WORDS_LOOK * 4) {
		return false;
	}
	__m128i sum = _mm_setzero_si128(); /* of the ASCII ones, negative */
	for (size_t i = 0; i < WORDS_LOOK * 4; i += 4) {
		__m128i glyphs;
		__m128i looks;
		load_four(cells + i, &glyphs, &looks);
		sum = _mm_add_epi32(sum, ascii_of(glyphs));
	}
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
	return WORDS_LOOK * 4 + _mm_cvtsi128_si32(sum) >= WORDS_WORTH;
}

/* Single code points below 0x10000 in this style, narrow or wide, and right halves, two bytes each;
 * up to anything else, eight ASCII in a row, or a repeated one. Returns the cells taken. */
static size_t put_words(struct writer *w, const struct vt_cell *cells, size_t count, uint16_t style)
{
	const struct vt_cell narrow = { .style = style, .width = 1 };
	const struct vt_cell wide = { .style = style, .width = 2 };
	const struct vt_cell half = { .style = style };
	const __m128i zero = _mm_setzero_si128();
	const __m128i one = _mm_set1_epi32((int)look_of(&narrow));
	const __m128i two = _mm_set1_epi32((int)look_of(&wide));
	const __m128i none = _mm_set1_epi32((int)look_of(&half));
	size_t room = (size_t)(w->end - w->at);
	size_t most = room < 16 ? 0 : (room - 2) / 8 * 4;
	most = most < WORDS_MAX ? most : WORDS_MAX;
	most = most < count ? most : count;
	uint8_t *out = w->at + 2;
	unsigned ascii = 0;
	size_t n = 0;
	while (n + 4 <= most) {
		__m128i glyphs;
		__m128i looks;
		load_four(cells + n, &glyphs, &looks);
		__m128i empty = _mm_cmpeq_epi32(glyphs, zero);
		__m128i full = _mm_or_si128(
			_mm_cmpeq_epi32(looks, one), _mm_cmpeq_epi32(looks, two));
		__m128i good = _mm_or_si128(_mm_andnot_si128(empty, full),
			_mm_and_si128(empty, _mm_cmpeq_epi32(looks, none)));
		good = _mm_and_si128(good, _mm_cmpeq_epi32(_mm_srli_epi32(glyphs, 16), zero));
		__m128i again = _mm_cmpeq_epi32(
			glyphs, _mm_shuffle_epi32(glyphs, _MM_SHUFFLE(1, 0, 3, 2)));
		ascii = _mm_movemask_epi8(ascii_of(glyphs)) == 0xffff ? ascii + 1 : 0;
		if (_mm_movemask_epi8(again) == 0xffff || ascii == 2) {
			break;
		}
		__m128i shifted = _mm_srai_epi32(_mm_slli_epi32(glyphs, 16), 16); /* keeps bits */
		_mm_storel_epi64(
			(__m128i *)(void *)(out + n * 2), _mm_packs_epi32(shifted, shifted));
		unsigned bad = ~(unsigned)_mm_movemask_epi8(good) & 0xffff;
		if (bad != 0) {
			n += (unsigned)__builtin_ctz(bad) / 4;
			break;
		}
		n += 4;
	}
	n -= ascii == 2 ? 4 : 0; /* the first of these two fours is written better as ASCII */
	if (n > 0) {
		w->at[0] = CODE_WORDS;
		w->at[1] = (uint8_t)n;
		w->at += 2 + n * 2;
	}
	return n;
}
#endif

/* Characters, ASCII among them, in the way that is best for what comes. */
static inline size_t put_text(
	struct writer *w, const struct vt_cell *cells, size_t count, uint16_t style)
{
#ifdef __SSE2__
	if (worth_words(cells, count)) {
		size_t n = put_words(w, cells, count, style);
		if (n > 0) {
			return n;
		}
		count = count < WORDS_BAD ? count : WORDS_BAD;
	}
#endif
	return put_points(w, cells, count, style);
}

size_t vt_line_encode(uint8_t *out, size_t size, const struct vt_pool *pool,
	const struct vt_cell *cells, size_t count, size_t *ret_count)
{
	struct writer w = { .at = out, .end = out + size, .pool = pool };
	uint16_t style = 0;
	size_t i = 0;
	while (i < count) {
		size_t room = (size_t)(w.end - w.at);
		size_t n = put_ascii(w.at, cells + i, count - i < room ? count - i : room, style);
		w.at += n;
		i += n;
		if (i < count && cells[i].style == style) {
			i += put_text(&w, cells + i, count - i, style);
		}
		if (i == count) {
			break;
		}
		uint8_t *before = w.at;
		if (w.end - w.at < MARGIN) {
			break;
		}
		if (cells[i].style != style) {
			put_style(&w, cells[i].style);
			style = cells[i].style;
			n = 0;
		} else if (cells[i].width == 0) {
			n = 1; /* the right half is told by its left one */
		} else {
			n = put_cells(&w, cells + i, count - i);
		}
		if (w.full) {
			w.at = before;
			break;
		}
		i += n;
	}
	*ret_count = i;
	return (size_t)(w.at - out);
}

size_t vt_line_code_character(
	uint8_t *out, const struct vt_pool *pool, uint32_t glyph, unsigned width)
{
	const struct vt_cell cell = { .glyph = glyph, .width = (uint8_t)width };
	struct writer w = { .at = out, .end = out + VT_LINE_CHARACTER_MAX, .pool = pool };
	if ((glyph & VT_CLUSTER) != 0) {
		put_cluster(&w, &cell);
	} else {
		put_point(&w, glyph);
	}
	return (size_t)(w.at - out);
}
