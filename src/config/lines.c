#include "config/lines.h"

#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 180 /* inih's own limit is 200 with its line end */
#define REPORT_SIZE 512

void lines_report(struct config_lines *l, const char *format, ...)
{
	char text[REPORT_SIZE];
	va_list texts;
	va_start(texts, format);
	(void)vsnprintf(text, sizeof(text), format, texts);
	va_end(texts);
	if (l->mistake != NULL) {
		l->mistake(l->user, l->line, text);
	}
}

bool config_flag(const char *value, bool *ret)
{
	bool yes = strcasecmp(value, "yes") == 0;
	if (!yes && strcasecmp(value, "no") != 0) {
		return false;
	}
	*ret = yes;
	return true;
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct config_lines *l = user;
	if (section[0] == '\0') {
		lines_report(l, "%s stands before the first section", name);
	} else {
		l->pair(l, section, name, value);
	}
	return 1;
}

/* `line` is trimmed on its left and starts with `[`. */
static void take_section(struct config_lines *l, const char *line)
{
	size_t length = strcspn(line + 1, "]");
	if (line[1 + length] != ']' || length > CONFIG_SECTION_MAX) {
		lines_report(l, "the section has no end: %s", line);
		l->skipping = true;
		return;
	}
	memcpy(l->current, line + 1, length);
	l->current[length] = '\0';
	l->skipping = !l->section(l, l->current);
}

static void take_line(struct config_lines *l, const char *line, size_t length)
{
	char text[CONFIG_SECTION_MAX + LINE_MAX_BYTES + 8];
	while (length > 0 && isspace((unsigned char)line[0])) {
		line++;
		length--;
	}
	if (length > LINE_MAX_BYTES) {
		lines_report(l, "the line is too long");
		l->skipping = l->skipping || line[0] == '[';
		return;
	}
	if (length > 0 && line[0] == '[') {
		(void)snprintf(text, sizeof(text), "%.*s", (int)length, line);
		take_section(l, text);
		return;
	}
	if (l->skipping) {
		return; /* said once, with the section */
	}
	if (l->current[0] != '\0') {
		(void)snprintf(text, sizeof(text), "[%s]\n%.*s\n", l->current, (int)length, line);
	} else {
		(void)snprintf(text, sizeof(text), "%.*s\n", (int)length, line);
	}
	if (ini_parse_string(text, on_pair, l) != 0) {
		lines_report(l, "expected `name = value`");
	}
}

void lines_read(struct config_lines *l, const char *text)
{
	l->line = 0;
	l->skipping = false;
	l->current[0] = '\0';
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		l->line++;
		take_line(l, text, length);
		text += length + (text[length] == '\n' ? 1 : 0);
	}
}
