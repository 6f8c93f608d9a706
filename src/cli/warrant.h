/* What a command brings along to be shown a session: in system mode a warrant (protocol/warrant.h)
 * for each try, and behind it a keeper with the password that the person gave. In user mode
 * nothing. */
#pragma once

#include <jansson.h>

#include "base/cleanup.h"
#include "cli/keeper.h"
#include "cli/options.h"
#include "door/tty/registration.h"

struct warrant_maker {
	bool system;	      /* the server is that of all users: only there a warrant is of use */
	struct keeper keeper; /* of the password, if there is one */
	int near_fd;	      /* of the last warrant, where no keeper has it */
};

#define WARRANT_MAKER_NONE ((struct warrant_maker){ .keeper = KEEPER_NONE, .near_fd = -1 })

/* Takes the password that the options give: asks for it, reads it. It is forgotten here in any
 * case; in user mode it is needed for nothing. 0, or -1 and *ret_failure. */
int warrant_maker_init(struct warrant_maker *ret, bool system, const struct arguments *a,
	struct failure *ret_failure);
void warrant_maker_done(struct warrant_maker *m);

/* To show `session` (as the person named it; NULL: the caller's own) on the terminal `terminal`,
 * NULL: one whose door we are ourselves. */
struct warrant warrant_to_connect(const char *session, const char *terminal);

/* A new socket with this warrant in it (spec_fd as warrant_send() has it), to be sent to the
 * server: the caller's to close, or -errno. The one before is then void. */
int warrant_make(struct warrant_maker *m, const struct warrant *w, int spec_fd);

/* Adds what a warrant needs to the parameters of Connect, where it is of use: `warrant`,
 * `password`, and *ret_fd is what rides along as the first descriptor, else -1. 0 or -errno. */
int warrant_add(struct warrant_maker *m, const struct warrant *w, json_t *parameters, int *ret_fd);

static inline void auto_warrant_maker_done(struct warrant_maker *m)
{
	warrant_maker_done(m);
}
