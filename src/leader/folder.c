#include "leader/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define DEPTH_MAX 8 /* folders in folders that removal follows */

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Makes name below `at` for us alone (the mode is set whatever the umask) and opens it. fd or
 * -errno. */
static int make_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0) {
		return -errno;
	}
	int fd = open_folder(at, name);
	if (fd < 0 || fchmod(fd, 0700) < 0) {
		int error = fd < 0 ? fd : -errno;
		auto_close(&fd);
		(void)unlinkat(at, name, AT_REMOVEDIR);
		return error;
	}
	return fd;
}

int folder_make(struct folder *ret, int runtime_fd, uint32_t session)
{
	struct folder f = FOLDER_INIT;
	(void)snprintf(f.name, sizeof(f.name), "%u", session);
	if (mkdirat(runtime_fd, "sessions", 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	AUTO_FD int sessions_fd = open_folder(runtime_fd, "sessions");
	if (sessions_fd < 0) {
		return sessions_fd;
	}
	f.fd = make_folder(sessions_fd, f.name);
	if (f.fd < 0) {
		return f.fd;
	}
	f.sessions_fd = TAKE_FD(sessions_fd);
	f.run_fd = make_folder(f.fd, "run");
	if (f.run_fd >= 0) {
		f.listen_fd = fd_listen_at(f.fd, "link", SOCK_SEQPACKET, 0600);
	}
	int r = f.run_fd < 0 ? f.run_fd : f.listen_fd;
	if (r < 0) {
		folder_remove(&f);
		return r;
	}
	*ret = f;
	return 0;
}

static void remove_entries(int fd, int depth);

static void remove_entry(int at, const char *name, int depth)
{
	if (unlinkat(at, name, 0) == 0 || depth == 0) {
		return;
	}
	AUTO_FD int fd = open_folder(at, name);
	if (fd >= 0) {
		remove_entries(fd, depth - 1);
		(void)unlinkat(at, name, AT_REMOVEDIR);
	}
}

static void remove_entries(int fd, int depth)
{
	int list_fd = open_folder(fd, ".");
	if (list_fd < 0) {
		return;
	}
	DIR *list = fdopendir(list_fd);
	if (list == NULL) {
		(void)close(list_fd);
		return;
	}
	for (struct dirent *e; (e = readdir(list)) != NULL;) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			remove_entry(fd, e->d_name, depth);
		}
	}
	(void)closedir(list);
}

void folder_remove(struct folder *f)
{
	/* Closed first: to look into a folder takes a descriptor, and there may be no other. */
	auto_close(&f->listen_fd);
	auto_close(&f->run_fd);
	if (f->fd >= 0) {
		(void)unlinkat(f->fd, "link", 0);
		(void)unlinkat(f->fd, "run", AT_REMOVEDIR);
		remove_entries(f->fd, DEPTH_MAX);
	}
	if (f->sessions_fd >= 0) {
		(void)unlinkat(f->sessions_fd, f->name, AT_REMOVEDIR);
	}
	auto_close(&f->fd);
	auto_close(&f->sessions_fd);
	*f = FOLDER_INIT;
}
