/* What is on its way to one door: cable frames that its socket has not taken yet. Or, while the
 * door lends it, to the terminal itself: then only OUTPUT may be put, and its bytes go out bare.
 *
 * Always holds: nothing blocks; what is cut of a cable is cut between two frames, so that the
 * door's reader never loses its place; a door that has closed only makes the outlet `broken`,
 * because bytes that were typed there may still lie in the socket; a terminal that the door has
 * taken back is not written to, even by a process that was stopped meanwhile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "protocol/cable.h"

struct outlet {
	int fd;		/* the cable; borrowed */
	int terminal;	/* lent to us; -1 = it is not */
	int lease;	/* over which it came; -1 = none */
	uint64_t asked; /* when that was last looked at: clock_monotonic_ms() */
	bool broken;
	bool full; /* it took no more; not asked again before outlet_ready() */
	struct buf waiting;
	size_t head;	   /* bytes of `waiting` that were sent already */
	size_t front_left; /* bytes of a frame that was begun; 0 = the next byte begins a frame */
	uint64_t sent;	   /* bytes that were taken, ever */
};

void outlet_init(struct outlet *o, int fd);
void outlet_done(struct outlet *o);

/* SCREEN with the lease, whose host's end is returned (the caller's): when the whole frame can go
 * now. Else -errno, and nothing was sent. */
int outlet_put_screen(struct outlet *o);

/* What came over the lease is the door's terminal, or so it says. Both are the outlet's from here
 * on, also on failure; the terminal is opened anew, and written to from now on. 0, or -errno
 * (-ENOTTY: it is none; -EBUSY: frames wait): all stays as it was. */
int outlet_lend(struct outlet *o, int terminal, int lease);
/* Gives the terminal back: what it has not taken goes over the cable. Nothing when it was not lent.
 */
void outlet_return(struct outlet *o);
/* One byte to its door, over the lease. What does not fit there is lost: the door, which counts its
 * answers, then reads the keys itself. */
void outlet_say(struct outlet *o, enum cable_word word);
/* Nobody is there any more: what waits is dropped, and nothing is sent again. */
void outlet_abandon(struct outlet *o);
static inline bool outlet_is_lent(const struct outlet *o)
{
	return o->terminal >= 0;
}

/* Sends the frame, or keeps what does not fit. An OUTPUT becomes several small ones. 0, or -ENOBUFS
 * / -ENOMEM: nothing was put, or of an OUTPUT only a first part. */
int outlet_put(struct outlet *o, enum cable_type type, const void *payload, size_t length);

/* There is room again, says poll(): of the terminal while it is lent, else of the cable. */
void outlet_ready(struct outlet *o);

/* Sends what waits, as far as there is room. True when nothing waits any more. */
bool outlet_flush(struct outlet *o);

size_t outlet_waiting(const struct outlet *o); /* bytes, headers included */

/* The place in the stream behind all that was put: `sent` reaches it when that is delivered. */
uint64_t outlet_end(const struct outlet *o);

/* Drops what waits behind the frame that was begun, but nothing before the place `floor` (0 = no
 * such place; it must lie between two frames). True when anything was dropped. */
bool outlet_cut(struct outlet *o, uint64_t floor);

void outlet_trim(struct outlet *o); /* gives memory back when nothing waits */
