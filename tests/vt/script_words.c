#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

void script_fail(struct script *s, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "%s:%u: %s: ", s->path, s->line, s->name);
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	s->failures++;
}

unsigned script_number(struct script *s, const struct script_line *l, size_t word)
{
	if (word >= l->count || !isdigit((unsigned char)l->words[word].text[0])) {
		script_fail(s, "word %zu should be a number", word);
		return 0;
	}
	return (unsigned)strtoul(l->words[word].text, NULL, 0);
}

static void put(struct script_word *w, unsigned byte)
{
	if (w->length + 1 < sizeof(w->text)) {
		w->text[w->length++] = (char)byte;
		w->text[w->length] = '\0';
	}
}

static void put_point(struct script_word *w, unsigned long point)
{
	if (point < 0x80) {
		put(w, (unsigned)point);
	} else if (point < 0x800) {
		put(w, 0xc0 | (unsigned)(point >> 6));
		put(w, 0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		put(w, 0xe0 | (unsigned)(point >> 12));
		put(w, 0x80 | (point >> 6 & 0x3f));
		put(w, 0x80 | (point & 0x3f));
	} else {
		put(w, 0xf0 | (unsigned)(point >> 18));
		put(w, 0x80 | (point >> 12 & 0x3f));
		put(w, 0x80 | (point >> 6 & 0x3f));
		put(w, 0x80 | (point & 0x3f));
	}
}

/* The escape behind a backslash. Returns what follows it, NULL = unknown. */
static const char *escape(struct script_word *w, const char *p)
{
	static const char plain[] = "e\033r\rn\nt\ta\ab\b\\\\\"\"";
	for (size_t i = 0; i < sizeof(plain) - 1; i += 2) {
		if (plain[i] == *p) {
			put(w, (unsigned char)plain[i + 1]);
			return p + 1;
		}
	}
	char *end = NULL;
	if (*p == 'x' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
		char hex[3] = { p[1], p[2], '\0' };
		put(w, (unsigned)strtoul(hex, NULL, 16));
		return p + 3;
	}
	if (*p == 'u' && p[1] == '{') {
		put_point(w, strtoul(p + 2, &end, 16));
		return *end == '}' ? end + 1 : NULL;
	}
	return NULL;
}

static const char *quoted(struct script_word *w, const char *p)
{
	w->quoted = true;
	while (p != NULL && *p != '"' && *p != '\0') {
		if (*p == '\\') {
			p = escape(w, p + 1);
		} else {
			put(w, (unsigned char)*p++);
		}
	}
	return p != NULL && *p == '"' ? p + 1 : NULL;
}

bool script_split(struct script *s, const char *text, struct script_line *ret)
{
	ret->count = 0;
	const char *p = text;
	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0' || (*p == '#' && ret->count == 0) || ret->count == SCRIPT_WORDS) {
			return true;
		}
		struct script_word *w = &ret->words[ret->count++];
		w->length = 0;
		w->text[0] = '\0';
		w->quoted = false;
		if (*p == '"') {
			p = quoted(w, p + 1);
			if (p == NULL) {
				script_fail(s, "a quoted word with a bad escape or without end");
				return false;
			}
			continue;
		}
		while (*p != '\0' && strchr(" \t\n", *p) == NULL) {
			put(w, (unsigned char)*p++);
		}
	}
}
