/* A session as its leader describes it, and the link to that leader. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "broker/timelimit.h"
#include "protocol/link.h"

#define SESSION_NOBODY ((uint32_t)-1) /* the owner of a session whose leader has not spoken yet */

struct broker;
struct leader_link;
struct names_question;
struct operation;

struct session {
	struct broker *broker;
	uint32_t id;
	bool known;		  /* `info` holds what the leader said */
	bool over;		  /* it has ended; about to leave the table */
	int error;		  /* with `over`: why, -errno, where the leader named one */
	bool restoring;		  /* counted in broker->restoring */
	struct link_info info;	  /* the latest */
	struct leader_link *link; /* NULL while the leader is out of reach */
	sd_event_source *relink_timer;
	unsigned relinks; /* attempts to reach the leader again since it last told its state */
	struct timelimit timelimit;
	struct names_question *guest; /* it has left its terminal: is its owner a guest? or NULL */
	struct operation *operation;  /* holds the lock, or NULL */
	TAILQ_ENTRY(session) entry;
};

/* Enters the table; not `known` yet. 0, -EEXIST, or -ENOMEM. */
int session_new(struct session **ret, struct broker *b, uint32_t id);

/* Leaves the table, in silence; whoever holds its lock must have dropped it. Returns NULL. */
struct session *session_free(struct session *s);

/* The session is over, or its leader lost: tells the operation that holds it, logs `why`, frees.
 * `error` is -errno where there is one, else 0. */
void session_over(struct session *s, int error, const char *why);

/* Known sessions only; NULL = none. */
struct session *session_find(const struct broker *b, uint32_t id);
struct session *session_on(
	const struct broker *b, const char *terminal); /* the name that shows it */
struct session *session_by_tty(const struct broker *b, uint64_t tty_device);

bool session_is_active(const struct session *s); /* a terminal shows it */
bool session_is_ending(const struct session *s);

/* Sessions of this uid, those that are being made included. */
size_t session_count_of(const struct broker *b, uid_t uid);

/* How many of them a user may have, by the configuration. */
unsigned session_limit(const struct broker *b);

/* Takes over what the leader says. 0, or -EPROTO: it says what cannot be. */
int session_update(struct session *s, const struct link_info *info);

/* Sends a packet to the leader, descriptors borrowed. 0, -ENOTCONN, or -errno. */
int session_send(
	struct session *s, const struct link_simple *packet, const int *fds, size_t fd_count);
