/* termserv stop: ends the server with all its sessions, after saying what will be lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/table.h"
#include "protocol/error.h"
#include "protocol/varlink.h"

/* Sessions outlive their server: what is left of them is a reason to start one. */
static bool has_sessions(const struct server *s)
{
	int fd = openat(s->runtime_fd, "sessions", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	bool found = false;
	if (folder == NULL) {
		auto_close(&fd);
		return false;
	}
	for (const struct dirent *e = readdir(folder); e != NULL && !found; e = readdir(folder)) {
		found = text_is_digits(e->d_name);
	}
	(void)closedir(folder);
	return found;
}

static bool is_running(const struct server *s)
{
	AUTO_FD int fd = server_dial(s);
	return fd >= 0;
}

static size_t print_losses(const json_t *sessions)
{
	size_t count = 0;
	size_t i;
	const json_t *session;
	json_array_foreach((json_t *)sessions, i, session)
	{
		struct table_row row;
		char command[TABLE_TEXT_SIZE];
		const char *text = json_string_value(json_object_get(session, "command"));
		if (!json_is_integer(json_object_get(session, "id"))) {
			continue;
		}
		if (count++ == 0) {
			(void)printf("These sessions and their programs will be ended:\n");
		}
		table_row_from(&row, session);
		(void)text_encode(command, sizeof(command), text != NULL ? text : "");
		(void)printf("  session %s of %s, %s%s%s: %s\n", row.id, row.user, row.state,
			row.name[0] != '\0' ? " on " : "", row.name, command);
	}
	return count;
}

/* 0 = go on, or an exit status. */
static int may_stop(struct server *server, struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	char line[16] = "";
	if (session_list(server, NULL, &answer, ret_failure) < 0) {
		return report_failure(ret_failure, "stop the server");
	}
	if (print_losses(json_object_get(answer, "sessions")) == 0) {
		return 0;
	}
	if (!isatty(STDIN_FILENO)) {
		failure_set(ret_failure, ERROR_BUSY,
			"There are sessions, and nobody to ask here; --force ends them.");
		return report_failure(ret_failure, "stop the server");
	}
	(void)printf("End them all? [y/N] ");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL || strncasecmp(line, "y", 1) != 0) {
		(void)printf("Nothing was ended.\n");
		return EXIT_FAILED;
	}
	return 0;
}

int cmd_stop(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(json) json_t *answer = NULL;
	struct failure failure;
	(void)c;
	if (server_open(&server, a, &failure) < 0) {
		return report_failure(&failure, "stop the server");
	}
	if (!is_running(&server) && !has_sessions(&server)) {
		(void)printf("No server is running.\n");
		return EXIT_OK;
	}
	if (server_connect(&server, &failure) < 0) {
		return report_failure(&failure, "stop the server");
	}
	struct caller caller;
	if (session_caller(&server, &caller, &failure) < 0) {
		return report_failure(&failure, "stop the server");
	}
	/* Whoever the server will refuse is not asked first. */
	bool refused = caller.system && !caller.administrator;
	bool ask = a->values[OPTION_FORCE] == NULL && !refused;
	int status = ask ? may_stop(&server, &failure) : 0;
	if (status != 0) {
		return status;
	}
	report_verbose(a, "Stopping the server in %s.", server.path);
	if (server_call(&server, "Stop", json_pack("{s:b}", "force", 1), NULL, 0, SERVER_ONCE,
		    &answer, &failure) < 0) {
		return report_failure(&failure, "stop the server");
	}
	report_verbose(a, "The server has ended, and %lld sessions with it.",
		json_integer_value(json_object_get(answer, "sessions")));
	return EXIT_OK;
}
