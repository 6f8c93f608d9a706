/* One operation on sessions and terminals, from its first packet to its last: connect, create,
 * disconnect, logoff, reset. Embedded as the first member of the operation's own struct.
 *
 * While it runs it holds locks on what it changes: session->operation and terminal->operation
 * point to it, and nobody else may touch those. It always ends: it has a time limit in every state.
 * It must drop its pointers to an object that goes (on_session_gone, on_terminal_gone). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct broker;
struct link_simple;
struct operation;
struct session;
struct terminal;

struct operation_kind {
	const char *name; /* "connect": stands in messages to others who find it busy */
	void (*on_packet)(struct operation *o, struct session *s, const struct link_simple *packet);
	void (*on_info)(struct operation *o, struct session *s);
	void (*on_session_gone)(struct operation *o, struct session *s, const char *why);
	void (*on_terminal_gone)(struct operation *o, struct terminal *t);
	void (*on_time)(struct operation *o); /* the present state's limit is over */
};

struct operation {
	const struct operation_kind *kind;
	struct broker *broker;
	sd_event_source *timer;
	uid_t uid;     /* who asked for it */
	bool answered; /* the caller was told that it is done; only the end is still under way */
	TAILQ_ENTRY(operation) entry;
};

void operation_init(
	struct operation *o, const struct operation_kind *kind, struct broker *b, uid_t uid);

/* Leaves the broker's list and lets parked calls try again. The locks are the owner's to drop. */
void operation_done(struct operation *o);

/* Starts the limit of a new state. 0 or -errno. */
int operation_wait(struct operation *o, unsigned ms);

/* Is there an operation of this uid that was answered and is not yet seen in the tables? */
bool operation_unsettled(const struct broker *b, uid_t uid);
