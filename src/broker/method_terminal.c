/* The doors' two methods: a terminal comes in and stays, and the cables that it was asked for. */
#include "broker/method.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/connect.h"
#include "broker/control.h"
#include "broker/origin.h"
#include "broker/params.h"
#include "broker/reclaim.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

#define SHOWN_NAME_MAX 64
#define SIZE_MAX_CELLS 4096 /* rows or columns */

struct request {
	const char *name, *kind, *device, *term, *client, *secret;
	bool fixed;
	uint16_t rows, columns;
	uint8_t token[LINK_TOKEN_SIZE];	     /* of `secret`, or a new one */
	const struct terminal_config *place; /* the fixed terminal that is configured; or NULL */
	const char *listener;
};

static bool came_by_ssh(const struct call *call)
{
	AUTO_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return proc >= 0 && origin_is_ssh(proc, call->pid);
}

/* Where the door comes in, and what is configured for the name that it gives. */
static void find_place(const struct call *call, struct request *q)
{
	const struct broker *b = call->broker;
	q->listener = terminal_listener_of_kind(q->kind);
	if (b->mode != POLICY_SYSTEM_MODE) {
		return;
	}
	q->place = q->name != NULL ? server_config_terminal(b->config, q->name) : NULL;
	q->fixed = q->place != NULL;
	if (q->place == NULL) {
		q->listener = came_by_ssh(call) ? "ssh" : q->listener;
		return;
	}
	bool console = q->place == &b->config->console;
	q->listener = console			      ? CONFIG_CONSOLE
		      : q->place->listener[0] != '\0' ? q->place->listener
						      : "tty";
	q->name = q->place->name;
	q->device = q->place->line[0] != '\0' ? q->place->line : q->device;
}

/* False: answered. */
static bool read_request(struct call *call, struct request *ret)
{
	struct params p = params_of(call);
	struct request q = {
		.name = params_text(&p, "name"),
		.kind = params_need_text(&p, "kind"),
		.device = params_text(&p, "device"),
		.term = params_need_text(&p, "term"),
		.client = params_text(&p, "client"),
		.secret = params_text(&p, "secret"),
		.fixed = params_flag(&p, "fixed"),
		.rows = (uint16_t)params_need_number(&p, "rows", 1, SIZE_MAX_CELLS),
		.columns = (uint16_t)params_need_number(&p, "columns", 1, SIZE_MAX_CELLS),
	};
	if (p.wrong == NULL && !terminal_is_kind(q.kind)) {
		p.wrong = "kind";
	}
	if (p.wrong == NULL && q.fixed && q.name == NULL) {
		p.wrong = "name";
	}
	if (p.wrong == NULL && q.secret != NULL && terminal_secret_read(q.token, q.secret) < 0) {
		p.wrong = "secret";
	}
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return false;
	}
	if (q.secret == NULL && terminal_secret_new(q.token) < 0) {
		call_fail(call, ERROR_NOT_ENOUGH_MEMORY, "The system has no random numbers yet.");
		return false;
	}
	find_place(call, &q);
	*ret = q;
	return true;
}

/* A door whose connection broke, and which came back before we noticed, replaces itself. */
static void drop_former(struct terminal *t)
{
	struct call *door = t->door;
	(void)terminal_free(t);
	connection_drop(door->connection);
	(void)call_free(door);
}

/* Did the server give this name to a terminal of this kind, as tty#1? */
static bool is_given_name(const char *name, const char *kind)
{
	size_t length = strlen(kind);
	return strncmp(name, kind, length) == 0 && name[length] == '#' &&
	       text_is_digits(name + length + 1);
}

/* For all users of a machine a name is either configured, for certain doors, or one that the server
 * has given. False: answered. */
static bool check_claim(struct call *call, const struct request *q)
{
	if (call->broker->mode != POLICY_SYSTEM_MODE) {
		return true;
	}
	if (q->place == NULL) {
		if (q->secret != NULL && is_given_name(q->name, q->kind)) {
			return true;
		}
		call_fail(
			call, ERROR_ACCESS_DENIED, "No terminal named %s is configured.", q->name);
		return false;
	}
	struct config_who who = call_who(call);
	if (!principal_list_has(&q->place->doors, &who)) {
		call_fail(call, ERROR_ACCESS_DENIED, "Terminal %s is configured for another user.",
			q->name);
		return false;
	}
	return true;
}

