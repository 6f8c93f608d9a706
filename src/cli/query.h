/* What both queries share: the list once, or again after each change. */
#pragma once

#include "cli/server.h"

/* How one kind of query shows a list. */
struct query {
	/* Prints the answer of ListSessions; the number of rows that it has. */
	size_t (*print)(const json_t *answer, const struct arguments *a);
	bool (*wanted)(const json_t *session); /* NULL: all */
	const char *nothing;		       /* "No session exists for %s" without its object */
	bool empty_is_error;		       /* also without an argument */
};

int query_run(const struct query *query, const struct arguments *a); /* an exit status */
