/* Reads the text of a configuration line by line. Each line goes to inih alone, behind its
 * section's header, so that every mistake is known by its own line and none hides another. */
#pragma once

#include <stdbool.h>

#define CONFIG_SECTION_MAX 49 /* inih's own limit on names, in bytes */

/* Set up by who reads a text; `line` counts from 1 while it is read. */
struct config_lines {
	/* May sections of this name stand here? False: lines_report() was told, its lines are
	 * skipped. */
	bool (*section)(struct config_lines *l, const char *section);
	void (*pair)(
		struct config_lines *l, const char *section, const char *name, const char *value);
	void (*mistake)(void *user, unsigned line, const char *text); /* may be NULL */
	void *user;						      /* of `mistake` */
	unsigned line;
	bool skipping;
	char current[CONFIG_SECTION_MAX + 1];
};

void lines_read(struct config_lines *l, const char *text); /* NUL-ended */

/* `yes` or `no`, in any case. False: neither. */
bool config_flag(const char *value, bool *ret);

/* A mistake in the present line. */
void lines_report(struct config_lines *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
