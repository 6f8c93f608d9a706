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

/* The usual characters of two and three bytes from b on: text in one script is a run of one of
 * these forms. Writes at most `max` code points, returns where it stopped. */
static inline const uint8_t *decode_run(
	const uint8_t *b, const uint8_t *end, uint32_t *points, size_t max, size_t *ret_count)
{
	size_t n = 0;
	while (n < max && end - b >= 4) {
		uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
			     b[3];
		if ((v & 0xe0c00000u) == 0xc0800000u && b[0] > 0xc2) { /* 0xc2 may begin a C1 */
			points[n++] = (v >> 18 & 0x7c0) | (v >> 16 & 0x3f);
			b += 2;
		} else if ((v & 0xf0c0c000u) == 0xe0808000u) {
			uint32_t point = (v >> 12 & 0xf000) | (v >> 10 & 0xfc0) | (v >> 8 & 0x3f);
			if (point < 0x800 || (point >= 0xd800 && point < 0xe000)) {
				break;
			}
			points[n++] = point;
			b += 3;
		} else {
			break;
		}
	}
	*ret_count = n;
	return b;
}

static void flush(struct vt_parser *p, const uint32_t *points, size_t count)
{
	if (count > 0) {
		p->events->text(p->user, points, count);
	}
}

const uint8_t *parser_text(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	uint32_t points[RUN];
	size_t count = 0;
	unsigned ascii = 0;
	while (b < end && ascii < ASCII_RUN) {
		if (count == RUN) {
			flush(p, points, count);
			count = 0;
		}
		uint8_t c = *b;
		if (c < 0x80) {
			if (c < 0x20 || c == BYTE_DEL) {
				break;
			}
			ascii++;
			points[count++] = c;
			b++;
			continue;
		}
		ascii = 0;
		size_t decoded;
		b = decode_run(b, end, points + count, RUN - count, &decoded);
		count += decoded;
		if (decoded > 0) {
			continue;
		}
		size_t used = decode(p, b, end, &points[count]);
		if (used == 0) {
			b = end;
			break;
		}
		if (points[count] < 0xa0) {
			flush(p, points, count);
			parser_open(p, b);
			parser_c1(p, (uint8_t)points[count]);
			return b + used;
		}
		b += used;
		count++;
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
