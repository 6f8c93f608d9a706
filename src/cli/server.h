/* The way to the server: its folder, a connection to its control socket, starting it where nobody
 * listens, and calls. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "cli/options.h"
#include "door/tty/registration.h"

#define SERVER_LOG "termservd.log" /* in the runtime folder: what a self-started server says */

struct server {
	char *path;	/* the runtime folder */
	int runtime_fd; /* of it */
	struct varlink *link;
};

#define SERVER_NONE ((struct server){ .runtime_fd = -1 })

/* Opens the folder that the options name. 0, or -1 and *ret_failure. */
int server_open(struct server *ret, const struct arguments *a, struct failure *ret_failure);
void server_close(struct server *s);

/* Connects; where nobody listens starts a server first and waits for it, at most 5 s. 0, or -1 and
 * *ret_failure. */
int server_connect(struct server *s, struct failure *ret_failure);

/* Both of the above. */
int server_reach(struct server *ret, const struct arguments *a, struct failure *ret_failure);

/* A new connection, or -errno; starts nothing, does not wait. */
int server_dial(const struct server *s);

/* Starts a server process and does not wait for it. *ret_ready (may be NULL): a pipe that brings a
 * byte when it listens and ends when it went. 0 or -errno. */
int server_start(const struct server *s, int *ret_ready);

/* For the door: this server behind its interface. */
struct attach_server server_for_door(struct server *s);

/* What may be asked again when the server was restarted before it answered. */
enum server_repeat { SERVER_ONCE, SERVER_REPEAT };

/* Calls CONTROL_INTERFACE.method. parameters is consumed; fds borrowed. 0 and *ret (NULL: not
 * wanted), or -1 and *ret_failure. */
int server_call(struct server *s, const char *method, json_t *parameters, const int *fds,
	size_t fd_count, enum server_repeat repeat, json_t **ret, struct failure *ret_failure);

/* A text or JSON's null. */
json_t *server_text(const char *text);

static inline void auto_server_close(struct server *s)
{
	server_close(s);
}
