#include "door/tty/attach.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "door/tty/attach_private.h"
#include "door/tty/termtype.h"
#include "protocol/error.h"

#define OPEN_LIMIT_MS 10000
#define PICTURE_LIMIT_MS 5000 /* from the server's yes to the picture */

/* What a terminal brings along for the session's programs. Sorted. */
static const char *const client_variables[] = {
	"COLORTERM",
	"DISPLAY",
	"LANG",
	"SSH_AUTH_SOCK",
	"SSH_CLIENT",
	"SSH_CONNECTION",
	"SSH_TTY",
	"WAYLAND_DISPLAY",
	"XAUTHORITY",
	"XDG_RUNTIME_DIR",
};

static void collect_client(struct attach *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(client_variables); i++) {
		const char *value = getenv(client_variables[i]);
		size_t room = sizeof(a->client) - a->client_length;
		if (value == NULL) {
			continue;
		}
		int n = snprintf(
			a->client + a->client_length, room, "%s=%s", client_variables[i], value);
		if (n > 0 && (size_t)n < room) {
			a->client_length += (size_t)n + 1;
		}
	}
}

static void fill_hello(struct attach *a, uint32_t history_lines)
{
	const char *term = getenv("TERM");
	struct term_type type = term_type_of(term, getenv("COLORTERM"));
	a->hello = (struct cable_hello){
		.version = CABLE_VERSION,
		.class = (uint16_t)type.class,
		.colours = type.colours,
		.history_lines = history_lines,
		.flags = rawtty_may_lend(&a->tty) ? CABLE_HELLO_LENDS : 0,
	};
	(void)text_encode(a->hello.term, sizeof(a->hello.term), term != NULL ? term : "");
}

/* The first word of SSH_CONNECTION is where the person sits. */
static void fill_registration(struct attach *a, const struct attach_setup *setup)
{
	struct registration *r = &a->registration;
	const char *ssh = getenv("SSH_CONNECTION");
	*r = (struct registration){
		.server = setup->server,
		.kind = ssh != NULL ? "ssh" : "tty",
		.device = setup->fixed ? a->tty.path : NULL,
		.term = a->hello.term,
		.client = a->address,
		.fixed = setup->fixed,
	};
	if (ssh != NULL) {
		char word[sizeof(a->address)];
		(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(ssh, " "), ssh);
		(void)text_encode(a->address, sizeof(a->address), word);
	}
	if (setup->terminal != NULL) {
		(void)snprintf(r->name, sizeof(r->name), "%s", setup->terminal);
	}
}

static int take_signals_over(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGCONT };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&set, signals[i]);
	}
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	sigaddset(&set, SIGTTOU); /* the terminal is given back also from the background */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

