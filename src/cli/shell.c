#include "cli/shell.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/report.h"
#include "cli/seat.h"
#include "protocol/error.h"

#define ORIGINAL "SSH_ORIGINAL_COMMAND" /* sshd: what the client asked for */
#define SFTP "internal-sftp"		/* in its place: a command that only sshd itself can run */

static const char *const sftp_servers[] = {
	"/usr/lib/openssh/sftp-server",
	"/usr/libexec/openssh/sftp-server",
	"/usr/lib/ssh/sftp-server",
	"/usr/libexec/sftp-server",
};

static bool is_login_shell; /* this process was started as termserv-shell, and goes on */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

bool shell_is_own_name(const char *name)
{
	const char *last = last_part(name);
	return strcmp(last[0] == '-' ? last + 1 : last, SHELL_NAME) == 0;
}

static bool is_real(const char *path)
{
	return path != NULL && path[0] == '/' && !shell_is_own_name(path) &&
	       access(path, X_OK) == 0;
}

const char *shell_real(const struct config *config)
{
	static char path[sizeof(config->shell)];
	const struct passwd *account = getpwuid(geteuid());
	if (is_real(config->shell)) {
		return config->shell;
	}
	if (account != NULL && is_real(account->pw_shell)) {
		(void)snprintf(path, sizeof(path), "%s", account->pw_shell);
		return path;
	}
	return is_real("/bin/bash") ? "/bin/bash" : "/bin/sh";
}

/* argv[0] is set here: the shell's name, for a login shell with the dash before it. Returns when it
 * failed, which was said then. */
static void become(const char *shell, char **argv, bool login)
{
	sigset_t none;
	char name[256];
	sigemptyset(&none);
	(void)snprintf(name, sizeof(name), "%s%s", login ? "-" : "", last_part(shell));
	argv[0] = name;
	(void)fflush(NULL);
	(void)setenv("SHELL", shell, 1);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv(shell, argv);
	report_line(stderr, "%s: %s", shell, strerror(errno));
}

static bool in_session(void)
{
	const char *session = getenv("TERMSERV_SESSION");
	return session != NULL && session[0] != '\0';
}

/* Words that ask for an interactive login and nothing else. */
static bool is_plain(char **words)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, "-l") != 0 && strcmp(*words, "-i") != 0 &&
			strcmp(*words, "--login") != 0) {
			return false;
		}
	}
	return true;
}

void shell_stand_aside(char **argv)
{
	struct config config;
	bool login = argv[0][0] == '-';
	seat_config(&config);
	if (is_plain(argv + 1) && !in_session() && isatty(STDIN_FILENO)) {
		(void)setenv(
			"SHELL", shell_real(&config), 1); /* what runs in the session asks it */
		is_login_shell = true;
		return;
	}
	become(shell_real(&config), argv, login);
	_exit(127);
}

/* sshd's own sftp server has no program of that name: the other one speaks the same. */
static char *without_internal_sftp(const char *command)
{
	size_t length = sizeof(SFTP) - 1;
	char *whole = NULL;
	if (strncmp(command, SFTP, length) != 0 ||
		(command[length] != '\0' && command[length] != ' ')) {
		return strdup(command);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sftp_servers); i++) {
		if (access(sftp_servers[i], X_OK) == 0) {
			return asprintf(&whole, "%s%s", sftp_servers[i], command + length) < 0
				       ? NULL
				       : whole;
		}
	}
	return strdup(command);
}

/* Nothing was asked of logon but to log on. */
static bool asks_for_nothing(const struct arguments *a)
{
	return a->values[OPTION_DETACHED] == NULL && a->values[OPTION_NEW] == NULL &&
	       a->values[OPTION_TERMINAL] == NULL && a->rest == NULL;
}

void shell_make_way(const struct config *config, const struct arguments *a)
{
	const char *original = getenv(ORIGINAL);
	bool ssh = getenv("SSH_CONNECTION") != NULL;
	if (!ssh || !asks_for_nothing(a) || (original == NULL && isatty(STDIN_FILENO))) {
		return;
	}
	AUTO(free) char *command = original != NULL ? without_internal_sftp(original) : NULL;
	char *run[] = { NULL, (char *)"-c", command, NULL };
	char *plain[] = { NULL, NULL };
	(void)unsetenv(ORIGINAL); /* a logon that is typed in it is another one */
	become(shell_real(config), command != NULL ? run : plain, command == NULL);
	_exit(127);
}

/* The server was reached, and will not have this person, now or at all. */
static bool is_refusal(int code)
{
	switch (code) {
	case ERROR_ACCESS_DENIED:
	case ERROR_LOGON_FAILURE:
	case ERROR_TOO_MANY_SESSIONS:
	case ERROR_LOGONS_DISABLED:
	case ERROR_ACCOUNT_RESTRICTION:
		return true;
	default:
		return false;
	}
}

/* No shell of the person's stands behind us: one with jobs would have made us a group of our own.
 */
static bool is_all_there_is(void)
{
	return getpgrp() == getsid(0) && isatty(STDIN_FILENO) && !in_session() &&
	       (is_login_shell || getenv("SSH_CONNECTION") != NULL);
}

void shell_instead(const struct config *config, const struct failure *why)
{
	char *plain[] = { NULL, NULL };
	if (is_refusal(why->code) || !is_all_there_is()) {
		return;
	}
	report_line(
		stderr, "Here is a plain shell instead: what runs in it ends with this terminal.");
	become(shell_real(config), plain, true);
}
