/* How many cells a code point takes and where a grapheme cluster ends. The tables are made at build
 * time from utf8proc's data (width_gen.c): no library is needed at run time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vt/width_class.h"

/* Cells of one code point that stands alone: 0 (combining, ZWJ, variation selectors, other
 * invisible format characters), 1 or 2. Emoji that are shown as pictures by default are 2,
 * ambiguous ones 1. Not for controls (gives 0). */
unsigned vt_width(uint32_t point);

/* Ranges in which each code point has one cell and stands alone as of vt_width_alone(): Latin with
 * its marks, Greek and Cyrillic. */
#define VT_LATIN_FIRST 0xc0
#define VT_LATIN_LAST 0x2ff
#define VT_GREEK_FIRST 0x380
#define VT_CYRILLIC_LAST 0x47f

/* Where the code points of one cluster have led to: init to 0 before its first. */
typedef uint32_t vt_grapheme;

/* Adds the next code point. True: it begins a new cluster (and the state is that of this new one);
 * false: it belongs to the one before. The first of a text is always true. Extended grapheme
 * clusters as utf8proc defines them (UAX 29). */
bool vt_grapheme_next(vt_grapheme *state, uint32_t point);

/* The tables of vt_width_alone(), for a loop over many code points. */
struct vt_widths {
	const uint8_t *pages;
	const uint8_t *cells;
	/* vt_width_alone() of all 64 code points whose UTF-8 differs in its last byte only, 0 = not
	 * the same for all of them, or not well-formed: by the lead byte's five bits of those of
	 * two bytes, by point >> 6 of those of three. */
	const uint8_t *two;
	const uint8_t *three;
};
struct vt_widths vt_widths(void);

/* Cells of a code point (below 0x110000) that begins a cluster of one or two cells whatever came
 * before it (unless that was a vt_grapheme_joins_any()): the plain case. 0 = it is of another kind.
 */
static inline unsigned vt_width_alone(const struct vt_widths *w, uint32_t point)
{
	unsigned property = w->cells[(unsigned)w->pages[point >> 8] << 8 | (point & 255)];
	return property >= VT_ALONE ? property & VT_WIDTH_MASK : 0;
}

/* Whether a code point of that plain kind may belong to the cluster that is open all the same
 * (after a prepended mark, a joiner, or the first part of a Hangul syllable). */
bool vt_grapheme_joins_any(vt_grapheme state);

/* Cells of a cluster that begins with `base` and had `width` so far, after `point` joined it: VS16
 * (U+FE0F) behind a character that has an emoji form makes it 2, as does a second regional
 * indicator; a spacing mark adds its own up to 2. */
unsigned vt_width_joined(uint32_t base, unsigned width, uint32_t point);
