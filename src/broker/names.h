/* Names of users, asked for without ever waiting: name services may take any time, so a process of
 * its own does nothing but ask them. It is forked from the broker, holds none of its descriptors
 * but one socket, and ends with it. It answers one question after the other; where one takes too
 * long, another process takes its place and goes on with the next. Answers are kept for a minute.
 *
 * A name is for people to read and for the user to be found by; who somebody is, is his uid. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define NAMES_TEXT_SIZE 64    /* a user's name */
#define NAMES_GROUPS_MAX 4096 /* of one user; of more nothing is told (-E2BIG) */

#define NAMES_HANG_MS 10000 /* that one question may take the process */

struct config_names;
struct names;
struct names_question;

struct names_answer {
	int error;		/* 0; -ENOENT: there is none; -ETIMEDOUT, -E2BIG, or -errno */
	uid_t uid;		/* or a gid: what was asked for */
	const char *name;	/* borrowed, for the time of the callback */
	const uint32_t *groups; /* of names_ask_user(): the gid first; borrowed likewise */
	size_t group_count;
};

typedef void names_callback(void *user, const struct names_answer *answer);

/* Starts the process, which finds numbers by names with `source` (NULL: the system's user
 * database) and gets another one in its place after hang_ms without an answer. 0 or -errno. */
int names_new(
	struct names **ret, sd_event *event, const struct config_names *source, unsigned hang_ms);

/* What is asked is never answered. The process ends. Not from within a callback of an answer. NULL
 * is fine; returns NULL. */
struct names *names_free(struct names *n);

/* The name of this uid as it was last heard; NULL = never, or it has none. Until the next question
 * is answered. */
const char *names_of(const struct names *n, uid_t uid);

/* Is the name of this uid, or that it has none, known and fresh? */
bool names_knows(const struct names *n, uid_t uid);

/* Asks for the name of a uid, or for a user by his name; wait_ms is the longest wait. The answer
 * comes from the loop, never from within this call, and once. 0; -E2BIG (the name cannot be one);
 * -EBUSY (too much is asked already); or -errno: then nothing comes. */
int names_ask_uid(struct names_question **ret, struct names *n, uid_t uid, unsigned wait_ms,
	names_callback *done, void *user);
int names_ask_user(struct names_question **ret, struct names *n, const char *name, unsigned wait_ms,
	names_callback *done, void *user);

/* Likewise for the number of a user or a group alone, as `uid`; such answers are not kept. */
int names_ask_number(struct names_question **ret, struct names *n, const char *name, bool group,
	unsigned wait_ms, names_callback *done, void *user);

/* The answer is not wanted any more: must be called before `user` goes. NULL is fine; returns NULL.
 * Not after the answer came. */
struct names_question *names_cancel(struct names_question *q);

/* What such a process does, for broker/nursery: answers what comes at this descriptor, and ends
 * with it; never returns. Where a nursery is open, processes that ask the system come from there.
 */
void names_serve(int fd);
