#include "cli/session.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"
#include "protocol/varlink.h"

int session_caller(struct server *server, struct caller *ret, struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	if (server_call(server, "GetCaller", json_object(), NULL, 0, SERVER_REPEAT, &answer,
		    ret_failure) < 0) {
		return -1;
	}
	const json_t *session = json_object_get(answer, "session");
	const char *terminal = json_string_value(json_object_get(answer, "terminal"));
	*ret = (struct caller){ .in_session = json_is_integer(session) };
	if (ret->in_session) {
		(void)snprintf(
			ret->session, sizeof(ret->session), "%lld", json_integer_value(session));
	}
	(void)snprintf(
		ret->terminal, sizeof(ret->terminal), "%s", terminal != NULL ? terminal : "");
	return 0;
}

int session_list(
	struct server *server, const char *filter, json_t **ret, struct failure *ret_failure)
{
	return server_call(server, "ListSessions",
		json_pack("{s:o}", "filter", server_text(filter)), NULL, 0, SERVER_REPEAT, ret,
		ret_failure);
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

int session_connect(struct server *server, const struct arguments *a, const char *session,
	const char *destination, const char *here, int password_fd)
{
	char what[REPORT_SUBJECT_SIZE];
	char where[REPORT_SUBJECT_SIZE];
	struct failure failure;
	AUTO(json) json_t *answer = NULL;
	json_t *parameters = json_pack("{s:o, s:o}", "session", server_text(session), "destination",
		server_text(destination));
	if (password_fd >= 0 && parameters != NULL) {
		(void)json_object_set_new(parameters, "password", json_true());
	}
	(void)report_subject(what, session);
	(void)report_subject(where, destination != NULL ? destination
				    : here[0] != '\0'	? here
							: NULL);
	report_verbose(a, "Connecting %s to %s.", what, where);
	if (server_call(server, "Connect", parameters, &password_fd, password_fd >= 0 ? 1 : 0,
		    SERVER_REPEAT, &answer, &failure) < 0) {
		return report_failure(
			&failure, "connect %s to %s", what, report_subject(where, destination));
	}
	say_done(a, answer);
	return EXIT_OK;
}
