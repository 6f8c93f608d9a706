#include "config/user_config.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "config/files.h"
#include "config/lines.h"

#define HISTORY_BYTES_DEFAULT (4u * 1024 * 1024)
#define HISTORY_BYTES_MAX (256u * 1024 * 1024)

struct parse {
	struct config_lines lines; /* first */
	struct config *config;
};

struct key {
	const char *section, *name;
	bool (*set)(struct config *c, const char *value);
	const char *expected;
};

/* Keys that are another key by themselves (Tab, Enter, Escape, line feed) cannot be told from it.
 */
static bool set_detach_key(struct config *c, const char *value)
{
	if (strcasecmp(value, "off") == 0) {
		c->detach_key = CONFIG_DETACH_KEY_OFF;
		return true;
	}
	if (strncasecmp(value, "ctrl-", 5) != 0 || strlen(value) != 6) {
		return false;
	}
	int key = toupper((unsigned char)value[5]);
	if (key < 'A' || key > '_' || strchr("IJM[", key) != NULL) {
		return false;
	}
	c->detach_key = key & 0x1f;
	return true;
}

static bool set_history_lines(struct config *c, const char *value)
{
	uint32_t lines;
	if (text_to_u32(value, &lines) < 0 || lines > CONFIG_HISTORY_LINES_MAX) {
		return false;
	}
	c->history_lines = lines;
	return true;
}

static bool set_history_size(struct config *c, const char *value)
{
	char digits[16];
	size_t length = strlen(value);
	uint32_t unit = 1;
	if (length == 0 || length >= sizeof(digits)) {
		return false;
	}
	memcpy(digits, value, length + 1);
	int suffix = toupper((unsigned char)value[length - 1]);
	if (suffix == 'K' || suffix == 'M') {
		unit = suffix == 'K' ? 1024 : 1024 * 1024;
		digits[length - 1] = '\0';
	}
	uint32_t number;
	if (text_to_u32(digits, &number) < 0 || number > HISTORY_BYTES_MAX / unit) {
		return false;
	}
	c->history_bytes = number * unit;
	return true;
}

static bool set_shell(struct config *c, const char *value)
{
	if (value[0] != '/' || strlen(value) >= sizeof(c->shell)) {
		return false;
	}
	(void)snprintf(c->shell, sizeof(c->shell), "%s", value);
	return true;
}

static bool set_chooser(struct config *c, const char *value)
{
	return config_flag(value, &c->chooser);
}

/* Sorted. */
static const struct key keys[] = {
	{ "session", "history-size", set_history_size, "bytes, with K or M behind, at most 256M" },
	{ "session", "shell", set_shell, "the full path of a program" },
	{ "terminal", "chooser", set_chooser, "yes or no" },
	{ "terminal", "detach-key", set_detach_key,
		"ctrl- and a key, as ctrl-], or off; not Tab, Enter, Escape or Ctrl-J" },
	{ "terminal", "history-lines", set_history_lines, "a number of lines up to 1000000" },
};

enum config_set config_set(struct config *c, const char *section, const char *name,
	const char *value, const char **ret_expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) {
			*ret_expected = keys[i].expected;
			return keys[i].set(c, value) ? CONFIG_SET : CONFIG_SET_VALUE;
		}
	}
	return CONFIG_SET_UNKNOWN;
}

bool config_has_section(const char *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) == 0) {
			return true;
		}
	}
	return false;
}

static bool on_section(struct config_lines *l, const char *section)
{
	if (!config_has_section(section)) {
		lines_report(l, "there is no section [%s]", section);
		return false;
	}
	return true;
}

static void on_pair(
	struct config_lines *l, const char *section, const char *name, const char *value)
{
	struct parse *p = (struct parse *)l;
	const char *expected = NULL;
	switch (config_set(p->config, section, name, value, &expected)) {
	case CONFIG_SET:
		break;
	case CONFIG_SET_UNKNOWN:
		lines_report(l, "there is no %s in [%s]", name, section);
		break;
	case CONFIG_SET_VALUE:
		lines_report(l, "%s: expected %s", name, expected);
		break;
	}
}

void config_init(struct config *c)
{
	*c = (struct config){
		.chooser = true,
		.detach_key = CONFIG_DETACH_KEY_DEFAULT,
		.history_lines = CONFIG_HISTORY_LINES_DEFAULT,
		.history_bytes = HISTORY_BYTES_DEFAULT,
	};
}

void config_parse(struct config *c, const char *text, config_report *on_mistake, void *user)
{
	struct parse p = {
		.lines = { .section = on_section,
			.pair = on_pair,
			.mistake = on_mistake,
			.user = user },
		.config = c,
	};
	lines_read(&p.lines, text);
}

int config_path(char **ret)
{
	char *path = NULL;
	const char *base = getenv("XDG_CONFIG_HOME");
	int n;
	if (base != NULL && base[0] == '/') {
		n = asprintf(&path, "%s/termserv/termserv.conf", base);
	} else {
		const char *home = getenv("HOME");
		if (home == NULL || home[0] != '/') {
			const struct passwd *user = getpwuid(getuid());
			home = user != NULL ? user->pw_dir : NULL;
		}
		if (home == NULL) {
			return -ENOENT;
		}
		n = asprintf(&path, "%s/.config/termserv/termserv.conf", home);
	}
	if (n < 0) {
		return -ENOMEM;
	}
	*ret = path;
	return 0;
}

int config_load(struct config *c, const char *path, config_report *on_mistake, void *user)
{
	AUTO(free) char *text = NULL;
	int r = config_read_file(&text, path, NULL);
	if (r < 0) {
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	}
	config_parse(c, text, on_mistake, user);
	return 0;
}

void config_load_defaults(struct config *c, const char *path)
{
	struct config_files files;
	if (config_files_list(&files, path) < 0) {
		return;
	}
	for (size_t i = 0; i < files.count; i++) {
		AUTO(free) char *text = NULL;
		struct stat info;
		if (config_read_file(&text, files.paths[i], &info) == 0 &&
			config_file_is_safe(&info)) {
			config_parse(c, text, NULL, NULL);
		}
	}
	config_files_done(&files);
}
