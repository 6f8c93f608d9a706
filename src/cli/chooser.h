/* The list from which a person chooses a disconnected session, a new one, or none. A session's
 * number in it is its ID: there is only one number to know a session by. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum choice_kind {
	CHOICE_NONSENSE, /* ask again */
	CHOICE_SESSION,
	CHOICE_NEW,
	CHOICE_QUIT,
};

struct choice {
	enum choice_kind kind;
	char session[24]; /* the ID, in digits */
};

/* How many of these sessions (ListSessions) are disconnected; *ret_only (may be NULL) becomes the
 * ID of the last of them. */
size_t chooser_count(const json_t *sessions, struct choice *ret_only);

/* Any of them, disconnected or not: whether there is one, and *ret. */
bool chooser_any(const json_t *sessions, struct choice *ret);

void chooser_print(FILE *out, const json_t *sessions);

/* What a line means: an ID of the list, `n`, `q`; case and blanks around do not matter. */
struct choice chooser_parse(const json_t *sessions, const char *line);
