/* Starting a server process that has nothing of its first caller's but a few words. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/runtime.h"
#include "cli/server.h"

#define LOG_MAX (1024 * 1024)
#define READY_FD 3

static int open_log(const struct server *s)
{
	int fd = openat(s->runtime_fd, SERVER_LOG,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_MAX) {
		if (ftruncate(fd, 0) < 0) {
			(void)close(fd);
			return -errno;
		}
	}
	return fd < 0 ? -errno : fd;
}

/* What a server needs of its first caller's environment, and no more: it outlives the caller, and
 * others may read it. Sorted. */
static const char *const server_variables[] = {
	"ASAN_OPTIONS",
	"HOME",
	"LANG",
	"LC_ALL",
	"LC_TIME",
	"LOGNAME",
	"PATH",
	"TERMSERV_LOG",
	"TZ",
	"UBSAN_OPTIONS",
	"USER",
};

/* In the child: nothing of the caller's but the log and the ready pipe. Never returns. */
static void become_server(
	const char *program, const char *path, int log_fd, int ready_fd, char **environment)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;
	sigemptyset(&none);
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way of the numbers below before they are taken. */
	int log_high = fcntl(log_fd, F_DUPFD, 10);
	int ready_high = fcntl(ready_fd, F_DUPFD, 10);
	if (null_fd < 0 || log_high < 0 || ready_high < 0 || dup2(null_fd, 0) < 0 ||
		dup2(null_fd, 1) < 0 || dup2(log_high, 2) < 0 || dup2(ready_high, READY_FD) < 0) {
		_exit(127);
	}
	(void)close_range(READY_FD + 1, ~0U, 0);
	for (int signal_number = 1; signal_number < SIGRTMAX; signal_number++) {
		(void)sigaction(signal_number, &standard, NULL);
	}
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(077);
	if (chdir("/") < 0) {
		_exit(127);
	}
	const char *arguments[] = { "termservd", "--user", "--runtime-dir", path, "--ready-fd", "3",
		NULL };
	(void)execve(program, (char **)arguments, environment);
	(void)dprintf(2, "termservd could not be started: %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* The variables themselves are borrowed. */
static void fill_environment(char *environment[static ARRAY_SIZE(server_variables) + 1])
{
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(server_variables); i++) {
		size_t length = strlen(server_variables[i]);
		for (char **at = environ; *at != NULL; at++) {
			if (strncmp(*at, server_variables[i], length) == 0 &&
				(*at)[length] == '=') {
				environment[count++] = *at;
				break;
			}
		}
	}
	environment[count] = NULL;
}

int server_start(const struct server *s, int *ret_ready)
{
	char *environment[ARRAY_SIZE(server_variables) + 1];
	AUTO(free) char *program = NULL;
	int r = runtime_sibling(&program, "termservd");
	AUTO_FD int log_fd = r < 0 ? -1 : open_log(s);
	if (r < 0 || log_fd < 0) {
		return r < 0 ? r : log_fd;
	}
	fill_environment(environment);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	AUTO_FD int read_end = ends[0];
	AUTO_FD int write_end = ends[1];
	pid_t child = fork();
	if (child < 0) {
		return -errno;
	}
	if (child == 0) {
		(void)setsid();
		pid_t server = fork();
		if (server == 0) {
			become_server(program, s->path, log_fd, write_end, environment);
		}
		_exit(server < 0 ? 127 : 0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (status != 0) {
		return -EAGAIN;
	}
	if (ret_ready != NULL) {
		*ret_ready = TAKE_FD(read_end);
	}
	return 0;
}
