/* Counts failed passwords: by who tries, and by whose password it is. Pure: time comes in as
 * milliseconds of a clock that never jumps, nothing is logged or sent.
 *
 * What always holds: of one who tries there is at most one try under way, and it is under way until
 * its answer may be given, so that hanging up and coming again gains nothing; tries at the same
 * time never make more failures on a victim than ATTEMPTS_VICTIM_MAX. A count begins with its first
 * failure and is forgotten ATTEMPTS_WINDOW_MS later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ATTEMPTS_WINDOW_MS (15 * 60 * 1000u)
#define ATTEMPTS_FREE 3	       /* failures that are answered after the plain delay */
#define ATTEMPTS_CALLER_MAX 10 /* failures of one who tries, then nothing is tried any more */
#define ATTEMPTS_VICTIM_MAX 20 /* failures on one password, whoever made them */
#define ATTEMPTS_DELAY_MAX_MS 60000
#define ATTEMPTS_COUNTS_MAX 4096 /* who is counted at once; further ones share one count */
#define ATTEMPTS_PLACE_SIZE 40

/* Whose password was tried when the name belongs to nobody: all of them are one victim. */
#define ATTEMPTS_NOBODY ((uid_t)-1)

struct attempts;

/* Who tries: a user, or the door of a fixed terminal, where whoever stands in front of it is meant
 * and not the account that the door runs as. */
struct attempts_caller {
	uid_t uid;
	char place[ATTEMPTS_PLACE_SIZE]; /* that terminal's name, in lower case; else empty */
};

struct attempt {
	struct attempts_caller caller;
	uid_t victim;
	uint64_t began; /* ms */
	uint64_t due;	/* ms: a failure is not answered before this */
	bool shared;	/* counted with others, because too many are counted */
	bool spent;	/* nothing may be tried: it fails as a wrong password does */
};

int attempts_new(struct attempts **ret); /* 0 or -ENOMEM */
struct attempts *attempts_free(struct attempts *a);

/* A user's own uid, or the door of terminal `place` (NULL = none). */
struct attempts_caller attempts_caller(uid_t uid, const char *place);

/* Begins a try; `delay_ms` is the plain delay of the configuration. 0; -EBUSY: one is under way
 * already. After 0 comes attempts_end(), always. */
int attempts_begin(struct attempts *a, struct attempt *ret, const struct attempts_caller *caller,
	uid_t victim, unsigned delay_ms, uint64_t now);

/* Whether a leader's error (-errno) counts as a wrong password: what is begun and never answered,
 * or ends with the check's own death, must not come for nothing. */
bool attempts_is_failure(int error);

/* The password was wrong: counts it, on both sides. Not for a spent try. The try stays under way
 * until attempts_end(). */
void attempts_failed(struct attempts *a, const struct attempt *t, uint64_t now);

/* The password was right: the failures of who tried are forgotten, those on the victim are not. */
void attempts_passed(struct attempts *a, const struct attempt *t);

/* The answer is given. */
void attempts_end(struct attempts *a, const struct attempt *t);

/* Failures counted at this time; for records and tests. */
unsigned attempts_of_caller(
	const struct attempts *a, const struct attempts_caller *caller, uint64_t now);
unsigned attempts_on_victim(const struct attempts *a, uid_t victim, uint64_t now);
