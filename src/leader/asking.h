/* The callers who ask for the session past the broker (LINK_WARRANT): each from his warrant, over
 * the password where it needs one, to what was granted. Nothing here blocks.
 *
 * Always holds: who needs no password is answered at once, whoever else is being asked; of one uid
 * one is asked at a time, so that who keeps his question open keeps nobody else out; after a wrong
 * password the next is asked for only later, each time twice as late, whatever the broker does. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "leader/check.h"
#include "leader/grant.h"
#include "protocol/warrant.h"

#define ASKING_MAX 16 /* callers at once, each of another uid; each costs a process */

struct asker;

SLIST_HEAD(asker_list, asker);

struct asking {
	struct asker_list askers; /* who is asked for the password, or will be */
	size_t count;
	struct grants grants;
	unsigned failures;	/* in a row */
	uint64_t next_check_at; /* clock_monotonic_ms(); not before */
};

#define ASKING_INIT ((struct asking){ .count = 0 })

/* What the question needs to know of the session. Texts are borrowed. */
struct asking_about {
	struct grant_session session;
	const char *user; /* the owner's name; empty = the uid has none, and no password either */
	const char *tty;
};

/* What the broker says with a warrant. Texts are borrowed. */
struct asking_question {
	uint32_t serial;
	bool free_of_password;
	const char *from; /* where the caller sits: for PAM's records */
};

struct asking_answer {
	uint32_t serial; /* of the question */
	int result;	 /* 0 = granted; -EBUSY (his uid, or too many, are being asked), -EACCES,
			    -EPROTO,      -EKEYREJECTED, -EKEYREVOKED, -ETIME, or -errno */
	uid_t maker;	 /* of the warrant; (uid_t)-1 = unknown */
};

/* A new one asks; takes warrant_fd, also on failure. True = decided: *ret is the answer. */
bool asking_begin(struct asking *a, const struct asking_about *about, int warrant_fd,
	const struct asking_question *q, struct asking_answer *ret);

/* When one of asking_fds() is readable or asking_time() has come: true = one more is decided, *ret
 * is his answer. To be called until it is false. `now` is clock_monotonic_ms(). */
bool asking_next(struct asking *a, const struct asking_about *about, uint64_t now,
	struct asking_answer *ret);

/* One who is being asked is not waited for any more: true, and *ret is his answer, with `error`.
 * False: there is none. */
bool asking_cancel(struct asking *a, int error, struct asking_answer *ret);

size_t asking_fds(const struct asking *a, int ret[static ASKING_MAX]); /* their number */
uint64_t asking_time(const struct asking *a); /* clock_monotonic_ms(); UINT64_MAX = never */

/* Forgets who asks and what was granted. The time until the next check stays, and who was being
 * asked counts as a wrong password. */
void asking_stop(struct asking *a);
