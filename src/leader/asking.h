/* One caller who asks for the session past the broker (LINK_WARRANT): from his warrant, over the
 * password where it needs one, to what was granted. Nothing here blocks.
 *
 * Always holds: one asks at a time; after a wrong password the next is asked for only later, each
 * time twice as late, whatever the broker does. */
#pragma once

#include <stdint.h>

#include "leader/check.h"
#include "leader/grant.h"
#include "protocol/warrant.h"

struct asking {
	struct grant grant; /* what the last one was given */
	int warrant_fd;	    /* of who asks now; -1 = nobody does */
	struct warrant warrant;
	uid_t maker;
	char from[LINK_SHORT_SIZE]; /* where he sits, as the broker says: for PAM's records */
	uint64_t begin_at; /* clock_monotonic_ms(): when he is asked for the password; 0 = he was */
	struct check check;
	unsigned failures;	/* in a row */
	uint64_t next_check_at; /* clock_monotonic_ms(); not before */
};

#define ASKING_INIT ((struct asking){ .warrant_fd = -1, .check = CHECK_INIT })
#define ASKING_WAIT 1 /* not decided yet */

/* What the question needs to know of the session. Texts are borrowed. */
struct asking_about {
	struct grant_session session;
	const char *user; /* the owner's name; empty = the uid has none, and no password either */
	const char *tty;
};

/* A new one asks; takes warrant_fd, also on failure. `from` is copied. 0 = granted, ASKING_WAIT,
 * -EBUSY (another one is being asked), -EACCES, -EPROTO, or -errno. Whatever was granted before is
 * forgotten. */
int asking_begin(struct asking *a, const struct asking_about *about, int warrant_fd,
	bool free_of_password, const char *from);

/* When asking_fd() is readable or asking_time() has come: as asking_begin(), or -EKEYREJECTED,
 * -EKEYREVOKED, -ETIME. To be called only while somebody asks. */
int asking_go_on(struct asking *a, const struct asking_about *about, uint64_t now);

bool asking_is_busy(const struct asking *a);
int asking_fd(const struct asking *a);	      /* -1 = none */
uint64_t asking_time(const struct asking *a); /* clock_monotonic_ms(); UINT64_MAX = never */

/* Forgets who asks and what was granted; the time until the next check stays. */
void asking_stop(struct asking *a);
