#include "leader/account.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#define ONLY_FD 3
#define ANSWER_MS 10000 /* for the name service */

/* What the child writes: this, then the groups. */
struct answer {
	int error; /* 0 or -errno */
	size_t group_count;
	struct account account; /* its groups are not set */
};

static bool copy(char *to, size_t size, const char *from)
{
	if (from == NULL || strlen(from) >= size) {
		return false;
	}
	memcpy(to, from, strlen(from) + 1);
	return true;
}

static int look_up(struct answer *ret, gid_t *groups, const char *name, uid_t uid)
{
	errno = 0;
	const struct passwd *entry = name != NULL ? getpwnam(name) : getpwuid(uid);
	if (entry == NULL) {
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -ENOENT;
	}
	struct account *a = &ret->account;
	a->uid = entry->pw_uid;
	a->gid = entry->pw_gid;
	bool shell = entry->pw_shell != NULL && entry->pw_shell[0] != '\0';
	if (!copy(a->name, sizeof(a->name), entry->pw_name) ||
		!copy(a->home, sizeof(a->home), entry->pw_dir) ||
		!copy(a->shell, sizeof(a->shell), shell ? entry->pw_shell : "/bin/sh")) {
		return -ENOENT;
	}
	int count = ACCOUNT_GROUPS_MAX;
	if (getgrouplist(a->name, a->gid, groups, &count) < 0) {
		count = ACCOUNT_GROUPS_MAX;
	}
	ret->group_count = (size_t)count;
	return 0;
}

_Noreturn static void run_child(int write_fd, const char *name, uid_t uid)
{
	static gid_t groups[ACCOUNT_GROUPS_MAX];
	static struct answer answer;
	if (write_fd != ONLY_FD && dup2(write_fd, ONLY_FD) < 0) {
		_exit(1);
	}
	(void)close_range(ONLY_FD + 1, ~0U, 0);
	write_fd = ONLY_FD;
	answer.error = look_up(&answer, groups, name, uid);
	size_t size = answer.group_count * sizeof(*groups);
	bool good = write(write_fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) &&
		    write(write_fd, groups, size) == (ssize_t)size;
	_exit(good ? 0 : 1);
}

/* Exactly `size` bytes. 0, -ETIME, -EIO (the child has ended without them), or -errno. */
static int read_whole(int fd, void *to, size_t size, uint64_t limit)
{
	size_t done = 0;
	while (done < size) {
		uint64_t now = clock_monotonic_ms();
		int r = now < limit ? fd_wait_readable(fd, (int)(limit - now)) : 0;
		if (r <= 0) {
			return r < 0 ? r : -ETIME;
		}
		ssize_t n = read(fd, (char *)to + done, size - done);
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	return 0;
}

static int read_answer(struct account *ret, int fd)
{
	uint64_t limit = clock_monotonic_ms() + ANSWER_MS;
	struct answer answer;
	int r = read_whole(fd, &answer, sizeof(answer), limit);
	if (r < 0 || answer.error < 0) {
		return r < 0 ? r : answer.error;
	}
	if (answer.group_count > ACCOUNT_GROUPS_MAX) {
		return -EIO;
	}
	size_t size = answer.group_count * sizeof(gid_t);
	AUTO(free) gid_t *groups = malloc(size + 1);
	if (groups == NULL) {
		return -ENOMEM;
	}
	r = read_whole(fd, groups, size, limit);
	if (r < 0) {
		return r;
	}
	*ret = answer.account;
	ret->groups = TAKE_PTR(groups);
	ret->group_count = answer.group_count;
	return 0;
}

int account_read(struct account *ret, const char *name, uid_t uid)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	AUTO_FD int read_fd = ends[0];
	AUTO_FD int write_fd = ends[1];
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		run_child(write_fd, name, uid);
	}
	(void)close(TAKE_FD(write_fd));
	int r = read_answer(ret, read_fd);
	(void)kill(pid, SIGKILL); /* ours until it is reaped; it has said all, or is too late */
	(void)waitpid(pid, NULL, 0);
	return r;
}

void account_done(struct account *a)
{
	free(a->groups);
	*a = (struct account){ 0 };
}
