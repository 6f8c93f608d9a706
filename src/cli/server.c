#include "cli/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/runtime.h"
#include "protocol/error.h"
#include "protocol/varlink.h"
#include "protocol/warrant.h"

#define START_LIMIT_MS 5000
#define START_AGAIN_MS 300 /* ours went without a word: the one before it may just be leaving */
#define RETRY_MS 10
#define CALL_LIMIT_MS 30000
#define LOG_TAIL 400

/* Opens what may be either: a folder of ours that nobody else enters is a user's server, one of
 * root's that nobody else writes to the system's. What is not there yet will be a user's. */
static int open_either(struct server *s)
{
	struct stat st;
	bool theirs = lstat(s->path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
		      (geteuid() != 0 || (st.st_mode & 077) != 0);
	s->system = theirs;
	return theirs ? runtime_open_system(s->path, false) : runtime_open(s->path, true);
}

/* The folder is what the option says, or it is refused. */
static int open_as(struct server *s, const struct arguments *a)
{
	s->system = a->values[OPTION_SYSTEM] != NULL;
	if (a->values[OPTION_SYSTEM] != NULL) {
		return runtime_open_system(s->path, false);
	}
	return a->values[OPTION_USER] != NULL ? runtime_open(s->path, true) : open_either(s);
}

/* The system's server when it is there: 1, else 0, and *s is as it was. -ENOMEM. */
static int try_system(struct server *s)
{
	struct server found = SERVER_NONE;
	int r = runtime_absolute(&found.path, RUNTIME_SYSTEM_PATH);
	if (r < 0) {
		return r;
	}
	found.system = true;
	found.runtime_fd = runtime_open_system(found.path, false);
	found.dialled_fd = found.runtime_fd >= 0 ? server_dial(&found) : -1;
	if (found.dialled_fd < 0) {
		server_close(&found);
		return 0;
	}
	*s = found;
	return 1;
}

static int open_server(struct server *s, const struct arguments *a)
{
	const char *option = a->values[OPTION_RUNTIME_DIR];
	const char *variable = getenv("TERMSERV_RUNTIME_DIR");
	bool named = option != NULL || (variable != NULL && variable[0] != '\0');
	int r;
	if (!named && a->values[OPTION_SYSTEM] != NULL) {
		r = runtime_absolute(&s->path, RUNTIME_SYSTEM_PATH);
	} else {
		bool open = !named && a->values[OPTION_USER] == NULL;
		r = open ? try_system(s) : 0;
		r = r == 0 ? runtime_path(&s->path, option) : r;
	}
	if (r != 0) {
		return r < 0 ? r : 0;
	}
	s->runtime_fd = open_as(s, a);
	return s->runtime_fd < 0 ? s->runtime_fd : 0;
}

static void say_not_opened(const struct server *s, int error, struct failure *ret_failure)
{
	char text[FAILURE_TEXT_SIZE];
	const char *path = s->path != NULL ? s->path : "";
	if (s->system && error == -ENOENT) {
		(void)snprintf(text, sizeof(text),
			"No server serves all users of this machine (there is no folder %.100s).",
			path);
		failure_set(ret_failure, ERROR_SERVER_UNAVAILABLE, text);
		return;
	}
	(void)snprintf(
		text, sizeof(text), "The runtime folder %.140s %s.", path, runtime_problem(error));
	failure_set(ret_failure, (int)error_by_errno(error)->code, text);
}

int server_open(struct server *ret, const struct arguments *a, struct failure *ret_failure)
{
	struct server s = SERVER_NONE;
	int r = open_server(&s, a);
	if (r < 0) {
		say_not_opened(&s, r, ret_failure);
		server_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

void server_close(struct server *s)
{
	s->link = varlink_free(s->link);
	auto_close(&s->runtime_fd);
	auto_close(&s->dialled_fd);
	free(s->path);
	*s = SERVER_NONE;
}

int server_dial(const struct server *s)
{
	AUTO_FD int fd = fd_connect_at(s->runtime_fd, "control", SOCK_STREAM);
	if (fd < 0 || !s->system) {
		return TAKE_FD(fd);
	}
	struct ucred peer;
	int r = fd_peer(fd, &peer);
	if (r < 0) {
		return r;
	}
	return peer.uid == 0 ? TAKE_FD(fd) : -EPERM;
}

/* The last line of the log, or "". */
static void log_tail(const struct server *s, char text[static LOG_TAIL])
{
	text[0] = '\0';
	AUTO_FD int fd = openat(s->runtime_fd, SERVER_LOG,
		O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return;
	}
	off_t from = st.st_size > LOG_TAIL - 1 ? st.st_size - (LOG_TAIL - 1) : 0;
	ssize_t n = pread(fd, text, LOG_TAIL - 1, from);
	if (n < 0) {
		n = 0;
	}
	while (n > 0 && text[n - 1] == '\n') {
		n--;
	}
	text[n] = '\0';
	const char *last = strrchr(text, '\n');
	if (last != NULL) {
		memmove(text, last + 1, strlen(last + 1) + 1);
	}
}

static void say_not_started(const struct server *s, int error, struct failure *ret_failure)
{
	char text[FAILURE_TEXT_SIZE];
	char tail[LOG_TAIL];
	log_tail(s, tail);
	if (s->system && (error == 0 || error == -EPERM)) {
		(void)snprintf(text, sizeof(text),
			error == 0 ? "The server of all users (termservd --system) does not run: "
				     "nobody listens in %.100s."
				   : "Who listens in %.100s is not the server of all users: it is "
				     "not root.",
			s->path);
	} else if (error != 0) {
		(void)snprintf(text, sizeof(text), "The server in %.100s cannot be reached: %s.",
			s->path, strerror(-error));
	} else {
		(void)snprintf(text, sizeof(text),
			"The server did not start within %d seconds%s%.80s. Its log: %.100s/%s",
			START_LIMIT_MS / 1000, tail[0] != '\0' ? ": " : "", tail, s->path,
			SERVER_LOG);
	}
	failure_set(ret_failure, ERROR_SERVER_UNAVAILABLE, text);
}

static bool nobody_listens(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED;
}

static int use(struct server *s, int fd, struct failure *ret_failure)
{
	int r = varlink_new(&s->link, fd, VARLINK_REPLY_MAX);
	if (r < 0) {
		(void)close(fd);
		failure_from_errno(ret_failure, r);
		return -1;
	}
	return 0;
}

/* Waits for a little while, less when the starting server says that it is ready. */
static void pause_for(int *ready)
{
	char byte;
	(void)fd_wait_readable(*ready >= 0 ? *ready : -1, RETRY_MS);
	if (*ready >= 0 && fd_wait_readable(*ready, 0) == 1 && read(*ready, &byte, 1) <= 0) {
		auto_close(ready);
		*ready = -1;
	}
}

int server_connect(struct server *s, struct failure *ret_failure)
{
	s->link = varlink_free(s->link);
	AUTO_FD int ready = -1;
	uint64_t end = clock_monotonic_ms() + START_LIMIT_MS;
	uint64_t next_start = 0;
	for (;;) {
		int fd = s->dialled_fd >= 0 ? TAKE_FD(s->dialled_fd) : server_dial(s);
		if (fd >= 0) {
			return use(s, fd, ret_failure);
		}
		uint64_t now = clock_monotonic_ms();
		if (!nobody_listens(fd) || s->system || now >= end) {
			say_not_started(s, nobody_listens(fd) ? 0 : fd, ret_failure);
			return -1;
		}
		if (ready < 0 && now >= next_start) {
			int r = server_start(s, &ready);
			if (r < 0) {
				say_not_started(s, r, ret_failure);
				return -1;
			}
			next_start = now + START_AGAIN_MS;
		}
		pause_for(&ready);
	}
}

int server_reach(struct server *ret, const struct arguments *a, struct failure *ret_failure)
{
	struct server s = SERVER_NONE;
	if (server_open(&s, a, ret_failure) < 0) {
		return -1;
	}
	if (server_connect(&s, ret_failure) < 0) {
		server_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int dial_for_door(void *user)
{
	return server_dial(user);
}

static int start_for_door(void *user)
{
	const struct server *s = user;
	return s->system ? -EOPNOTSUPP : server_start(s, NULL);
}

struct attach_server server_for_door(struct server *s)
{
	return (struct attach_server){
		.connect = dial_for_door,
		.start = start_for_door,
		.user = s,
	};
}

json_t *server_text(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static int call_once(struct server *s, const char *method, json_t *parameters, const int *fds,
	size_t fd_count, json_t **ret, struct failure *ret_failure)
{
	char name[128];
	AUTO(json) json_t *fields = NULL;
	AUTO(free) char *error = NULL;
	(void)snprintf(name, sizeof(name), "%s.%s", CONTROL_INTERFACE, method);
	/* What takes a warrant along may have to wait for a password. */
	int limit = fd_count > 0 ? WARRANT_CALL_MS : CALL_LIMIT_MS;
	int r = varlink_call(
		s->link, name, json_incref(parameters), fds, fd_count, limit, &fields, &error);
	if (r == -ECONNRESET || r == -EPIPE) {
		failure_set(ret_failure, ERROR_SERVER_UNAVAILABLE,
			"The server went away before it answered; query session shows what is.");
		return -ECONNRESET;
	}
	if (r < 0) {
		failure_from_errno(ret_failure, r);
		return r;
	}
	if (r > 0) {
		failure_from_reply(ret_failure, error, fields);
		return -EREMOTEIO;
	}
	if (ret != NULL) {
		*ret = TAKE_PTR(fields);
	}
	return 0;
}

int server_call(struct server *s, const char *method, json_t *parameters, const int *fds,
	size_t fd_count, enum server_repeat repeat, json_t **ret, struct failure *ret_failure)
{
	AUTO(json) json_t *owned = parameters;
	if (owned == NULL) {
		/* Never an empty call in its place: without a session it would mean the caller's
		 * own. */
		failure_set(ret_failure, ERROR_NAME_INVALID, "The name is not valid UTF-8.");
		return -1;
	}
	uint64_t end = clock_monotonic_ms() + START_LIMIT_MS;
	for (;;) {
		int r = call_once(s, method, owned, fds, fd_count, ret, ret_failure);
		if (r == 0) {
			return 0;
		}
		if (r != -ECONNRESET || repeat == SERVER_ONCE || clock_monotonic_ms() >= end ||
			server_connect(s, ret_failure) < 0) {
			return -1;
		}
		(void)poll(NULL, 0, RETRY_MS);
	}
}
