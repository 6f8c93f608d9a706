/* The login records of the machine (utmp, wtmp): who is logged on, where, and from where. Written
 * in a process of its own: whoever may read those files may also hold a lock on them. */
#pragma once

#include <stdbool.h>

#include "protocol/link.h"

struct record {
	bool open;  /* a line of ours stands in utmp */
	int pid_fd; /* of the process that writes the newest; -1 = none has */
	char user[LINK_SHORT_SIZE];
	char tty[LINK_SHORT_SIZE];
	char client[LINK_SHORT_SIZE];
};

#define RECORD_INIT ((struct record){ .pid_fd = -1 })

/* Says that the session is on this tty, its terminal's user at `client` (may be empty). Writes only
 * what is new; before the tty is known, nothing. Never waits longer than RECORD_WAIT_MS. */
void record_update(struct record *r, const char *user, const char *tty, const char *client);

/* The session is over; without a line of ours this does nothing. Waits until it is written, at most
 * RECORD_END_MS. */
void record_end(struct record *r);

#define RECORD_WAIT_MS 100
#define RECORD_END_MS 2000
