/* The door's end of one cable: what came in and is not yet understood, what is to go out. Never
 * waits, but for a terminal that it has lent; knows nothing of the server. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/buf.h"
#include "protocol/cable.h"

/* So much typed text may wait for the session's host; more stays in the terminal. */
#define PLUG_OUT_MAX (64 * 1024)

struct plug {
	int fd; /* -1 = none */
	struct buf in, out;
	size_t used;		/* bytes of `in` that plug_next() has handed out */
	bool at_end;		/* the host is gone; frames that came before may wait in `in` */
	struct cable_size size; /* that the host knows of */
	uint32_t session;	/* 0 until the host has said WELCOME */
	int lease;		/* that came with SCREEN: over it the terminal is lent; -1 = none */
	bool lent;		/* the host has our terminal */
	bool listens;		/* it can read the keys from it, too */
};

#define PLUG_NONE ((struct plug){ .fd = -1, .lease = -1 })

/* Makes a cable whose other end has HELLO and CLIENT (`client`: NUL-ended texts one behind the
 * other) waiting in it. 0 and *ret_end, owned by the caller; or -errno. */
int plug_make(struct plug *ret, int *ret_end, const struct cable_hello *hello, const char *client,
	size_t client_length);
void plug_close(struct plug *p); /* also when there is none */

static inline bool plug_is_open(const struct plug *p)
{
	return p->fd >= 0;
}

/* How many typed bytes may be put now. */
size_t plug_room(const struct plug *p);
void plug_put_input(struct plug *p, const void *bytes, size_t length); /* at most plug_room() */
void plug_put_size(struct plug *p, const struct cable_size *size);

/* The uid of the host that waits to be lent the terminal; -1 = none does. */
uid_t plug_borrower(const struct plug *p);
/* Lends it this descriptor of the terminal (borrowed); -1: it is not, the host shall send OUTPUT.
 */
void plug_lend(struct plug *p, int fd);

/* Whether it can be asked to read the keys now: what was typed before is on its way. */
bool plug_may_listen(const struct plug *p);
void plug_put_listen(struct plug *p, const struct cable_listen *wish);
/* The host's next word over the lease, an enum cable_word; 0: it has let go of the terminal;
 * -EAGAIN. */
int plug_word(struct plug *p);

/* Says goodbye as far as the host listens, and closes. A host that has our terminal gets half a
 * second to give it back. */
void plug_leave(struct plug *p, uint32_t reason);

int plug_flush(struct plug *p); /* 0 = all sent, 1 = some is left, or -errno */
int plug_read(struct plug *p);	/* 1 = something came, 0 = the host is gone, -EAGAIN, or -errno */

/* The next frame of what came in, borrowed until plug_read(): 1, 0 = none, or -EPROTO. */
int plug_next(struct plug *p, struct cable_frame *ret);
