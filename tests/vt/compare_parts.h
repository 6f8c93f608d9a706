/* Between the files of the comparison. */
#pragma once

#include "compare.h"

/* Notes a difference; the first one counts. */
void compare_differs(struct comparison *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool compare_style(const struct vt_screen *a, const struct vt_style *x, const struct vt_screen *b,
	const struct vt_style *y);
bool compare_glyph(const struct vt_screen *a, uint32_t x, const struct vt_screen *b, uint32_t y);

void compare_modes(struct comparison *c, struct vt_screen *of, struct vt_screen *other);
void compare_history(struct comparison *c, struct vt_screen *of, struct vt_screen *other);
