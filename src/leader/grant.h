/* Who may plug what: the rules, and what warrants have allowed. Nothing here asks or waits; the
 * facts come from the kernel and from packets that were checked, and no word of the broker is
 * believed.
 *
 * Always holds: a grant is used once at most, for the next cable, and not for long; nobody's
 * warrant undoes what another's has allowed; whatever the broker's account has made is refused in
 * system mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/warrant.h"

/* The session, as the rules see it. */
struct grant_session {
	bool system; /* all users of a machine; else nobody but the owner gets anything */
	uint32_t id;
	uid_t owner;
	uid_t broker;	      /* the broker's account */
	const char *terminal; /* that shows it now; empty = none */
};

#define GRANTS_MAX 4 /* at once; one of each maker */

struct grant {
	uint64_t until; /* clock_monotonic_ms(); 0 = nothing is granted */
	uid_t maker;	/* of the warrant */
	bool named; /* WARRANT_NAMED: any cable for `terminal`; else any terminal of the maker's */
	char terminal[LINK_NAME_SIZE];
};

struct grants {
	struct grant of[GRANTS_MAX];
};

#define GRANT_PASSWORD 1 /* the owner's password is needed */

/* What a warrant of this maker is worth. `free`: the broker says that root needs no password. 0 =
 * it is good, GRANT_PASSWORD, or -EACCES (it is not for this session, or never good enough). */
int grant_judge(
	const struct grant_session *s, const struct warrant *w, uid_t maker, bool free_of_password);

/* Adds what such a warrant has allowed, from `now` on (clock_monotonic_ms()), in the place of its
 * maker's last one. Of more than GRANTS_MAX the oldest goes. */
void grants_add(struct grants *g, const struct warrant *w, uid_t maker, uint64_t now);

/* May this cable be plugged for this terminal? Whatever was granted is used up. 0 or -EACCES. */
int grants_use(struct grants *g, const struct grant_session *s, uid_t cable_maker,
	const char *terminal, uint64_t now);
