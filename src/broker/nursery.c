#include "broker/nursery.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#define WORK_FD (STDERR_FILENO + 1)
#define ANSWER_MS 5000 /* a fork takes no time; without memory or processes it fails */

static int nursery_fd = -1;

/* --- the process ------------------------------------------------------------------------------ */

/* Nobody asks how ours ended; a name service may want to know that of its own. */
static void forget_children(bool on)
{
	struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = on ? SA_NOCLDWAIT : 0 };
	(void)sigaction(SIGCHLD, &action, NULL);
}

/* The only descriptor but standard error is this one from now on, as WORK_FD. */
static void keep_alone(int fd)
{
	if (dup2(fd, WORK_FD) < 0 || close_range(WORK_FD + 1, ~0u, 0) < 0) {
		_exit(EXIT_FAILURE);
	}
}

static int32_t start_child(void (*work)(int fd), int fd)
{
	pid_t pid = fork();
	if (pid == 0) {
		forget_children(false);
		keep_alone(fd);
		work(WORK_FD);
		_exit(EXIT_FAILURE);
	}
	return pid < 0 ? -errno : pid;
}

static _Noreturn void serve(int fd, void (*work)(int fd))
{
	(void)prctl(PR_SET_NAME, "termserv-fork");
	forget_children(true);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	keep_alone(fd);
	fd = WORK_FD;
	for (;;) {
		char byte;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		ssize_t n = fd_receive(fd, &byte, sizeof(byte), &set);
		if (n <= 0) {
			_exit(n == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		int32_t answer = set.count == 1 ? start_child(work, set.fds[0]) : -EMFILE;
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0) {
			_exit(EXIT_FAILURE);
		}
	}
}

/* --- the broker ------------------------------------------------------------------------------- */

int nursery_open(void (*work)(int fd))
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		return -errno;
	}
	AUTO_FD int ours = fds[0];
	AUTO_FD int theirs = fds[1];
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		serve(theirs, work);
	}
	nursery_close();
	nursery_fd = TAKE_FD(ours);
	return 0;
}

int nursery_start(pid_t *ret, int fd)
{
	char byte = 0;
	const struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	if (nursery_fd < 0) {
		return -ENOTCONN;
	}
	ssize_t n = fd_send(nursery_fd, &iov, 1, &fd, 1);
	if (n < 0) {
		return n == -EPIPE ? -ENOTCONN : (int)n;
	}
	int r = fd_wait_readable(nursery_fd, ANSWER_MS);
	if (r <= 0) { /* an answer that comes now would be taken for the next one's */
		(void)shutdown(nursery_fd, SHUT_RDWR);
		return r < 0 ? r : -ETIMEDOUT;
	}
	int32_t answer = 0;
	n = recv(nursery_fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(answer) || answer == 0) {
		return -ENOTCONN;
	}
	if (answer < 0) {
		return answer;
	}
	*ret = (pid_t)answer;
	return 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	log_error("the process that forks others has ended");
	return sd_event_exit(sd_event_source_get_event(source), -EPIPE);
}

int nursery_watch(sd_event *event)
{
	/* Nothing but a hangup: answers are waited for where they are asked for. */
	return nursery_fd < 0 ? 0 : sd_event_add_io(event, NULL, nursery_fd, 0, on_end, NULL);
}

void nursery_close(void)
{
	auto_close(&nursery_fd);
	nursery_fd = -1;
}
