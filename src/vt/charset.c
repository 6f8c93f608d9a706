/* G0 to G3 and the shifts between them. In UTF-8 only the ASCII range can be anything else; what a
 * program designates is kept for the painter even so.
 */
#include "vt/state.h"

/* DEC special graphics, 0x5f..0x7e (VT100 user guide, table 3-9). */
static const uint16_t graphics[] = {
	0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, /* _ ` a b c d e f */
	0x00b1, 0x2424, 0x240b, 0x2518, 0x2510, 0x250c, 0x2514, 0x253c, /* g h i j k l m n */
	0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524, 0x2534, /* o p q r s t u v */
	0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7, /* w x y z { | } ~ */
};

void vt_charset_changed(struct vt_screen *s)
{
	const struct vt_charsets *c = &s->modes.charsets;
	s->plain = !s->scaled && c->single == 0 && c->g[c->gl] == VT_CHARSET_ASCII;
}

uint32_t vt_charset_map(struct vt_screen *s, uint32_t point)
{
	struct vt_charsets *c = &s->modes.charsets;
	unsigned charset = c->g[c->single != 0 ? c->single : c->gl];
	if (c->single != 0) {
		c->single = 0;
		vt_charset_changed(s);
	}
	if (charset == VT_CHARSET_GRAPHICS && point >= 0x5f && point <= 0x7e) {
		return graphics[point - 0x5f];
	}
	if (charset == VT_CHARSET_UK && point == '#') {
		return 0xa3;
	}
	return point;
}

void vt_charset_designate(struct vt_screen *s, unsigned which, uint8_t final)
{
	s->modes.charsets.g[which] = final == '0'   ? VT_CHARSET_GRAPHICS
				     : final == 'A' ? VT_CHARSET_UK
						    : VT_CHARSET_ASCII;
	vt_charset_changed(s);
}

void vt_charset_shift(struct vt_screen *s, unsigned gl)
{
	s->modes.charsets.gl = (uint8_t)gl;
	vt_charset_changed(s);
}

void vt_charset_single(struct vt_screen *s, unsigned which)
{
	s->modes.charsets.single = (uint8_t)which;
	vt_charset_changed(s);
}
