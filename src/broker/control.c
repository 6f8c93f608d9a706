/* Invariants: a connection has at most one call under way; while it has one, or while a whole
 * message waits unserved, nothing is read, so that what a peer can make us hold is one message. A
 * connection is freed from the loop alone: everybody else marks it and lets `later` do it. */
#include "broker/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/method.h"
#include "broker/names.h"
#include "broker/session.h"
#include "config/server_config.h"
#include "protocol/varlink.h"

#define PAUSE_USEC 100000 /* of the listener when accept() fails for want of something */
#define NAME_WAIT_MS 1000 /* for the name of a caller, before he is served */
#define COMPLAINT_MS 1000 /* between two lines in the log about callers turned away */

struct control {
	struct broker *broker;
	int fd;
	int reserve_fd; /* given up for a moment to turn a caller away when no descriptor is left */
	uint64_t complained; /* monotonic ms */
	sd_event_source *source, *pause;
};

struct connection {
	struct broker *broker;
	struct varlink *varlink;
	struct caller caller;
	sd_event_source *io, *later;
	struct call *call;	       /* under way, or NULL */
	struct names_question *naming; /* the caller's name is not known yet: nothing is served */
	bool unserved;		       /* a whole message may wait in the buffer */
	bool ended;   /* the peer sends no more: serve what is there, answer, then go */
	bool deaf;    /* the peer reads no more */
	bool dropped; /* go at once */
	TAILQ_ENTRY(connection) entry;
};

struct varlink *connection_varlink(struct connection *c)
{
	return c->varlink;
}

uid_t connection_login_uid(const struct connection *c)
{
	return caller_login_uid(&c->caller);
}

bool connection_is_congested(const struct connection *c)
{
	return (varlink_events(c->varlink) & EPOLLOUT) != 0;
}

/* A clock and no deferred source: of those the oldest comes first whenever it was asked for, and a
 * few old connections would keep everybody else out for ever. */
static void serve_later(struct connection *c)
{
	(void)sd_event_source_set_time_relative(c->later, 0);
	(void)sd_event_source_set_enabled(c->later, SD_EVENT_ONESHOT);
}

void connection_drop(struct connection *c)
{
	c->dropped = true;
	serve_later(c);
}

/* What to wait for on the socket now. EPOLLHUP comes unasked. */
static void update(struct connection *c)
{
	uint32_t events = connection_is_congested(c) ? EPOLLOUT : 0;
	if (c->call == NULL && !c->unserved && !c->ended) {
		events |= EPOLLIN;
	}
	(void)sd_event_source_set_io_events(c->io, events);
}

void connection_sent(struct connection *c, int result)
{
	if (result < 0) {
		log_debug("process %d: dropped, it cannot be answered: %s", (int)c->caller.pid,
			strerror(-result));
		connection_drop(c);
	}
	update(c);
}

void connection_release(struct connection *c)
{
	c->call = NULL;
	c->unserved = true;
	serve_later(c);
	update(c);
}

/* The session that the caller sits in: the one whose pty is its controlling tty. After su or sudo
 * that is somebody else's; what the caller may do to it is the policy's to say. */
static uint32_t session_of(const struct connection *c)
{
	const struct session *s = session_by_tty(c->broker, (uint64_t)caller_tty(&c->caller));
	return s != NULL ? s->id : 0;
}