/* Is it this caller's to say that a session is on its terminal? In user mode all is one user's.
 * Else a terminal and what it shows can be two users': the secret alone proves it. */
static bool may_own(const struct call *call, const struct session *s)
{
	return call->broker->mode == POLICY_SYSTEM_MODE || (uid_t)s->info.uid == call->uid;
}

/* May a door come in under this name? A name that a session carries belongs to the door that knows
 * the secret, also after this broker was restarted. False: answered. */
static bool check_name(struct call *call, const struct request *q)
{
	struct broker *b = call->broker;
	bool comes_back = q->secret != NULL;
	if (!text_is_terminal_name(q->name, comes_back)) {
		call_fail(call, ERROR_NAME_INVALID, "`%.*s` cannot be the name of a terminal.",
			SHOWN_NAME_MAX, q->name);
		return false;
	}
	if (terminal_is_listener_name(q->name) ||
		(terminal_is_reserved_name(q->name) && q->place == NULL)) {
		call_fail(call, ERROR_NAME_INVALID,
			"%s is a name that the server keeps for itself.", q->name);
		return false;
	}
	if (!check_claim(call, q)) {
		return false;
	}
	struct terminal *t = terminal_find(b, q->name);
	struct session *s = session_on(b, q->name);
	bool held = t != NULL && !(comes_back && t->uid == call->uid &&
					 terminal_secret_equal(t->secret, q->token));
	bool shows = s != NULL && !(comes_back && may_own(call, s) &&
					  terminal_secret_equal(s->info.token, q->token));
	if (q->place != NULL && shows && t == NULL) {
		reclaim_start(s);
	}
	if (held || shows) {
		call_fail(
			call, ERROR_NAME_IN_USE, "There is a terminal named %s already.", q->name);
		return false;
	}
	if (t != NULL) {
		drop_former(t);
	}
	return true;
}

static bool check_limits(struct call *call, const struct request *q)
{
	struct broker *b = call->broker;
	/* At a configured terminal somebody else logs on, and is asked himself. */
	if (q->place == NULL && call_decide(call, (struct policy_question){
							  .right = RIGHT_LOGON,
							  .subject = POLICY_SERVER,
							  .listener = q->listener,
						  }) != ERROR_NONE) {
		call_fail(call, ERROR_ACCESS_DENIED, "You may not log on to this server.");
		return false;
	}
	if (b->stopping) {
		call_fail(call, ERROR_LOGONS_DISABLED, "The server is being ended.");
		return false;
	}
	return true;
}

/* Terminals of this user that nobody has configured. */
static size_t count_own(const struct broker *b, uid_t uid)
{
	size_t count = 0;
	const struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		count += t->uid == uid && !t->fixed;
	}
	return count;
}

/* Terminals of all users that nobody has configured. */
static size_t count_unconfigured(const struct broker *b)
{
	size_t count = 0;
	const struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		count += !t->fixed;
	}
	return count;
}

/* After check_name(): no other than a configured terminal's own door has a `place`, and a door that
 * replaces itself needs no further room. False: answered. */
static bool check_room(struct call *call, const struct request *q)
{
	const struct broker *b = call->broker;
	bool bounded = b->mode == POLICY_SYSTEM_MODE && q->place == NULL;
	size_t most = LIMIT_TERMINALS - LIMIT_TERMINALS_CONFIGURED; /* that are not configured */
	if (b->terminal_count >= LIMIT_TERMINALS || (bounded && count_unconfigured(b) >= most)) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS,
			"The server has %zu terminals; more are not possible.", b->terminal_count);
		return false;
	}
	if (bounded && count_own(b, call->uid) >= LIMIT_TERMINALS_PER_UID) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS,
			"You have %d terminals; more are not allowed.", LIMIT_TERMINALS_PER_UID);
		return false;
	}
	return true;
}

static void on_door_gone(struct call *call)
{
	(void)terminal_free(call->keeper);
	(void)call_free(call);
}

