/* The way to the server: which one, its folder, a connection to its control socket, and calls. The
 * user's own server is started where nobody listens; the system's never is, and whoever listens in
 * its folder is believed only when the kernel says that it is root. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "cli/options.h"
#include "door/tty/registration.h"

#define SERVER_LOG "termservd.log" /* in the runtime folder: what a self-started server says */

struct server {
	char *path;	/* the runtime folder */
	int runtime_fd; /* of it */
	int dialled_fd; /* a connection that the choice has made already; -1 = none */
	bool system;	/* it serves all users */
	struct varlink *link;
};

#define SERVER_NONE ((struct server){ .runtime_fd = -1, .dialled_fd = -1 })

/* Opens the folder of the server that is meant: the one that --runtime-dir or
 * $TERMSERV_RUNTIME_DIR names, whose folder's owner and mode tell what it is; --system's; --user's;
 * else the system's when somebody listens there, else the user's. 0, or -1 and *ret_failure. */
int server_open(struct server *ret, const struct arguments *a, struct failure *ret_failure);
void server_close(struct server *s);

/* Connects; where nobody listens starts a user's server first and waits for it, at most 5 s. 0, or
 * -1 and *ret_failure. */
int server_connect(struct server *s, struct failure *ret_failure);

/* Both of the above. */
int server_reach(struct server *ret, const struct arguments *a, struct failure *ret_failure);

/* A new connection, or -errno (-EPERM: who listens there is not the system's server); starts
 * nothing, does not wait. */
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
