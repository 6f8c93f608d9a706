#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "door/tty/termtype.h"

static void terminals_are_known_by_their_own_words(void **state)
{
	static const struct {
		const char *term, *colorterm;
		enum cable_class class;
		uint32_t colours;
	} cases[] = {
		{ "xterm", NULL, CABLE_CLASS_XTERM, 8 },
		{ "xterm-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "xterm-256color", "truecolor", CABLE_CLASS_XTERM, 16777216 },
		{ "xterm-256color", "24bit", CABLE_CLASS_XTERM, 16777216 },
		{ "xterm-256color", "yes", CABLE_CLASS_XTERM, 256 },
		{ "xterm-16color", NULL, CABLE_CLASS_XTERM, 16 },
		{ "xterm-direct", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "xterm-mono", "truecolor", CABLE_CLASS_XTERM, 0 },
		{ "xterm-kitty", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "xterm-ghostty", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "tmux", NULL, CABLE_CLASS_XTERM, 8 },
		{ "tmux-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "screen.xterm-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "screen", NULL, CABLE_CLASS_XTERM, 8 },
		{ "foot", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "foot-extra", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "alacritty", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "wezterm", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "rxvt-unicode-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "st-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "stterm", NULL, CABLE_CLASS_PLAIN, 0 },
		{ "konsole-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "vte-256color", NULL, CABLE_CLASS_XTERM, 256 },
		{ "gnome", NULL, CABLE_CLASS_XTERM, 8 },
		{ "mintty", NULL, CABLE_CLASS_XTERM, 256 },
		{ "contour", NULL, CABLE_CLASS_XTERM, 16777216 },
		{ "linux", NULL, CABLE_CLASS_PLAIN, 8 },
		{ "linux", "truecolor", CABLE_CLASS_PLAIN, 8 },
		{ "linux-16color", NULL, CABLE_CLASS_PLAIN, 16 },
		{ "vt100", NULL, CABLE_CLASS_PLAIN, 0 },
		{ "vt220", NULL, CABLE_CLASS_PLAIN, 0 },
		{ "dumb", NULL, CABLE_CLASS_PLAIN, 0 },
		{ "xtermish", NULL, CABLE_CLASS_PLAIN, 0 },
		{ "unheard-of-256color", NULL, CABLE_CLASS_PLAIN, 256 },
		{ "", "", CABLE_CLASS_PLAIN, 0 },
		{ NULL, NULL, CABLE_CLASS_PLAIN, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct term_type type = term_type_of(cases[i].term, cases[i].colorterm);
		if (type.class != cases[i].class || type.colours != cases[i].colours) {
			fail_msg("%s: class %d, %u colours", cases[i].term, type.class,
				type.colours);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminals_are_known_by_their_own_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