static bool closes_on_steal(const struct terminal *t)
{
	switch (server_config_listener(t->broker->config, t->listener)->on_steal) {
	case ON_STEAL_CLOSE:
		return true;
	case ON_STEAL_LOGIN:
		return false;
	default:
		return !t->fixed;
	}
}

/* yes, no, or nothing: then the door's account decides. */
static json_t *login_prompt(const struct broker *b, const struct terminal *t)
{
	bool system = b->mode == POLICY_SYSTEM_MODE && t->fixed;
	const struct terminal_config *place = system ? server_config_terminal(b->config, t->name)
						     : NULL;
	return place == NULL || place->login_prompt == LOGIN_PROMPT_BY_SHELL
		       ? json_null()
		       : json_boolean(place->login_prompt == LOGIN_PROMPT_YES);
}

static void greet(struct call *call, const struct terminal *t)
{
	char secret[TERMINAL_SECRET_TEXT_SIZE];
	terminal_secret_text(secret, t->secret);
	log_info("terminal %s is there, process %d", t->name, (int)call->pid);
	json_t *ready = json_pack("{s:s, s:s, s:s, s:s, s:o}", "event", "ready", "terminal",
		t->name, "secret", secret, "onSteal", closes_on_steal(t) ? "close" : "login",
		"loginPrompt", login_prompt(call->broker, t));
	explicit_bzero(secret, sizeof(secret));
	/* When this fails the connection goes, and the terminal with it. */
	(void)call_continue(call, ready);
}

void method_open_terminal(struct call *call)
{
	struct request q;
	if (!read_request(call, &q) || !check_limits(call, &q) ||
		(q.name != NULL && !check_name(call, &q)) || !check_room(call, &q)) {
		return;
	}
	char given[LINK_NAME_SIZE];
	if (q.name == NULL) {
		terminal_give_name(call->broker, q.kind, given);
	}
	struct terminal *t;
	int r = call->connection != NULL
			? terminal_new(&t, call->broker, q.name != NULL ? q.name : given)
			: -ECONNRESET;
	if (r < 0) {
		call_fail_errno(call, r, "The terminal could not be added");
		return;
	}
	t->door = call;
	t->uid = call->uid;
	t->fixed = q.fixed;
	t->rows = q.rows;
	t->columns = q.columns;
	memcpy(t->secret, q.token, sizeof(t->secret));
	link_set_text(t->device, q.device != NULL ? q.device : "");
	link_set_text(t->term, q.term);
	link_set_text(t->client, q.client != NULL ? q.client : "");
	link_set_text(t->listener, q.listener);
	call->keeper = t;
	call->on_gone = on_door_gone;
	link_set_text(call->audit.terminal, t->name);
	link_set_text(call->audit.client, t->client);
	audit_write(call, ERROR_NONE);
	greet(call, t);
}

static bool is_stream_socket(int fd)
{
	int domain = 0;
	int type = 0;
	socklen_t size = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void method_give_cable(struct call *call)
{
	struct params p = params_of(call);
	const char *name = params_need_text(&p, "terminal");
	const char *secret = params_need_text(&p, "secret");
	uint64_t ticket = (uint64_t)params_need_number(&p, "ticket", 1, INT64_MAX);
	int cable_fd = params_need_fd(&p, "cable");
	if (p.wrong == NULL && !is_stream_socket(cable_fd)) {
		p.wrong = "cable";
	}
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	struct terminal *t = terminal_find(call->broker, name);
	bool known = t != NULL && t->uid == call->uid && terminal_has_secret(t, secret);
	enum error_code code = call_decide(call, (struct policy_question){
							 .right = RIGHT_QUERY,
							 .subject = POLICY_TERMINAL,
							 .exists = known,
							 .owner = known ? t->uid : (uid_t)-1,
						 });
	if (code != ERROR_NONE) {
		call_fail(call, code, "Terminal %.*s does not exist.", SHOWN_NAME_MAX, name);
		return;
	}
	AUTO_FD int cable = params_take_fd(&p, "cable");
	if (connect_give_cable(t, ticket, cable) < 0) {
		call_fail(call, ERROR_INVALID_STATE, "Terminal %s was not asked for this cable.",
			name);
		return;
	}
	call_reply_empty(call);
}
