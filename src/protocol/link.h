/* The inner links: termservd <-> broker, broker <-> leader, leader <-> host.
 *
 * One fixed struct a packet over SOCK_SEQPACKET, descriptors with the packet, host byte order, all
 * on one machine. The three links share one list of messages so that a leader can hand on what it
 * has checked without translating. Versions: `version` is the first field of every packet. A peer
 * with another version gets LINK_REFUSED with a text and is dropped; it is never left waiting.
 * Fields are only ever added by a new version; numbers are never reused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"

#define LINK_VERSION 2
#define LINK_NAME_SIZE 40  /* a terminal's name: 32 characters, NUL, room */
#define LINK_TEXT_SIZE 256 /* a command, a notice, a reason */
#define LINK_SHORT_SIZE 64 /* a terminal type, an address, a tty's path */
#define LINK_TOKEN_SIZE                                                                            \
	16 /* the secret by which a terminal proves that it is the one that was plugged */

enum link_type {
	LINK_REFUSED = 1, /* either way: text says why; the link closes */

	/* termservd <-> broker */
	LINK_SPAWN = 10,   /* broker asks: start a leader. fds: [its link to the broker, the maker's
			      socket] */
	LINK_SPAWNED = 11, /* answer: error 0 or -errno */
	LINK_STOP = 12,	   /* broker: all sessions are gone, end the server */

	/* broker <-> leader; a leader accepts one broker at a time, the newest wins */
	LINK_HELLO =
		20, /* broker: who are you? The leader answers LINK_INFO; it may come at any time */
	LINK_INFO =
		21, /* leader, host: the whole truth about the session; again after each change */
	LINK_PLUG = 22,	  /* prepare this cable. fds: [the cable's end]. Answered by LINK_READY */
	LINK_READY = 23,  /* error 0: the cable is good and waits for LINK_COMMIT; else -errno,
			     nothing changed */
	LINK_COMMIT = 24, /* swap now: the former viewer goes, the session is painted. Answered by
			     LINK_PLUGGED */
	LINK_ABORT = 25,  /* forget the prepared cable */
	LINK_PLUGGED =
		26, /* error 0: the session is on this terminal; else -errno, it is where it was */
	LINK_UNPLUG = 27,    /* drop the viewer on this terminal; `text` is shown there. Answered by
				LINK_UNPLUGGED */
	LINK_UNPLUGGED = 28, /* error 0, or -ENOTCONN: that terminal does not show this session */
	LINK_LOGOFF = 29,  /* end: SIGHUP, then SIGKILL after a grace period. LINK_ENDED follows */
	LINK_RESET = 30,   /* end at once: SIGKILL. LINK_ENDED follows */
	LINK_ENDED = 31,   /* leader, host: the session is over; `text` says how, status is a wait
			      status */
	LINK_WARRANT = 32, /* may this caller have the session? fds: [the warrant, see warrant.h].
			      Answered by LINK_WARRANTED; what it allows is good for the next
			      LINK_PLUG, once, for WARRANT_GRANT_MS */
	LINK_WARRANTED = 33, /* leader: error 0: yes, and `uid` made it; -EKEYREJECTED: no or a
				wrong password; -EKEYREVOKED: the account may not; -EACCES: it is
				for something else; -ETIME: nobody answered */

	LINK_NOTICE = 34, /* broker: `text` is shown on the session's terminal for a while, over
			     what the program shows there and without touching it; where a terminal
			     is prepared, in its first picture; with LINK_NOTICE_LATER, when a
			     LINK_COMMIT says so. Not answered */

	/* leader -> host only */
	LINK_START = 40, /* the session: fds: [the spec, the session's own folder]. Answered by
			    LINK_INFO */
};

/* The session's state, numbered as MS-TSTS 2.2.1.9 does. */
enum session_state {
	SESSION_ACTIVE = 0,
	SESSION_CONNECTED = 1,
	SESSION_CONNECT_QUERY = 2,
	SESSION_SHADOW = 3,
	SESSION_DISCONNECTED = 4,
	SESSION_IDLE = 5,
	SESSION_LISTEN = 6,
	SESSION_RESET = 7,
	SESSION_DOWN = 8,
	SESSION_INIT = 9,
};

const char *session_state_text(
	enum session_state state); /* "Active", "Disc", ...; "?" for an unknown number */

/* Why a terminal lost its session: the reason codes of RDP's Set Error Info, used in our notices
 * and records. */
enum link_reason {
	LINK_REASON_NONE = 0,
	LINK_REASON_ADMIN_DISCONNECT = 1, /* another session's disconn */
	LINK_REASON_ADMIN_LOGOFF = 2,
	LINK_REASON_IDLE_LIMIT = 3,
	LINK_REASON_ACTIVE_LIMIT = 4,
	LINK_REASON_TAKEN = 5,		  /* connected to another terminal */
	LINK_REASON_OWN_DISCONNECT = 0xb, /* the user's own disconn, or Ctrl-] three times */
	LINK_REASON_OWN_LOGOFF = 0xc,
	LINK_REASON_DISPLACED = 0x100, /* the terminal was given to another session */
};

#define LINK_FREE_OF_PASSWORD                                                                      \
	1u /* in LINK_WARRANT's flags: no password, if it was root who made it */

#define LINK_NOTICE_LATER                                                                          \
	1u /* in LINK_NOTICE's flags: the leader keeps the newest one, for the session's owner */
