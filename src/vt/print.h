/* What the two files that print share; nobody else includes it. */
#pragma once

#include "vt/draft.h"
#include "vt/state.h"

/* The cursor's row, marked as changed now; who changes its cells takes care of its draft. */
static inline struct vt_line *print_line(struct vt_screen *s)
{
	struct vt_line *line = vt_line_at(s, s->cursor.row);
	line->changed = s->changes;
	return line;
}

/* The cursor stands behind what was stored up to column end. */
static inline void print_advance(struct vt_screen *s, unsigned end, unsigned limit)
{
	s->cursor.pending_wrap = end >= limit;
	s->cursor.column = (uint16_t)(end >= limit ? limit - 1 : end);
}

static inline void print_remember(struct vt_screen *s, unsigned column, uint32_t point)
{
	s->join.valid = true;
	s->join.row = s->cursor.row;
	s->join.column = (uint16_t)column;
	s->join.point = point;
	s->join.grapheme = 0;
	s->last_glyph = point;
}

/* Whether characters that stand alone are simply stored, one behind the other. */
static inline bool print_plain(const struct vt_screen *s)
{
	bool joins = s->join.grapheme != 0 && s->join.valid &&
		     vt_grapheme_joins_any(s->join.grapheme);
	return s->plain && !vt_modes_get(&s->modes, VT_MODE_INSERT) && !joins;
}
