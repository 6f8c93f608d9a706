#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "host/environment.h"
#include "protocol/link.h"

#define NOT_POSSIBLE 126
#define NOT_FOUND 127

const char *program_shell(const struct spec *spec)
{
	const char *shell = environment_find(spec->environment, "SHELL");
	if (shell != NULL && shell[0] == '/' && access(shell, X_OK) == 0) {
		return shell;
	}
	const struct passwd *entry = getpwuid(geteuid());
	if (entry != NULL && entry->pw_shell[0] == '/' && access(entry->pw_shell, X_OK) == 0) {
		return entry->pw_shell;
	}
	return "/bin/sh";
}

void program_text(char *text, size_t size, const struct spec *spec)
{
	if (spec->arguments[0] == NULL) {
		link_copy_text(text, size, program_shell(spec));
		return;
	}
	AUTO(buf_done) struct buf line = BUF_INIT(2 * LINK_TEXT_SIZE);
	for (char **a = spec->arguments; *a != NULL && line.length < size; a++) {
		size_t length = strnlen(*a, LINK_TEXT_SIZE - 1);
		(void)buf_put(&line, " ", line.length > 0);
		(void)buf_put(&line, *a, length);
	}
	(void)buf_put_byte(&line, '\0');
	link_copy_text(text, size, line.length > 0 ? (char *)line.data : "");
}

/* In the new process, on the pty: two lines at most, then the end. */
_Noreturn static void give_up(int status, const char *what, const char *which)
{
	dprintf(STDERR_FILENO, "termserv: cannot %s %s: %s\n", what, which, strerrordesc_np(errno));
	_exit(status);
}

static void default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	for (int i = 1; i < NSIG; i++) {
		(void)sigaction(i, &action, NULL); /* fails for KILL and STOP */
	}
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void enter_folder(const struct spec *spec)
{
	if (spec->directory[0] == '\0' || chdir(spec->directory) < 0) {
		const char *home = environment_find(spec->environment, "HOME");
		if (spec->directory[0] != '\0') {
			dprintf(STDERR_FILENO, "termserv: cannot enter %s: %s\n", spec->directory,
				strerrordesc_np(errno));
		}
		if (home == NULL || chdir(home) < 0) {
			(void)!chdir("/");
		}
	}
}

_Noreturn static void run_program(const struct spec *spec, int slave, char **variables)
{
	default_signals();
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, STDIN_FILENO) < 0 ||
		dup2(slave, STDOUT_FILENO) < 0 || dup2(slave, STDERR_FILENO) < 0) {
		_exit(NOT_POSSIBLE);
	}
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)umask((mode_t)spec->header.umask);
	enter_folder(spec);
	environ = variables; /* its PATH is where the program is looked for */
	if (spec->arguments[0] != NULL) {
		(void)execvp(spec->arguments[0], spec->arguments);
		give_up(NOT_FOUND, "run", spec->arguments[0]);
	}
	const char *shell = program_shell(spec);
	char name[64]; /* a login shell is told so by the dash */
	(void)snprintf(name, sizeof(name), "-%s", strrchr(shell, '/') + 1);
	(void)execl(shell, name, (char *)NULL);
	give_up(NOT_FOUND, "run", shell);
}

int program_start(
	struct program *ret, const struct spec *spec, const struct pty *pty, char **environment)
{
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		run_program(spec, pty->slave, environment);
	}
	int pid_fd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (pid_fd < 0) {
		int error = -errno;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return error;
	}
	*ret = (struct program){ .pid = pid, .pid_fd = pid_fd };
	return 0;
}

void program_signal(const struct program *p, const struct pty *pty, int signal_number)
{
	if (p->pid <= 0) {
		return;
	}
	/* The id is safe: nobody but us can reap it. */
	if (kill(-p->pid, signal_number) < 0) { /* just born: it has no group of its own yet */
		(void)kill(p->pid, signal_number);
	}
	pid_t foreground = 0;
	if (ioctl(pty->master, TIOCGPGRP, &foreground) == 0 && foreground > 1 &&
		foreground != p->pid && foreground != getpgrp()) {
		(void)kill(-foreground, signal_number);
	}
}

int program_reap(struct program *p, int *ret_status)
{
	int status;
	pid_t pid = waitpid(p->pid, &status, WNOHANG);
	if (pid <= 0) {
		return pid == 0 ? -EAGAIN : -errno;
	}
	auto_close(&p->pid_fd);
	*p = PROGRAM_INIT;
	*ret_status = status;
	return 0;
}

void program_end_text(
	char *text, size_t size, int status, const char *before_exit, const char *before_signal)
{
	if (WIFSIGNALED(status)) {
		const char *name = sigdescr_np(WTERMSIG(status));
		(void)snprintf(text, size, "%s signal %d (%s)", before_signal, WTERMSIG(status),
			name != NULL ? name : "unknown");
	} else {
		(void)snprintf(text, size, "%s exit status %d", before_exit, WEXITSTATUS(status));
	}
}
