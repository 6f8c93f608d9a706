/* Who may do what: one pure function over the facts, deny by default. Nothing else in the broker
 * decides. Identity is the uid that the kernel gives; a caller without the right to query an
 * object is told that it does not exist. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/error.h"

/* The rights and their bits, as in MS-TSTS; STOP is our own. */
enum right {
	RIGHT_NONE = 0,
	RIGHT_QUERY = 0x001,
	RIGHT_SET = 0x002,
	RIGHT_RESET = 0x004,
	RIGHT_VIRTUAL = 0x008,
	RIGHT_SHADOW = 0x010,
	RIGHT_LOGON = 0x020,
	RIGHT_LOGOFF = 0x040,
	RIGHT_MESSAGE = 0x080,
	RIGHT_CONNECT = 0x100,
	RIGHT_DISCONNECT = 0x200,
	RIGHT_STOP = 0x10000,
};

enum policy_mode {
	POLICY_USER_MODE, /* one user, who owns the server and all that is in it */
	POLICY_SYSTEM_MODE, /* all users of the machine */
};

enum policy_subject {
	POLICY_SERVER,
	POLICY_SESSION,
	POLICY_TERMINAL,
};

struct policy_question {
	enum policy_mode mode;
	uid_t server_owner;
	uid_t caller;
	enum right right; /* one bit */
	enum policy_subject subject;
	bool exists; /* the session or terminal that was asked for is there */
	uid_t owner; /* of that session or terminal; ignored for the server */
};

/* ERROR_NONE = allowed; ERROR_SESSION_NOT_FOUND = there is none, as far as this caller may know;
 * ERROR_ACCESS_DENIED = it may be seen, but not this. */
enum error_code policy_decide(const struct policy_question *question);

/* "CONNECT", for records; "NONE" for no or several bits. Static text. */
const char *policy_right_text(enum right right);
