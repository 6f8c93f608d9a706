/* What a person reads: the two lines of a failure, the two lines of /v, single lines. Every foreign
 * text is made harmless here. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "door/tty/registration.h"

#define REPORT_SUBJECT_SIZE 320

/* A line, its texts encoded. */
void report_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "sessionID 12", "sessionname TERM05", or "this session" for NULL; encoded. Returns text. */
char *report_subject(char text[static REPORT_SUBJECT_SIZE], const char *session);

/* `Could not <what>, Error code N` and `Error [N]: ...` on stderr. EXIT_FAILED. */
int report_failure(const struct failure *f, const char *what, ...)
	__attribute__((format(printf, 2, 3)));

/* One line on stdout when /v was given. */
void report_verbose(const struct arguments *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
