#include "cli/login.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/chooser.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/seat.h"
#include "cli/session.h"
#include "door/tty/termtype.h"
#include "protocol/error.h"

#define PASSWORD_LIMIT_MS 60000
#define CLEAR "\033[H\033[2J\033[3J" /* the screen and what was scrolled off it */

struct login {
	struct server *server;
	struct attach *attach;
	struct launch launch;
	char name[LINK_SHORT_SIZE];
};

bool login_is_wanted(const struct attach *attach)
{
	const struct passwd *account = getpwuid(geteuid());
	const char *shell = account != NULL ? account->pw_shell : "";
	const char *name = strrchr(shell, '/');
	name = name != NULL ? name + 1 : shell;
	return attach_asks(attach, strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0);
}

/* `login: ` until something was typed. A name that could be none is made harmless, and is nobody's
 * then. */
static enum attach_step ask_name(struct login *l)
{
	char host[256] = "";
	char prompt[512];
	char line[LINK_SHORT_SIZE * 4];
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(
		prompt, sizeof(prompt), "\n%s %s\n\nlogin: ", host, attach_terminal(l->attach));
	for (;;) {
		enum attach_step step = seat_ask(l->attach, prompt, line, sizeof(line));
		if (step != ATTACH_DONE) {
			return step;
		}
		if (line[0] != '\0') {
			/* One that is cut has become somebody else's: it is no name. */
			if (text_encode(l->name, sizeof(l->name), line) >= sizeof(l->name)) {
				(void)snprintf(l->name, sizeof(l->name), "?");
			}
			return ATTACH_DONE;
		}
	}
}

/* The password goes into the keeper and stays nowhere else. ATTACH_FAILED: nothing was typed in
 * time. */
static enum attach_step ask_password(struct login *l)
{
	char password[WARRANT_PASSWORD_MAX + 1];
	(void)fflush(stdout);
	enum attach_step step = attach_ask_password(
		l->attach, "Password: ", password, sizeof(password), PASSWORD_LIMIT_MS);
	if (step == ATTACH_FAILED) {
		(void)printf("\nNothing was typed for %d seconds.\n", PASSWORD_LIMIT_MS / 1000);
	}
	if (step == ATTACH_DONE && keeper_start(&l->launch.maker->keeper, password, l->name) < 0) {
		step = ATTACH_FAILED;
	}
	explicit_bzero(password, sizeof(password));
	return step;
}

/* Which of the user's sessions: the new one, the only disconnected one, one that the person
 * chooses. ATTACH_DONE and *ret; *ret_new: it is the new one. */
static enum attach_step choose(
	struct login *l, uint32_t fresh, const json_t *answer, struct choice *ret, bool *ret_new)
{
	enum attach_step step = ATTACH_DONE;
	const json_t *sessions = json_object_get(answer, "disconnected");
	size_t count = chooser_count(sessions, ret);
	if (count > 1 && l->launch.config->chooser) {
		step = seat_choose(l->attach, sessions, ret);
	}
	*ret_new = step == ATTACH_DONE && (count == 0 || ret->kind == CHOICE_NEW);
	if (*ret_new) {
		ret->kind = CHOICE_SESSION;
		(void)snprintf(ret->session, sizeof(ret->session), "%u", fresh);
	}
	return step;
}

static void say_failure(const struct failure *f)
{
	if (f->code == ERROR_LOGON_FAILURE) {
		(void)printf("Login incorrect\n");
		(void)fflush(stdout);
	} else {
		(void)report_failure(f, "log on");
	}
}

/* The new session needs no second word of its user; a former one does. */
static enum attach_step show_one(
	struct login *l, const char *session, bool is_new, struct failure *ret_failure)
{
	struct warrant_maker nothing = WARRANT_MAKER_NONE;
	struct showing showing = {
		.session = session,
		.maker = is_new ? &nothing : l->launch.maker,
	};
	return session_show_here(l->attach, &showing, ret_failure);
}

/* From the name and the password to a session on the terminal: ATTACH_SHOWN. ATTACH_FAILED was
 * said. */
static enum attach_step enter(struct login *l)
{
	uint32_t fresh;
	bool is_new = true;
	struct choice choice = { 0 };
	struct failure failure;
	AUTO(json) json_t *answer = NULL;
	enum attach_step step = launch_session(
		l->server, l->attach, &l->launch, &fresh, &answer, &failure);
	if (step == ATTACH_DONE) {
		step = choose(l, fresh, answer, &choice, &is_new);
	}
	if (step == ATTACH_DONE && choice.kind == CHOICE_QUIT) {
		return ATTACH_FAILED; /* the new session ends by itself, as nobody comes for it */
	}
	if (step == ATTACH_DONE) {
		step = show_one(l, choice.session, is_new, &failure);
	}
	/* The console takes no session that was elsewhere. */
	if (step == ATTACH_FAILED && failure.code == ERROR_CONSOLE_RECONNECT && !is_new) {
		(void)snprintf(choice.session, sizeof(choice.session), "%u", fresh);
		step = show_one(l, choice.session, true, &failure);
	}
	if (step == ATTACH_FAILED) {
		say_failure(&failure);
	}
	return step;
}

/* What was on the screen is nobody else's to read; the notice is to stay. */
static void show(struct login *l)
{
	char notice[SEAT_NOTICE_SIZE];
	struct attach_end end;
	(void)seat_show(l->server, l->attach, &end);
	seat_notice(notice, &end);
	if (term_type_of(getenv("TERM"), NULL).class == CABLE_CLASS_XTERM) {
		(void)fputs(CLEAR, stdout);
		report_line(stdout, "%s", notice);
	}
	(void)fflush(stdout);
}

int login_run(struct server *server, struct attach *attach, const struct launch *launch)
{
	struct login l = { .server = server, .attach = attach, .launch = *launch };
	l.server->link = varlink_free(l.server->link); /* the door has its own */
	l.launch.user = l.name;
	(void)prctl(PR_SET_DUMPABLE, 0); /* the doors of all terminals are one account's */
	for (;;) {
		enum attach_step step = ask_name(&l);
		if (step == ATTACH_DONE) {
			step = ask_password(&l);
		}
		if (step == ATTACH_DONE) {
			step = enter(&l);
		}
		warrant_maker_done(l.launch.maker);
		l.launch.maker->system = true;
		if (step == ATTACH_SHOWN) {
			show(&l);
		}
		if (step == ATTACH_STOPPED || attach_stopped(attach)) {
			(void)printf("\nThe server was stopped.\n");
			return EXIT_OK;
		}
		if (step == ATTACH_LEAVE || attach_left(attach)) {
			return EXIT_OK;
		}
	}
}
