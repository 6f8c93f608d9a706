/* A terminal's standing with the server: its name and secret, the event connection over which it is
 * asked for cables, and the way back when the server was restarted. Never waits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/varlink.h"

#define TERMINAL_NAME_SIZE 40
#define TERMINAL_SECRET_SIZE 128
#define FAILURE_TEXT_SIZE 256

/* Why something could not be done, for a person: foreign text, to be encoded at output. */
struct failure {
	int code; /* enum error_code */
	char text[FAILURE_TEXT_SIZE];
};

void failure_set(struct failure *f, int code, const char *text); /* NULL: the code's own sentence */
void failure_from_errno(struct failure *f, int error);		 /* error negative */

/* From a Varlink error and its parameters (either may be NULL). */
void failure_from_reply(struct failure *f, const char *error, const json_t *parameters);

/* How to reach the server. */
struct attach_server {
	/* A new connection to its control socket, or -errno; does not wait. */
	int (*connect)(void *user);
	/* Nobody listens: start a server, without waiting for it. 0 or -errno. */
	int (*start)(void *user);
	void *user;
};

struct registration {
	struct attach_server server;
	/* What the terminal is: texts owned by the caller. */
	const char *kind, *device, *term, *client;
	bool fixed;

	struct varlink *events; /* NULL while there is no connection */
	bool ready;		/* the server knows us, on this connection */
	bool known;		/* it has known us before: name and secret are set */
	bool stays;		/* the terminal waits for a logon when its session was taken away */
	bool asks;		/* whoever sits there is to say who he is */
	bool asks_never;	/* he is not; with neither, it is the door's to know */
	bool stopped;		/* the server is being ended on purpose */
	bool started;		/* we have started one since it was lost */
	uint64_t next_try;	/* when to connect again, of clock_monotonic_ms() */
	uint64_t lost_at;	/* since when it is looked for */
	char name[TERMINAL_NAME_SIZE];
	char secret[TERMINAL_SECRET_SIZE];
};

enum registration_event {
	REGISTRATION_NONE,
	REGISTRATION_READY,
	REGISTRATION_CABLE,   /* *ret_ticket: a cable is wanted */
	REGISTRATION_STOPPED, /* do not come back */
	REGISTRATION_REFUSED, /* only before it was ever known */
};

void registration_done(struct registration *r);

/* What to poll: -1 and a time, or a descriptor. */
int registration_fd(const struct registration *r);
short registration_poll_events(const struct registration *r);
uint64_t registration_next_try(const struct registration *r); /* UINT64_MAX = none */

/* Connects again when it is time. rows, columns: of the terminal now. */
void registration_tick(struct registration *r, unsigned rows, unsigned columns);

/* Reads what there is, and gives the next event. Call until REGISTRATION_NONE. */
enum registration_event registration_read(
	struct registration *r, int64_t *ret_ticket, struct failure *ret_failure);
