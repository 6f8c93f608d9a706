#include "broker/attempts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"

enum side {
	SIDE_CALLER,
	SIDE_VICTIM,
};

struct count {
	enum side side;
	struct attempts_caller who; /* of a victim: the uid alone */
	bool under_way;
	/* Of the try under way: its outcome is not known yet; and where that counts meanwhile. */
	bool open, open_shared;
	unsigned open_on; /* of a victim: tries whose outcome is not known yet */
	unsigned failures;
	uint64_t since; /* ms: of the first of them */
	TAILQ_ENTRY(count) entry;
};

TAILQ_HEAD(count_list, count);

struct attempts {
	struct count_list counts;
	size_t count;
	/* For whom no count of his own could be had: they slow each other down, and nobody goes
	 * uncounted. */
	struct count shared[2];
};

int attempts_new(struct attempts **ret)
{
	struct attempts *a = calloc(1, sizeof(*a));
	if (a == NULL) {
		return -ENOMEM;
	}
	TAILQ_INIT(&a->counts);
	a->shared[SIDE_CALLER].side = SIDE_CALLER;
	a->shared[SIDE_VICTIM].side = SIDE_VICTIM;
	*ret = a;
	return 0;
}

static void forget(struct attempts *a, struct count *c)
{
	TAILQ_REMOVE(&a->counts, c, entry);
	a->count--;
	free(c);
}

struct attempts *attempts_free(struct attempts *a)
{
	if (a == NULL) {
		return NULL;
	}
	while (!TAILQ_EMPTY(&a->counts)) {
		forget(a, TAILQ_FIRST(&a->counts));
	}
	free(a);
	return NULL;
}

struct attempts_caller attempts_caller(uid_t uid, const char *place)
{
	struct attempts_caller who = { .uid = uid };
	if (place != NULL) {
		(void)snprintf(who.place, sizeof(who.place), "%s", place);
	}
	for (char *c = who.place; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	return who;
}

static struct attempts_caller victim_as_who(uid_t victim)
{
	return attempts_caller(victim, NULL);
}

/* Failures that still count. */
static unsigned failures_of(const struct count *c, uint64_t now)
{
	return c->failures > 0 && now - c->since < ATTEMPTS_WINDOW_MS ? c->failures : 0;
}

static struct count *find(const struct attempts *a, enum side side, struct attempts_caller who)
{
	struct count *c;
	TAILQ_FOREACH(c, &a->counts, entry)
	{
		if (c->side == side && c->who.uid == who.uid &&
			strcmp(c->who.place, who.place) == 0) {
			return c;
		}
	}
	return NULL;
}

static void forget_old(struct attempts *a, uint64_t now)
{
	struct count *c = TAILQ_FIRST(&a->counts);
	while (c != NULL) {
		struct count *next = TAILQ_NEXT(c, entry);
		if (!c->under_way && c->open_on == 0 && failures_of(c, now) == 0) {
			forget(a, c);
		}
		c = next;
	}
}

/* The count of this one, made if need be. Never NULL. */
static struct count *count_of(
	struct attempts *a, enum side side, struct attempts_caller who, uint64_t now)
{
	struct count *c = find(a, side, who);
	if (c != NULL) {
		return c;
	}
	if (a->count >= ATTEMPTS_COUNTS_MAX) {
		forget_old(a, now);
	}
	c = a->count < ATTEMPTS_COUNTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL) {
		return &a->shared[side];
	}
	c->side = side;
	c->who = who;
	TAILQ_INSERT_TAIL(&a->counts, c, entry);
	a->count++;
	return c;
}

/* After so many failures, how long does the answer to the next one take? */
static uint64_t delay_after(unsigned failures, unsigned delay_ms)
{
	uint64_t delay = delay_ms;
	for (unsigned i = ATTEMPTS_FREE; i <= failures && delay < ATTEMPTS_DELAY_MAX_MS; i++) {
		delay *= 2;
	}
	return delay < ATTEMPTS_DELAY_MAX_MS ? delay : ATTEMPTS_DELAY_MAX_MS;
}

int attempts_begin(struct attempts *a, struct attempt *ret, const struct attempts_caller *caller,
	uid_t victim, unsigned delay_ms, uint64_t now)
{
	struct count *mine = count_of(a, SIDE_CALLER, *caller, now);
	if (mine->under_way) {
		return -EBUSY;
	}
	mine->under_way = true; /* and so it stays where it is */
	struct count *theirs = count_of(a, SIDE_VICTIM, victim_as_who(victim), now);
	unsigned failures = failures_of(mine, now);
	bool spent = failures >= ATTEMPTS_CALLER_MAX ||
		     failures_of(theirs, now) + theirs->open_on >= ATTEMPTS_VICTIM_MAX;
	if (!spent) {
		mine->open = true;
		mine->open_shared = theirs == &a->shared[SIDE_VICTIM];
		theirs->open_on++;
	}
	*ret = (struct attempt){
		.caller = *caller,
		.victim = victim,
		.began = now,
		.due = now + delay_after(failures, delay_ms),
		.shared = mine == &a->shared[SIDE_CALLER],
		.spent = spent,
	};
	return 0;
}

bool attempts_is_failure(int error)
{
	return error == -EKEYREJECTED || error == -ETIME || error == -ETIMEDOUT || error == -EIO;
}

static void add_failure(struct count *c, uint64_t now)
{
	if (failures_of(c, now) == 0) {
		c->failures = 0;
		c->since = now;
	}
	c->failures++;
}

/* The count that the try holds: it cannot have gone, because the try is under way. */
static struct count *held(struct attempts *a, const struct attempt *t)
{
	struct count *mine = t->shared ? NULL : find(a, SIDE_CALLER, t->caller);
	return mine != NULL ? mine : &a->shared[SIDE_CALLER];
}

/* The outcome is known: it stands for no failure that may come any more. */
static void close_try(struct attempts *a, const struct attempt *t)
{
	struct count *mine = held(a, t);
	if (!mine->open) {
		return;
	}
	mine->open = false;
	struct count *theirs = mine->open_shared ? &a->shared[SIDE_VICTIM]
						 : find(a, SIDE_VICTIM, victim_as_who(t->victim));
	theirs->open_on--;
	if (theirs->open_on == 0 && theirs->failures == 0 && !mine->open_shared) {
		forget(a, theirs);
	}
}

void attempts_failed(struct attempts *a, const struct attempt *t, uint64_t now)
{
	close_try(a, t);
	add_failure(held(a, t), now);
	add_failure(count_of(a, SIDE_VICTIM, victim_as_who(t->victim), now), now);
}

void attempts_passed(struct attempts *a, const struct attempt *t)
{
	close_try(a, t);
	if (!t->shared) {
		held(a, t)->failures = 0;
	}
}

void attempts_end(struct attempts *a, const struct attempt *t)
{
	close_try(a, t);
	struct count *mine = held(a, t);
	mine->under_way = false;
	if (!t->shared && mine->failures == 0) {
		forget(a, mine);
	}
}

unsigned attempts_of_caller(
	const struct attempts *a, const struct attempts_caller *caller, uint64_t now)
{
	const struct count *c = find(a, SIDE_CALLER, *caller);
	return c != NULL ? failures_of(c, now) : 0;
}

unsigned attempts_on_victim(const struct attempts *a, uid_t victim, uint64_t now)
{
	const struct count *c = find(a, SIDE_VICTIM, victim_as_who(victim));
	return c != NULL ? failures_of(c, now) : 0;
}
