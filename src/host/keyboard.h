/* The keys of a lent terminal, while its door lets the host read them: then no door need be woken
 * for a key.
 *
 * Always holds: keys reach the program in the order in which they were typed, also beside those
 * that the door has read; none is read that the program has no room for; the detach key ends it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/detachkey.h"
#include "protocol/cable.h"

struct session;
struct viewer;

struct keyboard {
	bool listens;  /* keys are read here */
	bool detached; /* its person wants to leave: nothing is read any more */
	struct detach_key key;
};

/* CABLE_LISTEN: does it, and answers over the lease. Nothing when the terminal is not lent. */
void keyboard_listen(struct viewer *v, const struct cable_frame *frame);

/* Whether its terminal is to be polled for keys. */
bool keyboard_wanted(const struct session *s, const struct viewer *v);

/* There are some, said a look at terminal and cable at the time `looked` (clock_monotonic_ms())
 * or later, and what the cable brought then has been handled. */
void keyboard_read(struct session *s, struct viewer *v, uint64_t looked);
