/* Answers that a link's peer has not taken yet: a few simple packets, sent in order as soon as the
 * socket has room. LINK_INFO does not wait here (its owner sends the newest when there is room).
 *
 * Always holds: nothing overtakes what waits, nothing blocks, and a peer that takes nothing costs
 * at most LINK_QUEUE_MAX packets. */
#pragma once

#include <stddef.h>

#include "protocol/link.h"

#define LINK_QUEUE_MAX 32

struct link_queue {
	struct link_simple *waiting; /* NULL while nothing waits */
	size_t count;
};

#define LINK_QUEUE_INIT ((struct link_queue){ 0 })

/* Sends, or keeps for link_queue_flush(). 0, -ENOBUFS (the peer has taken nothing for too long),
 * -ENOMEM, or -errno of a dead link. */
int link_queue_send(struct link_queue *q, int fd, const struct link_simple *message);

/* Sends what waits. 0 = nothing waits any more, -EAGAIN = wait for room, or -errno. */
int link_queue_flush(struct link_queue *q, int fd);

void link_queue_done(struct link_queue *q); /* forgets what waits; may be used again */
