/* What one user, one peer or one wait may cost the broker. All numbers stand here; how long a
 * password may take stands in protocol/warrant.h. */
#pragma once

#include "protocol/warrant.h"

#define LIMIT_CONNECTIONS 4096	       /* in all */
#define LIMIT_CONNECTIONS_PER_UID 1536 /* LIMIT_TERMINALS doors and 512 commands */
/* In system mode: what one user may have, and never more than there is left for all others; how
 * many are kept for root, who must always be able to look and to end the server; and how many for
 * administrators and the doors of configured terminals, for whom the limit above holds. */
#define LIMIT_CONNECTIONS_PER_UID_SYSTEM 512
#define LIMIT_CONNECTIONS_ROOT 32
#define LIMIT_CONNECTIONS_KEPT 256
#define LIMIT_SESSIONS_PER_UID 4096
#define LIMIT_TERMINALS 1024
/* In system mode: what one user may have of them besides configured ones, and how many places no
 * other than a configured one takes. */
#define LIMIT_TERMINALS_PER_UID 128
#define LIMIT_TERMINALS_CONFIGURED 128
#define LIMIT_CREATING 64	  /* sessions that are being made at once */
#define LIMIT_CREATING_PER_UID 16 /* in system mode: a host that is stopped takes its time */
#define LIMIT_PARKED 1024	  /* calls that wait for a swap that was answered already */
#define LIMIT_WATCHERS 512	  /* calls that want the list again after each change */
#define LIMIT_WATCHERS_PER_UID 64
#define LIMIT_LINK_PACKETS 16 /* read from one leader before others have their turn */

/* By how much a wait may be longer than asked; sd-event's own default is 250 ms. */
#define TIMER_SLACK_USEC 1000

/* Every wait ends. Milliseconds; tests shorten them. */
struct limits {
	unsigned cable_ms;   /* a door makes a cable */
	unsigned ready_ms;   /* a host reads its greeting */
	unsigned plugged_ms; /* a host swaps */
	unsigned left_ms;    /* the former session notices that its terminal is gone */
	unsigned unplug_ms;  /* a host drops its terminal */
	unsigned create_ms;  /* a leader and its host come up */
	unsigned end_ms;     /* a session ends by itself, then by force */
	unsigned restore_ms; /* leaders answer a new broker */
	unsigned again_ms;   /* between two looks for leaders that only come up */
	unsigned relink_ms;  /* between two attempts to reach the same leader again */
	unsigned watch_ms;   /* changes are gathered before watchers hear of them */
	unsigned minute_ms;  /* of the time limits */
	unsigned warrant_ms; /* a leader asks for a password and checks it */
	unsigned lookup_ms;  /* a name of the configuration is found */
	unsigned login_ms;   /* from a password at a fixed terminal to a session on it */
};

#define LIMITS_DEFAULT                                                                             \
	((struct limits){                                                                          \
		.cable_ms = 5000,                                                                  \
		.ready_ms = 5000,                                                                  \
		.plugged_ms = 5000,                                                                \
		.left_ms = 500,                                                                    \
		.unplug_ms = 5000,                                                                 \
		.create_ms = 10000,                                                                \
		.end_ms = 10000,                                                                   \
		.restore_ms = 1000,                                                                \
		.again_ms = 2000,                                                                  \
		.relink_ms = 1000,                                                                 \
		.watch_ms = 50,                                                                    \
		.minute_ms = 60000,                                                                \
		.warrant_ms = WARRANT_LEADER_MS,                                                   \
		.lookup_ms = 30000,                                                                \
		.login_ms = WARRANT_CALL_MS + 60000,                                               \
	})
