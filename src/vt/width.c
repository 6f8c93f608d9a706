#include "vt/width.h"

#include "vt/width_class.h"
#include "vt/width_tables.h" /* generated */

/* vt_grapheme: class of the last code point + 1 (0 = nothing yet), and these. */
#define STATE_CLASS 0x1fu
#define STATE_PICTURE 0x20u  /* picture, then only EXTEND */
#define STATE_JOINER 0x40u   /* the same, then ZWJ: a picture now belongs to it */
#define STATE_REGIONAL 0x80u /* an odd number of regional indicators */

/* A value beyond Unicode is a one-cell OTHER. */
static inline unsigned property_of(uint32_t point)
{
	if (point >= 0x110000) {
		return VT_ALONE | 1;
	}
	return width_cells[(unsigned)width_pages[point >> 8] << 8 | (point & 255)];
}

static inline unsigned class_of(uint32_t point)
{
	return property_of(point) >> VT_BREAK_SHIFT & VT_BREAK_MASK;
}

unsigned vt_width(uint32_t point)
{
	return property_of(point) & VT_WIDTH_MASK;
}

struct vt_widths vt_widths(void)
{
	return (struct vt_widths){
		.pages = width_pages,
		.cells = width_cells,
		.two = width_two,
		.three = width_three,
	};
}

bool vt_grapheme_joins_any(vt_grapheme state)
{
	unsigned class = state & STATE_CLASS;
	return class == VT_BREAK_PREPEND + 1 || class == VT_BREAK_L + 1 ||
	       (state & STATE_JOINER) != 0;
}

/* GB6 to GB8: Hangul syllables out of parts. */
static bool hangul_joins(unsigned before, unsigned class)
{
	switch (before) {
	case VT_BREAK_L:
		return class == VT_BREAK_L || class == VT_BREAK_V || class == VT_BREAK_LV ||
		       class == VT_BREAK_LVT;
	case VT_BREAK_LV:
	case VT_BREAK_V:
		return class == VT_BREAK_V || class == VT_BREAK_T;
	case VT_BREAK_LVT:
	case VT_BREAK_T:
		return class == VT_BREAK_T;
	default:
		return false;
	}
}

static bool joins(vt_grapheme state, unsigned class)
{
	unsigned before = (state & STATE_CLASS) - 1;
	if (before == VT_BREAK_CONTROL || class == VT_BREAK_CONTROL) {
		return false;
	}
	if (class == VT_BREAK_EXTEND || class == VT_BREAK_ZWJ || class == VT_BREAK_SPACING ||
		before == VT_BREAK_PREPEND) {
		return true;
	}
	if (class == VT_BREAK_PICTURE) {
		return (state & STATE_JOINER) != 0;
	}
	if (class == VT_BREAK_REGIONAL) {
		return (state & STATE_REGIONAL) != 0;
	}
	return hangul_joins(before, class);
}

bool vt_grapheme_next(vt_grapheme *state, uint32_t point)
{
	unsigned class = class_of(point);
	bool joined = *state != 0 && joins(*state, class);
	vt_grapheme next = class + 1;
	if (class == VT_BREAK_PICTURE) {
		next |= STATE_PICTURE;
	} else if (joined && class == VT_BREAK_EXTEND) {
		next |= *state & STATE_PICTURE;
	} else if (joined && class == VT_BREAK_ZWJ && (*state & STATE_PICTURE) != 0) {
		next |= STATE_JOINER;
	} else if (class == VT_BREAK_REGIONAL && !(joined && (*state & STATE_REGIONAL) != 0)) {
		next |= STATE_REGIONAL;
	}
	*state = next;
	return !joined;
}

static bool has_emoji_form(uint32_t point)
{
	return class_of(point) == VT_BREAK_PICTURE || (point >= '0' && point <= '9') ||
	       point == '#' || point == '*';
}

unsigned vt_width_joined(uint32_t base, unsigned width, uint32_t point)
{
	unsigned property = property_of(point);
	unsigned base_class = class_of(base);
	unsigned own = property & VT_WIDTH_MASK;
	switch (property >> VT_BREAK_SHIFT & VT_BREAK_MASK) {
	case VT_BREAK_EXTEND:
		if (own == 2) { /* a skin tone changes the colour of its emoji */
			return width;
		}
		if (point == 0xfe0f && has_emoji_form(base)) {
			return 2;
		}
		return width + own > 2 ? 2 : width + own;
	case VT_BREAK_REGIONAL:
		return 2;
	case VT_BREAK_SPACING:
		return width + own > 2 ? 2 : width + own;
	default:
		return base_class == VT_BREAK_PREPEND && own > width ? own : width;
	}
}
