/* The server's configuration takes any text: what it holds afterwards stays in its range, and what
 * was said about somebody can be asked. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/right.h"
#include "config/server_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int truth, const char *what)
{
	if (!truth) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* Every name with an `x` in it is somebody. */
static int find_name(void *context, const char *name, uint32_t *ret)
{
	*ret = (uint32_t)strlen(name);
	return strchr(name, 'x') != NULL || strcmp(name, "alice") == 0 ? 0 : -2;
}

static void on_report(void *user, const char *file, unsigned line, const char *text)
{
	char safe[1024];
	(void)user;
	expect(line > 0 && line <= CONFIG_FILE_MAX, "a mistake in a line that does not exist");
	expect(strlen(text) < sizeof(safe), "a complaint without end");
	(void)text_encode(safe, sizeof(safe), text);
}

static void check_terminal(const struct terminal_config *t, const struct server_config *c)
{
	expect(text_is_terminal_name(t->name, false), "a terminal with a name that cannot be");
	expect(server_config_terminal(c, t->name) == t, "a terminal that is not found");
	expect(t->line[0] == '\0' || t->line[0] == '/', "a line that is no path");
	expect(t->place.file < c->file_count, "a terminal from nowhere");
}

static void check(const struct server_config *c)
{
	unsigned allow = 0, deny = 0;
	uint32_t group = 5;
	struct config_who who = { .uid = 5, .groups = &group, .group_count = 1 };
	expect(c->failure_delay <= 60 && c->sessions_per_user >= 1, "a number out of its range");
	for (size_t i = c->terminal_count > 16 ? c->terminal_count - 16 : 0; i < c->terminal_count;
		i++) {
		check_terminal(&c->terminals[i], c);
	}
	for (size_t i = 0; i < c->acl_count; i++) {
		server_config_rights(c, c->acls[i].listener, &who, &allow, &deny);
		expect(((allow | deny) & ~RIGHTS_FULL) == 0, "a right that cannot be granted");
	}
	for (size_t i = 0; i < c->listener_count; i++) {
		expect(server_config_listener(c, c->listeners[i].name) == &c->listeners[i],
			"a listener that is not found");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_names names = { .user = find_name, .group = find_name };
	if (size > CONFIG_FILE_MAX) {
		return 0;
	}
	AUTO(free) char *text = malloc(size + 1);
	AUTO(server_config_free) struct server_config *c = NULL;
	if (text == NULL || server_config_new(&c, &names) < 0) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 2; i++) {
		if (server_config_parse(c, "f", text, &names, on_report, NULL) < 0) {
			abort();
		}
		check(c);
	}
	return 0;
}
