/* UTF-8 in ground state: what the events do not take themselves is decoded with care, one character
 * at a time; one that the end of the bytes cuts is carried over in utf8_*.
 */
#include "vt/parser_state.h"

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

/* The character at b in full care; returns where to go on. */
static const uint8_t *one(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	uint32_t point;
	size_t used = decode(p, b, end, &point);
	if (used == 0) {
		return end;
	}
	if (point < 0xa0) {
		parser_open(p, b);
		parser_c1(p, (uint8_t)point);
	} else {
		p->events->text(p->user, &point, 1);
	}
	return b + used;
}

const uint8_t *parser_text(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	while (b < end && *b >= 0x80 && p->state == STATE_GROUND) {
		const uint8_t *from = b;
		if (p->events->utf8 != NULL) {
			b = p->events->utf8(p->user, b, end);
		}
		if (b == from) {
			b = one(p, b, end);
		}
	}
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
