/* The tty of the person who sits here: an own, non-blocking descriptor of it (so that the shell's
 * is left as it is), raw mode, its size, and the way back. Nothing here waits. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "protocol/cable.h"

struct rawtty {
	int fd;			/* -1 = not open */
	bool shared;		/* fd is standard input's own description: O_NONBLOCK is undone */
	bool raw;		/* the terminal is in raw mode now */
	struct termios mode;	/* as it was */
	struct cable_size size; /* the last that the terminal told */
	char path[64];		/* as /dev/pts/4; empty when it has no name */
};

#define RAWTTY_NONE ((struct rawtty){ .fd = -1 })

/* Takes standard input's terminal. 0, -ENOTTY (it is none), or -errno.
 */
int rawtty_open(struct rawtty *ret);
void rawtty_close(struct rawtty *t); /* back to the mode as it was; also when not open */

int rawtty_enter(struct rawtty *t);  /* raw mode, never suspended; 0 or -errno */
void rawtty_leave(struct rawtty *t); /* the mode as it was; nothing when not raw */
/* While a password is typed: no echo but of the line's end, and no keys that send signals. What was
 * typed ahead counts. Off: the mode as it was. Nothing while raw. */
void rawtty_hush(const struct rawtty *t, bool on);

void rawtty_reenter(const struct rawtty *t); /* after a stop: raw again if it was raw */
bool rawtty_is_ours(const struct rawtty *t); /* and not some other job's, in the foreground now */

/* 24x80 where the terminal does not know; the last one where it has gone, so that a session whose
 * line drops keeps its shape. */
struct cable_size rawtty_size(struct rawtty *t);

/* Whether it may be lent, and a descriptor for that: an own description. The caller's; -1 = it
 * cannot be. */
bool rawtty_may_lend(const struct rawtty *t);
int rawtty_lend(const struct rawtty *t);

bool rawtty_has_input(const struct rawtty *t);	  /* keys that nobody has read */
void rawtty_forget_input(const struct rawtty *t); /* what was typed and not yet read */

/* As read() and write(), but -errno. */
ssize_t rawtty_read(const struct rawtty *t, void *bytes, size_t size);
ssize_t rawtty_write(const struct rawtty *t, const void *bytes, size_t length);

/* For AUTO(rawtty_close). */
static inline void auto_rawtty_close(struct rawtty *t)
{
	rawtty_close(t);
}
