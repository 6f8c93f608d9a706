#include "leader/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/fd.h"

#define DEPTH_MAX 9 /* folders in folders that removal follows, its own among them */

/* Makes name below `at` for us alone and opens it. fd or -errno. */
static int make_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0) {
		return -errno;
	}
	int fd = dir_open_at(at, name);
	if (fd < 0) {
		(void)unlinkat(at, name, AT_REMOVEDIR);
	}
	return fd;
}

/* Whatever the umask was. The group is given first: a mode never means more than it says. */
static int give(int fd, uid_t owner, gid_t group, mode_t mode)
{
	return fchown(fd, owner, group) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

/* The folder of all sessions. In system mode it is there before us, and its group is the broker's.
 * fd or -errno. */
static int open_sessions(int runtime_fd, bool system, gid_t *ret_group)
{
	if (!system && mkdirat(runtime_fd, "sessions", 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	AUTO_FD int fd = dir_open_at(runtime_fd, "sessions");
	if (fd < 0) {
		return fd;
	}
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (system && (st.st_uid != 0 || (st.st_mode & 022) != 0)) {
		return -EPERM;
	}
	*ret_group = st.st_gid;
	return TAKE_FD(fd);
}

/* The socket is bound for us alone, then opened to the broker's group: in between nobody else can
 * connect. */
static int make_socket(struct folder *f, bool system, gid_t group)
{
	f->listen_fd = fd_listen_at(f->fd, "link", SOCK_SEQPACKET, 0600);
	if (f->listen_fd < 0) {
		return f->listen_fd;
	}
	bool bad = system && (fchownat(f->fd, "link", -1, group, AT_SYMLINK_NOFOLLOW) < 0 ||
				     fchmodat(f->fd, "link", 0660, 0) < 0);
	return bad ? -errno : 0;
}

static int fill(struct folder *f, gid_t group, struct folder_rights rights)
{
	f->run_fd = make_folder(f->fd, "run");
	if (f->run_fd < 0) {
		return f->run_fd;
	}
	uid_t owner = rights.system ? rights.owner : (uid_t)-1;
	int r = give(f->run_fd, owner, -1, 0700);
	if (r == 0) {
		r = make_socket(f, rights.system, group);
	}
	/* Last: nobody enters before all of it is as it shall be. */
	return r < 0 ? r
		     : give(f->fd, -1, rights.system ? group : (gid_t)-1,
			       rights.system ? 0751 : 0700);
}

int folder_make(struct folder *ret, int runtime_fd, uint32_t session, struct folder_rights rights)
{
	struct folder f = FOLDER_INIT;
	(void)snprintf(f.name, sizeof(f.name), "%u", session);
	gid_t group = -1;
	AUTO_FD int sessions_fd = open_sessions(runtime_fd, rights.system, &group);
	if (sessions_fd < 0) {
		return sessions_fd;
	}
	f.fd = make_folder(sessions_fd, f.name);
	if (f.fd < 0) {
		return f.fd;
	}
	f.sessions_fd = TAKE_FD(sessions_fd);
	int r = fill(&f, group, rights);
	if (r < 0) {
		folder_remove(&f);
		return r;
	}
	*ret = f;
	return 0;
}

void folder_remove(struct folder *f)
{
	/* Closed first: to look into a folder takes a descriptor, and there may be no other. */
	auto_close(&f->listen_fd);
	auto_close(&f->run_fd);
	auto_close(&f->fd);
	if (f->sessions_fd >= 0) {
		dir_remove_at(f->sessions_fd, f->name, DEPTH_MAX);
	}
	auto_close(&f->sessions_fd);
	*f = FOLDER_INIT;
}
