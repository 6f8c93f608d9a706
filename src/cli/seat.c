#include "cli/seat.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>

#include "cli/command.h"
#include "cli/report.h"
#include "cli/session.h"
#include "config/server_config.h"
#include "protocol/link.h"

#define TRIES_MAX 100 /* a person's; a program that types nonsense is not listened to for ever */

static void say_mistake(void *user, unsigned line, const char *text)
{
	report_line(stderr, "%s:%u: %s", (const char *)user, line, text);
}

void seat_config(struct config *ret)
{
	AUTO(free) char *path = NULL;
	config_init(ret);
	config_load_defaults(ret, SERVER_CONFIG_PATH);
	if (config_path(&path) < 0) {
		return;
	}
	int r = config_load(ret, path, say_mistake, path);
	if (r < 0) {
		report_line(stderr, "%s: %s", path, strerror(-r));
	}
}

enum attach_step seat_open(struct attach **ret, struct server *server, const struct config *config,
	const char *name, struct failure *ret_failure)
{
	/* The console's session is not to be disconnected in passing. */
	bool console = name != NULL && strcasecmp(name, "console") == 0;
	struct attach_setup setup = {
		.server = server_for_door(server),
		.terminal = name,
		.fixed = name != NULL,
		.detach_key = console ? CONFIG_DETACH_KEY_OFF : config->detach_key,
		.history_lines = config->history_lines,
	};
	return attach_open(ret, &setup, ret_failure);
}

enum attach_step seat_ask(struct attach *attach, const char *prompt, char *line, size_t size)
{
	(void)fflush(stdout);
	if (attach != NULL) {
		return attach_ask(attach, prompt, line, size);
	}
	(void)fputs(prompt, stdout);
	(void)fflush(stdout);
	return fgets(line, (int)size, stdin) != NULL ? ATTACH_DONE : ATTACH_LEAVE;
}

enum attach_step seat_choose(struct attach *attach, const json_t *sessions, struct choice *ret)
{
	chooser_print(stdout, sessions);
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		char line[64];
		enum attach_step step = seat_ask(attach, "Number, n or q: ", line, sizeof(line));
		if (step != ATTACH_DONE) {
			return step;
		}
		struct choice choice = chooser_parse(sessions, line);
		if (choice.kind != CHOICE_NONSENSE) {
			*ret = choice;
			return ATTACH_DONE;
		}
	}
	return ATTACH_LEAVE;
}

static void say_end(char text[static SEAT_NOTICE_SIZE], const struct attach_end *end)
{
	if (WIFSIGNALED(end->status)) {
		int number = WTERMSIG(end->status);
		const char *name = sigdescr_np(number);
		(void)snprintf(text, SEAT_NOTICE_SIZE, "Session %u ended by signal %d (%s).",
			end->session, number, name != NULL ? name : "unknown");
	} else {
		(void)snprintf(text, SEAT_NOTICE_SIZE, "Session %u ended with exit status %d.",
			end->session, WEXITSTATUS(end->status));
	}
}

void seat_notice(char text[static SEAT_NOTICE_SIZE], const struct attach_end *end)
{
	if (end->how == ATTACH_HUNG_UP) {
		text[0] = '\0';
	} else if (end->how == ATTACH_HOST_GONE) {
		(void)snprintf(text, SEAT_NOTICE_SIZE, "Session %u ended: its host is gone.",
			end->session);
	} else if (end->how == ATTACH_GOODBYE && end->ended) {
		say_end(text, end);
	} else if (end->how == ATTACH_GOODBYE && end->text[0] != '\0') {
		(void)snprintf(text, SEAT_NOTICE_SIZE, "%s", end->text);
	} else if (end->how == ATTACH_GOODBYE && end->reason == LINK_REASON_TAKEN) {
		(void)snprintf(text, SEAT_NOTICE_SIZE,
			"Session %u was connected to another terminal.", end->session);
	} else {
		(void)snprintf(text, SEAT_NOTICE_SIZE,
			"Session %u disconnected. To come back: connect %u", end->session,
			end->session);
	}
}

int seat_status(const struct attach_end *end)
{
	switch (end->how) {
	case ATTACH_HOST_GONE:
		return EXIT_FAILED;
	case ATTACH_SIGNAL:
		return 128 + end->signal;
	case ATTACH_HUNG_UP:
		return 128 + SIGHUP;
	case ATTACH_KEY:
	case ATTACH_GOODBYE:
		break;
	}
	if (!end->ended) {
		return EXIT_OK;
	}
	return WIFSIGNALED(end->status) ? 128 + WTERMSIG(end->status) : WEXITSTATUS(end->status);
}

/* A terminal that did not read for long is dropped without a goodbye: then the server knows what
 * became of the session. One that has lost its host is still listed for a moment, but as it last
 * was: on this terminal. */
static void look_for_session(
	struct server *server, const struct attach *attach, struct attach_end *end)
{
	char id[16];
	struct failure failure;
	AUTO(json) json_t *answer = NULL;
	(void)snprintf(id, sizeof(id), "%u", end->session);
	int fd = server_dial(server); /* starts none: one that ends takes its sessions along */
	if (fd < 0 || varlink_new(&server->link, fd, VARLINK_REPLY_MAX) < 0 ||
		session_list(server, id, &answer, &failure) < 0) {
		return;
	}
	const json_t *session = json_array_get(json_object_get(answer, "sessions"), 0);
	const char *state = json_string_value(json_object_get(session, "state"));
	const char *name = json_string_value(json_object_get(session, "name"));
	if (state != NULL && strcmp(state, "Disc") == 0) {
		end->how = ATTACH_GOODBYE;
	} else if (name != NULL && strcmp(name, attach_terminal(attach)) != 0) {
		end->how = ATTACH_GOODBYE;
		end->reason = LINK_REASON_TAKEN;
		(void)snprintf(end->text, sizeof(end->text), "Session %u is on %s now.",
			end->session, name);
	}
}

int seat_show(struct server *server, struct attach *attach, struct attach_end *ret)
{
	char notice[SEAT_NOTICE_SIZE];
	attach_show(attach, ret);
	if (ret->how == ATTACH_HOST_GONE && server->link == NULL && !attach_stopped(attach)) {
		look_for_session(server, attach, ret);
	}
	seat_notice(notice, ret);
	server->link = varlink_free(server->link);
	if (attach_stopped(attach) && notice[0] != '\0') {
		(void)snprintf(notice, sizeof(notice),
			"The server was stopped, and session %u with it.", ret->session);
	}
	if (notice[0] != '\0') {
		report_line(stdout, "%s", notice);
		(void)fflush(stdout);
	}
	return seat_status(ret);
}
