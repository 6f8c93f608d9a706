/* connect, tscon: shows a session on a terminal. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/launch.h"
#include "cli/report.h"
#include "cli/seat.h"
#include "cli/session.h"
#include "protocol/error.h"

static int fail(const struct failure *f, const char *session, const char *destination)
{
	char what[REPORT_SUBJECT_SIZE];
	char where[REPORT_SUBJECT_SIZE];
	return report_failure(f, "connect %s to %s", report_subject(what, session),
		report_subject(where, destination));
}

/* At a plain tty: the person chooses. ATTACH_DONE and *ret. */
static enum attach_step choose(struct attach *attach, struct server *server,
	const struct config *config, struct warrant_maker *maker, struct choice *ret,
	struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	if (session_list_own(server, &answer, ret_failure) < 0) {
		return ATTACH_FAILED;
	}
	enum attach_step step = seat_choose(attach, json_object_get(answer, "sessions"), ret);
	if (step != ATTACH_DONE || ret->kind != CHOICE_NEW) {
		return step;
	}
	uint32_t session;
	struct launch launch = { .rows = 24,
		.columns = 80,
		.wait_ms = LAUNCH_WAIT_MS,
		.config = config,
		.maker = maker };
	step = launch_session(server, attach, &launch, &session, NULL, ret_failure);
	if (step != ATTACH_DONE) {
		return step;
	}
	(void)snprintf(ret->session, sizeof(ret->session), "%u", session);
	return ATTACH_DONE;
}

/* Outside any session: this tty becomes a terminal. session NULL: the person chooses. */
static int connect_here(
	struct server *server, const struct arguments *a, const struct showing *showing)
{
	const char *session = showing->session;
	AUTO(attach_free) struct attach *attach = NULL;
	struct config config;
	struct choice choice = { .kind = CHOICE_SESSION };
	struct failure failure;
	seat_config(&config);
	enum attach_step step = seat_open(&attach, server, &config, NULL, &failure);
	if (step == ATTACH_DONE && session == NULL) {
		step = choose(attach, server, &config, showing->maker, &choice, &failure);
		session = choice.session;
	}
	if (step == ATTACH_DONE && choice.kind != CHOICE_QUIT) {
		char what[REPORT_SUBJECT_SIZE];
		server->link = varlink_free(server->link);
		report_verbose(a, "Connecting %s to sessionname %s.", report_subject(what, session),
			attach_terminal(attach));
		struct showing chosen = { .session = session, .maker = showing->maker };
		step = session_show_here(attach, &chosen, &failure);
	}
	if (step == ATTACH_FAILED) {
		attach = attach_free(attach);
		return fail(&failure, session, NULL);
	}
	if (step != ATTACH_SHOWN) {
		return EXIT_FAILED;
	}
	struct attach_end end;
	return seat_show(server, attach, &end);
}

int cmd_connect(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(warrant_maker_done) struct warrant_maker maker = WARRANT_MAKER_NONE;
	struct failure failure;
	struct caller caller = { 0 };
	struct showing showing = { .session = a->words[0],
		.destination = a->values[OPTION_DEST],
		.here = caller.terminal,
		.maker = &maker };
	bool at_tty = isatty(STDIN_FILENO);
	if (server_reach(&server, a, &failure) < 0 ||
		session_caller(&server, &caller, &failure) < 0 ||
		warrant_maker_init(&maker, caller.system, a, &failure) < 0) {
		return fail(&failure, showing.session, showing.destination);
	}
	showing.own_door = caller.own_door;
	if (showing.destination != NULL || (showing.session != NULL && caller.in_session)) {
		return session_connect(&server, a, &showing);
	}
	if (showing.session == NULL && (caller.in_session || !at_tty)) {
		return command_usage(c, "A session or /dest is to be given.");
	}
	if (!at_tty) {
		failure_set(&failure, ERROR_INVALID_STATE,
			"There is no terminal here to show it on; name one with /dest.");
		return fail(&failure, showing.session, NULL);
	}
	return connect_here(&server, a, &showing);
}
