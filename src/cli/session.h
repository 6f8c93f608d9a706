/* The calls that several commands make, and what they say of a connect. */
#pragma once

#include <stdint.h>

#include "cli/server.h"

/* Who the caller is to the server. */
struct caller {
	bool in_session;
	char session[24];  /* the ID in digits */
	char terminal[64]; /* where that session is; "" = nowhere */
};

int session_caller(struct server *server, struct caller *ret, struct failure *ret_failure);

/* ListSessions' answer. filter NULL: all. */
int session_list(
	struct server *server, const char *filter, json_t **ret, struct failure *ret_failure);

/* Connects by message alone (no door), with both lines of /v. session and destination may be NULL,
 * here: the name of the caller's terminal for /v, or "". An exit status. */
int session_connect(struct server *server, const struct arguments *a, const char *session,
	const char *destination, const char *here, int password_fd);
