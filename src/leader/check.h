/* The check of a password, in a process of its own: it asks for the password through a warrant,
 * reads it from a pipe that nobody but the asker has, lets PAM judge, answers with one byte and is
 * gone.
 *
 * Always holds: the password is in that process alone, which cannot be traced and leaves no core
 * file; whatever goes wrong is a no; it ends after a time. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "leader/pam.h"

struct check {
	int pid_fd;	   /* -1 = none runs */
	int answer_fd;	   /* readable when it has answered or is gone; -1 = none */
	uint64_t deadline; /* clock_monotonic_ms() */
};

#define CHECK_INIT ((struct check){ .pid_fd = -1, .answer_fd = -1 })

/* Sends the question over warrant_fd (borrowed; it must stay open until the answer, or the asker
 * believes that nobody asks), and starts the check. who->by is found out from `maker`. 0 or -errno:
 * also when the asker is gone. */
int check_start(struct check *ret, uint32_t session, const struct pam_who *who, uid_t maker,
	int warrant_fd);

/* When answer_fd is readable: 0 (yes), -EKEYREJECTED, -EKEYREVOKED, -ETIME (nobody answered), -EIO
 * (the check has failed), or what pam_check() says. The check is over. */
int check_answer(struct check *c);

/* Ends it; without one this does nothing. Its process is left to whoever reaps our children. */
void check_stop(struct check *c);
