/* The door's one object, shared by its three files: attach.c (the steps a caller sees), turn.c (one
 * turn of the loop), picture.c (cables and the screen). */
#pragma once

#include "base/buf.h"
#include "base/detachkey.h"
#include "door/tty/attach.h"
#include "door/tty/keys.h"
#include "door/tty/plug.h"
#include "door/tty/rawtty.h"

/* What may wait for the terminal: little, so that a person's Ctrl-C is seen at once. From
 * SCREEN_WAIT_FULL on the cable is not read: the host then skips ahead by itself. */
#define SCREEN_WAIT_MAX (2 * CABLE_PAYLOAD_MAX)
#define SCREEN_WAIT_FULL (4 * 1024)

#define LINE_MAX_BYTES                                                                             \
	1024 /* of a line that a person types; a longer one counts as an empty one                 \
	      */

/* A call under way: most often the request to show a session here. */
struct wish {
	enum { WISH_NONE, WISH_WAITS, WISH_SENT, WISH_GRANTED, WISH_REFUSED } state;
	struct varlink *link;
	const struct attach_call *call;
	json_t *answer; /* WISH_GRANTED */
	unsigned tries;
	uint64_t next_try; /* not before, of clock_monotonic_ms() */
	struct failure failure;
};

struct attach {
	struct rawtty tty;
	int signal_fd;
	struct registration registration;
	struct detach_key detach;
	struct cable_hello hello; /* but for its size */
	char client[CABLE_CLIENT_MAX];
	size_t client_length;
	char address[64]; /* where the person sits */

	struct plug shown, prepared;
	struct keys keys; /* of what is shown */
	uint64_t prepared_until;
	struct varlink *give; /* hands the prepared cable over */
	struct wish wish;
	struct buf screen; /* bytes for the terminal */
	bool begun;	   /* the terminal was told to remember its own title and preferences */

	bool asking; /* lines are wanted */
	bool has_line;
	bool end_of_input;
	char line[LINE_MAX_BYTES + 2];

	int signal;	/* that ended us; 0 = none */
	bool hung_up;	/* the terminal is gone, or another job's */
	bool on_screen; /* a session has come since attach_show() returned last */
	bool is_over;	/* `end` says how the session left */
	struct attach_end end;
	struct failure failure; /* of the registration */
	bool refused;
};

/* turn.c. Waits for whatever comes first, at most until `until` (of clock_monotonic_ms()), and
 * handles it. 0 or -errno (nothing can go on). */
int attach_turn(struct attach *a, uint64_t until);
bool attach_must_leave(const struct attach *a); /* a signal came, or the terminal is gone */

/* picture.c */
void picture_prepare(struct attach *a, int64_t ticket); /* the server wants a cable */
void picture_drop_prepared(struct attach *a);
void picture_read_prepared(struct attach *a);
void picture_read_shown(struct attach *a);
void picture_over(struct attach *a, enum attach_how how); /* the session leaves: `end` */
void picture_flush(struct attach *a);			  /* to the terminal, as far as it takes */
void picture_size_changed(struct attach *a);
void picture_input(struct attach *a);  /* keys were pressed, for the door to read */
void picture_detach(struct attach *a); /* the detach key was */
void picture_undo(struct attach *a);   /* what was set is undone, the terminal's mode as it was */
