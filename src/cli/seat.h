/* A person at a tty: opens the door there, lets the person choose, and says how it ended. */
#pragma once

#include "cli/chooser.h"
#include "cli/server.h"
#include "config/user_config.h"
#include "door/tty/attach.h"

#define SEAT_NOTICE_SIZE 600

/* Reads the user's configuration; what is wrong in it is said on stderr with file and line. */
void seat_config(struct config *ret);

/* Opens this tty as a terminal; name NULL: a transient one. */
enum attach_step seat_open(struct attach **ret, struct server *server, const struct config *config,
	const char *name, struct failure *ret_failure);

/* How to ask a question: at a door, or (attach NULL) on standard input. */
enum attach_step seat_ask(struct attach *attach, const char *prompt, char *line, size_t size);

/* Lists the disconnected sessions and asks until the answer is one. ATTACH_DONE and *ret, never
 * CHOICE_NONSENSE; or what came instead. */
enum attach_step seat_choose(struct attach *attach, const json_t *sessions, struct choice *ret);

/* Shows what is on the terminal until it leaves, and says why. The exit status. */
int seat_show(struct server *server, struct attach *attach, struct attach_end *ret);

/* The line that tells the person, "" = none; and the exit status. */
void seat_notice(char text[static SEAT_NOTICE_SIZE], const struct attach_end *end);
int seat_status(const struct attach_end *end);
