/* One direction of a connection: bytes, and the descriptors that ride with them (DRI3, shared
 * memory), from one socket to another. Never waits, never holds more than one read.
 *
 * A lane reads only when all that it read before has been handed on, so that descriptors arrive
 * with the bytes that they were sent with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LANE_SIZE (64 * 1024)
#define LANE_FDS_MAX 28 /* in one message; an X server takes 16 */

struct lane {
	struct buf bytes;
	int fds[LANE_FDS_MAX];
	size_t fd_count;
	bool ended;  /* nothing more comes */
	bool broken; /* nothing more is taken: what comes is thrown away */
};

void lane_init(struct lane *l);
void lane_done(struct lane *l);

bool lane_wants_read(const struct lane *l);
bool lane_wants_write(const struct lane *l);
bool lane_is_over(const struct lane *l); /* it ended, and all was handed on */

void lane_read(struct lane *l, int from);
void lane_write(struct lane *l, int to);