static int make(struct attach **ret, const struct attach_setup *setup)
{
	struct attach *a = calloc(1, sizeof(*a));
	if (a == NULL) {
		return -ENOMEM;
	}
	a->tty = RAWTTY_NONE;
	a->shown = PLUG_NONE;
	a->prepared = PLUG_NONE;
	buf_init(&a->screen, SCREEN_WAIT_MAX);
	detach_key_init(&a->detach, setup->detach_key);
	collect_client(a);
	a->signal_fd = -1;
	int r = rawtty_open(&a->tty);
	if (r == 0) {
		fill_hello(a, setup->history_lines);
		fill_registration(a, setup);
		a->signal_fd = take_signals_over();
		r = a->signal_fd < 0 ? a->signal_fd : 0;
	}
	if (r < 0) {
		(void)attach_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct attach *attach_free(struct attach *a)
{
	if (a == NULL) {
		return NULL;
	}
	picture_drop_prepared(a);
	plug_leave(&a->shown, 0);
	if (a->tty.raw) {
		picture_undo(a);
	}
	a->wish.link = varlink_free(a->wish.link);
	json_decref(a->wish.answer);
	registration_done(&a->registration);
	rawtty_close(&a->tty);
	auto_close(&a->signal_fd);
	buf_done(&a->screen);
	free(a);
	return NULL;
}

/* Whether the steps that wait have to stop; *ret then says how. */
static bool interrupted(struct attach *a, enum attach_step *ret)
{
	if (a->on_screen) {
		*ret = ATTACH_SHOWN;
	} else if (attach_must_leave(a)) {
		*ret = ATTACH_LEAVE;
	} else if (a->registration.stopped) {
		*ret = ATTACH_STOPPED;
	} else {
		return false;
	}
	return true;
}

enum attach_step attach_open(
	struct attach **ret, const struct attach_setup *setup, struct failure *ret_failure)
{
	AUTO(attach_free) struct attach *a = NULL;
	int r = make(&a, setup);
	if (r == 0 && !rawtty_is_ours(&a->tty)) {
		failure_set(ret_failure, ERROR_INVALID_PARAMETER,
			"The terminal belongs to another job: start this in the foreground.");
		return ATTACH_FAILED;
	}
	uint64_t until = clock_monotonic_ms() + OPEN_LIMIT_MS;
	if (r == 0) {
		struct cable_size size = rawtty_size(&a->tty);
		registration_tick(&a->registration, size.rows, size.columns);
	}
	while (r == 0 && !a->registration.ready && !a->refused) {
		enum attach_step step;
		if (interrupted(a, &step)) {
			return step;
		}
		r = clock_monotonic_ms() < until ? attach_turn(a, until) : -ETIMEDOUT;
	}
	if (r == -ENOTTY) {
		failure_set(
			ret_failure, ERROR_INVALID_PARAMETER, "Standard input is not a terminal.");
	} else if (r < 0) {
		failure_from_errno(ret_failure, r);
	} else if (a->refused) {
		*ret_failure = a->failure;
	} else {
		*ret = TAKE_PTR(a);
		return ATTACH_DONE;
	}
	return ATTACH_FAILED;
}

const char *attach_terminal(const struct attach *a)
{
	return a->registration.name;
}

bool attach_stopped(const struct attach *a)
{
	return a->registration.stopped;
}

bool attach_stays(const struct attach *a)
{
	return a->registration.stays;
}

bool attach_asks(const struct attach *a, bool otherwise)
{
	return a->registration.asks || (otherwise && !a->registration.asks_never);
}

bool attach_left(const struct attach *a)
{
	return attach_must_leave(a);
}

static enum attach_step ask_until(
	struct attach *a, const char *prompt, char *line, size_t size, uint64_t until)
{
	enum attach_step step = ATTACH_LEAVE;
	bool late = false;
	(void)buf_put_text(&a->screen, prompt);
	picture_flush(a);
	a->asking = true;
	a->has_line = false;
	while (!a->has_line && !late && !interrupted(a, &step) && attach_turn(a, until) == 0) {
		late = clock_monotonic_ms() >= until;
	}
	a->asking = false;
	if (a->has_line && !a->on_screen) {
		(void)snprintf(line, size, "%s", a->line);
		return ATTACH_DONE;
	}
	return late && !interrupted(a, &step) ? ATTACH_FAILED : step;
}

enum attach_step attach_ask(struct attach *a, const char *prompt, char *line, size_t size)
{
	return ask_until(a, prompt, line, size, UINT64_MAX);
}

enum attach_step attach_ask_password(
	struct attach *a, const char *prompt, char *line, size_t size, unsigned limit_ms)
{
	rawtty_hush(&a->tty, true);
	enum attach_step step = ask_until(a, prompt, line, size, clock_monotonic_ms() + limit_ms);
	rawtty_hush(&a->tty, false);
	explicit_bzero(a->line, sizeof(a->line));
	return step;
}

/* Until the answer has come, and for a connect the picture too: then ATTACH_SHOWN. */
static enum attach_step await_wish(struct attach *a, bool picture, struct failure *ret_failure)
{
	enum attach_step step = ATTACH_FAILED;
	uint64_t until = clock_monotonic_ms() + a->wish.call->limit_ms;
	bool granted = false;
	while (!interrupted(a, &step)) {
		uint64_t now = clock_monotonic_ms();
		if (a->wish.state == WISH_REFUSED) {
			*ret_failure = a->wish.failure;
			return ATTACH_FAILED;
		}
		if (a->wish.state == WISH_GRANTED && !picture) {
			return ATTACH_DONE;
		}
		if (a->wish.state == WISH_GRANTED && !granted) {
			granted = true;
			until = now + PICTURE_LIMIT_MS;
		}
		int r = now < until ? attach_turn(a, until) : -ETIMEDOUT;
		if (r < 0) {
			failure_from_errno(ret_failure, r);
			return ATTACH_FAILED;
		}
	}
	return step;
}

static enum attach_step make_call(struct attach *a, const struct attach_call *call, bool picture,
	json_t **ret, struct failure *ret_failure)
{
	a->wish = (struct wish){ .state = WISH_WAITS, .call = call };
	enum attach_step step = await_wish(a, picture, ret_failure);
	AUTO(json) json_t *answer = a->wish.answer;
	a->wish.link = varlink_free(a->wish.link);
	a->wish = (struct wish){ 0 };
	if (step == ATTACH_DONE) {
		*ret = TAKE_PTR(answer);
	}
	return step;
}

enum attach_step attach_connect(
	struct attach *a, const struct attach_call *call, struct failure *ret_failure)
{
	return make_call(a, call, true, NULL, ret_failure);
}

enum attach_step attach_call(
	struct attach *a, const struct attach_call *call, json_t **ret, struct failure *ret_failure)
{
	return make_call(a, call, false, ret, ret_failure);
}

void attach_show(struct attach *a, struct attach_end *ret)
{
	while (!a->is_over ||
		(plug_is_open(&a->prepared) && clock_monotonic_ms() < a->prepared_until)) {
		if (attach_must_leave(a) ||
			attach_turn(a, a->is_over ? a->prepared_until : UINT64_MAX) < 0) {
			uint32_t former = a->is_over ? a->end.session : 0;
			a->end = (struct attach_end){ .signal = a->signal };
			picture_over(a, a->signal != 0 ? ATTACH_SIGNAL : ATTACH_HUNG_UP);
			a->end.session = former != 0 ? former : a->end.session;
			picture_drop_prepared(a);
		}
	}
	picture_undo(a);
	a->on_screen = false;
	*ret = a->end;
}
