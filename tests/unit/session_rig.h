/* A real leader with a real host, and the two parts that a test plays itself: the broker at the
 * leader's link, and the door at the other end of a cable. Every wait has a limit; when it passes
 * the test fails and says what it waited for. The programs lie in $TERMSERV_BIN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "protocol/cable.h"
#include "protocol/link.h"
#include "protocol/spec.h"

#define RIG_ID 7
#define RIG_LIMIT_MS 20000

struct rig {
	char folder[64]; /* the runtime folder */
	int runtime_fd;
	int link_fd; /* the broker's end; -1 = the broker is gone */
	pid_t leader;
	struct link_info info;	  /* the newest */
	unsigned infos;		  /* how many have come */
	struct link_simple ended; /* type 0 = not yet */
	uint32_t serial;
	bool host_killed;   /* by the test */
	unsigned fds_limit; /* set before rig_launch(): RLIMIT_NOFILE of the leader; 0 = as it is */
};

/* A terminal. */
struct door {
	int fd;	   /* -1 = closed */
	int lease; /* that came with SCREEN; -1 = none */
	struct buf in;
	struct buf output; /* all that was shown */
	bool welcome, screen, closed;
	bool has_bye;
	struct cable_bye bye;
};

struct rig_terminal {
	const char *name;
	uint16_t rows, columns;
	enum cable_class class;
	uint32_t colours;
	uint32_t history_lines;
	const char *client; /* NAME=VALUE texts, each NUL-ended */
	size_t client_length;
	bool lends; /* its door may lend it: door_lend() */
};

/* An 80x24 xterm with 256 colours. */
struct rig_terminal rig_terminal(const char *name);

/* A session that runs `sh -c script`; wait_ms as in the spec. */
void rig_start(struct rig *r, const char *script, uint32_t wait_ms);
void rig_start_spec(struct rig *r, const struct spec *spec);
/* The two halves of it: an empty runtime folder, and the leader in it. spec NULL: `read x`. */
void rig_prepare(struct rig *r);
void rig_launch(struct rig *r, const struct spec *spec);
void rig_stop(struct rig *r); /* resets the session if it lives, waits for the leader */

/* The next packet of this type (LINK_INFO and LINK_ENDED are kept in the rig on the way). */
union link_packet rig_wait(struct rig *r, enum link_type type);
void rig_next(struct rig *r); /* one packet, whichever comes */
void rig_wait_info(struct rig *r, bool (*good)(const struct link_info *info));
pid_t rig_program(struct rig *r); /* the session's program, once it runs */
void rig_tell(struct rig *r, enum link_type type, const char *terminal, const char *text);

/* Makes a cable and plugs it. What LINK_READY says: 0 or -errno. */
int rig_plug(struct rig *r, struct door *ret, const struct rig_terminal *t);
int rig_plug_cable(struct rig *r, const char *terminal, int cable_fd);
int rig_commit(struct rig *r, const char *text); /* what LINK_PLUGGED says */

/* Plugs and commits; both must work. */
void rig_connect(struct rig *r, struct door *ret, const char *terminal);

/* Both ends of a new cable; hello and client are written into the door's end. */
void door_open(struct door *ret, int *ret_cable_fd, const struct rig_terminal *t);
void door_close(struct door *d);
void door_type(struct door *d, const char *text);
void door_send(struct door *d, enum cable_type type, const void *payload, size_t length);
void door_lend(struct door *d, int fd);		/* fd is borrowed; -1 = a byte without one */
bool door_read(struct door *d, int timeout_ms); /* what is there; false = nothing came */
bool door_has(const struct door *d, const char *text);
void door_wait_text(struct door *d, const char *text);
void door_wait_flag(struct door *d, const bool *flag);

/* Whether this process exists and is no zombie. */
bool rig_alive(pid_t pid);
pid_t rig_parent(pid_t pid);
