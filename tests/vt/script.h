/* Scripts that say what bytes go in and what the screen must be then. One command a line; a line
 * that begins with `!` names a case (a sentence) and starts it on a fresh screen of 5 rows and 20
 * columns. After a case its bytes are cut in many places and painted elsewhere (replay.h).
 *
 *   size R C              before the first feed          resize R C
 *   feed "text"           with \e \r \n \t \a \b \\ \" \xHH \u{HEX}
 *   answer on             queries get answers from here on
 *   row Y "text" [wrapped]          of the active buffer
 *   primary-row Y "text"            of the primary one
 *   scale Y single|wide|top|bottom
 *   cell Y X "c"|empty [look]       width=N, and a look: bold dim italic blink inverse invisible
 *                         strike overline protected underline=single|double|curly|dotted|dashed
 *                         fg= bg= ul= (N, #RRGGBB) link=URI; what is not named must be default
 *   pen [look]            cursor Y X [pending]
 *   buffer primary|alternate        mode 4|?25 on|off
 *   mouse N               encoding N                     shape N
 *   margins TOP BOTTOM LEFT RIGHT   tabs COLUMN...
 *   saved none | Y X [pending] [origin]
 *   charsets BBBB GL GR SINGLE      kitty FLAGS...
 *   modify KEY VALUE      format KEY VALUE
 *   title "t"             icon "t"                       titles DEPTH
 *   palette N|text|ground|cursor #RRGGBB|default
 *   history COUNT         history-row I "text" [wrapped] history-scale I single|wide|top|bottom
 *   reply "all answers since the last"
 *   bells COUNT           ground yes|no
 *
 * All rows and columns count from 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "replay.h"
#include "vt/screen.h"

#define SCRIPT_WORDS 48
#define SCRIPT_STEPS 256

struct script {
	const char *path;
	unsigned line;
	char name[256]; /* of the case */
	unsigned failures;
	unsigned cases;
	bool checks_only; /* no replay */
	struct vt_screen *screen;
	unsigned rows, columns;
	struct buf replies;
	unsigned bells;
	struct replay_step steps[SCRIPT_STEPS];
	size_t step_count;
};

/* The words of one line; a word in quotes is decoded, may hold NUL and is marked. */
struct script_line {
	size_t count;
	struct script_word {
		char text[1024];
		size_t length;
		bool quoted;
	} words[SCRIPT_WORDS];
};

bool script_split(struct script *s, const char *text, struct script_line *ret);

void script_fail(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned script_number(struct script *s, const struct script_line *l, size_t word);

/* Runs a line that expects something. False: no such command. */
bool script_check(struct script *s, const struct script_line *l);
