/* Every lasting setting, one by one: each row of the table of modes toggled, and each other member
 * of struct vt_modes changed. Painted elsewhere it is as it was, into a fresh terminal and into one
 * that is in a mess; and reset undoes it. A new row is walked by itself; a new member fails to
 * build here until it has a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "replay.h"

#define ROWS 5
#define COLUMNS 20

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct vt_modes) == 984, "what changes the new member? add it to `others`");
#endif

/* What changes each of the members that are no numbered modes. */
static const char *const others[] = {
	"\033[3 q",				      /* cursor_shape */
	"\033[2*x",				      /* attribute_extent */
	"\033[2;4r",				      /* top, bottom */
	"\033[?69h\033[3;9s",			      /* left, right */
	"\033(0",				      /* charsets.g */
	"\033*0\033n",				      /* charsets.gl */
	"\033~",				      /* charsets.gr */
	"\033*0\033N",				      /* charsets.single */
	"\033[2;3H\0337",			      /* saved, of the primary buffer */
	"\033[2;3H\0337\033[?1049h\0337",	      /* of both */
	"\033[>5u",				      /* kitty, of the primary buffer */
	"\033[?1049h\033[>1u\033[>3u",		      /* of the alternate one */
	"\033[>4;2m",				      /* modify_keys */
	"\033[>4n",				      /* switched off */
	"\033[>4;1f",				      /* format_keys */
	"\033[1;38;5;99;48;2;1;2;3;58:5:7;4:3m",      /* pen */
	"\033[1\"q",				      /* pen: DECSCA */
	"\033]8;id=a;http://example.org\033\\",	      /* pen: the link */
	"\033[?7l\033[?7s\033[?7h",		      /* xtsave */
	"\033[?1003h\033[?1003s\033[?1003l",	      /* xtsave, mouse */
	"\033[?1006h\033[?1006s\033[?1006l",	      /* xtsave, encoding */
	"\033]2;title\033\\",			      /* titles.title */
	"\033]1;icon\033\\",			      /* titles.icon */
	"\033]0;one\033\\\033[22;0t\033]0;two\033\\", /* titles.stack */
	"\033]10;#123456\033\\",		      /* palette.foreground */
	"\033]11;#123456\033\\",		      /* palette.background */
	"\033]12;#123456\033\\",		      /* palette.cursor */
	"\033]4;1;#123456\033\\",		      /* palette.indexed */
	"\033[4G\033H\033[9G\033[g",		      /* tabs */
};

static unsigned failures;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	failures++;
}

/* Whether the bytes change anything that lasts; else a test of them could not fail. */
static bool changes(const char *bytes)
{
	struct vt_screen *fresh = NULL;
	struct vt_screen *changed = NULL;
	if (vt_screen_new(&fresh, ROWS, COLUMNS, 0, NULL, NULL) < 0 ||
		vt_screen_new(&changed, ROWS, COLUMNS, 0, NULL, NULL) < 0) {
		abort();
	}
	vt_screen_feed(changed, bytes, strlen(bytes));
	struct comparison c = compare_screens(fresh, changed, COMPARE_MODES);
	(void)vt_screen_free(fresh);
	(void)vt_screen_free(changed);
	return c.why[0] != '\0';
}

static void check(const char *what, const char *bytes)
{
	char why[700];
	struct replay_step step = { .bytes = (const uint8_t *)bytes, .length = strlen(bytes) };
	struct replay r = { .rows = ROWS, .columns = COLUMNS, .steps = &step, .count = 1 };
	if (!changes(bytes)) {
		fail(what, "changes nothing");
	}
	if (!replay_cut(&r, 1, 0, why, sizeof(why))) {
		fail(what, why);
	}
	if (!replay_reset(&r, why, sizeof(why))) {
		fail(what, why);
	}
	r.junk = replay_junk(&r.junk_length);
	if (!replay_cut(&r, 1, 0, why, sizeof(why))) {
		fail(what, why);
	}
}

int main(void)
{
	size_t count;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	for (size_t i = 0; i < count; i++) {
		char bytes[32];
		(void)snprintf(bytes, sizeof(bytes), "\033[%s%u%c", rows[i].is_private ? "?" : "",
			rows[i].number, rows[i].initial ? 'l' : 'h');
		check(rows[i].name, bytes);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		check(others[i] + 1, others[i]);
	}
	printf("%zu settings, %u failures\n", count + sizeof(others) / sizeof(others[0]), failures);
	return failures == 0 ? 0 : 1;
}
