/* termserv logon: makes this tty a terminal of the server and shows a session on it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/login.h"
#include "cli/report.h"
#include "cli/seat.h"
#include "cli/session.h"
#include "cli/shell.h"
#include "protocol/error.h"
#include "protocol/link.h"

struct logon {
	const struct arguments *a;
	struct server *server;
	struct config config;
	struct launch launch;
	struct attach *attach; /* NULL: inside a session, there is no door */
	struct warrant_maker maker;
	bool new_one; /* whatever is disconnected */
	bool found;   /* the session is the only disconnected one: nobody chose it */
	bool shown;   /* the person has been in a session */
	bool single;  /* the person has one session at most, wherever it is shown */
};

static void auto_logon_done(struct logon *l)
{
	l->attach = attach_free(l->attach);
	warrant_maker_done(&l->maker);
}

static int fail(const struct logon *l, const struct failure *f)
{
	int status = report_failure(f, "log on");
	/* A fixed terminal is not its account's to work at: whoever sits there gets no shell of it.
	 */
	if (!l->shown && l->a->values[OPTION_TERMINAL] == NULL) {
		shell_instead(&l->config, f);
	}
	return status;
}

static enum attach_step make_session(
	struct logon *l, struct choice *ret, struct failure *ret_failure)
{
	uint32_t session;
	report_verbose(l->a, "Starting a session.");
	enum attach_step step = launch_session(
		l->server, l->attach, &l->launch, &session, NULL, ret_failure);
	if (step != ATTACH_DONE) {
		return step;
	}
	ret->kind = CHOICE_SESSION;
	(void)snprintf(ret->session, sizeof(ret->session), "%u", session);
	return ATTACH_DONE;
}

/* Which session: the only disconnected one, one of several, a new one. ATTACH_DONE and *ret. */
static enum attach_step choose(struct logon *l, struct choice *ret, struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	l->found = false;
	if (l->new_one) {
		return make_session(l, ret, ret_failure);
	}
	if (session_list_own(l->server, &answer, ret_failure) < 0) {
		return ATTACH_FAILED;
	}
	const json_t *sessions = json_object_get(answer, "sessions");
	if (l->single && chooser_any(sessions, ret)) {
		return ATTACH_DONE;
	}
	switch (chooser_count(sessions, ret)) {
	case 0:
		return make_session(l, ret, ret_failure);
	case 1:
		l->found = true;
		return ATTACH_DONE;
	default:
		break;
	}
	if (!l->config.chooser) { /* the one that was found last */
		return ATTACH_DONE;
	}
	if (l->attach == NULL && !isatty(STDIN_FILENO)) {
		failure_set(ret_failure, ERROR_INVALID_PARAMETER,
			"Several sessions are disconnected: choose with connect, or use --new.");
		return ATTACH_FAILED;
	}
	enum attach_step step = seat_choose(l->attach, sessions, ret);
	if (step == ATTACH_DONE && ret->kind == CHOICE_NEW) {
		return make_session(l, ret, ret_failure);
	}
	return step == ATTACH_DONE && ret->kind == CHOICE_QUIT ? ATTACH_LEAVE : step;
}

/* Typed in a session: that session's terminal shows another one. */
static int logon_inside(struct logon *l, const struct caller *caller)
{
	struct choice choice;
	struct failure failure;
	enum attach_step step = choose(l, &choice, &failure);
	if (step == ATTACH_FAILED) {
		return fail(l, &failure);
	}
	if (step != ATTACH_DONE) {
		return EXIT_FAILED;
	}
	struct showing showing = { .session = choice.session,
		.here = caller->terminal,
		.own_door = caller->own_door,
		.maker = &l->maker };
	return session_connect(l->server, l->a, &showing);
}

/* Whether the server refuses a session that was found for the person, and that he did not ask for.
 */
static bool is_not_his(const struct logon *l, const struct failure *f)
{
	return f->code == ERROR_ACCESS_DENIED && l->found;
}

static enum attach_step show(
	struct logon *l, const struct choice *choice, struct failure *ret_failure)
{
	report_verbose(l->a, "Connecting sessionID %s to sessionname %s.", choice->session,
		attach_terminal(l->attach));
	struct showing showing = { .session = choice->session, .maker = &l->maker };
	return session_show_here(l->attach, &showing, ret_failure);
}

/* One session on this terminal, from the choice to its end. ATTACH_SHOWN: *ret_status is its exit
 * status, *ret_end how it left. */
static enum attach_step one_session(
	struct logon *l, enum attach_step step, int *ret_status, struct attach_end *ret_end)
{
	struct choice choice;
	struct failure failure;
	if (step == ATTACH_DONE) {
		step = l->server->link != NULL || server_connect(l->server, &failure) == 0
			       ? choose(l, &choice, &failure)
			       : ATTACH_FAILED;
	}
	l->server->link = varlink_free(l->server->link); /* it may be old when it is next needed */
	if (step == ATTACH_DONE) {
		step = show(l, &choice, &failure);
		if (step == ATTACH_FAILED && is_not_his(l, &failure)) {
			step = make_session(l, &choice, &failure);
			step = step == ATTACH_DONE ? show(l, &choice, &failure) : step;
		}
	}
	if (step == ATTACH_FAILED) {
		(void)fail(l, &failure);
	} else if (step == ATTACH_SHOWN) {
		l->shown = true;
		*ret_status = seat_show(l->server, l->attach, ret_end);
	}
	return step;
}

