#include "broker/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/caller.h"
#include "broker/control.h"
#include "broker/method.h"
#include "broker/operation.h"
#include "broker/origin.h"
#include "broker/session.h"
#include "config/server_config.h"
#include "protocol/varlink.h"

#define MESSAGE_SIZE 512

static void leave_parked(struct call *call)
{
	if (call->waiting) {
		call->waiting = false;
		TAILQ_REMOVE(&call->broker->parked, call, entry);
		call->broker->parked_count--;
	}
}

struct call *call_free(struct call *call)
{
	if (call == NULL) {
		return NULL;
	}
	leave_parked(call);
	if (call->connection != NULL) {
		connection_release(call->connection);
	}
	fd_set_done(&call->fds);
	json_decref(call->parameters);
	(void)caller_groups_unref(call->groups);
	(void)caller_groups_unref(call->door_groups);
	free(call);
	return NULL;
}

static void record(const struct call *call, enum error_code code)
{
	if (call->method != NULL && call->method->audited) {
		audit_write(call, code);
	}
}

void call_reply(struct call *call, json_t *parameters)
{
	if (parameters == NULL) {
		call_fail(
			call, ERROR_NOT_ENOUGH_MEMORY, "The server has no memory for the answer.");
		return;
	}
	record(call, ERROR_NONE);
	if (call->connection != NULL && !call->oneway) {
		connection_sent(call->connection,
			varlink_reply(connection_varlink(call->connection), parameters, false));
	} else {
		json_decref(parameters);
	}
	(void)call_free(call);
}

void call_reply_empty(struct call *call)
{
	call_reply(call, json_object());
}

bool call_continue(struct call *call, json_t *parameters)
{
	if (call->connection == NULL || call->oneway) {
		json_decref(parameters);
		return call->connection != NULL;
	}
	int r = varlink_reply(connection_varlink(call->connection), parameters, true);
	connection_sent(call->connection, r);
	return r >= 0;
}

bool call_is_congested(const struct call *call)
{
	return call->connection != NULL && connection_is_congested(call->connection);
}

static void send_error(struct call *call, const char *name, json_t *parameters)
{
	if (call->connection != NULL && !call->oneway) {
		connection_sent(
			call->connection, varlink_reply_error(connection_varlink(call->connection),
						  name, parameters));
	} else {
		json_decref(parameters);
	}
	(void)call_free(call);
}

static void fail_with(struct call *call, const struct error_row *row, const char *message)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "%s.%s", CONTROL_INTERFACE, row->name);
	log_debug("process %d: refused, %d: %s", (int)call->pid, (int)row->code, message);
	call->audit.error = message;
	record(call, row->code);
	send_error(call, name, json_pack("{s:i, s:s}", "code", (int)row->code, "message", message));
}

void call_fail(struct call *call, enum error_code code, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	/* What the caller gave may stand in it: harmless, and still UTF-8 where it was cut. */
	char safe[MESSAGE_SIZE];
	(void)text_encode(safe, sizeof(safe), message);
	fail_with(call, error_by_code(code), safe);
}

void call_fail_errno(struct call *call, int error, const char *what)
{
	const struct error_row *row = error_by_errno(error);
	char message[MESSAGE_SIZE];
	(void)snprintf(message, sizeof(message), "%s: %s", what,
		row->code == ERROR_INVALID_PARAMETER ? strerror(-error) : row->text);
	fail_with(call, row, message);
}

void call_fail_parameter(struct call *call, const char *parameter)
{
	char message[MESSAGE_SIZE];
	(void)snprintf(message, sizeof(message),
		"The parameter `%s` is missing or has the wrong type.", parameter);
	record(call, ERROR_INVALID_PARAMETER);
	send_error(call, "org.varlink.service.InvalidParameter",
		json_pack("{s:s, s:i, s:s}", "parameter", parameter, "code",
			(int)ERROR_INVALID_PARAMETER, "message", message));
}

