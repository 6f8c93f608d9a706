#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NAMES_MAX 1000000 /* for folders that lay too deep: an end, whatever somebody has made */

int dir_open_at(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct removal {
	int top_fd;
	dev_t device;
	unsigned names; /* that were tried for such folders */
	unsigned moved; /* folders that lay too deep, and lie in the top one now */
};

/* Opens a folder to empty it. NULL: it is none, or not ours to empty. */
static DIR *take_over(int dir_fd, const char *name, dev_t *device)
{
	AUTO_FD int fd = dir_open_at(dir_fd, name);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || (*device != 0 && st.st_dev != *device)) {
		return NULL;
	}
	bool others = geteuid() == 0 && st.st_uid != 0;
	if (others && (fchown(fd, 0, -1) < 0 || fchmod(fd, 0700) < 0)) {
		return NULL;
	}
	*device = st.st_dev;
	DIR *dir = fdopendir(fd);
	if (dir != NULL) {
		(void)TAKE_FD(fd);
	}
	return dir;
}

static void move_up(struct removal *r, int dir_fd, const char *name)
{
	while (r->names < NAMES_MAX) {
		char other[16];
		(void)snprintf(other, sizeof(other), "deep-%u", r->names++);
		if (renameat2(dir_fd, name, r->top_fd, other, RENAME_NOREPLACE) == 0) {
			r->moved++;
			return;
		}
		if (errno != EEXIST) {
			return;
		}
	}
}

static void empty(struct removal *r, DIR *dir, int depth);

static void remove_entry(struct removal *r, int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) {
		return;
	}
	DIR *dir = depth > 1 ? take_over(dir_fd, name, &r->device) : NULL;
	if (dir != NULL) {
		empty(r, dir, depth - 1);
		(void)closedir(dir);
	}
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && depth <= 1) {
		move_up(r, dir_fd, name);
	}
}

static void empty(struct removal *r, DIR *dir, int depth)
{
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			remove_entry(r, dirfd(dir), e->d_name, depth);
		}
	}
}

void dir_remove_at(int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) {
		return;
	}
	struct removal r = { .moved = 0 };
	DIR *dir = take_over(dir_fd, name, &r.device);
	if (dir == NULL) {
		return;
	}
	r.top_fd = dirfd(dir);
	do { /* each time the deepest path is shorter by `depth` */
		r.moved = 0;
		rewinddir(dir);
		empty(&r, dir, depth);
	} while (r.moved > 0);
	(void)closedir(dir);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}
