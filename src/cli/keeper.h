/* A process of its own that holds one password while a command waits: it gives it to root alone,
 * once for each warrant, and dies with the command. The command itself forgets the password at
 * once.
 *
 * Always holds: nothing else can read its memory (not dumpable, locked, wiped at the end); it has
 * no descriptor but the way to its command and the warrants. Never starts anything, never writes
 * anything but the password into the pipe of a question. */
#pragma once

#include <sys/types.h>

#include "protocol/warrant.h"

struct keeper {
	pid_t pid;  /* 0 = there is none */
	int way_fd; /* to it */
};

#define KEEPER_NONE ((struct keeper){ .way_fd = -1 })

/* Starts one for this password (at most WARRANT_PASSWORD_MAX bytes; the caller wipes its own copy).
 * user: whose it is, NULL = whoever a question names. 0 or -errno. */
int keeper_start(struct keeper *ret, const char *password, const char *user);

/* Hands it the near end of a warrant's socket, whose questions it answers from then on. Takes
 * near_fd in any case. 0 or -errno. */
int keeper_watch(const struct keeper *k, int near_fd);

void keeper_stop(struct keeper *k); /* waits for its end; nothing when there is none */

/* Whether a question is to be answered: root's, about this user (NULL = any). */
bool keeper_believes(const struct warrant_question *q, const struct ucred *asker, const char *user);