/* Takes the message and its descriptors. */
static void dispatch(struct connection *c, json_t *message, struct fd_set_received *set)
{
	AUTO(json) json_t *owned = message;
	struct call *call = calloc(1, sizeof(*call));
	if (call == NULL) {
		connection_drop(c);
		return;
	}
	call->broker = c->broker;
	call->connection = c;
	call->uid = c->caller.uid;
	call->groups = caller_groups_ref(c->caller.groups);
	call->pid = c->caller.pid;
	call->session = session_of(c);
	call->fds = *set;
	*set = FD_SET_NONE;
	call->more = json_is_true(json_object_get(owned, "more"));
	call->oneway = json_is_true(json_object_get(owned, "oneway"));
	json_t *parameters = json_object_get(owned, "parameters");
	bool none = parameters == NULL || json_is_null(parameters);
	call->parameters = none ? json_object() : json_incref(parameters);
	c->call = call;
	update(c);
	const char *name = json_string_value(json_object_get(owned, "method"));
	if (name == NULL) {
		call_fail_parameter(call, "method");
		return;
	}
	if (!json_is_object(call->parameters)) {
		call_fail_parameter(call, "parameters");
		return;
	}
	log_debug("process %d: %s, %zu descriptors", (int)call->pid, name, call->fds.count);
	bool known = false;
	call->method = method_find(name, &known);
	if (call->fds.lost) {
		call_fail(call, ERROR_TOO_MANY_OPEN_FILES,
			"The server has no descriptor left to take what came with the request.");
	} else if (call->method != NULL) {
		method_run(call);
	} else if (known) {
		call_fail_standard(call, "MethodNotFound", "method", name);
	} else {
		const char *dot = strrchr(name, '.');
		AUTO(free) char *interface = strndup(name, dot != NULL ? (size_t)(dot - name) : 0);
		call_fail_standard(
			call, "InterfaceNotFound", "interface", interface != NULL ? interface : "");
	}
}

/* Serves at most one message: others have their turn before the next one. */
static void serve(struct connection *c)
{
	if (c->call != NULL || c->dropped) {
		return;
	}
	if (c->naming != NULL) {
		c->unserved = true;
		update(c);
		return;
	}
	json_t *message = NULL;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	int r = varlink_next(c->varlink, &message, &set);
	if (r > 0) {
		c->unserved = true;
		serve_later(c);
		dispatch(c, message, &set);
		return;
	}
	c->unserved = false;
	if (r < 0 || c->deaf || (c->ended && !connection_is_congested(c))) {
		if (r < 0) {
			log_info("process %d, uid %u: dropped, it does not speak Varlink",
				(int)c->caller.pid, (unsigned)c->caller.uid);
		}
		connection_drop(c);
	}
	update(c);
}

static int on_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct connection *c = userdata;
	serve(c);
	if (c->dropped) {
		(void)connection_free(c);
	}
	return 0;
}

/* A message that lost its descriptors because none is left here: its sender is told why. */
static bool out_of_descriptors(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0) {
		(void)close(fd);
		return false;
	}
	return errno == EMFILE || errno == ENFILE;
}

static void read_failed(struct connection *c, int error)
{
	if (error == -EPROTO && out_of_descriptors()) {
		const struct error_row *row = error_by_code(ERROR_TOO_MANY_OPEN_FILES);
		(void)varlink_reply_error(c->varlink, CONTROL_INTERFACE ".TooManyOpenFiles",
			json_pack("{s:i, s:s}", "code", (int)row->code, "message", row->text));
	}
	connection_drop(c);
}

/* Nobody is there to hear an answer. What waits in the buffer is still served when no call is under
 * way: a caller may say `oneway` and leave. */
static void hang_up(struct connection *c)
{
	c->ended = true;
	c->deaf = true;
	/* EPOLLHUP cannot be masked: without this the loop would spin on it. */
	(void)sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	if (c->call != NULL) {
		connection_drop(c);
	}
	serve_later(c);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct connection *c = userdata;
	if ((events & EPOLLOUT) != 0) {
		int r = varlink_flush(c->varlink);
		connection_sent(c, r < 0 ? r : 0);
		if (c->ended) {
			serve_later(c);
		}
	}
	if ((events & EPOLLIN) != 0) {
		int r = varlink_read(c->varlink);
		if (r == 0) {
			c->ended = true;
			c->unserved = true;
			serve_later(c);
			update(c);
		} else if (r > 0) {
			serve(c);
		} else if (r != -EAGAIN) {
			read_failed(c, r);
		}
	} else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
		hang_up(c);
	}
	if (c->dropped) {
		(void)connection_free(c);
	}
	return 0;
}

