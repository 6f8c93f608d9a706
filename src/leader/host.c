#include "leader/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/proctitle.h"
#include "base/runtime.h"
#include "host/loop.h"
#include "protocol/link.h"

#define EXEC_FAILED 127

/* What root has opened stays with root: a user may look into every descriptor of his processes. The
 * pipe to our log he can only write into. */
static int become_owners(const struct login *login, int log_fd)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
		dup2(log_fd >= 0 ? log_fd : fd, STDERR_FILENO) < 0 || chdir("/") < 0) {
		return -errno;
	}
	return login_become(login);
}

/* In the child. Signals as a fresh program expects them: what is blocked or ignored here would be
 * inherited by all that runs in the session. */
static int take_link(int link_fd)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* dup2() onto itself would keep the close-on-exec mark. */
	int r = link_fd == HOST_LINK_FD ? fcntl(link_fd, F_SETFD, 0) : dup2(link_fd, HOST_LINK_FD);
	return r < 0 ? -errno : 0;
}

_Noreturn static void become_owners_host(
	const char *path, uint32_t session, int link_fd, const struct login *login, int log_fd)
{
	if (log_fd == HOST_LINK_FD) { /* out of the link's way */
		log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, HOST_LINK_FD + 1);
	}
	if (take_link(link_fd) == 0 && become_owners(login, log_fd) == 0) {
		(void)close_range(HOST_LINK_FD + 1, ~0U, 0);
		char id[12];
		(void)snprintf(id, sizeof(id), "%u", session);
		char *const arguments[] = { (char *)"termserv-host", id, NULL };
		(void)execve(path, arguments, login->environment);
	}
	_exit(EXEC_FAILED);
}

_Noreturn static void become_host(uint32_t session, int link_fd, char **argv)
{
	if (take_link(link_fd) < 0 || fcntl(HOST_LINK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		_exit(EXEC_FAILED);
	}
	(void)close_range(HOST_LINK_FD + 1, ~0U, 0); /* all but the link, as an exec would */
	char id[12];
	(void)snprintf(id, sizeof(id), "%u", session);
	proctitle_set(argv, (const char *const[]){ "termserv-host", id, NULL });
	exit(host_run(session));
}

/* A new child and the link to it. In the child *ret_link is its end, and 0 is the answer; else its
 * id, or -errno. */
static pid_t fork_host(struct host *ret, int *ret_link)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int ours = pair[0];
	AUTO_FD int theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		*ret_link = TAKE_FD(theirs);
	} else {
		*ret = (struct host){ .pid = pid, .link_fd = TAKE_FD(ours) };
	}
	return pid;
}

int host_start(struct host *ret, uint32_t session, const struct login *login, int log_fd)
{
	AUTO(free) char *path = NULL;
	int r = runtime_sibling(&path, "termserv-host");
	if (r < 0) {
		return r;
	}
	if (access(path, X_OK) < 0) {
		return -errno; /* said here, where it can still be told apart */
	}
	int link_fd = -1;
	pid_t pid = fork_host(ret, &link_fd);
	if (pid == 0) {
		become_owners_host(path, session, link_fd, login, log_fd);
	}
	return pid < 0 ? pid : 0;
}

int host_fork(struct host *ret, uint32_t session, char **argv)
{
	int link_fd = -1;
	pid_t pid = fork_host(ret, &link_fd);
	if (pid == 0) {
		become_host(session, link_fd, argv);
	}
	return pid < 0 ? pid : 0;
}

int host_give(const struct host *h, uint32_t session, uint32_t flags, int spec_fd, int run_fd)
{
	union link_packet packet = { .simple = link_make(LINK_START, 0) };
	packet.simple.session = session;
	packet.simple.flags = flags;
	return link_send(h->link_fd, &packet, (int[]){ spec_fd, run_fd }, 2);
}

void host_end_text(char *text, size_t size, int wait_status)
{
	if (WIFSIGNALED(wait_status)) {
		int number = WTERMSIG(wait_status);
		const char *name = sigdescr_np(number);
		(void)snprintf(text, size, "the host was ended by signal %d (%s)", number,
			name != NULL ? name : "unknown");
	} else if (WEXITSTATUS(wait_status) == EXEC_FAILED) {
		(void)snprintf(text, size, "the host could not be started");
	} else {
		(void)snprintf(text, size, "the host ended without a word, with exit status %d",
			WEXITSTATUS(wait_status));
	}
}
