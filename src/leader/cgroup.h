/* The session's own control group, below the leader's, where the machine has them (version 2) and
 * the leader may make one. With it a session ends whole and at once, whatever its processes do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	int parent_fd;
	int fd;	       /* -1 = there is none, and the tree of processes is all that is known */
	char name[32]; /* session-ID */
};

#define CGROUP_INIT ((struct cgroup){ .parent_fd = -1, .fd = -1 })

/* 0, -ENOENT (the machine has no version 2 mounted), or -errno; then there is none. */
int cgroup_make(struct cgroup *ret, uint32_t session);

/* In a child: this process, and all that it will start, belong to it. 0 or -errno. */
int cgroup_enter(const struct cgroup *c);

/* SIGKILL to all that is in it. 0, or -errno: none, or a kernel without cgroup.kill. */
int cgroup_kill(const struct cgroup *c);

/* Ends what is left in it, and removes it. One that was never made is fine. */
void cgroup_done(struct cgroup *c);
