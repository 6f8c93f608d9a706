/* How many cells a code point takes and where a grapheme cluster ends. The tables are made at build
 * time from utf8proc's data (width_gen.c): no library is needed at run time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Cells of one code point that stands alone: 0 (combining, ZWJ, variation selectors, other
 * invisible format characters), 1 or 2. Emoji that are shown as pictures by default are 2,
 * ambiguous ones 1. Not for controls (gives 0). */
unsigned vt_width(uint32_t point);

/* Where the code points of one cluster have led to: init to 0 before its first. */
typedef uint32_t vt_grapheme;

/* Adds the next code point. True: it begins a new cluster (and the state is that of this new one);
 * false: it belongs to the one before. The first of a text is always true. Extended grapheme
 * clusters as utf8proc defines them (UAX 29). */
bool vt_grapheme_next(vt_grapheme *state, uint32_t point);

/* Cells of a cluster so far of width `width` after `point` was added to it: VS16 (U+FE0F) behind a
 * character that has an emoji form makes it 2, a second regional indicator 2, else as it was. */
unsigned vt_width_joined(uint32_t base, unsigned width, uint32_t point);
