/* What of a terminal's environment reaches the session: stable paths that are re-pointed to the
 * terminal that is connected now, an X display of the session's own that leads there, and run/env,
 * which a shell may read to refresh its own.
 *
 * Always holds: only the names of one short list are taken over, values are data (quoted exactly),
 * and every file changes at once or not at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/display.h"
#include "protocol/spec.h"

struct environment {
	int run_fd;	/* the session's own folder; -1 = none */
	char *run_path; /* its absolute path; NULL = unknown, then there are no stable paths */
	struct display display; /* from the first terminal on that has one */
};

#define ENVIRONMENT_INIT ((struct environment){ .run_fd = -1, .display = DISPLAY_INIT })

/* Takes run_fd over, also on failure. 0 or -errno. */
int environment_open(struct environment *ret, int run_fd);
void environment_done(struct environment *e);

/* The terminal's own variables, as CABLE_CLIENT brings them (NAME=VALUE texts, each NUL-ended).
 * 0, or -errno when something could not be written: the session goes on without it. */
int environment_update(struct environment *e, const char *texts, size_t length);

/* The same, from the environment of who created the session. */
int environment_begin(struct environment *e, char *const *variables);

/* run/door: as whom the door of the terminal runs that shows the session now. In system mode
 * commands in the session find out there, past the broker, whether it is one of their own. 0 or
 * -errno: then there is none. */
int environment_note_door(const struct environment *e, uid_t uid);

/* The environment of the session's programs: that of the spec, with TERM, TERMSERV_SESSION and
 * stable values of what the spec has. NULL-ended, one block for free(); borrows from spec. NULL: no
 * memory. */
char **environment_program(const struct environment *e, const struct spec *spec, uint32_t session);

/* In system mode: `own`, the environment of this process, is the owner's login (borrowed for as
 * long as the spec lives) and stands above what the spec brings; only PATH and SHELL stay as the
 * owner's own command says. With `foreign` the spec is a stranger's, whom the owner's password has
 * let in: of its environment only TERM, COLORTERM, LANG and LC_* count, and the owner's login shell
 * runs in his home. 0 or -ENOMEM. */
int environment_log_on(struct spec *spec, char **own, bool foreign);

/* The value of `name` among NAME=VALUE texts, or NULL. */
const char *environment_find(char *const *variables, const char *name);
