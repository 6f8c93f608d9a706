/* Reading lines of history. The bytes are our own, yet every read is checked: a mistake must not
 * become one of memory. */
#include <stdbool.h>
#include <string.h>

#include "vt/line_code.h"
#include "vt/line_form.h"
#include "vt/modes.h"
#include "vt/width.h"

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	struct vt_pool *pool;
	uint32_t link;
	unsigned words; /* of a CODE_WORDS still to come */
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

/* A character of two bytes; the right half of the one before, which came with it, is none. */
static size_t get_word(struct reader *r, struct vt_cell *c)
{
	unsigned low = get(r);
	c->glyph = low | get(r) << 8;
	c->width = c->glyph < 0x80 ? 1 : (uint8_t)vt_width(c->glyph);
	return c->glyph != VT_EMPTY;
}

/* The next cell or cells of one kind: the cell in *c, returns how often; 0 = none yet. */
static size_t get_cells(struct reader *r, struct vt_cell *c)
{
	if (r->words > 0) {
		r->words--;
		return get_word(r, c);
	}
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
	case CODE_WORDS:
		r->at++;
		r->words = get(r);
		return 0;
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
