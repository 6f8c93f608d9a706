/* The broker's side of the link to one session's leader. */
#pragma once

#include <stddef.h>

struct link_simple;
struct leader_link;
struct session;

/* Takes the SOCK_SEQPACKET socket `fd` on success, asks the leader who it is, and serves the link.
 * 0 or -errno. */
int leader_link_new(struct leader_link **ret, struct session *s, int fd);
struct leader_link *leader_link_free(struct leader_link *l);

/* 0, -EAGAIN (the leader does not read), or -errno. Descriptors are borrowed. */
int leader_link_send(
	struct leader_link *l, const struct link_simple *packet, const int *fds, size_t fd_count);