/* Known, unknown, or too late: the caller is served. */
static void on_name(void *user, const struct names_answer *answer)
{
	struct connection *c = user;
	c->naming = NULL;
	c->unserved = true;
	serve_later(c);
	update(c);
}

/* Lists, records and notices shall name who asks: his first call waits for it, but not long. */
static void ask_name(struct connection *c)
{
	struct names *names = c->broker->names;
	if (names != NULL && !names_knows(names, c->caller.uid)) {
		(void)names_ask_uid(&c->naming, names, c->caller.uid, NAME_WAIT_MS, on_name, c);
	}
}

static size_t connections_of(const struct broker *b, uid_t uid)
{
	size_t count = 0;
	const struct connection *c;
	TAILQ_FOREACH(c, &b->connections, entry)
	{
		count += c->caller.uid == uid;
	}
	return count;
}

/* Has the administration of this machine, or a configured terminal, to do with him? */
static bool is_privileged(const struct broker *b, const struct caller *caller)
{
	const struct server_config *config = b->config;
	const struct config_who who = {
		.uid = caller->uid,
		.groups = caller->groups->ids,
		.group_count = caller->groups->count,
	};
	bool door = config->has_console && principal_list_has(&config->console.doors, &who);
	for (size_t i = 0; i < config->terminal_count && !door; i++) {
		door = principal_list_has(&config->terminals[i].doors, &who);
	}
	return door || server_config_is_administrator(config, &who);
}

/* Whoever comes is let in as long as he has fewer connections than are left: however many a few
 * users take, there is something for the next one. Root finds a place even then. */
static bool has_room(const struct broker *b, const struct caller *caller)
{
	size_t left = b->connection_count < LIMIT_CONNECTIONS
			      ? LIMIT_CONNECTIONS - b->connection_count
			      : 0;
	if (b->mode == POLICY_USER_MODE) {
		return left > 0 && connections_of(b, caller->uid) < LIMIT_CONNECTIONS_PER_UID;
	}
	if (caller->uid == 0) {
		return left > 0;
	}
	bool privileged = is_privileged(b, caller);
	size_t kept = LIMIT_CONNECTIONS_ROOT + (privileged ? 0 : LIMIT_CONNECTIONS_KEPT);
	size_t most = privileged ? LIMIT_CONNECTIONS_PER_UID : LIMIT_CONNECTIONS_PER_UID_SYSTEM;
	size_t own = connections_of(b, caller->uid);
	return left > kept && own < left - kept && own < most;
}

static int add_sources(struct connection *c, int fd)
{
	int r = sd_event_add_io(c->broker->event, &c->io, fd, EPOLLIN, on_io, c);
	if (r >= 0) {
		r = sd_event_add_time_relative(
			c->broker->event, &c->later, CLOCK_MONOTONIC, 0, 1, on_later, c);
	}
	return r < 0 ? r : sd_event_source_set_enabled(c->later, SD_EVENT_OFF);
}

static void drop_sources(struct connection *c)
{
	c->io = sd_event_source_disable_unref(c->io);
	c->later = sd_event_source_disable_unref(c->later);
}

int connection_new(struct connection **ret, struct broker *b, int fd)
{
	AUTO(free) struct connection *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return -ENOMEM;
	}
	c->broker = b;
	int r = caller_from_socket(&c->caller, fd);
	if (r < 0) {
		return r;
	}
	r = has_room(b, &c->caller) ? add_sources(c, fd) : -EUSERS;
	if (r >= 0) {
		r = varlink_new(&c->varlink, fd, VARLINK_REQUEST_MAX);
	}
	if (r < 0) {
		drop_sources(c);
		caller_done(&c->caller);
		return r;
	}
	TAILQ_INSERT_TAIL(&b->connections, c, entry);
	b->connection_count++;
	ask_name(c);
	*ret = TAKE_PTR(c);
	return 0;
}

