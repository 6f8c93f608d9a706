/* disconn, logoff and reset session: one session, one call. */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/server.h"
#include "protocol/varlink.h"

struct action {
	const char *method;
	const char *verb;  /* "Could not disconnect ..." */
	const char *doing; /* /v: "Disconnecting sessionID 12." */
	const char *done;  /* /v: "Session 12 disconnected." */
};

static int act(const struct action *action, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(json) json_t *answer = NULL;
	struct failure failure;
	char what[REPORT_SUBJECT_SIZE];
	(void)report_subject(what, a->words[0]);
	if (server_reach(&server, a, &failure) < 0) {
		return report_failure(&failure, "%s %s", action->verb, what);
	}
	report_verbose(a, "%s %s.", action->doing, what);
	if (server_call(&server, action->method,
		    json_pack("{s:o}", "session", server_text(a->words[0])), NULL, 0, SERVER_ONCE,
		    &answer, &failure) < 0) {
		return report_failure(&failure, "%s %s", action->verb, what);
	}
	const char *terminal = json_string_value(json_object_get(answer, "terminal"));
	report_verbose(a, "Session %lld %s%s%s.",
		json_integer_value(json_object_get(answer, "session")), action->done,
		terminal != NULL ? " from " : "", terminal != NULL ? terminal : "");
	return EXIT_OK;
}

int cmd_disconn(const struct command *c, const struct arguments *a)
{
	static const struct action action = { "Disconnect", "disconnect", "Disconnecting",
		"disconnected" };
	(void)c;
	return act(&action, a);
}

int cmd_logoff(const struct command *c, const struct arguments *a)
{
	static const struct action action = { "Logoff", "logoff", "Logging off", "logged off" };
	(void)c;
	return act(&action, a);
}

int cmd_reset_session(const struct command *c, const struct arguments *a)
{
	static const struct action action = { "Reset", "reset", "Resetting", "reset" };
	(void)c;
	return act(&action, a);
}
