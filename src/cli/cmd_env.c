/* termserv env: what the terminal that shows this session brought, as assignments for a shell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/session.h"
#include "protocol/error.h"

#define ENV_SIZE_MAX (64 * 1024)

/* 0, also when there is nothing, or -errno. */
static int print_file(int run_fd)
{
	AUTO(free) char *text = malloc(ENV_SIZE_MAX);
	AUTO(free) char *encoded = malloc(ENV_SIZE_MAX);
	if (text == NULL || encoded == NULL) {
		return -ENOMEM;
	}
	ssize_t n = fd_read_file_at(run_fd, "env", text, ENV_SIZE_MAX);
	if (n < 0) {
		return n == -ENOENT ? 0 : (int)n;
	}
	(void)text_encode_lines(encoded, ENV_SIZE_MAX, text);
	(void)fputs(encoded, stdout);
	return 0;
}

int cmd_env(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	struct failure failure;
	struct caller caller;
	(void)c;
	if (server_reach(&server, a, &failure) < 0 ||
		session_caller(&server, &caller, &failure) < 0) {
		return report_failure(&failure, "read the environment of this session");
	}
	if (!caller.in_session) {
		failure_set(&failure, ERROR_SESSION_NOT_FOUND, "This is no session.");
		return report_failure(&failure, "read the environment of this session");
	}
	AUTO_FD int run_fd = session_open_run(&server, caller.session);
	int r = run_fd < 0 ? run_fd : print_file(run_fd);
	if (r < 0) {
		failure_from_errno(&failure, r);
		return report_failure(&failure, "read the environment of this session");
	}
	return EXIT_OK;
}