struct connection *connection_free(struct connection *c)
{
	if (c == NULL) {
		return NULL;
	}
	TAILQ_REMOVE(&c->broker->connections, c, entry);
	c->broker->connection_count--;
	c->naming = names_cancel(c->naming);
	drop_sources(c);
	struct call *call = TAKE_PTR(c->call);
	if (call != NULL) {
		/* What the caller asked for goes on without him; only who waits for him ends. */
		call->connection = NULL;
		if (call->on_gone != NULL) {
			call->on_gone(call);
		}
	}
	(void)varlink_free(c->varlink);
	caller_done(&c->caller);
	free(c);
	return NULL;
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct control *c = userdata;
	c->pause = sd_event_source_disable_unref(c->pause);
	(void)sd_event_source_set_enabled(c->source, SD_EVENT_ON);
	return 0;
}

/* A caller that cannot be served is told why, as the answer to whatever it asks. */
static void refuse(int fd, int error)
{
	const struct error_row *row = error == -EUSERS ? error_by_code(ERROR_TOO_MANY_SESSIONS)
						       : error_by_errno(error);
	char text[256];
	int n = snprintf(text, sizeof(text),
		"{\"error\":\"%s.%s\",\"parameters\":{\"code\":%d,\"message\":\"%s\"}}",
		CONTROL_INTERFACE, row->name, (int)row->code, row->text);
	(void)!send(fd, text, (size_t)n + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A short rest instead of a spin. */
static void rest(struct control *c)
{
	if (c->pause == NULL &&
		sd_event_add_time_relative(c->broker->event, &c->pause, CLOCK_MONOTONIC, PAUSE_USEC,
			TIMER_SLACK_USEC, on_pause_over, c) >= 0) {
		(void)sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
	}
}

static void turn_away(struct control *c, int fd, int error)
{
	uint64_t now = clock_monotonic_ms();
	if (c->complained == 0 || now - c->complained > COMPLAINT_MS) {
		log_error("a caller is turned away: %s", strerror(-error));
		c->complained = now;
	}
	refuse(fd, error);
	if (error != -EUSERS) {
		rest(c);
	}
}

/* accept() had no descriptor left: one is kept for this moment. */
static void turn_away_unaccepted(struct control *c, int error)
{
	if (c->reserve_fd >= 0) {
		(void)close(TAKE_FD(c->reserve_fd));
	}
	AUTO_FD int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		turn_away(c, fd, error);
		(void)close(TAKE_FD(fd));
	} else {
		rest(c);
	}
	c->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int on_caller(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct control *c = userdata;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			turn_away_unaccepted(c, -errno);
		}
		return 0;
	}
	struct connection *connection;
	int r = connection_new(&connection, c->broker, peer);
	if (r < 0) {
		turn_away(c, peer, r);
		(void)close(peer);
	}
	return 0;
}

int control_new(struct control **ret, struct broker *b, int fd)
{
	int r = fd_set_nonblocking(fd, true);
	if (r < 0) {
		return r;
	}
	AUTO(free) struct control *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return -ENOMEM;
	}
	c->broker = b;
	c->fd = fd;
	c->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*ret = TAKE_PTR(c);
	return 0;
}

struct control *control_free(struct control *c)
{
	if (c == NULL) {
		return NULL;
	}
	(void)sd_event_source_disable_unref(c->source);
	(void)sd_event_source_disable_unref(c->pause);
	auto_close(&c->reserve_fd);
	(void)close(c->fd);
	free(c);
	return NULL;
}

void control_listen(struct broker *b)
{
	struct control *c = b->control;
	if (c == NULL || c->source != NULL) {
		return;
	}
	int r = sd_event_add_io(b->event, &c->source, c->fd, EPOLLIN, on_caller, c);
	if (r < 0) {
		log_error("the control socket cannot be served: %s", strerror(-r));
		(void)sd_event_exit(b->event, EXIT_FAILURE);
		return;
	}
	log_info("serving");
}
