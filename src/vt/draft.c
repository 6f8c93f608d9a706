#include "vt/draft.h"

#include <stdlib.h>

#include "vt/line_code.h"

#define FIRST_SIZE 128 /* bytes; doubled as need be */
#define SIZE_LIMIT 2048

bool vt_draft_reserve(struct vt_line *line, size_t size)
{
	struct vt_draft *d = line->draft;
	size_t need = (d != NULL ? d->length : 0) + size;
	size_t wanted = d != NULL ? d->size : FIRST_SIZE;
	while (wanted < need) {
		wanted *= 2;
	}
	if (d != NULL && wanted == d->size) {
		return true;
	}
	d = wanted <= SIZE_LIMIT ? realloc(d, sizeof(*d) + wanted) : NULL;
	if (d == NULL) {
		line->draft_next = 0;
		return false;
	}
	if (line->draft == NULL) {
		d->length = 0;
	}
	d->size = (uint16_t)wanted;
	line->draft = d;
	return true;
}

void vt_draft_join(
	struct vt_line *line, const struct vt_pool *pool, unsigned column, uint32_t before)
{
	const struct vt_cell *cell = &line->cells[column];
	uint8_t old[VT_LINE_CHARACTER_MAX];
	if (line->draft_next != column + cell->width + 1 || line->draft == NULL) {
		line->draft_next = 0;
		return;
	}
	size_t length = vt_line_code_character(old, pool, before, cell->width);
	if (vt_draft_reserve(line, VT_LINE_CHARACTER_MAX)) {
		struct vt_draft *d = line->draft;
		uint8_t *at = d->bytes + d->length - length;
		length = vt_line_code_character(at, pool, cell->glyph, cell->width);
		d->length = (uint16_t)(at - d->bytes + (ptrdiff_t)length);
	}
}
