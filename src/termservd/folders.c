#include "termservd/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/runtime.h"
#include "base/text.h"

#define STATE_FOLDER "broker"
#define SESSIONS_FOLDER "sessions"
#define LINK_SOCKET "link"
#define LOG_GROUP "adm" /* may read logs on the systems that have it */
#define REMOVE_DEPTH 9
#define YOUNG_SECONDS 15 /* so long a leader may take to listen in its folder */
#define ID_TEXT_SIZE 16

int folders_open(struct folders *ret, const char *runtime_path, const struct account *account)
{
	int fd = account != NULL ? runtime_open_system(runtime_path, true)
				 : runtime_open(runtime_path, true);
	if (fd < 0) {
		return fd;
	}
	*ret = FOLDERS_NONE;
	ret->runtime_fd = fd;
	return 0;
}

/* A folder that was there before us may be root's or the account's, nobody else's: nobody else can
 * have put it there, and if one has, it is not mended but refused. fd or -errno. */
static int open_own(int dir_fd, const char *name, uid_t owner, gid_t group, mode_t mode)
{
	AUTO_FD int fd = dir_open_at(dir_fd, name);
	struct stat st;
	if (fd < 0) {
		return fd;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (st.st_uid != 0 && st.st_uid != owner) {
		return -EPERM;
	}
	if (fchown(fd, owner, group) < 0 || fchmod(fd, mode) < 0) {
		return -errno;
	}
	return TAKE_FD(fd);
}

static int make_own(int dir_fd, const char *name, uid_t owner, gid_t group, mode_t mode)
{
	if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	return open_own(dir_fd, name, owner, group, mode);
}

/* The folder above must be root's: the account must not be able to move its log folder away and
 * put something else there for root to give it. */
static int make_log_folder(const char *path, const struct account *account)
{
	char above[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 0;
	if (slash == NULL || slash[1] == '\0' || length >= sizeof(above)) {
		return -EINVAL;
	}
	memcpy(above, path, length);
	above[length] = '\0';
	AUTO_FD int fd = length == 0 ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				     : runtime_open_system(above, true);
	if (fd < 0) {
		return length == 0 ? -errno : fd;
	}
	const struct group *readers = getgrnam(LOG_GROUP);
	return make_own(fd, slash + 1, account->uid, readers != NULL ? readers->gr_gid : 0, 0750);
}

int folders_make(struct folders *f, const char *log_path, const struct account *account,
	const char **ret_what)
{
	*ret_what = STATE_FOLDER;
	AUTO_FD int state_fd = make_own(
		f->runtime_fd, STATE_FOLDER, account->uid, account->gid, 0700);
	if (state_fd < 0) {
		return state_fd;
	}
	*ret_what = SESSIONS_FOLDER;
	AUTO_FD int sessions_fd = make_own(f->runtime_fd, SESSIONS_FOLDER, 0, account->gid, 0751);
	if (sessions_fd < 0) {
		return sessions_fd;
	}
	*ret_what = log_path;
	AUTO_FD int log_fd = make_log_folder(log_path, account);
	if (log_fd < 0) {
		return log_fd;
	}
	f->state_fd = TAKE_FD(state_fd);
	f->log_fd = TAKE_FD(log_fd);
	return 0;
}

void folders_close(struct folders *f)
{
	auto_close(&f->runtime_fd);
	auto_close(&f->state_fd);
	auto_close(&f->log_fd);
	*f = FOLDERS_NONE;
}

static bool is_young(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return true;
	}
	int64_t age = (int64_t)(clock_now() / 1000000) - st.st_mtim.tv_sec;
	return age >= 0 && age < YOUNG_SECONDS;
}

/* A connection to its leader, -ESTALE when that listens no more (not merely that nobody answered
 * just now), or another -errno. */
static int reach(int sessions_fd, const char *name, bool may_be_young)
{
	AUTO_FD int folder = dir_open_at(sessions_fd, name);
	if (folder < 0) {
		return -ENOENT;
	}
	int link = fd_connect_at(folder, LINK_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);
	bool dead = link == -ECONNREFUSED || link == -ENOENT;
	return dead && (may_be_young || !is_young(folder)) ? -ESTALE : link;
}

/* The number in canonical form, else 0. */
static uint32_t id_of(const char *name)
{
	uint32_t id;
	char canonical[ID_TEXT_SIZE];
	if (text_to_u32(name, &id) < 0) {
		return 0;
	}
	(void)snprintf(canonical, sizeof(canonical), "%u", id);
	return strcmp(canonical, name) == 0 ? id : 0;
}

void folders_sweep(
	const struct folders *f, uint32_t session, const struct folders_listener *listener)
{
	int sessions_fd = dir_open_at(f->runtime_fd, SESSIONS_FOLDER);
	DIR *dir = sessions_fd >= 0 ? fdopendir(sessions_fd) : NULL;
	if (dir == NULL) {
		auto_close(&sessions_fd);
		return;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		uint32_t id = id_of(e->d_name);
		if (id == 0 || (session != 0 && session != id)) {
			continue;
		}
		AUTO_FD int link = reach(dirfd(dir), e->d_name, session != 0);
		if (link == -ESTALE) {
			dir_remove_at(dirfd(dir), e->d_name, REMOVE_DEPTH);
		} else if (link >= 0 && listener != NULL) {
			listener->on_living(listener->user, id, link);
		}
	}
	(void)closedir(dir);
}
