/* The configuration takes any text: what it sets stays in its range, and a second reading of the
 * same text changes nothing more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/user_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void on_report(void *user, unsigned line, const char *text)
{
	unsigned *lines = user;
	(*lines)++;
	if (line > CONFIG_FILE_MAX || strlen(text) > 2 * CONFIG_FILE_MAX) {
		fail("a mistake in a line that does not exist");
	}
}

static void check(const struct config *c)
{
	if (c->detach_key != CONFIG_DETACH_KEY_OFF && (c->detach_key < 0 || c->detach_key > 0x7f)) {
		fail("a key that no keyboard sends");
	}
	if (c->history_lines > CONFIG_HISTORY_LINES_MAX) {
		fail("more lines than there may be");
	}
	if (strnlen(c->shell, sizeof(c->shell)) == sizeof(c->shell)) {
		fail("a shell without end");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config first;
	struct config second;
	unsigned mistakes = 0;
	unsigned again = 0;
	if (size > CONFIG_FILE_MAX) {
		return 0;
	}
	AUTO(free) char *text = malloc(size + 1);
	if (text == NULL) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&first, 0, sizeof(first));
	config_init(&first);
	config_parse(&first, text, on_report, &mistakes);
	check(&first);
	second = first;
	config_parse(&second, text, on_report, &again);
	check(&second);
	if (mistakes != again || first.detach_key != second.detach_key ||
		first.history_lines != second.history_lines ||
		first.history_bytes != second.history_bytes ||
		strcmp(first.shell, second.shell) != 0) {
		fail("a second reading changes something");
	}
	return 0;
}
