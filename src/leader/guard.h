/* Who is at the other end: the leader's own judgement, from the kernel alone, whatever the broker
 * says. Every question here is answered with 0 (yes) or -errno; nothing is assumed. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/warrant.h"

/* Who made this proof or warrant, which must be one of a pair of unix packet sockets, and none that
 * was connected to a name. 0, -ENOTSOCK, -EPROTOTYPE, or
 * -errno. */
int guard_maker(uid_t *ret, int warrant_fd);

/* Takes the one packet from it; waits at most timeout_ms. *ret_spec_fd: -1 = none came. 0, -ETIME,
 * -EPROTO (not such a packet, or nobody who could send it), -EMFILE, or -errno. */
int guard_warrant(struct warrant *ret, int *ret_spec_fd, int warrant_fd, int timeout_ms);

/* Who made this cable, which must likewise be one of a pair of unix stream sockets. */
int guard_cable(uid_t *ret, int cable_fd);

/* The device of this path, which must be a pty of the owner's: what a host says of its tty is a
 * user's word. 0, -EINVAL (no pty's path), -EACCES (another user's), or -errno. */
int guard_tty(dev_t *ret, const char *path, uid_t owner);

/* May this connection give orders? The broker's user, root, or the leader's own user. 0 or -EACCES,
 * -errno. */
int guard_broker(int fd, uid_t broker_uid);
