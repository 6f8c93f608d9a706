#include "door/tty/termtype.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

#define COLOURS_ALL 16777216

struct row {
	const char *name;
	enum cable_class class;
	uint32_t colours; /* of the name alone */
};

/* TERM is one of these, or begins with one and a `-`, `.` or `+`. Sorted. What speaks xterm's
 * language as far as the screen model uses it is of its class. */
static const struct row rows[] = {
	{ "Eterm", CABLE_CLASS_PLAIN, 8 },
	{ "alacritty", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "ansi", CABLE_CLASS_PLAIN, 8 },
	{ "contour", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "cygwin", CABLE_CLASS_PLAIN, 8 },
	{ "dumb", CABLE_CLASS_PLAIN, 0 },
	{ "foot", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "ghostty", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "gnome", CABLE_CLASS_XTERM, 8 },
	{ "iterm", CABLE_CLASS_XTERM, 256 },
	{ "iterm2", CABLE_CLASS_XTERM, 256 },
	{ "kitty", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "konsole", CABLE_CLASS_XTERM, 8 },
	{ "linux", CABLE_CLASS_PLAIN, 8 },
	{ "mintty", CABLE_CLASS_XTERM, 256 },
	{ "mlterm", CABLE_CLASS_XTERM, 8 },
	{ "ms-terminal", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "putty", CABLE_CLASS_XTERM, 8 },
	{ "rio", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "rxvt", CABLE_CLASS_XTERM, 8 },
	{ "screen", CABLE_CLASS_XTERM, 8 },
	{ "st", CABLE_CLASS_XTERM, 8 },
	{ "tmux", CABLE_CLASS_XTERM, 8 },
	{ "vte", CABLE_CLASS_XTERM, 8 },
	{ "wezterm", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "xterm", CABLE_CLASS_XTERM, 8 },
	{ "xterm-ghostty", CABLE_CLASS_XTERM, COLOURS_ALL },
	{ "xterm-kitty", CABLE_CLASS_XTERM, COLOURS_ALL },
};

/* The longest name that fits. */
static struct term_type find(const char *term)
{
	struct term_type found = { CABLE_CLASS_PLAIN, 0 };
	size_t longest = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length = strlen(rows[i].name);
		if (length > longest && strncmp(term, rows[i].name, length) == 0 &&
			(term[length] == '\0' || strchr("-.+", term[length]) != NULL)) {
			found = (struct term_type){ rows[i].class, rows[i].colours };
			longest = length;
		}
	}
	return found;
}

static bool has_part(const char *term, const char *part)
{
	const char *at = strstr(term, part);
	return at != NULL && strchr("-.+", at[strlen(part)]) != NULL; /* also at the end */
}

struct term_type term_type_of(const char *term, const char *colorterm)
{
	struct term_type type = find(term != NULL ? term : "");
	if (term != NULL && has_part(term, "-mono")) {
		type.colours = 0;
		return type;
	}
	if (term != NULL && has_part(term, "-direct")) {
		type.colours = COLOURS_ALL;
	} else if (term != NULL && has_part(term, "-256color") && type.colours < 256) {
		type.colours = 256;
	} else if (term != NULL && has_part(term, "-16color") && type.colours < 16) {
		type.colours = 16;
	}
	if (type.class == CABLE_CLASS_XTERM && colorterm != NULL &&
		(strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0)) {
		type.colours = COLOURS_ALL;
	}
	return type;
}
