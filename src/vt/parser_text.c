/* UTF-8 in ground state: whole characters are decoded in a tight loop into runs; one that the end
 * of the bytes cuts is carried over in utf8_*.
 */
#include "vt/parser_state.h"

#include <string.h>

#define RUN 256	     /* code points handed over at once */
#define ASCII_RUN 16 /* so many ASCII in a row: the ground state's scan is faster */
#define REPLACEMENT 0xfffd

/* What a lead byte promises: continuation bytes, limits of the first of them (Unicode table 3-7).
 */
static bool lead(struct vt_parser *p, uint8_t c)
{
	p->utf8_low = 0x80;
	p->utf8_high = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		p->utf8_need = 1;
		p->utf8_point = c & 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		p->utf8_need = 2;
		p->utf8_point = c & 0x0f;
		p->utf8_low = c == 0xe0 ? 0xa0 : 0x80;
		p->utf8_high = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		p->utf8_need = 3;
		p->utf8_point = c & 0x07;
		p->utf8_low = c == 0xf0 ? 0x90 : 0x80;
		p->utf8_high = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return false;
	}
	return true;
}

/* One more byte of the open character; false: it does not belong to it. */
static bool continuation(struct vt_parser *p, uint8_t c)
{
	if (c < p->utf8_low || c > p->utf8_high) {
		return false;
	}
	p->utf8_low = 0x80;
	p->utf8_high = 0xbf;
	p->utf8_point = p->utf8_point << 6 | (c & 0x3f);
	p->utf8_need--;
	return true;
}

/* The character at b (a byte >= 0x80) in full care: stores it, or U+FFFD for a maximal subpart, in
 * *ret and returns its bytes; 0 = the bytes end within it, and the state has been carried over. */
static size_t decode(struct vt_parser *p, const uint8_t *b, const uint8_t *end, uint32_t *ret)
{
	size_t used = 1;
	*ret = REPLACEMENT;
	if (!lead(p, *b)) {
		return used;
	}
	for (; p->utf8_need > 0; used++) {
		if (b + used == end) {
			parser_open(p, b);
			return 0;
		}
		if (!continuation(p, b[used])) {
			p->utf8_need = 0;
			return used;
		}
	}
	*ret = p->utf8_point;
	return used;
}

/* Printable ASCII and the usual characters of two and three bytes from b on. Writes at most `max`
 * code points, returns where it stopped: at anything else, or behind a run of ASCII. */
static inline const uint8_t *decode_run(
	const uint8_t *b, const uint8_t *end, uint32_t *points, size_t max, size_t *ret_count)
{
	uint32_t *at = points;
	const uint32_t *full = points + max;
	unsigned ascii = 0;
	while (at < full && end - b >= 4) {
		uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
			     b[3];
		if (v < 0x80000000u) {
			if (v < 0x20000000u || v >= 0x7f000000u || ++ascii > ASCII_RUN) {
				break;
			}
			*at++ = v >> 24;
			b++;
			continue;
		}
		ascii = 0;
		if ((v & 0xe0c00000u) == 0xc0800000u && v >= 0xc3000000u) { /* c2 may begin a C1 */
			*at++ = (v >> 18 & 0x7c0) | (v >> 16 & 0x3f);
			b += 2;
		} else if ((v & 0xf0c0c000u) == 0xe0808000u) {
			uint32_t point = (v >> 12 & 0xf000) | (v >> 10 & 0xfc0) | (v >> 8 & 0x3f);
			if (point < 0x800 || (point >= 0xd800 && point < 0xe000)) {
				break;
			}
			*at++ = point;
			b += 3;
		} else {
			break;
		}
	}
	*ret_count = (size_t)(at - points);
	return b;
}

static void flush(struct vt_parser *p, const uint32_t *points, size_t count)
{
	if (count > 0) {
		p->events->text(p->user, points, count);
	}
}

/* The character at b in full care, added to the *count points; returns where to go on, and in
 * *ret_done whether the run ends here (with all that was in it handed over). */
static const uint8_t *one(struct vt_parser *p, const uint8_t *b, const uint8_t *end,
	uint32_t *points, size_t *count, bool *ret_done)
{
	size_t used = decode(p, b, end, &points[*count]);
	*ret_done = used == 0;
	if (used == 0) {
		flush(p, points, *count);
		return end;
	}
	if (points[*count] < 0xa0) {
		flush(p, points, *count);
		parser_open(p, b);
		parser_c1(p, (uint8_t)points[*count]);
		*ret_done = true;
	} else {
		(*count)++;
	}
	return b + used;
}

const uint8_t *parser_text(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	uint32_t points[RUN];
	size_t count = 0;
	bool done = false;
	while (b < end) {
		if (count == RUN) {
			flush(p, points, count);
			count = 0;
		}
		size_t decoded;
		b = decode_run(b, end, points + count, RUN - count, &decoded);
		count += decoded;
		if (b == end || count == RUN) {
			continue;
		}
		if (*b < 0x80) {
			break;
		}
		b = one(p, b, end, points, &count, &done);
		if (done) {
			return b;
		}
	}
	flush(p, points, count);
	return b;
}

const uint8_t *parser_text_resume(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	uint32_t point = REPLACEMENT;
	while (p->utf8_need > 0) {
		if (b == end) {
			return b;
		}
		if (!continuation(p, *b)) {
			p->utf8_need = 0;
			p->events->text(p->user, &point, 1);
			return b;
		}
		b++;
	}
	point = p->utf8_point;
	if (point < 0xa0) {
		parser_c1(p, (uint8_t)point); /* its first byte is among the pending ones */
	} else {
		p->events->text(p->user, &point, 1);
	}
	return b;
}
