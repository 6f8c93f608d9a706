#include "protocol/error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Sorted by code. */
static const struct error_row rows[] = {
	{ ERROR_TOO_MANY_OPEN_FILES, "TooManyOpenFiles", "The system cannot open more files." },
	{ ERROR_ACCESS_DENIED, "AccessDenied", "Access is denied." },
	{ ERROR_NOT_ENOUGH_MEMORY, "NotEnoughMemory", "Not enough memory is available." },
	{ ERROR_NOT_SUPPORTED, "NotSupported", "The request is not supported." },
	{ ERROR_INVALID_PARAMETER, "InvalidParameter", "The parameter is incorrect." },
	{ ERROR_DISK_FULL, "DiskFull", "There is not enough space on the disk." },
	{ ERROR_LOGON_FAILURE, "LogonFailure",
		"Logon failure: unknown user name or bad password." },
	{ ERROR_SERVER_UNAVAILABLE, "ServerUnavailable", "The server is unavailable." },
	{ ERROR_INVALID_STATE, "InvalidState", "The session or terminal is not connected." },
	{ ERROR_NAME_INVALID, "NameInvalid", "The session name is invalid." },
	{ ERROR_CLOSE_PENDING, "ClosePending", "A close is pending on the session." },
	{ ERROR_SESSION_NOT_FOUND, "SessionNotFound", "Session not found." },
	{ ERROR_NAME_IN_USE, "NameInUse", "The session name is already in use." },
	{ ERROR_BUSY, "Busy",
		"The session or terminal is busy: a connect, disconnect, reset or delete is in "
		"progress." },
	{ ERROR_SIZE_NOT_SUPPORTED, "SizeNotSupported",
		"The terminal cannot show a session of this size." },
	{ ERROR_CLIENT_NO_ANSWER, "ClientNoAnswer",
		"The terminal failed to respond to the server's connect message." },
	{ ERROR_CONSOLE_DISCONNECT, "ConsoleDisconnect",
		"Disconnecting the console session is not supported." },
	{ ERROR_CONSOLE_RECONNECT, "ConsoleReconnect",
		"Reconnecting a disconnected session to the console is not supported." },
	{ ERROR_REQUEST_DENIED, "RequestDenied", "The request was denied." },
	{ ERROR_TOO_MANY_SESSIONS, "TooManySessions", "All available connections are in use." },
	{ ERROR_LOGONS_DISABLED, "LogonsDisabled", "Logons are currently disabled." },
	{ ERROR_ACCOUNT_RESTRICTION, "AccountRestriction",
		"The account is restricted: it is locked or has expired." },
	{ ERROR_INCOMPATIBLE, "Incompatible",
		"The session is incompatible with the terminal that is to show it." },
};

static const struct error_row *find_code(enum error_code code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code == code) {
			return &rows[i];
		}
	}
	return NULL;
}

const struct error_row *error_by_code(enum error_code code)
{
	const struct error_row *row = find_code(code);
	return row != NULL ? row : find_code(ERROR_NOT_SUPPORTED);
}

const struct error_row *error_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

const struct error_row *error_by_errno(int error)
{
	switch (-error) {
	case EMFILE:
	case ENFILE:
		return error_by_code(ERROR_TOO_MANY_OPEN_FILES);
	case EACCES:
	case EPERM:
		return error_by_code(ERROR_ACCESS_DENIED);
	case ENOSPC:
	case EDQUOT:
		return error_by_code(ERROR_DISK_FULL);
	case EAGAIN: /* fork() at the limit of processes */
	case ENOMEM:
	case ENOBUFS:
		return error_by_code(ERROR_NOT_ENOUGH_MEMORY);
	case ETIMEDOUT:
		return error_by_code(ERROR_CLIENT_NO_ANSWER);
	default:
		return error_by_code(ERROR_INVALID_PARAMETER);
	}
}
