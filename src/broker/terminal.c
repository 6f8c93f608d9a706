#include "broker/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/login.h"
#include "broker/operation.h"
#include "broker/session.h"

#define KIND_MAX 16

int terminal_new(struct terminal **ret, struct broker *b, const char *name)
{
	struct terminal *t = calloc(1, sizeof(*t));
	if (t == NULL) {
		return -ENOMEM;
	}
	t->broker = b;
	link_set_text(t->name, name);
	TAILQ_INSERT_TAIL(&b->terminals, t, entry);
	b->terminal_count++;
	broker_changed(b);
	*ret = t;
	return 0;
}

struct terminal *terminal_free(struct terminal *t)
{
	if (t == NULL) {
		return NULL;
	}
	struct broker *b = t->broker;
	log_info("terminal %s is gone", t->name);
	TAILQ_REMOVE(&b->terminals, t, entry);
	b->terminal_count--;
	if (t->operation != NULL) {
		t->operation->kind->on_terminal_gone(t->operation, t);
	}
	(void)login_free(t->login);
	broker_changed(b);
	explicit_bzero(t->secret, sizeof(t->secret));
	free(t);
	return NULL;
}

struct terminal *terminal_find(const struct broker *b, const char *name)
{
	struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		if (strcasecmp(t->name, name) == 0) {
			return t;
		}
	}
	return NULL;
}

bool terminal_secret_equal(
	const uint8_t a[static LINK_TOKEN_SIZE], const uint8_t b[static LINK_TOKEN_SIZE])
{
	unsigned different = 0;
	for (size_t i = 0; i < LINK_TOKEN_SIZE; i++) {
		different |= a[i] ^ b[i];
	}
	return different == 0;
}

bool terminal_has_secret(const struct terminal *t, const char *secret)
{
	uint8_t token[LINK_TOKEN_SIZE];
	return terminal_secret_read(token, secret) == 0 && terminal_secret_equal(t->secret, token);
}

struct terminal *terminal_by_secret(const struct broker *b, const char *secret)
{
	struct terminal *found = NULL;
	struct terminal *t;
	TAILQ_FOREACH(t, &b->terminals, entry)
	{
		if (terminal_has_secret(t, secret)) {
			found = t;
		}
	}
	return found;
}

int terminal_secret_new(uint8_t ret[static LINK_TOKEN_SIZE])
{
	ssize_t n = getrandom(ret, LINK_TOKEN_SIZE, GRND_NONBLOCK);
	if (n < 0) {
		return -errno;
	}
	return n == LINK_TOKEN_SIZE ? 0 : -EIO;
}

void terminal_secret_text(
	char text[static TERMINAL_SECRET_TEXT_SIZE], const uint8_t secret[static LINK_TOKEN_SIZE])
{
	for (size_t i = 0; i < LINK_TOKEN_SIZE; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", secret[i]);
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int terminal_secret_read(uint8_t ret[static LINK_TOKEN_SIZE], const char *text)
{
	uint8_t token[LINK_TOKEN_SIZE];
	if (strlen(text) != 2 * sizeof(token)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(token); i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			return -EINVAL;
		}
		token[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, token, sizeof(token));
	return 0;
}

bool terminal_name_is_free(const struct broker *b, const char *name)
{
	return terminal_find(b, name) == NULL && session_on(b, name) == NULL;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

bool terminal_is_listener_name(const char *name)
{
	static const char *const names[] = { "rdp", "rdp-tcp", "ssh", "tcp", "tty", "web" };
	return is_one_of(name, names, ARRAY_SIZE(names));
}

const char *terminal_listener_of_kind(const char *kind)
{
	return strcmp(kind, "ssh") == 0 ? "ssh" : "tty";
}

bool terminal_is_reserved_name(const char *name)
{
	static const char *const names[] = { "console", "services" };
	return is_one_of(name, names, ARRAY_SIZE(names));
}

bool terminal_is_kind(const char *kind)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz-";
	size_t length = strlen(kind);
	return length >= 1 && length <= KIND_MAX && strspn(kind, allowed) == length &&
	       kind[0] != '-';
}

void terminal_give_name(const struct broker *b, const char *kind, char name[static LINK_NAME_SIZE])
{
	/* At most so many names are taken: one of the next is free. */
	for (size_t n = 1; n <= b->terminal_count + b->session_count + 1; n++) {
		(void)snprintf(name, LINK_NAME_SIZE, "%.*s#%zu", KIND_MAX, kind, n);
		if (terminal_name_is_free(b, name)) {
			return;
		}
	}
}

bool terminal_ask_cable(struct terminal *t, uint64_t ticket)
{
	t->ticket = ticket;
	return call_continue(t->door, json_pack("{s:s, s:s, s:I}", "event", "cable", "terminal",
					      t->name, "ticket", (json_int_t)ticket));
}
