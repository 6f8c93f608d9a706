/* /server:NAME: the same command on another machine, run there by the system's ssh as whoever the
 * caller is to that machine. Termserv itself listens on no port and trusts no host.
 *
 * Always holds: no shell of this machine reads a word of it, and the other machine's shell reads
 * each word exactly as it was given; a password is in no argument of ssh. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "cli/command.h"

struct remote {
	char **argv;   /* of ssh, NULL-ended, all owned */
	bool terminal; /* the command needs a terminal there, and there is one here to lead to it */
	bool password; /* standard input is to bring a password */
	bool asked;    /* a password that was given here is asked for there instead */
};

/* What the other machine's POSIX shell reads as this one word, owned by the caller; NULL without
 * memory. */
char *remote_quote(const char *word);

/* Whether this may stand as NAME or user@NAME: letters, digits, harmless UTF-8 and `. - _ : @ % + [
 * ]`, and no part that ssh could take for an option. */
bool remote_name_is_good(const char *name);

/* The command line of ssh for this command with /server. at_tty: standard input and output are a
 * person's terminal. 0 or -ENOMEM; remote_done() frees it. */
int remote_build(
	struct remote *ret, const struct command *c, const struct arguments *a, bool at_tty);
void remote_done(struct remote *r);

/* Runs it and waits. The exit status of the command there, or EXIT_FAILED after the two lines. */
int remote_run(const struct command *c, const struct arguments *a);

static inline void auto_remote_done(struct remote *r)
{
	remote_done(r);
}
