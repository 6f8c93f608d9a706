/* Each line goes to inih alone, behind its section's header, so that every mistake is known by its
 * own line and none hides another. */
#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#define LINE_MAX_BYTES 180 /* inih's own limit is 200 with its line end */
#define SECTION_MAX 50	   /* inih's own limit on names */
#define HISTORY_BYTES_DEFAULT (4u * 1024 * 1024)
#define HISTORY_BYTES_MAX (256u * 1024 * 1024)

struct parse {
	struct config *config;
	config_report *report;
	void *user;
	unsigned line;
	char section[SECTION_MAX + 1];
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

/* Sorted. */
static const struct key keys[] = {
	{ "session", "history-size", set_history_size, "bytes, with K or M behind, at most 256M" },
	{ "session", "shell", set_shell, "the full path of a program" },
	{ "terminal", "detach-key", set_detach_key,
		"ctrl- and a key, as ctrl-], or off; not Tab, Enter, Escape or Ctrl-J" },
	{ "terminal", "history-lines", set_history_lines, "a number of lines up to 1000000" },
};

static void report(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void report(struct parse *p, const char *format, ...)
{
	char text[512];
	va_list texts;
	va_start(texts, format);
	(void)vsnprintf(text, sizeof(text), format, texts);
	va_end(texts);
	if (p->report != NULL) {
		p->report(p->user, p->line, text);
	}
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) {
			if (!keys[i].set(p->config, value)) {
				report(p, "%s: expected %s", name, keys[i].expected);
			}
			return 1;
		}
	}
	if (section[0] == '\0') {
		report(p, "%s stands before the first section", name);
	} else {
		report(p, "there is no %s in [%s]", name, section);
	}
	return 1;
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) == 0) {
			return true;
		}
	}
	return false;
}

/* `line` is trimmed on its left and starts with `[`. */
static void take_section(struct parse *p, const char *line)
{
	size_t length = strcspn(line + 1, "]");
	if (line[1 + length] != ']' || length > SECTION_MAX) {
		report(p, "the section has no end: %s", line);
		return;
	}
	memcpy(p->section, line + 1, length);
	p->section[length] = '\0';
	if (!section_known(p->section)) {
		report(p, "there is no section [%s]", p->section);
	}
}

static void take_line(struct parse *p, const char *line, size_t length)
{
	char text[SECTION_MAX + LINE_MAX_BYTES + 8];
	while (length > 0 && isspace((unsigned char)line[0])) {
		line++;
		length--;
	}
	if (length > LINE_MAX_BYTES) {
		report(p, "the line is too long");
		return;
	}
	if (length > 0 && line[0] == '[') {
		(void)snprintf(text, sizeof(text), "%.*s", (int)length, line);
		take_section(p, text);
		return;
	}
	if (p->section[0] != '\0' && !section_known(p->section)) {
		return; /* said once, with the section */
	}
	if (p->section[0] != '\0') {
		(void)snprintf(text, sizeof(text), "[%s]\n%.*s\n", p->section, (int)length, line);
	} else {
		(void)snprintf(text, sizeof(text), "%.*s\n", (int)length, line);
	}
	if (ini_parse_string(text, on_pair, p) != 0) {
		report(p, "expected `name = value`");
	}
}

void config_init(struct config *c)
{
	*c = (struct config){
		.detach_key = CONFIG_DETACH_KEY_DEFAULT,
		.history_lines = CONFIG_HISTORY_LINES_DEFAULT,
		.history_bytes = HISTORY_BYTES_DEFAULT,
	};
}

void config_parse(struct config *c, const char *text, config_report *on_mistake, void *user)
{
	struct parse p = { .config = c, .report = on_mistake, .user = user };
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		p.line++;
		take_line(&p, text, length);
		text += length + (text[length] == '\n' ? 1 : 0);
	}
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
	AUTO(free) char *text = malloc(CONFIG_FILE_MAX + 1);
	if (text == NULL) {
		return -ENOMEM;
	}
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	size_t length = 0;
	while (length <= CONFIG_FILE_MAX) {
		ssize_t n = read(fd, text + length, CONFIG_FILE_MAX + 1 - length);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			break;
		}
		length += (size_t)n;
	}
	if (length > CONFIG_FILE_MAX) {
		return -EFBIG;
	}
	text[length] = '\0';
	config_parse(c, text, on_mistake, user);
	return 0;
}