void call_fail_standard(struct call *call, const char *error, const char *field, const char *text)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "org.varlink.service.%s", error);
	record(call, ERROR_INVALID_PARAMETER);
	send_error(call, name, field != NULL ? json_pack("{s:s}", field, text) : json_object());
}

struct config_who call_who(const struct call *call)
{
	const struct caller_groups *g = call->groups;
	return (struct config_who){
		.uid = call->uid,
		.groups = g != NULL ? g->ids : NULL,
		.group_count = g != NULL ? g->count : 0,
	};
}

bool call_is_administrator(const struct call *call)
{
	const struct broker *b = call->broker;
	struct config_who who = call_who(call);
	return b->mode == POLICY_SYSTEM_MODE ? server_config_is_administrator(b->config, &who)
					     : call->uid == b->owner;
}

/* By its controlling tty it sits in a session, or it has none that is a session's: then by its
 * ancestors, because all that a session has started is below its leader. What somebody else starts
 * in its user's name (cron, systemd --user) sits nowhere. */
static bool sits_at_console(const struct call *call)
{
	const struct broker *b = call->broker;
	const struct session *at_console = session_on(b, CONFIG_CONSOLE);
	if (at_console == NULL || call->session != 0) {
		return at_console != NULL && call->session == at_console->id;
	}
	AUTO_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t leader = (pid_t)at_console->info.leader;
	return proc >= 0 && leader > 1 && origin_is_below(proc, call->pid, leader);
}

void call_introduce(const struct call *call, struct policy_question *question)
{
	const struct broker *b = call->broker;
	question->mode = b->mode;
	question->server_owner = b->owner;
	question->caller = call->uid;
	if (b->mode != POLICY_SYSTEM_MODE) {
		return;
	}
	struct config_who who = call_who(call);
	const char *listener = question->listener != NULL ? question->listener : "";
	server_config_rights(b->config, listener, &who, &question->allow, &question->deny);
	question->administrator = server_config_is_administrator(b->config, &who);
	question->root_needs_no_password = b->config->root_connect != ROOT_CONNECT_PASSWORD;
	question->console_relaxed = !b->config->console_strict;
	question->caller_at_console = question->right == RIGHT_CONNECT && sits_at_console(call);
}

struct policy_answer call_ask(const struct call *call, struct policy_question question)
{
	call_introduce(call, &question);
	return policy_ask(&question);
}

enum error_code call_decide(const struct call *call, struct policy_question question)
{
	return call_ask(call, question).code;
}

bool call_park(struct call *call)
{
	struct broker *b = call->broker;
	if (b->parked_count >= LIMIT_PARKED || !operation_unsettled(b, call->uid)) {
		return false;
	}
	log_debug("process %d: waits until what was answered is done", (int)call->pid);
	call->waiting = true;
	TAILQ_INSERT_TAIL(&b->parked, call, entry);
	b->parked_count++;
	return true;
}

void call_unpark_all(struct broker *b)
{
	struct call_list calls = TAILQ_HEAD_INITIALIZER(calls);
	TAILQ_CONCAT(&calls, &b->parked, entry);
	b->parked_count = 0;
	for (struct call *call = TAILQ_FIRST(&calls); call != NULL; call = TAILQ_FIRST(&calls)) {
		TAILQ_REMOVE(&calls, call, entry);
		call->waiting = false;
		method_run(call);
	}
}

static int on_unpark(sd_event_source *source, void *userdata)
{
	call_unpark_all(userdata);
	return 0;
}

void call_unpark_later(struct broker *b)
{
	if (TAILQ_EMPTY(&b->parked)) {
		return;
	}
	/* From the loop: who ends an operation is still in the middle of it. */
	b->unpark = sd_event_source_disable_unref(b->unpark);
	if (sd_event_add_defer(b->event, &b->unpark, on_unpark, b) < 0) {
		log_error("no memory to go on with the calls that wait");
	}
}
