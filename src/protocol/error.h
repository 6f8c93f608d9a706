/* The numbered errors that a person meets: the codes of NT's terminal server, with Varlink names of
 * their own. One table (error.c); the broker answers with a row, the commands print it. */
#pragma once

#include <stdint.h>

enum error_code {
	ERROR_NONE = 0,
	ERROR_TOO_MANY_OPEN_FILES = 4,
	ERROR_ACCESS_DENIED = 5,
	ERROR_NOT_ENOUGH_MEMORY = 8,
	ERROR_NOT_SUPPORTED = 50,
	ERROR_INVALID_PARAMETER = 87,
	ERROR_DISK_FULL = 112,
	ERROR_LOGON_FAILURE = 1326,
	ERROR_SERVER_UNAVAILABLE = 1722,
	ERROR_INVALID_STATE = 5023,
	ERROR_NAME_INVALID = 7001,
	ERROR_CLOSE_PENDING = 7007,
	ERROR_SESSION_NOT_FOUND = 7022,
	ERROR_NAME_IN_USE = 7023,
	ERROR_BUSY = 7024,
	ERROR_SIZE_NOT_SUPPORTED = 7025,
	ERROR_CLIENT_NO_ANSWER = 7040,
	ERROR_CONSOLE_DISCONNECT = 7041,
	ERROR_CONSOLE_RECONNECT = 7042,
	ERROR_REQUEST_DENIED = 7044,
	ERROR_TOO_MANY_SESSIONS = 7054,
	ERROR_LOGONS_DISABLED = 7060,
	ERROR_ACCOUNT_RESTRICTION = 7064,
	ERROR_INCOMPATIBLE = 7069,
};

struct error_row {
	enum error_code code;
	const char *name; /* the Varlink error, without the interface: "SessionNotFound" */
	const char *text; /* the sentence for a person when the broker sends none */
};

/* The row of this code; an unknown code gives the row of ERROR_NOT_SUPPORTED. */
const struct error_row *error_by_code(enum error_code code);

/* The row of this Varlink name (without the interface), or NULL. */
const struct error_row *error_by_name(const char *name);

/* The row that tells a person about a failed system call (a negative errno). */
const struct error_row *error_by_errno(int error);
