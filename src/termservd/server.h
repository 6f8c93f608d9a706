/* termservd at work: holds the control socket and the lock, keeps one broker running, and starts a
 * leader when the broker asks. In system mode it also makes the folders and puts the broker into
 * its account. It never reads a client's byte and decides nothing. */
#pragma once

#include "termservd/account.h"

struct server;

struct server_options {
	const struct account
		*account; /* as which the broker of system mode runs; NULL = user mode */
	const char *runtime_path;
	const char *config_path, *log_path; /* system mode: absolute paths */
	int ready_fd;			    /* told when callers are served; -1 = nobody waits */
};

/* Makes the folder ready, takes the lock, binds the socket. 1 = *ret is the server; 0 = another
 * server has the lock; -errno, and the log says what is wrong. */
int server_new(struct server **ret, const struct server_options *options);

/* Runs until a signal or the broker ends it. 0 or -errno. */
int server_run(struct server *s);
struct server *server_free(struct server *s);
