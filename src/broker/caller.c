#include "broker/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define STAT_SIZE 4096
#define GROUPS_MAX 65536 /* the kernel's own limit */

/* A descriptor of the process that connected. Before Linux 6.5 it is opened by number, which is
 * right as long as the process has not ended between its connect() and now. */
static int peer_pidfd(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
		(void)fcntl(pidfd, F_SETFD, FD_CLOEXEC);
		return pidfd;
	}
	if (errno != ENOPROTOOPT || pid <= 0) {
		return -errno;
	}
	pidfd = pidfd_open(pid, 0);
	return pidfd < 0 ? -errno : pidfd;
}

/* The groups that the peer had when it connected. */
static int peer_groups(struct caller_groups **ret, int fd, gid_t gid)
{
	for (size_t room = 32; room <= GROUPS_MAX; room *= 4) {
		size_t size = sizeof(struct caller_groups) + (room + 1) * sizeof(uint32_t);
		AUTO(free) struct caller_groups *g = calloc(1, size);
		if (g == NULL) {
			return -ENOMEM;
		}
		socklen_t length = (socklen_t)(room * sizeof(uint32_t));
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, g->ids + 1, &length) == 0) {
			g->references = 1;
			g->ids[0] = gid;
			g->count = 1 + length / sizeof(uint32_t);
			*ret = TAKE_PTR(g);
			return 0;
		}
		if (errno != ERANGE) {
			return -errno;
		}
	}
	return -ERANGE;
}

struct caller_groups *caller_groups_ref(struct caller_groups *g)
{
	g->references++;
	return g;
}

struct caller_groups *caller_groups_unref(struct caller_groups *g)
{
	if (g != NULL && --g->references == 0) {
		free(g);
	}
	return NULL;
}

int caller_from_socket(struct caller *ret, int fd)
{
	struct ucred peer;
	struct caller_groups *groups = NULL;
	int r = fd_peer(fd, &peer);
	if (r < 0) {
		return r;
	}
	int pidfd = peer_pidfd(fd, peer.pid);
	if (pidfd == -EMFILE || pidfd == -ENFILE || pidfd == -ENOMEM) {
		return pidfd;
	}
	r = peer_groups(&groups, fd, peer.gid);
	if (r < 0) {
		if (pidfd >= 0) {
			(void)close(pidfd);
		}
		return r;
	}
	*ret = (struct caller){
		.uid = peer.uid, .groups = groups, .pid = peer.pid, .pidfd = pidfd < 0 ? -1 : pidfd
	};
	return 0;
}

void caller_done(struct caller *c)
{
	if (c->pidfd >= 0) {
		(void)close(c->pidfd);
	}
	c->pidfd = -1;
	c->groups = caller_groups_unref(c->groups);
}

/* A pidfd is readable from the moment its process has ended. */
static bool is_alive(const struct caller *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	return c->pidfd >= 0 && c->pid > 0 && poll(&p, 1, 0) == 0;
}

int caller_parse_stat(const char *line, dev_t *ret)
{
	/* The program's name may hold anything, also ") "; what follows the last one may not. */
	const char *rest = strrchr(line, ')');
	char state;
	int parent, group, session, tty;
	if (rest == NULL ||
		sscanf(rest + 1, " %c %d %d %d %d", &state, &parent, &group, &session, &tty) != 5) {
		return -EINVAL;
	}
	unsigned device = (unsigned)tty;
	*ret = device == 0
		       ? 0
		       : makedev(device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
	return 0;
}

/* Reads a file of the caller's process, and makes sure that it was this process's. */
static int read_process_file(const struct caller *c, const char *name, char *text, size_t size)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)c->pid, name);
	ssize_t n = fd_read_file_at(AT_FDCWD, path, text, size);
	if (n < 0) {
		return (int)n;
	}
	return is_alive(c) ? 0 : -ESRCH;
}

dev_t caller_tty(const struct caller *c)
{
	char line[STAT_SIZE];
	dev_t tty = 0;
	if (c->pidfd < 0 || read_process_file(c, "stat", line, sizeof(line)) < 0 ||
		caller_parse_stat(line, &tty) < 0) {
		return 0;
	}
	return tty;
}

uid_t caller_login_uid(const struct caller *c)
{
	char text[32];
	uint32_t uid = 0;
	if (c->pidfd < 0 || read_process_file(c, "loginuid", text, sizeof(text)) < 0) {
		return (uid_t)-1;
	}
	text[strcspn(text, "\n")] = '\0';
	return text_to_u32(text, &uid) < 0 ? (uid_t)-1 : (uid_t)uid;
}
