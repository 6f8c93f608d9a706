/* The connections of one session's X clients to the X server of the terminal that shows the session
 * now, or showed it when the client came.
 *
 * Always holds: a client is of our own user (or root) and brought the session's cookie before the
 * terminal's display hears of it; that display gets the terminal's own cookie, and the client never
 * learns it. Never reads what comes behind these first words, never waits. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "door/x11/address.h"
#include "protocol/x11.h"

#define RELAY_CONNECTIONS_MAX 64
#define RELAY_LISTENERS 2
#define RELAY_POLLS_MAX (RELAY_LISTENERS + 2 * RELAY_CONNECTIONS_MAX)

struct connection;

struct relay {
	int listeners[RELAY_LISTENERS]; /* -1 = none */
	uint32_t number;		/* of the session's own display */
	struct connection *list[RELAY_CONNECTIONS_MAX];
	size_t count;
	bool deaf; /* there was no descriptor for a client: not before the next turn */

	/* Where new connections go. */
	struct x11_packet packet;
	struct name name;
	struct addresses addresses; /* none: refused */
	const char *refusal;	    /* then: why */
};

void relay_init(struct relay *r, uint32_t number);

/* Another terminal shows the session. A display that is the session's own (of a terminal that sits
 * in the session) changes nothing. */
void relay_tell(struct relay *r, const struct x11_packet *packet);

size_t relay_fill(const struct relay *r, struct pollfd polls[static RELAY_POLLS_MAX]);
void relay_turn(struct relay *r, const struct pollfd *polls);
