/* Whether two screens are the same to a person and to the program, and what the first difference
 * is. For tests only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vt/screen.h"

enum compare_what {
	COMPARE_CELLS = 1 << 0,	  /* both buffers */
	COMPARE_CURSOR = 1 << 1,  /* place, pending wrap, what joins and what REP repeats */
	COMPARE_MODES = 1 << 2,	  /* all of struct vt_modes */
	COMPARE_HISTORY = 1 << 3, /* logical lines, newest first, as many as both keep */
	COMPARE_ALL = 15,
};

/* What no bytes can bring back and nobody can see; found rather than failed. */
enum compare_tolerated {
	TOLERATED_SPACE = 1 << 0,    /* a space where a wrap was made or is pending over nothing */
	TOLERATED_SQUEEZED = 1 << 3, /* part of a cluster that has too little room */
	TOLERATED_BREAK = 1 << 2,  /* a line that was wrapped at another width ends at the screen */
	TOLERATED_REPEAT = 1 << 1, /* another character for REP: a full screen without the right
				      one, or a wrap pending over another one */
};

struct comparison {
	char why[512];	    /* "" = equal */
	unsigned tolerated; /* enum compare_tolerated */
};

/* `of` is what it should be, `other` what it is. Both are only read (history lines are decoded). */
struct comparison compare_screens(struct vt_screen *of, struct vt_screen *other, unsigned what);

/* A cluster in fewer cells than it takes: made at the edge, or while code points were counted one
 * by one, and moved since. No bytes make it whole elsewhere. */
bool compare_is_squeezed(const struct vt_screen *s, const struct vt_cell *cell);

/* One row as text: clusters whole, empty cells as spaces, trailing blanks left out. */
void compare_row_text(const struct vt_screen *s, const struct vt_cell *cells, unsigned count,
	char *text, size_t size);
