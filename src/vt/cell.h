/* What stands in one place of the screen, and how it looks. Plain values without an owner: a cell
 * names its style and its cluster by number, the numbers belong to the pool of its screen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* glyph: 0 = nothing was ever written here (or it was erased), else a Unicode scalar value, or
 * VT_CLUSTER | number of a grapheme cluster of several code points (vt_screen_cluster()).
 * Never a control character, never a surrogate. */
#define VT_CLUSTER 0x80000000u
#define VT_EMPTY 0u

/* A cluster keeps at most so many code points; the ones behind are dropped. */
#define VT_CLUSTER_LENGTH 16

enum vt_cell_flag {
	/* Empty cell at the right margin: the wide character that came next did not fit and stands
	 * at the start of the next row. No text: whoever joins the two rows leaves it out. */
	VT_CELL_PAD = 1 << 0,
};

/* A wide character takes two cells: width 2, then one with width 0 and glyph VT_EMPTY and the same
 * style. Both halves always exist: where one is overwritten, the other becomes a space. */
struct vt_cell {
	uint32_t glyph;
	uint16_t style; /* 0 = the default style; vt_screen_style() tells the others */
	uint8_t width;	/* 1, 2, or 0 = right half of the wide character before it */
	uint8_t flags;	/* enum vt_cell_flag */
};

_Static_assert(sizeof(struct vt_cell) == 8, "a cell is eight bytes");

/* A colour: VT_COLOR_DEFAULT, or VT_COLOR_INDEXED | 0..255, or VT_COLOR_RGB | 0xRRGGBB. */
#define VT_COLOR_DEFAULT 0u
#define VT_COLOR_INDEXED 0x01000000u
#define VT_COLOR_RGB 0x02000000u
#define VT_COLOR_KIND(c) ((c)&0xff000000u)
#define VT_COLOR_VALUE(c) ((c)&0x00ffffffu)

enum vt_attribute {
	VT_BOLD = 1 << 0,      /* SGR 1 */
	VT_DIM = 1 << 1,       /* SGR 2 */
	VT_ITALIC = 1 << 2,    /* SGR 3 */
	VT_BLINK = 1 << 3,     /* SGR 5, 6 */
	VT_INVERSE = 1 << 4,   /* SGR 7 */
	VT_INVISIBLE = 1 << 5, /* SGR 8 */
	VT_STRIKE = 1 << 6,    /* SGR 9 */
	VT_OVERLINE = 1 << 7,  /* SGR 53 */
	VT_PROTECTED = 1 << 8, /* DECSCA 1: selective erase leaves it; not an SGR, SGR 0 keeps it */
};

enum vt_underline {
	VT_UNDERLINE_NONE = 0,
	VT_UNDERLINE_SINGLE = 1, /* SGR 4, 4:1 */
	VT_UNDERLINE_DOUBLE = 2, /* SGR 21, 4:2 */
	VT_UNDERLINE_CURLY = 3,	 /* SGR 4:3 */
	VT_UNDERLINE_DOTTED = 4, /* SGR 4:4 */
	VT_UNDERLINE_DASHED = 5, /* SGR 4:5 */
};

/* No padding, so that equality and hash are those of its bytes. All zero = the default style. */
struct vt_style {
	uint32_t foreground;
	uint32_t background;
	uint32_t underline_color; /* SGR 58; VT_COLOR_DEFAULT = that of the text */
	uint16_t attributes;	  /* enum vt_attribute */
	uint16_t underline;	  /* enum vt_underline */
	uint32_t link;		  /* 0 = none; vt_screen_link() tells the others */
};

_Static_assert(sizeof(struct vt_style) == 20, "a style has no padding");

/* All words at once: which one differs cannot be foretold, so that branches would cost more. */
static inline bool vt_style_equal(const struct vt_style *a, const struct vt_style *b)
{
	uint64_t x[2];
	uint64_t y[2];
	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (uint64_t)(a->link ^ b->link)) == 0;
}
