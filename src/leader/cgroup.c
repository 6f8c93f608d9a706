#include "leader/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#define MOUNTS_SIZE                                                                                \
	((size_t)256 * 1024) /* of /proc/self/mountinfo: a machine has few hundred lines */
#define PREFIX "session-"
#define STALE_SECONDS 60
#define EMPTY_MS 1000 /* for what was killed to be gone */
#define OWN_SIZE ((size_t)16 * 1024)

/* Undoes the \040 and the like of mountinfo, in place. */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0';) {
		bool escaped = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
			       from[2] >= '0' && from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
		if (escaped) {
			*to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Where version 2 is mounted, and which part of it (both in `text`). One line of mountinfo:
 * `id parent device root mountpoint options [tags...] - type source ...`. False: nowhere. */
static bool find_mount(char *text, char **ret_root, char **ret_point)
{
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		const char *type = strstr(line, " - ");
		if (type == NULL || strncmp(type + 3, "cgroup2 ", 8) != 0) {
			continue;
		}
		char *field[5] = { NULL };
		char *fields = NULL;
		size_t n = 0;
		for (char *f = strtok_r(line, " ", &fields); f != NULL && n < 5;
			f = strtok_r(NULL, " ", &fields)) {
			field[n++] = f;
		}
		if (n == 5) {
			unescape(field[3]);
			unescape(field[4]);
			*ret_root = field[3];
			*ret_point = field[4];
			return true;
		}
	}
	return false;
}

/* The path of our own group in that hierarchy: the line `0::PATH`. NULL: we have none. */
static char *find_own(char *text)
{
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "0::/", 4) == 0) {
			return line + 3;
		}
	}
	return NULL;
}

/* Our own group's folder. fd or -errno. */
static int open_own(void)
{
	AUTO(free) char *mounts = malloc(MOUNTS_SIZE);
	AUTO(free) char *own = malloc(OWN_SIZE);
	if (mounts == NULL || own == NULL) {
		return -ENOMEM;
	}
	ssize_t n = fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", mounts, MOUNTS_SIZE);
	ssize_t m = fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", own, OWN_SIZE);
	if (n <= 0 || m <= 0) {
		return n < 0 ? (int)n : m < 0 ? (int)m : -ENOENT;
	}
	char *root = NULL;
	char *point = NULL;
	char *path = find_own(own);
	if (path == NULL || !find_mount(mounts, &root, &point)) {
		return -ENOENT;
	}
	size_t above = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(path, root, above) != 0 || strstr(path, "/..") != NULL) {
		return -ENOENT; /* it lies outside of what is mounted here */
	}
	char whole[PATH_MAX];
	if (snprintf(whole, sizeof(whole), "%s%s", point, path + above) >= (int)sizeof(whole)) {
		return -ENAMETOOLONG;
	}
	int fd = open(whole, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_file(const struct cgroup *c, const char *name, const char *text)
{
	AUTO_FD int fd = openat(c->fd, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	ssize_t n = write(fd, text, strlen(text));
	return n < 0 ? -errno : 0;
}

/* Removes what leaders have left that were killed: old ones, in which nothing is. */
static void sweep(int parent_fd)
{
	int list_fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = list_fd >= 0 ? fdopendir(list_fd) : NULL;
	if (list == NULL) {
		auto_close(&list_fd);
		return;
	}
	time_t now = (time_t)(clock_now() / 1000000);
	struct stat st;
	for (struct dirent *e; (e = readdir(list)) != NULL;) {
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 &&
			fstatat(parent_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_ctime + STALE_SECONDS < now) {
			(void)unlinkat(parent_fd, e->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(list);
}

int cgroup_make(struct cgroup *ret, uint32_t session)
{
	struct cgroup c = CGROUP_INIT;
	AUTO_FD int parent_fd = open_own();
	if (parent_fd < 0) {
		return parent_fd;
	}
	sweep(parent_fd);
	(void)snprintf(c.name, sizeof(c.name), PREFIX "%u", session);
	int made = mkdirat(parent_fd, c.name, 0755);
	if (made < 0 && errno == EEXIST) { /* another server's: its sessions are not ours to end */
		(void)snprintf(c.name, sizeof(c.name), PREFIX "%u-%d", session, (int)getpid());
		made = mkdirat(parent_fd, c.name, 0755);
	}
	if (made < 0) {
		return -errno;
	}
	c.fd = openat(parent_fd, c.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c.fd < 0) {
		return -errno;
	}
	c.parent_fd = TAKE_FD(parent_fd);
	*ret = c;
	return 0;
}

int cgroup_enter(const struct cgroup *c)
{
	return c->fd < 0 ? 0 : write_file(c, "cgroup.procs", "0");
}

int cgroup_kill(const struct cgroup *c)
{
	return c->fd < 0 ? -ENOENT : write_file(c, "cgroup.kill", "1");
}

/* Until nothing is in it, for a while. */
static void wait_until_empty(const struct cgroup *c)
{
	AUTO_FD int fd = openat(c->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	uint64_t limit = clock_monotonic_ms() + EMPTY_MS;
	for (uint64_t now = 0; fd >= 0 && (now = clock_monotonic_ms()) < limit;) {
		char text[256];
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, "populated 1") == NULL) {
			return;
		}
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		(void)poll(&p, 1, (int)(limit - now));
	}
}

void cgroup_done(struct cgroup *c)
{
	if (c->fd >= 0) {
		(void)cgroup_kill(c);
		wait_until_empty(c);
		(void)unlinkat(c->parent_fd, c->name, AT_REMOVEDIR);
	}
	auto_close(&c->fd);
	auto_close(&c->parent_fd);
	*c = CGROUP_INIT;
}
