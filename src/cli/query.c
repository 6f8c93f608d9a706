#include "cli/query.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/session.h"
#include "protocol/error.h"
#include "protocol/varlink.h"

#define RETURN_LIMIT_MS 5000 /* how long a watch waits for a server that is being restarted */
#define RETURN_STEP_MS 50
#define HOUR_MS 3600000

static int fail(const struct failure *f)
{
	return report_failure(f, "query sessions");
}

/* Takes out what this query does not show. A new reference; NULL without memory. */
static json_t *wanted_of(const struct query *query, const json_t *answer)
{
	json_t *copy = json_copy((json_t *)answer);
	json_t *sessions = json_array();
	size_t i;
	json_t *session;
	json_array_foreach(json_object_get(answer, "sessions"), i, session)
	{
		if (query->wanted == NULL || query->wanted(session)) {
			(void)json_array_append(sessions, session);
		}
	}
	if (copy == NULL || json_object_set_new(copy, "sessions", sessions) < 0) {
		json_decref(copy);
		return NULL;
	}
	return copy;
}

static int say_nothing(const struct query *query, const struct arguments *a)
{
	report_line(stderr, "%s %s", query->nothing, a->words[0] != NULL ? a->words[0] : "*");
	return EXIT_FAILED;
}

static int show(const struct query *query, const struct arguments *a, const json_t *answer)
{
	AUTO(json) json_t *wanted = wanted_of(query, answer);
	if (wanted == NULL) {
		return EXIT_FAILED;
	}
	bool empty = json_array_size(json_object_get(wanted, "sessions")) == 0;
	bool watch = a->values[OPTION_WATCH] != NULL;
	if (a->values[OPTION_JSON] != NULL && !(empty && a->words[0] != NULL && !watch)) {
		AUTO(json) json_t *whole = json_query(wanted);
		return whole != NULL && json_print(stdout, whole, false) == 0 ? EXIT_OK
									      : EXIT_FAILED;
	}
	if (empty && !watch && (a->words[0] != NULL || query->empty_is_error)) {
		return say_nothing(query, a);
	}
	(void)query->print(wanted, a);
	return EXIT_OK;
}

static int run_once(struct server *server, const struct query *query, const struct arguments *a)
{
	AUTO(json) json_t *answer = NULL;
	struct failure failure;
	if (session_list(server, a->words[0], &answer, &failure) < 0) {
		bool nothing = failure.code == ERROR_SESSION_NOT_FOUND ||
			       failure.code == ERROR_NAME_INVALID;
		return nothing ? say_nothing(query, a) : fail(&failure);
	}
	return show(query, a, answer);
}

/* Prints each list that comes over this connection. -ECONNRESET, or a positive exit status. */
static int follow(struct server *server, const struct query *query, const struct arguments *a)
{
	json_t *parameters = json_pack(
		"{s:o, s:b}", "filter", server_text(a->words[0]), "watch", 1);
	if (parameters == NULL) {
		return say_nothing(query, a); /* not UTF-8: no session has such a name */
	}
	int r = varlink_send_call(
		server->link, CONTROL_INTERFACE ".ListSessions", parameters, true, NULL, 0);
	for (bool first = true; r >= 0; first = false) {
		AUTO(json) json_t *message = NULL;
		struct failure failure;
		r = varlink_wait(server->link, HOUR_MS, &message);
		if (r == -ETIMEDOUT) {
			r = 1;
			continue;
		}
		if (r <= 0) {
			break;
		}
		const char *error = json_string_value(json_object_get(message, "error"));
		const json_t *fields = json_object_get(message, "parameters");
		if (error != NULL) {
			failure_from_reply(&failure, error, fields);
			return fail(&failure);
		}
		if (!first && a->values[OPTION_JSON] == NULL) {
			(void)fputc('\n', stdout);
		}
		if (show(query, a, fields) != EXIT_OK || fflush(stdout) != 0) {
			return EXIT_FAILED;
		}
	}
	return -ECONNRESET;
}

/* The server went: a new one on the same folder is followed on; one that was stopped is not started
 * anew. */
static int watch(struct server *server, const struct query *query, const struct arguments *a)
{
	for (;;) {
		int r = follow(server, query, a);
		if (r > 0) {
			return r;
		}
		uint64_t end = clock_monotonic_ms() + RETURN_LIMIT_MS;
		int fd = -1;
		server->link = varlink_free(server->link);
		while (fd < 0 && clock_monotonic_ms() < end) {
			(void)poll(NULL, 0, RETURN_STEP_MS);
			fd = server_dial(server);
		}
		if (fd < 0 || varlink_new(&server->link, fd, VARLINK_REPLY_MAX) < 0) {
			struct failure failure;
			failure_set(&failure, ERROR_SERVER_UNAVAILABLE, "The server has ended.");
			return fail(&failure);
		}
	}
}

int query_run(const struct query *query, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	struct failure failure;
	if (server_reach(&server, a, &failure) < 0) {
		return fail(&failure);
	}
	return a->values[OPTION_WATCH] != NULL ? watch(&server, query, a)
					       : run_once(&server, query, a);
}
