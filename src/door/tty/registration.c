#include "door/tty/registration.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "protocol/error.h"

#define RETRY_FIRST_MS 5
#define RETRY_LAST_MS 1000
/* A server that is being stopped tells its terminals first; only then is one to be started. */
#define START_AFTER_MS 250

void failure_set(struct failure *f, int code, const char *text)
{
	f->code = code;
	(void)snprintf(f->text, sizeof(f->text), "%s",
		text != NULL ? text : error_by_code((enum error_code)code)->text);
}

void failure_from_errno(struct failure *f, int error)
{
	const struct error_row *row = error_by_errno(error);
	f->code = (int)row->code;
	(void)snprintf(f->text, sizeof(f->text), "%s (%s)", row->text, strerror(-error));
}

void failure_from_reply(struct failure *f, const char *error, const json_t *parameters)
{
	const char *name = error != NULL ? strrchr(error, '.') : NULL;
	const struct error_row *row = name != NULL ? error_by_name(name + 1) : NULL;
	const json_t *code = json_object_get(parameters, "code");
	const char *text = json_string_value(json_object_get(parameters, "message"));
	if (row != NULL) {
		failure_set(f, (int)row->code, text);
		return;
	}
	failure_set(f, json_is_integer(code) ? (int)json_integer_value(code) : ERROR_NOT_SUPPORTED,
		text != NULL ? text : error);
}

void registration_done(struct registration *r)
{
	r->events = varlink_free(r->events);
	r->ready = false;
	explicit_bzero(r->secret, sizeof(r->secret));
}

int registration_fd(const struct registration *r)
{
	return r->events != NULL ? varlink_fd(r->events) : -1;
}

short registration_poll_events(const struct registration *r)
{
	return r->events != NULL ? varlink_events(r->events) : 0;
}

uint64_t registration_next_try(const struct registration *r)
{
	return r->events == NULL && !r->stopped ? r->next_try : UINT64_MAX;
}

/* The longer the server has been away, the less often it is looked for: when it is back, its
 * terminals are so before the next command can have been typed. */
static void try_later(struct registration *r)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t delay = (now - r->lost_at) / 8;
	delay = delay < RETRY_FIRST_MS ? RETRY_FIRST_MS : delay;
	r->events = varlink_free(r->events);
	r->ready = false;
	r->next_try = now + (delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS);
}

/* The connection went: come back, first at once. */
static void lost(struct registration *r)
{
	bool was_ready = r->ready;
	if (was_ready) {
		r->lost_at = clock_monotonic_ms();
		r->started = false;
	}
	try_later(r);
	if (was_ready) {
		r->next_try = r->lost_at;
	}
}

static json_t *text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static int send_open(struct registration *r, unsigned rows, unsigned columns)
{
	json_t *parameters = json_pack("{s:o, s:b, s:s, s:o, s:s, s:i, s:i, s:o, s:o}", "name",
		text_or_null(r->name), "fixed", (int)r->fixed, "kind", r->kind, "device",
		text_or_null(r->device), "term", r->term, "rows", (int)rows, "columns",
		(int)columns, "client", text_or_null(r->client), "secret", text_or_null(r->secret));
	if (parameters == NULL) {
		return -ENOMEM;
	}
	return varlink_send_call(
		r->events, CONTROL_INTERFACE ".OpenTerminal", parameters, true, NULL, 0);
}

void registration_tick(struct registration *r, unsigned rows, unsigned columns)
{
	uint64_t now = clock_monotonic_ms();
	if (registration_next_try(r) > now) {
		return;
	}
	if (r->lost_at == 0) {
		r->lost_at = now;
	}
	int fd = r->server.connect(r->server.user);
	if (fd < 0) {
		if ((fd == -ECONNREFUSED || fd == -ENOENT) && !r->started &&
			now - r->lost_at >= START_AFTER_MS) {
			r->started = r->server.start(r->server.user) == 0;
		}
		try_later(r);
		return;
	}
	if (varlink_new(&r->events, fd, VARLINK_REPLY_MAX) < 0) {
		(void)close(fd);
		try_later(r);
	} else if (send_open(r, rows, columns) < 0) {
		try_later(r);
	}
}

static enum registration_event take_ready(struct registration *r, const json_t *fields)
{
	const char *name = json_string_value(json_object_get(fields, "terminal"));
	const char *secret = json_string_value(json_object_get(fields, "secret"));
	if (name == NULL || !text_is_terminal_name(name, true)) {
		lost(r);
		return REGISTRATION_NONE;
	}
	(void)snprintf(r->name, sizeof(r->name), "%s", name);
	if (secret != NULL && strlen(secret) < sizeof(r->secret)) {
		(void)snprintf(r->secret, sizeof(r->secret), "%s", secret);
	}
	const char *on_steal = json_string_value(json_object_get(fields, "onSteal"));
	r->stays = on_steal != NULL && strcmp(on_steal, "login") == 0;
	const json_t *prompt = json_object_get(fields, "loginPrompt");
	r->asks = json_is_true(prompt);
	r->asks_never = json_is_false(prompt);
	r->ready = true;
	r->known = true;
	return REGISTRATION_READY;
}

static enum registration_event take_message(struct registration *r, const json_t *message,
	int64_t *ret_ticket, struct failure *ret_failure)
{
	const char *error = json_string_value(json_object_get(message, "error"));
	const json_t *fields = json_object_get(message, "parameters");
	const char *event = json_string_value(json_object_get(fields, "event"));
	if (error != NULL && !r->known) {
		failure_from_reply(ret_failure, error, fields);
		return REGISTRATION_REFUSED;
	}
	if (error != NULL || event == NULL) {
		lost(r);
		return REGISTRATION_NONE;
	}
	if (strcmp(event, "ready") == 0) {
		return take_ready(r, fields);
	}
	if (strcmp(event, "stop") == 0) {
		r->stopped = true;
		return REGISTRATION_STOPPED;
	}
	const json_t *ticket = json_object_get(fields, "ticket");
	if (strcmp(event, "cable") == 0 && json_is_integer(ticket)) {
		*ret_ticket = (int64_t)json_integer_value(ticket);
		return REGISTRATION_CABLE;
	}
	return REGISTRATION_NONE;
}

enum registration_event registration_read(
	struct registration *r, int64_t *ret_ticket, struct failure *ret_failure)
{
	while (r->events != NULL) {
		AUTO(json) json_t *message = NULL;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		(void)varlink_flush(r->events);
		int n = varlink_next(r->events, &message, &set);
		if (n == 0) {
			n = varlink_read(r->events);
			if (n == -EAGAIN) {
				return REGISTRATION_NONE;
			}
			if (n > 0) {
				continue;
			}
			n = -ECONNRESET;
		}
		if (n < 0) {
			lost(r);
			return REGISTRATION_NONE;
		}
		enum registration_event event = take_message(r, message, ret_ticket, ret_failure);
		if (event != REGISTRATION_NONE) {
			return event;
		}
	}
	return REGISTRATION_NONE;
}