#define LINK_COMMIT_NOTICE 1u /* in LINK_COMMIT's flags: shows what was kept, and forgets it */

/* In LINK_START's flags. */
#define LINK_START_SYSTEM 1u  /* the host's own environment is the owner's login */
#define LINK_START_FOREIGN 2u /* the spec is not the owner's: little of it counts */

struct link_header {
	uint16_t version; /* LINK_VERSION */
	uint16_t type;	  /* enum link_type */
	uint32_t
		serial; /* the asker's number, repeated in the answer; 0 in what nobody asked for */
};

/* Everything but LINK_INFO and LINK_SPAWN. Unused fields are zero. */
struct link_simple {
	struct link_header header;
	int32_t error;			/* 0 or -errno */
	uint32_t reason;		/* enum link_reason */
	int32_t status;			/* LINK_ENDED: as waitpid() gives it */
	uint32_t session;		/* LINK_START: the id */
	uint8_t token[LINK_TOKEN_SIZE]; /* LINK_PLUG: the terminal's secret */
	char terminal[LINK_NAME_SIZE];	/* LINK_PLUG, LINK_UNPLUG: which terminal */
	char client[LINK_SHORT_SIZE]; /* LINK_PLUG, LINK_WARRANT: where the terminal's user sits, as
					 an address; may be empty */
	char text[LINK_TEXT_SIZE];    /* for a person: a notice, a reason */
	uint32_t uid;	/* LINK_PLUG to the host: who made the cable; LINK_WARRANTED */
	uint32_t flags; /* LINK_WARRANT: LINK_FREE_OF_PASSWORD; LINK_START: LINK_START_;
			   LINK_NOTICE, LINK_COMMIT: see there */
};

struct link_spawn {
	struct link_header header;
	uint32_t session;
	uint32_t uid; /* the owner that the broker believes in; the leader believes the maker's
			 socket */
	char listener[LINK_NAME_SIZE]; /* where the session comes in: "ssh", "tty", "console" */
	char terminal[LINK_NAME_SIZE]; /* the terminal that asks; may be empty */
	char client[LINK_SHORT_SIZE];  /* where that terminal's user sits; may be empty */
};

/* All that a broker must know to take a session over. Times are microseconds since 1970, 0 = never.
 */
struct link_info {
	struct link_header header;
	uint32_t session;
	uint32_t uid;
	uint32_t state;	  /* enum session_state: INIT, ACTIVE, DISCONNECTED, RESET (ending) */
	uint32_t program; /* process id of the session's first program, 0 before it runs */
	uint64_t created;
	uint64_t connected;    /* last time a terminal was plugged */
	uint64_t disconnected; /* last time the last terminal went */
	uint64_t last_input;   /* at most a second old; input only, never output */
	uint64_t tty_device;   /* st_rdev of the pty's slave; 0 before it exists */
	uint64_t model_bytes;  /* what screen model and history weigh; at most 5 s old, as is the
				  next */
	uint64_t history_lines;
	uint16_t rows, columns;
	uint32_t leader;		/* the leader's process id; a host says 0 */
	uint8_t token[LINK_TOKEN_SIZE]; /* of the terminal that shows the session */
	char terminal[LINK_NAME_SIZE];	/* empty when disconnected */
	char client[LINK_SHORT_SIZE];	/* address of that terminal's user */
	char tty[LINK_SHORT_SIZE];	/* path of the pty's slave */
	char term[LINK_SHORT_SIZE];	/* TERM of that terminal */
	char command[LINK_TEXT_SIZE];	/* what was started, as one line */
	char title[LINK_TEXT_SIZE]; /* what the program calls itself: hostile text, encoded only at
				       output */
	char user[LINK_SHORT_SIZE]; /* the owner's name when the session began; empty: the uid has
				       none */
	char listener[LINK_NAME_SIZE]; /* as LINK_SPAWN said */
};

union link_packet {
	struct link_header header;
	struct link_simple simple;
	struct link_spawn spawn;
	struct link_info info;
};

/* Fills in the header; everything else is zero. */
struct link_simple link_make(enum link_type type, uint32_t serial);

/* Copies a text into a field, cut to fit at a character's border, always NUL-ended. `to` must be a
 * char array. */
#define link_set_text(to, from) link_copy_text((to), sizeof(to), (from))
void link_copy_text(char *to, size_t size, const char *from);

/* Sends one packet of the right size for its type, with descriptors (borrowed). 0, -EAGAIN, or
 * -errno. */
int link_send(int fd, const union link_packet *packet, const int *fds, size_t fd_count);
int link_send_simple(int fd, const struct link_simple *message); /* without descriptors */

/* Receives one packet into `ret`, its descriptors into `set`. 1 = a packet, checked: version, type,
 * exact size, every text NUL-ended and its tail zeroed, `error` 0 or -errno (-EBADMSG in the place
 * of any other number). 0 = the peer is gone. -EAGAIN, -EPROTO (bad packet: drop the peer),
 * -EPROTONOSUPPORT (other version: link_refuse(), then drop), or -errno. Descriptors stay with
 * `set` in each case. */
int link_receive(int fd, union link_packet *ret, struct fd_set_received *set);

/* Tells a peer in words why it is dropped; never blocks. */
void link_refuse(int fd, const char *text);
