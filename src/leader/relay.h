/* Between broker and host: hands on what either says to the other, after the checks that are the
 * leader's, and remembers the truth about the session for the next broker that asks.
 *
 * Always holds: one broker at a time, the newest; an answer goes only to the broker that asked;
 * a cable that a lost broker had prepared is forgotten; nothing blocks, whoever reads slowly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leader/asking.h"
#include "protocol/link.h"
#include "protocol/link_queue.h"

#define RELAY_ASKS_MAX 8 /* questions of the broker that the host has not answered yet */

/* What the broker wants of the whole session; main acts on it. */
enum relay_order { RELAY_NOTHING, RELAY_LOGOFF, RELAY_RESET };

struct relay_ask {
	uint16_t answer; /* the type of the answer; 0 = this place is free */
	uint32_t serial; /* towards the host, our own */
	uint32_t broker_serial;
};

/* A terminal as LINK_PLUG named it. */
struct relay_terminal {
	uint8_t token[LINK_TOKEN_SIZE];
	char name[LINK_NAME_SIZE];
	char client[LINK_SHORT_SIZE];
};

struct relay {
	uint32_t session;
	bool system; /* all users of a machine */
	uid_t owner;
	char user[LINK_SHORT_SIZE];    /* the owner's name; may be empty */
	char listener[LINK_NAME_SIZE]; /* where the session came in */
	uid_t broker_uid;
	uint64_t created;		  /* microseconds since 1970, as the next two */
	uint64_t connected, disconnected; /* 0 = never; what the host says of these is not heard */
	int broker_fd;			  /* -1 = none */
	int host_fd;			  /* -1 = none; the relay's own */
	struct link_queue to_broker;
	struct relay_ask asks[RELAY_ASKS_MAX];
	uint32_t last_serial;
	struct asking asking;		  /* who wants the session, and what was granted */
	struct relay_terminal prepared;	  /* of the newest LINK_PLUG */
	struct relay_terminal committing; /* of the newest LINK_COMMIT */
	uint32_t commit_serial;		  /* of that one, while the host has not answered it */
	struct relay_terminal current;	  /* name empty: none */
	char notice[LINK_TEXT_SIZE];	  /* kept for the owner; empty: none */
	bool notice_shown;		  /* by the commit that the host has not answered */
	struct link_info info;
	char tty_said[LINK_SHORT_SIZE]; /* by the host; system mode */
	char tty[LINK_SHORT_SIZE];	/* the same, if it is a pty of the owner's; else empty */
	uint64_t tty_device;
	bool info_known;      /* the host has spoken: the session exists */
	bool info_due;	      /* the broker is to be sent it */
	uint32_t info_serial; /* of the broker's question, 0 = nobody asked */
	bool ending;
	enum relay_order order;
	struct link_simple ended; /* the host's last words; type 0 = none yet */
};

/* Both descriptors become the relay's; broker_fd may be -1. */
void relay_init(struct relay *r, uint32_t session, int broker_fd, uid_t broker_uid);
void relay_done(struct relay *r);

void relay_set_host(struct relay *r, int host_fd);

/* Readiness. Each does what can be done without waiting. relay_on_listen() returns 0, or -errno
 * when who knocked could not be let in now. relay_on_host() returns 0, 1 when there may be more, or
 * -errno when the host is gone or not to be believed any more (its link is closed). */
int relay_on_listen(struct relay *r, int listen_fd);
void relay_on_broker(struct relay *r, short revents);
int relay_on_host(struct relay *r);
short relay_broker_events(const struct relay *r);

/* The checks of passwords that callers have been asked for: their descriptors and number, when
 * something is to be done (clock_monotonic_ms(), UINT64_MAX = never), and doing it. */
size_t relay_check_fds(const struct relay *r, int ret[static ASKING_MAX]);
uint64_t relay_check_time(const struct relay *r);
void relay_on_check(struct relay *r);

/* The session is ending: the broker is told so, and gets no new cable in. */
void relay_set_ending(struct relay *r);

/* The host is gone: whatever the broker still waits for has failed. */
void relay_host_gone(struct relay *r);

/* Sends the host an order without an answer: LINK_LOGOFF, LINK_RESET. */
void relay_order_host(struct relay *r, enum link_type type, uint32_t reason, const char *text);

/* The last message to the broker; waits up to timeout_ms for room, because nobody comes after us
 * who could send it. */
void relay_send_ended(struct relay *r, const struct link_simple *ended, int timeout_ms);
