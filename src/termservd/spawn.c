#include "termservd/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Between fork() and exec(): only what is allowed there. */
static int become_own(int hold)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	for (int signal = 1; signal < NSIG; signal++) {
		(void)sigaction(signal, &action, NULL); /* fails for those that nobody may change */
	}
	sigset_t blocked;
	(void)sigemptyset(&blocked);
	if (hold != 0) {
		(void)sigaddset(&blocked, hold);
	}
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0 || setsid() < 0) {
		return -errno;
	}
	AUTO_FD int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0) {
		return -errno;
	}
	return 0;
}

static int keep_open(const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fcntl(keep[i], F_SETFD, 0) < 0) {
			return -errno;
		}
	}
	return 0;
}

static void run_child(const struct spawn *spawn, int report_fd)
{
	(void)umask(077);
	int error = become_own(spawn->hold);
	if (error == 0) {
		error = keep_open(spawn->keep, spawn->keep_count);
	}
	if (error == 0 && spawn->account != NULL) {
		error = account_become(spawn->account);
	}
	if (error == 0) {
		(void)execv(spawn->path, spawn->arguments);
		error = -errno;
	}
	(void)!write(report_fd, &error, sizeof(error));
	_exit(127);
}

/* The child's word about its exec: nothing and the end of the pipe when it went well. */
static int read_report(int fd)
{
	int error = 0;
	ssize_t n;
	do {
		n = read(fd, &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	if (n == 0) {
		return 0;
	}
	return n == sizeof(error) && error < 0 ? error : -EIO;
}

int spawn_program(pid_t *ret, const struct spawn *spawn)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0) {
		return -errno;
	}
	AUTO_FD int read_end = report[0];
	AUTO_FD int write_end = report[1];
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		run_child(spawn, write_end);
	}
	(void)close(TAKE_FD(write_end));
	int r = read_report(read_end);
	if (r < 0) {
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	*ret = pid;
	return 0;
}
