/* A broker in one process with all whom it talks to: termservd, leaders, doors and callers are
 * played by the test over real sockets, and the broker's loop runs whenever the test waits. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fd.h"
#include "broker/broker.h"
#include "protocol/link.h"
#include "protocol/varlink.h"

struct rig {
	struct broker *broker;
	enum policy_mode mode;
	const char *config; /* of a system's server; borrowed */
	char folder[64];
	int runtime_fd;
	int parent_fd; /* termservd's end */
};

struct rig_leader {
	struct rig *rig;
	int fd;
	struct link_info info; /* what it says about itself */
};

struct rig_peer {
	struct rig *rig;
	struct varlink *v;
};

/* A door: its OpenTerminal connection, what it was told, and the ticket that waits. */
struct rig_door {
	struct rig_peer peer;
	char name[LINK_NAME_SIZE];
	char secret[64];
	int64_t ticket;
	uid_t uid;
};

/* Whom the configuration of a test may name. */
enum { ALICE = 3000000, BOB, CAROL, MALLORY, DAVE, DOOR = 50 };
static const struct {
	const char *name;
	uid_t uid;
} rig_users[] = { { "root", 0 }, { "alice", ALICE }, { "bob", BOB }, { "carol", CAROL },
	{ "mallory", MALLORY }, { "dave", DAVE }, { "door", DOOR }, { "nobody", 65534 },
	{ "daemon", 1 } };

/* Every wait is over after 60 ms. */
#define RIG_SHORT_LIMITS                                                                           \
	((struct limits){ 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 5, 60, 60, 60, 60 })

void rig_start(struct rig *r, const struct limits *limits); /* NULL = the broker's own */
/* For all users, with this configuration (the text of its file). Callers have the uid that
 * rig_caller_as() gives; false: the test does not run as root and cannot play several users. */
bool rig_start_system(struct rig *r, const struct limits *limits, const char *config);
void rig_restart(struct rig *r); /* the broker dies; a new one comes */
void rig_stop(struct rig *r);
/* As a test's last step: nothing is left under way; and rig_stop(). Does nothing where the rig was
 * not started. */
void rig_end(struct rig *r);

/* Only root can play several users: others skip the test. */
#define RIG_NEEDS_ROOT(r)                                                                          \
	do {                                                                                       \
		if ((r)->broker == NULL) {                                                         \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

void rig_turn(struct rig *r);	/* one round of the loop, at most 5 ms */
void rig_settle(struct rig *r); /* until the broker has nothing to do just now */

/* The device of the test's own controlling tty: a session with this tty is the caller's own. */
uint64_t rig_own_tty(void);

/* A session that is there already, on `terminal` ("" = disconnected). Its leader is linked. */
struct rig_leader rig_session(struct rig *r, uint32_t id, const char *terminal);
struct rig_leader rig_session_of(struct rig *r, uid_t owner, uint32_t id, const char *terminal);
void rig_leader_says(struct rig_leader *l); /* sends its info */
void rig_leader_sends(struct rig_leader *l, enum link_type type, uint32_t serial, int error);
void rig_leader_moves(struct rig_leader *l, const char *terminal); /* and says so */

/* The next packet to this leader, which must be of this type. */
struct link_simple rig_leader_gets(struct rig_leader *l, enum link_type type);
struct link_simple rig_leader_gets_fd(struct rig_leader *l, enum link_type type, int *ret_fd);
bool rig_leader_gets_nothing(struct rig_leader *l);
void rig_leader_dies(struct rig_leader *l);

struct rig_peer rig_caller(struct rig *r);
struct rig_peer rig_caller_as(struct rig *r, uid_t uid);
void rig_leave(struct rig_peer *p);
void rig_ask(struct rig_peer *p, const char *method, json_t *parameters);
void rig_ask_full(struct rig_peer *p, const char *method, json_t *parameters, bool more, int fd);
json_t *rig_message(struct rig_peer *p); /* the next whole message */
json_t *rig_answer(struct rig_peer *p);	 /* the parameters of a good answer */
int rig_refusal(struct rig_peer *p);	 /* the code of an error */
json_t *rig_call(struct rig *r, const char *method, json_t *parameters);  /* a caller of its own */
int rig_call_code(struct rig *r, const char *method, json_t *parameters); /* 0 = it worked */
bool rig_silent(struct rig_peer *p); /* nothing came, and nothing will at present */
bool rig_closed(struct rig_peer *p); /* the broker has hung up */

struct rig_door rig_door(struct rig *r, const char *name); /* NULL = one is given */
struct rig_door rig_door_as(struct rig *r, uid_t uid, const char *name);
/* The door of the terminal that this session is on already, as after a restart of the broker. */
struct rig_door rig_door_back(struct rig *r, struct rig_leader *l, const char *name);
/* A caller with a connect under way. */
struct rig_asking {
	struct rig_peer peer;
	int warrant_fd; /* our end of the warrant; -1 = none */
};

enum rig_with { RIG_NO_WARRANT, RIG_WARRANT, RIG_PASSWORD };

struct rig_asking rig_ask_connect(
	struct rig *r, uid_t uid, const char *session, const char *destination, enum rig_with with);
void rig_asking_done(struct rig_asking *a);

/* The leader is shown the warrant and answers. */
struct link_simple rig_leader_warrants(struct rig_leader *l, int error);

/* From the door's cable to the end; `notice` is part of what the broker lets the session show
 * first, or NULL. The LINK_COMMIT. */
struct link_simple rig_connect_noticed(
	struct rig_asking *a, struct rig_leader *l, struct rig_door *d, const char *notice);
struct link_simple rig_connect_done(struct rig_asking *a, struct rig_leader *l, struct rig_door *d);

void rig_door_waits_for_cable(struct rig_door *d);
int rig_door_gives(struct rig_door *d); /* the code of the answer, 0 = taken */
