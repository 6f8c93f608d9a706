/* A new session as this caller would have it: its environment, folder, size and program. */
#pragma once

#include <stdint.h>

#include "cli/options.h"
#include "cli/server.h"
#include "cli/warrant.h"
#include "config/user_config.h"
#include "door/tty/attach.h"

/* How long a session's program waits for its first terminal, so that it sees the right size. */
#define LAUNCH_WAIT_MS 5000

struct launch {
	uint16_t rows, columns;
	uint32_t wait_ms; /* 0: no terminal will come */
	char **command;	  /* NULL-ended; NULL or empty: the shell */
	const struct config *config;
	const char *runtime_dir; /* for the session's commands; NULL: they find it by themselves */
	const char *user;	 /* whose session; NULL: the caller's own */
	struct warrant_maker *maker;
};

/* Asks the server for a session, through the door where attach is not NULL. ATTACH_DONE and
 * *ret_id, and where ret_answer is not NULL the whole answer (the caller's); or what else came. */
enum attach_step launch_session(struct server *server, struct attach *attach,
	const struct launch *launch, uint32_t *ret_id, json_t **ret_answer,
	struct failure *ret_failure);

/* `COLSxROWS`, 1-4096 each. 0 or -EINVAL. */
int launch_size(uint16_t *ret_rows, uint16_t *ret_columns, const char *text);

/* Whether a variable of the caller's belongs to its terminal or to itself, and not to a session. */
bool launch_leaves(const char *variable);

/* PATH with `folder` at its end, unless it is in it (owned by the caller; NULL without memory). */
char *launch_path(const char *path, const char *folder);
