/* What termservd starts a leader with. The descriptors are the leader's from here on; the texts
 * come from a door and are data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARGUMENTS_NOBODY ((uint32_t)-1)

struct arguments {
	uint32_t session;
	uint32_t broker_uid; /* the broker's account */
	bool owner_said;
	uint32_t owner; /* whose session the broker has counted and decided on, when it said so;
			   ARGUMENTS_NOBODY: a user who does not exist or may not */
	int runtime_fd;
	int link_fd;	      /* to the broker */
	int proof_fd;	      /* the far end of the socket pair of who asks for the session */
	bool system;	      /* all users of a machine, as root; else the user's own */
	const char *listener; /* where the session comes in: "ssh", "tty", "console" */
	const char *terminal; /* the terminal that asks; may be empty */
	const char *client;   /* where its user sits; may be empty */
	char **argv;	      /* main()'s own, which these texts lie in */
};

/* False: not what termservd starts a leader with, and the reader was told so on stderr. */
bool arguments_read(struct arguments *ret, int argc, char **argv);
