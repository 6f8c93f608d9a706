#include "vt/line_code.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "vt/modes.h"
#include "vt/width.h"

enum code {
	CODE_EMPTY = 0,	  /* varint: so many empty cells */
	CODE_STYLE = 1,	  /* a style, see put_style() */
	CODE_CLUSTER = 2, /* width, number of code points, these in UTF-8 */
	CODE_REPEAT = 3,  /* varint: the cell before, so many times more */
	CODE_DEFAULT = 4, /* the default style */
};

#define REPEAT_LEAST 3
#define ASCII_RUN 8

/* Of the byte behind CODE_STYLE; what is set is followed by its field, in this order. */
enum style_field {
	FIELD_FOREGROUND = 0, /* two bits: kind of colour */
	FIELD_BACKGROUND = 2, /* two bits */
	FIELD_UNDERLINE_COLOR = 1 << 4,
	FIELD_ATTRIBUTES = 1 << 5,
	FIELD_UNDERLINE = 1 << 6,
	FIELD_LINK = 1 << 7,
};

/* --- writing --- */

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

static unsigned color_kind(uint32_t color)
{
	return VT_COLOR_KIND(color) >> 24; /* 0, 1 or 2 */
}

static void put_color(struct writer *w, uint32_t color)
{
	if (VT_COLOR_KIND(color) == VT_COLOR_RGB) {
		put(w, color >> 16 & 0xff);
		put(w, color >> 8 & 0xff);
	}
	if (VT_COLOR_KIND(color) != VT_COLOR_DEFAULT) {
		put(w, color & 0xff);
	}
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

static void put_new_style(struct writer *w, uint16_t id)
{
	const struct vt_style *s = vt_pool_style(w->pool, id);
	unsigned fields = color_kind(s->foreground) << FIELD_FOREGROUND |
			  color_kind(s->background) << FIELD_BACKGROUND |
			  (s->underline_color != VT_COLOR_DEFAULT ? FIELD_UNDERLINE_COLOR : 0) |
			  (s->attributes != 0 ? FIELD_ATTRIBUTES : 0) |
			  (s->underline != 0 ? FIELD_UNDERLINE : 0) |
			  (s->link != 0 ? FIELD_LINK : 0);
	put(w, CODE_STYLE);
	put(w, fields);
	put_color(w, s->foreground);
	put_color(w, s->background);
	if ((fields & FIELD_UNDERLINE_COLOR) != 0) {
		put(w, color_kind(s->underline_color));
		put_color(w, s->underline_color);
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

/* Styles come again and again: their bytes are kept with them in the pool. */
static inline void put_style(struct writer *w, uint16_t id)
{
	struct vt_style_code *code = vt_pool_style_code(w->pool, id);
	if (code == NULL) {
		put(w, CODE_DEFAULT);
		return;
	}
	if (code->length > 0) {
		memcpy(w->at, code->bytes, sizeof(code->bytes));
		w->at += code->length;
		return;
	}
	const uint8_t *from = w->at;
	put_new_style(w, id);
	size_t length = (size_t)(w->at - from);
	if (vt_pool_style(w->pool, id)->link == 0 && length <= sizeof(code->bytes)) {
		memcpy(code->bytes, from, length);
		code->length = (uint8_t)length;
	}
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
 * there is room. */
static inline size_t put_ascii(
	uint8_t *out, const struct vt_cell *cells, size_t count, uint16_t style)
{
	const struct vt_cell model = { .style = style, .width = 1 };
	uint32_t look;
	memcpy(&look, (const uint8_t *)&model + 4, sizeof(look));
	size_t i = 0;
#ifdef __SSE2__
	i = put_ascii_fours(out, cells, count, look);
#endif
	for (; i < count; i++) {
		uint32_t its;
		memcpy(&its, (const uint8_t *)&cells[i] + 4, sizeof(its));
		if (its != look || cells[i].glyph - 0x20 >= 0x5f) {
			break;
		}
		out[i] = (uint8_t)cells[i].glyph;
	}
	return i;
}

/* The upper half of a cell: all but its glyph. */
static inline uint32_t look_of(const struct vt_cell *c)
{
	uint32_t look;
	memcpy(&look, (const uint8_t *)c + 4, sizeof(look));
	return look;
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
	unsigned ascii = 0;
	size_t i = 0;
	while (i + 2 < last && ascii < ASCII_RUN) {
		uint32_t glyph = cells[i].glyph;
		uint32_t look = look_of(&cells[i]);
		size_t next = i + (look == wide ? 2 : 1);
		if ((look != narrow && look != wide) || glyph - 0x20 >= 0x110000 - 0x20) {
			break;
		}
		if (glyph < 0x80) {
			put(w, glyph);
			ascii++;
		} else if (cells[next].glyph == glyph) {
			break;
		} else {
			put_point(w, glyph);
			ascii = 0;
		}
		i = next;
	}
	return i;
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
		i += put_points(&w, cells + i, count - i, style);
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

/* --- reading. The bytes are our own, yet every read is checked: a mistake must not become one of
 * memory. --- */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	struct vt_pool *pool;
	uint32_t link;
};

static unsigned get(struct reader *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

static size_t get_number(struct reader *r)
{
	size_t number = 0;
	for (unsigned shift = 0; shift < 32; shift += 7) {
		unsigned byte = get(r);
		number |= (size_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			break;
		}
	}
	return number;
}

static uint32_t get_point(struct reader *r)
{
	unsigned lead = get(r);
	unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
	while (more-- > 0) {
		point = point << 6 | (get(r) & 0x3f);
	}
	return point;
}

static uint32_t get_color(struct reader *r, unsigned kind)
{
	switch (kind) {
	case VT_COLOR_INDEXED >> 24:
		return VT_COLOR_INDEXED | get(r);
	case VT_COLOR_RGB >> 24: {
		uint32_t red = get(r);
		uint32_t green = get(r);
		return VT_COLOR_RGB | red << 16 | green << 8 | get(r);
	}
	default:
		return VT_COLOR_DEFAULT;
	}
}

static const char *get_bytes(struct reader *r, size_t length)
{
	const uint8_t *at = r->at;
	if (length > (size_t)(r->end - r->at)) {
		return NULL;
	}
	r->at += length;
	return (const char *)at;
}

static uint32_t get_link(struct reader *r)
{
	size_t uri_length = get_number(r);
	if (uri_length == 0) {
		return r->link;
	}
	const char *uri = get_bytes(r, uri_length);
	size_t id_length = get_number(r);
	const char *id = get_bytes(r, id_length);
	r->link = uri == NULL || id == NULL
			  ? 0
			  : vt_pool_link_put(r->pool, uri, uri_length, id, id_length);
	return r->link;
}

static uint16_t get_style(struct reader *r)
{
	struct vt_style s = { 0 };
	unsigned fields = get(r);
	s.foreground = get_color(r, fields >> FIELD_FOREGROUND & 3);
	s.background = get_color(r, fields >> FIELD_BACKGROUND & 3);
	if ((fields & FIELD_UNDERLINE_COLOR) != 0) {
		s.underline_color = get_color(r, get(r));
	}
	if ((fields & FIELD_ATTRIBUTES) != 0) {
		s.attributes = (uint16_t)get_number(r);
	}
	if ((fields & FIELD_UNDERLINE) != 0) {
		s.underline = (uint16_t)get(r);
	}
	if ((fields & FIELD_LINK) != 0) {
		s.link = get_link(r);
	}
	return vt_pool_style_put(r->pool, &s);
}

/* Where the pool is full, its first code point alone. */
static void get_cluster(struct reader *r, struct vt_cell *c)
{
	uint32_t points[VT_CLUSTER_LENGTH] = { 0 };
	c->width = (uint8_t)get(r);
	size_t count = get(r);
	for (size_t i = 0; i < count && i < VT_CLUSTER_LENGTH; i++) {
		points[i] = get_point(r);
	}
	c->glyph = vt_pool_cluster_put(r->pool, points, count);
	if (c->glyph == VT_EMPTY) {
		c->glyph = points[0];
		c->width = (uint8_t)vt_width(points[0]);
	}
}

/* The next cell or cells of one kind: the cell in *c, returns how often; 0 = a change of style. */
static size_t get_cells(struct reader *r, struct vt_cell *c)
{
	switch (*r->at) {
	case CODE_EMPTY:
		r->at++;
		c->glyph = VT_EMPTY;
		c->width = 1;
		return get_number(r);
	case CODE_STYLE:
		r->at++;
		c->style = get_style(r);
		return 0;
	case CODE_DEFAULT:
		r->at++;
		c->style = 0;
		return 0;
	case CODE_CLUSTER:
		r->at++;
		get_cluster(r, c);
		return 1;
	case CODE_REPEAT:
		r->at++;
		return get_number(r);
	default:
		c->glyph = get_point(r);
		c->width = c->glyph < 0x80 ? 1 : (uint8_t)vt_width(c->glyph);
		return 1;
	}
}

size_t vt_line_decode(const uint8_t *bytes, size_t length, struct vt_pool *pool,
	struct vt_cell *cells, size_t max)
{
	struct reader r = { .at = bytes, .end = bytes + length, .pool = pool };
	struct vt_cell c = { .width = 1 };
	size_t n = 0;
	while (r.at < r.end) {
		for (size_t times = get_cells(&r, &c); times > 0; times--) {
			if (n + (c.width == 2 ? 2 : 1) > max) {
				return n;
			}
			cells[n++] = c;
			if (c.width == 2) {
				cells[n++] = (struct vt_cell){ .style = c.style };
			}
		}
	}
	return n;
}
