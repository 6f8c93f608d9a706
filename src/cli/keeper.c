#include "cli/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WARRANTS_MAX                                                                               \
	4 /* the newest ones; a command has one at a time, and tries again at most twice */
#define WAY_FD 3

/* The whole of the keeper's process. */
struct keeping {
	char password[WARRANT_PASSWORD_MAX + 1];
	char user[LINK_SHORT_SIZE]; /* "" = any */
	int warrants[WARRANTS_MAX]; /* near ends, oldest first; -1 = none */
};

bool keeper_believes(const struct warrant_question *q, const struct ucred *asker, const char *user)
{
	return asker->uid == 0 && (user == NULL || user[0] == '\0' || strcmp(q->user, user) == 0);
}

/* A question that came over a warrant. Whether more may come. */
static bool answer(const struct keeping *k, int near_fd)
{
	struct warrant_question question;
	struct ucred asker;
	AUTO_FD int pipe_fd = -1;
	int r = warrant_receive_question(&question, &pipe_fd, &asker, near_fd);
	if (r == -EAGAIN || r == -EINTR) {
		return true;
	}
	if (r == 1 && keeper_believes(&question, &asker, k->user)) {
		/* A pipe of the leader's own: it has room for all of it. */
		ssize_t n = write(pipe_fd, k->password, strlen(k->password));
		(void)n; /* a leader that went needs it no more */
	}
	return false;
}

static void take_warrant(struct keeping *k, int fd)
{
	auto_close(&k->warrants[0]);
	memmove(k->warrants, k->warrants + 1, (WARRANTS_MAX - 1) * sizeof(k->warrants[0]));
	k->warrants[WARRANTS_MAX - 1] = fd;
}

/* From the command. Whether it is still there. */
static bool take_message(struct keeping *k)
{
	char byte;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive(WAY_FD, &byte, sizeof(byte), &set);
	if (n == -EINTR || n == -EAGAIN) {
		return true;
	}
	if (n <= 0) {
		return false;
	}
	if (set.count == 1) {
		take_warrant(k, TAKE_FD(set.fds[0]));
	}
	return true;
}

static void keep(struct keeping *k)
{
	for (;;) {
		struct pollfd p[WARRANTS_MAX + 1];
		for (size_t i = 0; i < WARRANTS_MAX; i++) {
			p[i] = (struct pollfd){ .fd = k->warrants[i], .events = POLLIN };
		}
		p[WARRANTS_MAX] = (struct pollfd){ .fd = WAY_FD, .events = POLLIN };
		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno != EINTR) {
				return;
			}
			continue;
		}
		for (size_t i = 0; i < WARRANTS_MAX; i++) {
			if (p[i].revents != 0 && !answer(k, k->warrants[i])) {
				auto_close(&k->warrants[i]);
				k->warrants[i] = -1;
			}
		}
		if (p[WARRANTS_MAX].revents != 0 && !take_message(k)) {
			return;
		}
	}
}

/* Nothing of the command's but the way to it; the keyboard's signals are the command's too. Whether
 * that worked. */
static bool be_alone(int way_fd)
{
	sigset_t all;
	sigfillset(&all);
	int null_fd = open("/dev/null", O_RDWR);
	/* Out of the way of the numbers below before they are taken. */
	int high = fcntl(way_fd, F_DUPFD, WAY_FD + 1);
	if (null_fd < 0 || high < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0 ||
		prctl(PR_SET_DUMPABLE, 0) < 0) {
		return false;
	}
	for (int fd = 0; fd < WAY_FD; fd++) {
		if (null_fd != fd && dup2(null_fd, fd) < 0) {
			return false;
		}
	}
	return dup2(high, WAY_FD) == WAY_FD && close_range(WAY_FD + 1, ~0U, 0) == 0;
}

/* In the child. Never returns. */
static void become_keeper(struct keeping *k, int way_fd)
{
	(void)mlock(k, sizeof(*k));
	if (be_alone(way_fd)) {
		keep(k);
	}
	explicit_bzero(k, sizeof(*k));
	_exit(0);
}

static void fill(struct keeping *k, const char *password, const char *user)
{
	*k = (struct keeping){ 0 };
	memcpy(k->password, password, strlen(password));
	link_set_text(k->user, user != NULL ? user : "");
	for (size_t i = 0; i < WARRANTS_MAX; i++) {
		k->warrants[i] = -1;
	}
}

int keeper_start(struct keeper *ret, const char *password, const char *user)
{
	int pair[2];
	struct keeping keeping;
	if (strlen(password) > WARRANT_PASSWORD_MAX ||
		(user != NULL && strlen(user) >= LINK_SHORT_SIZE)) {
		return -E2BIG;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int near = pair[0];
	AUTO_FD int far = pair[1];
	(void)mlock(&keeping, sizeof(keeping));
	(void)prctl(PR_SET_DUMPABLE, 0);
	fill(&keeping, password, user);
	pid_t child = fork();
	int error = child < 0 ? -errno : 0;
	if (child == 0) {
		become_keeper(&keeping, far);
	}
	explicit_bzero(&keeping, sizeof(keeping));
	(void)munlock(&keeping, sizeof(keeping));
	if (error < 0) {
		return error;
	}
	*ret = (struct keeper){ .pid = child, .way_fd = TAKE_FD(near) };
	return 0;
}

int keeper_watch(const struct keeper *k, int near_fd)
{
	AUTO_FD int fd = near_fd;
	char byte = 'w';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	ssize_t n = fd_send(k->way_fd, &iov, 1, &fd, 1);
	return n < 0 ? (int)n : 0;
}

void keeper_stop(struct keeper *k)
{
	auto_close(&k->way_fd);
	if (k->pid > 0) {
		while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	*k = KEEPER_NONE;
}
