/* Who reads the terminal's keys: the door, or the host that it has lent the terminal to, which
 * spares a key the way through the door. The detach key has to work whatever that host does, so
 * the door watches: keys that still lie there after a while are a question to the host, and when it
 * does not answer the door reads them itself. At rest it sleeps; it is woken by the first key after
 * a rest of KEYS_LOOK_MS. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/detachkey.h"
#include "door/tty/plug.h"
#include "door/tty/rawtty.h"

#define KEYS_LOOK_MS 200

struct keys {
	enum {
		KEYS_OURS,   /* the door reads them */
		KEYS_ASKED,  /* the host shall, and has not answered; nobody else does */
		KEYS_THEIRS, /* the host does */
		KEYS_SEEN,   /* the same, and some came a while ago */
		KEYS_BACK,   /* the host shall no more, and has not answered */
	} state;
	unsigned owed;	/* answers of the host's */
	uint64_t until; /* ASKED, SEEN, BACK: clock_monotonic_ms(); 0 = counts from the next tick */
};

#define KEYS_INIT ((struct keys){ .state = KEYS_OURS })

/* Whether the terminal is to be polled for keys. */
static inline bool keys_polled(const struct keys *k)
{
	return k->state == KEYS_OURS || k->state == KEYS_THEIRS;
}
/* When keys_tick() has something to do though nothing happens; UINT64_MAX = not. */
static inline uint64_t keys_due(const struct keys *k)
{
	return keys_polled(k) ? UINT64_MAX : k->until;
}

/* THEIRS, and poll() has seen some. */
void keys_seen(struct keys *k, uint64_t now);

/* A byte has come over the lease, or its end. True: it was the detach key. */
bool keys_on_word(struct keys *k, struct plug *p);

/* What is due: at the end of each turn. `detach`: what the door itself has seen of that key. */
void keys_tick(struct keys *k, struct plug *p, const struct rawtty *tty,
	const struct detach_key *detach, uint64_t now);
