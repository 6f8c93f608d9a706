/* Who is at the other end: the leader's own judgement, from the kernel alone, whatever the broker
 * says. Every question here is answered with 0 (yes) or -errno; nothing is assumed. */
#pragma once

#include <sys/types.h>

/* The owner of the session to come is whoever made this socket pair. In user mode nobody but the
 * user who runs the server may be one: -EACCES. */
int guard_owner(uid_t *ret, int proof_fd);

/* Takes the one packet with the one descriptor (the spec) from the proof socket; waits at most
 * timeout_ms for it. 0, -ETIME, -EPROTO (not this packet), or -errno. */
int guard_spec(int *ret, int proof_fd, int timeout_ms);

/* May this cable show a session of `owner`? It must be a unix stream socket whose maker is the
 * owner. 0, -ENOTSOCK, -EPROTOTYPE, -EACCES, or -errno. */
int guard_cable(int cable_fd, uid_t owner);

/* May this connection give orders? The broker's user, root, or the leader's own user. 0 or -EACCES,
 * -errno. */
int guard_broker(int fd, uid_t broker_uid);
