/* The limits of a listener's sessions: how long they may be on a terminal, how long nothing may be
 * typed, how long they are kept without a terminal. The judgement is pure; the rest keeps one timer
 * for the next thing that is due.
 *
 * Times are counted by a clock that never jumps, from the moments at which the broker heard of a
 * change: setting the machine's clock ends no session. The console knows no limits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct broker;
struct link_info;
struct session;

#define TIMELIMIT_WARNING_MINUTES 2 /* before the end; half of the limit where that is less */

/* In every session; clock_monotonic_ms(). */
struct timelimit {
	uint64_t connected, input, disconnected; /* the latest of each */
	bool warned_active, warned_idle;
	uint64_t acted; /* when something was done about it; 0 = not yet */
};

enum timelimit_step {
	TIMELIMIT_NOTHING,
	TIMELIMIT_WARN_ACTIVE,
	TIMELIMIT_WARN_IDLE,
	TIMELIMIT_ACTIVE, /* over */
	TIMELIMIT_IDLE,
	TIMELIMIT_DISCONNECTED,
};

struct timelimit_facts {
	bool on_terminal;
	uint64_t active_ms, idle_ms, disconnected_ms; /* the limits; 0 = none */
	uint64_t warning_ms;
};

/* What is due now; *ret_next (ms, 0 = never) when to ask again if nothing is. */
enum timelimit_step timelimit_judge(const struct timelimit *t, const struct timelimit_facts *facts,
	uint64_t now, uint64_t *ret_next);

/* session_update() has taken over what the leader said; `before` is what it said last, NULL = this
 * is the first that is heard of it. */
void timelimit_told(struct session *s, const struct link_info *before);

/* Something else that counts may have changed: looks at all sessions soon. */
void timelimit_look(struct broker *b);

void timelimit_done(struct broker *b);
