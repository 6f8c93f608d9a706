#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

int dir_open_at(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void dir_remove_at(int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) {
		return;
	}
	int fd = depth > 0 ? dir_open_at(dir_fd, name) : -1;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		auto_close(&fd);
		return;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			dir_remove_at(dirfd(dir), e->d_name, depth - 1);
		}
	}
	(void)closedir(dir);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}
