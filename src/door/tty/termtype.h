/* What a terminal can show, judged by its own words: TERM and COLORTERM. */
#pragma once

#include <stdint.h>

#include "protocol/cable.h"

struct term_type {
	enum cable_class class;
	uint32_t colours; /* 0, 8, 16, 256 or 16777216 */
};

/* Both may be NULL. */
struct term_type term_type_of(const char *term, const char *colorterm);
