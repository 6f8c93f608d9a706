/* What history will keep of a row, written down while its text is printed from left to right: such
 * a row need not be read again when it scrolls away. Only rows that came in at the bottom, and will
 * most likely leave at the top, have a draft, and only while all of their text is of the default
 * style: coloured text is read faster from the cells. Whatever else happens to a row drops it.
 *
 * Always holds: line->draft_next is 0 (no draft), or the draft's bytes are exactly the cells before
 * column draft_next - 1 in the form of vt/line_code.h.
 */
#pragma once

#include "vt/grid.h"
#include "vt/pool.h"

struct vt_draft {
	uint16_t length;
	uint16_t size;
	uint8_t bytes[];
};

/* The row is empty, and will be filled from its first column on. */
static inline void vt_draft_begin(struct vt_line *line)
{
	line->draft_next = 1;
	if (line->draft != NULL) {
		line->draft->length = 0;
	}
}

/* The draft if it is all of the row, else NULL. */
static inline const struct vt_draft *vt_draft_whole(const struct vt_line *line)
{
	return line->draft_next == line->used + 1u ? line->draft : NULL;
}

/* Makes room for so many bytes more. False: there is none, the draft is dropped. */
bool vt_draft_reserve(struct vt_line *line, size_t size);

/* Text goes into the cells from column x on, `size` bytes and cells. Returns where its bytes
 * belong; NULL: the row has no draft, or has none any more. */
static inline uint8_t *vt_draft_add(
	struct vt_line *line, unsigned x, uint16_t style, size_t size, unsigned cells)
{
	struct vt_draft *d = line->draft;
	if (line->draft_next != x + 1 || style != 0) {
		line->draft_next = 0;
		return NULL;
	}
	if (d == NULL || (size_t)(d->size - d->length) < size) {
		if (!vt_draft_reserve(line, size)) {
			return NULL;
		}
		d = line->draft;
	}
	uint8_t *place = d->bytes + d->length;
	d->length = (uint16_t)(d->length + size);
	line->draft_next = (uint16_t)(line->draft_next + cells);
	return place;
}

/* The character in the cell at `column` had the glyph `before`, and a code point has joined it. */
void vt_draft_join(
	struct vt_line *line, const struct vt_pool *pool, unsigned column, uint32_t before);
