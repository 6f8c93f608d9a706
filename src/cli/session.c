#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/report.h"
#include "protocol/error.h"
#include "protocol/varlink.h"

#define CONNECT_TRIES 3

int session_open_run(const struct server *server, const char *session)
{
	const char *const steps[] = { "sessions", session, "run" };
	AUTO_FD int fd = fcntl(server->runtime_fd, F_DUPFD_CLOEXEC, 3);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(steps); i++) {
		int next = openat(fd, steps[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0) {
			return -errno;
		}
		(void)close(fd);
		fd = next;
	}
	return fd < 0 ? -errno : TAKE_FD(fd);
}

/* Whether the terminal where we are is one whose door runs as we do, as the session's own host has
 * noted it. */
static bool has_own_door(const struct server *server, const char *session)
{
	const char *own = getenv("TERMSERV_SESSION");
	uint32_t number = 0;
	char text[16];
	struct stat st;
	(void)text_to_u32(own != NULL ? own : session, &number);
	(void)snprintf(text, sizeof(text), "%u", number);
	AUTO_FD int run_fd = session_open_run(server, text);
	if (run_fd < 0 || fstat(run_fd, &st) < 0 || st.st_uid != geteuid() ||
		fd_read_file_at(run_fd, "door", text, sizeof(text)) <= 0) {
		return false;
	}
	text[strcspn(text, "\n")] = '\0';
	return text_to_u32(text, &number) == 0 && number == geteuid();
}

int session_caller(struct server *server, struct caller *ret, struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	if (server_call(server, "GetCaller", json_object(), NULL, 0, SERVER_REPEAT, &answer,
		    ret_failure) < 0) {
		return -1;
	}
	const json_t *session = json_object_get(answer, "session");
	const char *terminal = json_string_value(json_object_get(answer, "terminal"));
	const char *mode = json_string_value(json_object_get(answer, "mode"));
	*ret = (struct caller){
		.system = mode != NULL && strcmp(mode, "system") == 0,
		.administrator = json_is_true(json_object_get(answer, "administrator")),
		.single_session = json_is_true(json_object_get(answer, "singleSession")),
		.in_session = json_is_integer(session),
	};
	if (ret->in_session) {
		(void)snprintf(
			ret->session, sizeof(ret->session), "%lld", json_integer_value(session));
	}
	(void)snprintf(
		ret->terminal, sizeof(ret->terminal), "%s", terminal != NULL ? terminal : "");
	ret->own_door = ret->in_session && ret->system && has_own_door(server, ret->session);
	return 0;
}

int session_list(
	struct server *server, const char *filter, json_t **ret, struct failure *ret_failure)
{
	return server_call(server, "ListSessions",
		json_pack("{s:o}", "filter", server_text(filter)), NULL, 0, SERVER_REPEAT, ret,
		ret_failure);
}

int session_list_own(struct server *server, json_t **ret, struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	if (session_list(server, NULL, &answer, ret_failure) < 0) {
		return -1;
	}
	json_t *sessions = json_object_get(answer, "sessions");
	for (size_t i = json_array_size(sessions); i-- > 0;) {
		const json_t *uid = json_object_get(json_array_get(sessions, i), "uid");
		if (json_integer_value(uid) != (json_int_t)geteuid()) {
			(void)json_array_remove(sessions, i);
		}
	}
	*ret = TAKE_PTR(answer);
	return 0;
}

static void say_done(const struct arguments *a, const json_t *answer)
{
	const json_t *displaced = json_object_get(answer, "displacedSession");
	const char *terminal = json_string_value(json_object_get(answer, "terminal"));
	const char *former = json_string_value(json_object_get(answer, "formerTerminal"));
	long long session = json_integer_value(json_object_get(answer, "session"));
	char from[96] = "";
	terminal = terminal != NULL ? terminal : "?";
	if (json_is_true(json_object_get(answer, "unchanged"))) {
		report_verbose(a, "Session %lld is already on %s.", session, terminal);
		return;
	}
	if (former != NULL) {
		(void)snprintf(from, sizeof(from), " and left %.64s", former);
	}
	if (json_is_integer(displaced)) {
		report_verbose(a,
			"Session %lld is on %s now%s; session %lld, which was there, is "
			"disconnected.",
			session, terminal, from, json_integer_value(displaced));
	} else {
		report_verbose(a, "Session %lld is on %s now%s.", session, terminal, from);
	}
}

/* One try. 0 and *ret, or -1 and *ret_failure. */
static int ask(
	struct server *server, const struct showing *s, json_t **ret, struct failure *ret_failure)
{
	AUTO_FD int fd = -1;
	AUTO(json)
	json_t *parameters = json_pack("{s:o, s:o}", "session", server_text(s->session),
		"destination", server_text(s->destination));
	/* Whatever the server says of where we are: an own door's cable is to be ours. */
	const char *terminal = s->destination != NULL ? s->destination
			       : s->own_door	      ? NULL
						      : s->here;
	struct warrant w = warrant_to_connect(s->session, terminal);
	int r = parameters != NULL ? warrant_add(s->maker, &w, parameters, &fd) : 0;
	if (r < 0) {
		failure_from_errno(ret_failure, r);
		return -1;
	}
	/* A leader takes a warrant once: a repeated call needs another. */
	return server_call(server, "Connect", TAKE_PTR(parameters), &fd, fd >= 0 ? 1 : 0,
		fd >= 0 ? SERVER_ONCE : SERVER_REPEAT, ret, ret_failure);
}

int session_connect(struct server *server, const struct arguments *a, const struct showing *showing)
{
	char what[REPORT_SUBJECT_SIZE];
	char where[REPORT_SUBJECT_SIZE];
	struct failure failure;
	AUTO(json) json_t *answer = NULL;
	const char *destination = showing->destination;
	const char *here = showing->here[0] != '\0' ? showing->here : NULL;
	(void)report_subject(what, showing->session);
	(void)report_subject(where, destination != NULL ? destination : here);
	report_verbose(a, "Connecting %s to %s.", what, where);
	int r = ask(server, showing, &answer, &failure);
	for (int i = 1; r < 0 && failure.code == ERROR_SERVER_UNAVAILABLE && i < CONNECT_TRIES;
		i++) {
		r = server_connect(server, &failure);
		r = r == 0 ? ask(server, showing, &answer, &failure) : r;
	}
	if (r < 0) {
		return report_failure(
			&failure, "connect %s to %s", what, report_subject(where, destination));
	}
	say_done(a, answer);
	return EXIT_OK;
}

static int fill_connect(void *user, const char *secret, json_t *parameters, int *ret_fd)
{
	const struct showing *s = user;
	struct warrant w = warrant_to_connect(s->session, NULL);
	json_t *session = json_string(s->session);
	if (session == NULL) {
		return -EILSEQ;
	}
	if (json_object_set_new(parameters, "session", session) < 0 ||
		json_object_set_new(parameters, "secret", json_string(secret)) < 0) {
		return -ENOMEM;
	}
	return warrant_add(s->maker, &w, parameters, ret_fd);
}

enum attach_step session_show_here(
	struct attach *attach, const struct showing *showing, struct failure *ret_failure)
{
	struct attach_call call = {
		.method = "Connect",
		.tries = CONNECT_TRIES, /* asking twice for the same does no harm */
		.limit_ms = WARRANT_CALL_MS,
		.fill = fill_connect,
		.user = (void *)showing,
	};
	return attach_connect(attach, &call, ret_failure);
}
