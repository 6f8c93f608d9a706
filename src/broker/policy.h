/* Who may do what: one pure function over the facts, deny by default. Nothing else in the broker
 * decides. Identity is the uid that the kernel gives; a caller without the right to query an
 * object is told that it does not exist. The order of what is asked: is it there for this caller,
 * has he the right, do the console's rules allow it, does it need the owner's password. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "config/right.h"
#include "protocol/error.h"

enum policy_mode {
	POLICY_USER_MODE,   /* one user, who owns the server and all that is in it */
	POLICY_SYSTEM_MODE, /* all users of the machine: rights by the configuration */
};

enum policy_subject {
	POLICY_SERVER,
	POLICY_SESSION,
	POLICY_TERMINAL,
};

/* By what something is allowed; for records. */
enum policy_by {
	POLICY_BY_NONE,	    /* it is not */
	POLICY_BY_OWN,	    /* the caller's own */
	POLICY_BY_PASSWORD, /* the owner's password was given: or, with ERROR_LOGON_FAILURE, must be
			     */
	POLICY_BY_POLICY,   /* the configuration grants it */
};

/* The facts. What is not said is false, 0, and the strictest. */
struct policy_question {
	enum right right; /* one bit */
	enum policy_subject subject;
	bool exists; /* the session or terminal that was asked for is there */
	uid_t owner; /* of that session or terminal; ignored for the server */

	/* Who asks. call_decide() fills this in. */
	enum policy_mode mode;
	uid_t server_owner; /* user mode */
	uid_t caller;
	bool administrator;	     /* root always is one */
	unsigned allow, deny;	     /* what the rights of `listener` give this caller */
	bool root_needs_no_password; /* root-connect is notify or free */
	bool console_relaxed;	     /* the console is a terminal like every other */
	bool caller_at_console;	     /* RIGHT_CONNECT: the caller sits in the session shown there */
	bool caller_in_session;	     /* the caller sits in the session that is asked for */
	const char *listener; /* whose rights count: where the session or the terminal came in;
				 NULL: those without a section. Not read by the policy. */

	/* Of the session, and for RIGHT_CONNECT of the terminal that shall show it. */
	bool at_console;	     /* the console shows the session */
	bool disconnected;	     /* no terminal shows it */
	bool destination_is_console; /* it shall be shown on the console */
	bool first_terminal; /* the caller made it by a logon on this terminal, and no terminal
				has shown it yet */
	bool proven;	     /* the session's leader has heard the owner's password */
};

struct policy_answer {
	/* ERROR_NONE = allowed; ERROR_SESSION_NOT_FOUND = there is none, as far as this caller may
	 * know; ERROR_ACCESS_DENIED = it may be seen, but not this; ERROR_CONSOLE_DISCONNECT,
	 * ERROR_CONSOLE_RECONNECT = never with the console; ERROR_LOGON_FAILURE = with the owner's
	 * password (proven) it would be allowed. */
	enum error_code code;
	enum policy_by by;
};

struct policy_answer policy_ask(const struct policy_question *question);

/* The code alone. */
enum error_code policy_decide(const struct policy_question *question);

/* The set of rights that this caller has on what is asked for, whatever right is asked for and
 * before the console's rules and passwords; and (ret_own may be NULL) those of them that he has by
 * being its owner. */
unsigned policy_rights(const struct policy_question *question, unsigned *ret_own);

/* "own", "password", "policy" or "none". */
const char *policy_by_text(enum policy_by by);

/* "CONNECT", for records; "NONE" for no or several bits. Static text. */
const char *policy_right_text(enum right right);
