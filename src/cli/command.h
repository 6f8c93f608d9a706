/* What a command is: one row in the table of commands.c, from which help, completion and synopsis
 * come.
 */
#pragma once

#include <stdio.h>

#include "cli/options.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

enum needs {
	NEEDS_NOTHING,
	NEEDS_SERVER, /* starts one where none runs */
};

struct command {
	const char *name;     /* behind `termserv`; one or two words */
	const char *alias;    /* a ts-name, or NULL */
	const char *synopsis; /* what stands behind the name */
	const char *help;     /* one line */
	enum needs needs;
	struct syntax syntax;
	int (*run)(const struct command *c, const struct arguments *a); /* an exit status */
};

/* The table, sorted by name. */
const struct command *command_table(size_t *ret_count);

/* Finds the row that the words at *argv begin with, and leaves *argv behind them; NULL = none. */
const struct command *command_find(char ***argv);

/* The option's own rules are broken: says so and gives the synopsis, on stderr. EXIT_USAGE. */
int command_usage(const struct command *c, const char *problem);

/* One `Usage:` line. */
void command_synopsis(FILE *out, const struct command *c);

/* One line for each command of two words that begins with this one (`query`). Whether there is one.
 */
bool command_family(FILE *out, const char *first);

/* Everything about one command, or (c NULL) one line about each. */
void command_help(FILE *out, const struct command *c);

int cmd_call(const struct command *c, const struct arguments *a);
int cmd_check_config(const struct command *c, const struct arguments *a);
int cmd_connect(const struct command *c, const struct arguments *a);
int cmd_disconn(const struct command *c, const struct arguments *a);
int cmd_env(const struct command *c, const struct arguments *a);
int cmd_help(const struct command *c, const struct arguments *a);
int cmd_logoff(const struct command *c, const struct arguments *a);
int cmd_logon(const struct command *c, const struct arguments *a);
int cmd_query_audit(const struct command *c, const struct arguments *a);
int cmd_query_permission(const struct command *c, const struct arguments *a);
int cmd_query_session(const struct command *c, const struct arguments *a);
int cmd_query_user(const struct command *c, const struct arguments *a);
int cmd_reset_session(const struct command *c, const struct arguments *a);
int cmd_stop(const struct command *c, const struct arguments *a);
int cmd_version(const struct command *c, const struct arguments *a);