/* A fixed terminal between two sessions: ATTACH_DONE when somebody wants to log on. */
static enum attach_step await_person(struct logon *l)
{
	char prompt[128];
	char line[8];
	(void)snprintf(
		prompt, sizeof(prompt), "%s: press Enter to log on ", attach_terminal(l->attach));
	return seat_ask(l->attach, prompt, line, sizeof(line));
}

static int logon_at_tty(struct logon *l, bool fixed)
{
	enum attach_step step = ATTACH_DONE;
	for (;;) {
		int status = EXIT_FAILED;
		struct attach_end end = { 0 };
		step = one_session(l, step, &status, &end);
		bool gone = end.how == ATTACH_SIGNAL || end.how == ATTACH_HUNG_UP;
		bool taken = end.how == ATTACH_GOODBYE && end.reason == LINK_REASON_TAKEN;
		bool stays = fixed || (taken && attach_stays(l->attach));
		if (!stays || gone || step == ATTACH_STOPPED || attach_stopped(l->attach)) {
			return status;
		}
		if (step == ATTACH_LEAVE) {
			return EXIT_FAILED;
		}
		l->new_one = false;
		step = await_person(l);
		if (step == ATTACH_LEAVE || step == ATTACH_STOPPED) {
			(void)printf(
				"\n%s", step == ATTACH_STOPPED ? "The server was stopped.\n" : "");
			return EXIT_OK;
		}
	}
}

static int open_terminal(struct logon *l, const char *name)
{
	struct failure failure;
	if (name != NULL && !text_is_terminal_name(name, false)) {
		failure_set(&failure, ERROR_NAME_INVALID, NULL);
		return fail(l, &failure);
	}
	if (!isatty(STDIN_FILENO)) {
		failure_set(&failure, ERROR_INVALID_PARAMETER,
			"Standard input is not a terminal. For a session that no "
			"terminal shows: termserv logon --detached");
		return fail(l, &failure);
	}
	enum attach_step step = seat_open(&l->attach, l->server, &l->config, name, &failure);
	if (step == ATTACH_FAILED) {
		return fail(l, &failure);
	}
	if (step != ATTACH_DONE) {
		return EXIT_FAILED;
	}
	if (name != NULL && l->maker.system && login_is_wanted(l->attach)) {
		return login_run(l->server, l->attach, &l->launch);
	}
	return logon_at_tty(l, name != NULL);
}

static int logon_detached(struct logon *l)
{
	uint32_t session;
	struct failure failure;
	l->launch.wait_ms = 0;
	if (launch_session(l->server, NULL, &l->launch, &session, NULL, &failure) != ATTACH_DONE) {
		return fail(l, &failure);
	}
	(void)printf("%u\n", session);
	return EXIT_OK;
}

/* 0, or an exit status. */
static int read_options(struct logon *l, const struct command *c)
{
	const struct arguments *a = l->a;
	bool detached = a->values[OPTION_DETACHED] != NULL;
	l->launch = (struct launch){
		.rows = 24,
		.columns = 80,
		.wait_ms = LAUNCH_WAIT_MS,
		.command = a->rest,
		.config = &l->config,
		.maker = &l->maker,
	};
	l->new_one = a->values[OPTION_NEW] != NULL || (a->rest != NULL && a->rest[0] != NULL);
	if (a->values[OPTION_SIZE] != NULL &&
		launch_size(&l->launch.rows, &l->launch.columns, a->values[OPTION_SIZE]) < 0) {
		return command_usage(c, "The size is COLSxROWS, as 132x43, 1 to 4096 each.");
	}
	if (detached && a->values[OPTION_TERMINAL] != NULL) {
		return command_usage(c, "A detached session is on no terminal.");
	}
	return 0;
}

int cmd_logon(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(logon_done)
	struct logon l = { .a = a, .server = &server, .maker = WARRANT_MAKER_NONE };
	struct failure failure;
	struct caller caller;
	int status = read_options(&l, c);
	if (status != 0) {
		return status;
	}
	seat_config(&l.config);
	shell_make_way(&l.config, a);
	if (server_reach(&server, a, &failure) < 0) {
		return fail(&l, &failure);
	}
	if (a->values[OPTION_RUNTIME_DIR] != NULL) {
		l.launch.runtime_dir = server.path;
	}
	if (session_caller(&server, &caller, &failure) < 0) {
		return fail(&l, &failure);
	}
	l.maker.system = caller.system;
	l.single = caller.single_session;
	if (a->values[OPTION_DETACHED] != NULL) {
		return logon_detached(&l);
	}
	if (caller.in_session && a->values[OPTION_TERMINAL] != NULL) {
		failure_set(&failure, ERROR_INVALID_STATE,
			"This is a session, and not a terminal that could get a name.");
		return fail(&l, &failure);
	}
	if (caller.in_session) {
		return logon_inside(&l, &caller);
	}
	return open_terminal(&l, a->values[OPTION_TERMINAL]);
}
