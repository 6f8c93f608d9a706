/* Which terminals a session is on: the leader's orders to plug and unplug, and what the doors at
 * the other ends of the cables send.
 *
 * Always holds: at most one viewer is current and one is prepared; until LINK_COMMIT a prepared one
 * changes nothing; who leaves gets a goodbye, and what was typed there before counts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/session.h"

#define SWITCHBOARD_VIEWERS_MAX (SESSION_LEAVING_MAX + 2)

/* Reads the leader's messages. 0, or -errno when the link is of no use any more. */
int switchboard_on_link(struct session *s);

/* Every viewer there is; returns how many. */
size_t switchboard_list(const struct session *s, struct viewer *list[SWITCHBOARD_VIEWERS_MAX]);

short switchboard_events(const struct viewer *v); /* to poll its cable for; 0 = leave it out */

/* What else of it is to be polled: the lease, or the terminal that it has lent; -1 = nothing. */
struct pollfd switchboard_poll_lent(const struct session *s, const struct viewer *v);

/* Something happened on a cable, or, to be handled after all cables, on what else was polled at the
 * time `looked`, clock_monotonic_ms(); a viewer that is gone by now is fine. */
void switchboard_on_cable(struct session *s, struct viewer *v, short revents);
void switchboard_on_lent(struct session *s, struct viewer *v, short revents, uint64_t looked);

/* Limits that have passed, paints that are due, input that was held back. */
void switchboard_work(struct session *s, uint64_t now);
uint64_t switchboard_next_time(const struct session *s); /* clock_monotonic_ms(); 0 = none */

/* The session is over: everybody is told. */
void switchboard_goodbye(struct session *s, const struct cable_bye *bye);
bool switchboard_is_quiet(const struct session *s); /* nothing waits to be delivered any more */

void switchboard_done(struct session *s); /* drops everybody without a word */
