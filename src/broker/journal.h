/* The system's journal, spoken to by its native protocol and without ever waiting: a record that it
 * does not take at once is lost to it (audit.log has it). */
#pragma once

#include <jansson.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum journal_priority { JOURNAL_WARNING = 4, JOURNAL_INFO = 6 }; /* as syslog has them */

struct journal {
	const char *path; /* of its socket */
	int fd;		  /* -1 = not connected */
};

#define JOURNAL_INIT(socket_path) ((struct journal){ (socket_path), -1 })

/* Sends `message` (one line) with the members of `record` as fields: "askedSession" becomes
 * TERMSERV_ASKED_SESSION. The texts in it must be free of control characters. Nothing happens where
 * there is no journal. */
void journal_send(struct journal *j, enum journal_priority priority, const char *message,
	const json_t *record);
void journal_done(struct journal *j);
