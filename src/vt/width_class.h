/* The form of the generated tables, shared by width_gen.c, which writes them, and width.c, which
 * reads them: one byte a code point, width in the low bits, break class above, VT_ALONE on top.
 */
#pragma once

enum vt_break {
	VT_BREAK_OTHER, /* stands alone unless a PREPEND comes before or something joins it */
	VT_BREAK_CONTROL,
	VT_BREAK_EXTEND,
	VT_BREAK_L,
	VT_BREAK_V,
	VT_BREAK_T,
	VT_BREAK_LV,
	VT_BREAK_LVT,
	VT_BREAK_REGIONAL,
	VT_BREAK_SPACING,
	VT_BREAK_PREPEND,
	VT_BREAK_ZWJ,
	VT_BREAK_PICTURE,
};

#define VT_BREAK_SHIFT 2
#define VT_WIDTH_MASK 3u
#define VT_BREAK_MASK 0x1fu /* after the shift */

/* Has a cell or two, begins a cluster unless vt_grapheme_joins_any(), and does not make the next
 * one join either. */
#define VT_ALONE 0x80u
