#include "base/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HOSTNAME_SIZE 65

/* Ours, a real folder, and nobody else's business. */
static int check_folder(const struct stat *st)
{
	if (S_ISLNK(st->st_mode)) {
		return -ELOOP;
	}
	if (!S_ISDIR(st->st_mode)) {
		return -ENOTDIR;
	}
	if (st->st_uid != geteuid()) {
		return -EPERM;
	}
	return (st->st_mode & 077) != 0 ? -EKEYREJECTED : 0;
}

static bool is_private(const char *path)
{
	struct stat st;
	return path[0] == '/' && lstat(path, &st) == 0 && check_folder(&st) == 0;
}

static int format_path(char **ret, const char *folder, const char *name)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		return -ENOMEM;
	}
	*ret = path;
	return 0;
}

/* Absolute and without slashes at its end: a slash there would make O_NOFOLLOW follow. */
int runtime_absolute(char **ret, const char *given)
{
	if (given[0] == '\0') {
		return -EINVAL;
	}
	AUTO(free) char *path = NULL;
	if (given[0] == '/') {
		path = strdup(given);
	} else {
		AUTO(free) char *here = getcwd(NULL, 0);
		if (here == NULL) {
			return -errno;
		}
		(void)format_path(&path, here, given);
	}
	if (path == NULL) {
		return -ENOMEM;
	}
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/') {
		path[--length] = '\0';
	}
	*ret = TAKE_PTR(path);
	return 0;
}

/* The folder may be shared between machines, the sockets in it not: hence the host's name. */
static int home_path(char **ret)
{
	const char *home = getenv("HOME");
	if (home == NULL || home[0] != '/') {
		struct passwd *entry = getpwuid(geteuid());
		home = entry != NULL ? entry->pw_dir : NULL;
	}
	if (home == NULL || home[0] != '/') {
		return -ENOENT;
	}
	char host[HOSTNAME_SIZE];
	if (gethostname(host, sizeof(host)) < 0) {
		return -errno;
	}
	host[sizeof(host) - 1] = '\0';
	for (char *c = host; *c != '\0'; c++) {
		if (*c == '/') {
			*c = '_';
		}
	}
	char *path = NULL;
	if (asprintf(&path, "%s/.cache/termserv/run-%s", home, host) < 0) {
		return -ENOMEM;
	}
	*ret = path;
	return 0;
}

int runtime_path(char **ret, const char *option)
{
	if (option != NULL) {
		return runtime_absolute(ret, option);
	}
	const char *variable = getenv("TERMSERV_RUNTIME_DIR");
	if (variable != NULL && variable[0] != '\0') {
		return runtime_absolute(ret, variable);
	}
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	if (xdg != NULL && is_private(xdg)) {
		return format_path(ret, xdg, "termserv");
	}
	char run[64];
	(void)snprintf(run, sizeof(run), "/run/user/%u", (unsigned)geteuid());
	if (is_private(run)) {
		return format_path(ret, run, "termserv");
	}
	if (geteuid() == 0) {
		return format_path(ret, "/run", "termserv-user-0");
	}
	return home_path(ret);
}

/* Makes the folder and what is missing above it. What is there already is left as it is. */
static int make_folders(const char *path, mode_t mode)
{
	AUTO(free) char *part = strdup(path);
	if (part == NULL) {
		return -ENOMEM;
	}
	for (char *slash = part; slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL) {
			*slash = '\0';
		}
		/* A parent that exists may also be read-only or not ours: only what is missing is
		 * an error. */
		struct stat st;
		if (lstat(part, &st) < 0 && mkdir(part, mode) < 0 && errno != EEXIST) {
			return -errno;
		}
		if (slash != NULL) {
			*slash = '/';
		}
	}
	return 0;
}

/* Root's, a real folder, and nobody else writes there. */
static int check_system_folder(const struct stat *st)
{
	if (!S_ISDIR(st->st_mode)) {
		return -ENOTDIR;
	}
	if (st->st_uid != 0) {
		return -EPERM;
	}
	return (st->st_mode & 022) != 0 ? -EKEYREVOKED : 0;
}

static int open_checked(const char *path, int (*check)(const struct stat *))
{
	AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0) {
		/* Linux answers ENOTDIR for a link too; a person wants to know which. */
		int error = -errno;
		bool link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
		return link ? -ELOOP : error;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	int r = check(&st);
	return r < 0 ? r : TAKE_FD(fd);
}

int runtime_open(const char *path, bool create)
{
	int r = create ? make_folders(path, 0700) : 0;
	return r < 0 ? r : open_checked(path, check_folder);
}

int runtime_open_system(const char *path, bool create)
{
	int r = create ? make_folders(path, 0755) : 0;
	return r < 0 ? r : open_checked(path, check_system_folder);
}

const char *runtime_problem(int error)
{
	switch (-error) {
	case ELOOP:
		return "is a symbolic link; it must be a real folder";
	case ENOTDIR:
		return "is not a folder";
	case EPERM:
		return "belongs to another user";
	case EKEYREJECTED:
		return "may be entered by other users; its mode must be 0700";
	case EKEYREVOKED:
		return "may be written by other users; its mode must be 0755";
	case ENOENT:
		return "does not exist";
	case EACCES:
		return "may not be entered or made by this user";
	case ENOSPC:
	case EDQUOT:
		return "cannot be made: the disk is full";
	case EROFS:
		return "cannot be made: the disk is read-only";
	case EMFILE:
	case ENFILE:
		return "cannot be opened: too many open files";
	case ENAMETOOLONG:
		return "cannot be opened: its name is too long";
	default:
		return "cannot be opened";
	}
}

int runtime_sibling(char **ret, const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0) {
		return -errno;
	}
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	if (slash == NULL) {
		return -ENOENT;
	}
	*slash = '\0';
	return format_path(ret, self, name);
}
