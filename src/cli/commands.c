/* The table of commands. */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "cli/command.h"

#define BIT OPTION_BIT
#define WHICH_SERVER (BIT(OPTION_RUNTIME_DIR) | BIT(OPTION_SYSTEM) | BIT(OPTION_USER))
#define COMMON (WHICH_SERVER | BIT(OPTION_HELP) | BIT(OPTION_SERVER))
#define ACTION (COMMON | BIT(OPTION_VERBOSE))

/* Sorted. */
static const struct command commands[] = {
	{ "call", NULL, "METHOD [JSON]", "call a method of the server's interface", NEEDS_SERVER,
		{ COMMON, 1, 2, false }, cmd_call },
	{ "check-config", NULL, "[FILE]", "say what is wrong in the server's configuration",
		NEEDS_NOTHING, { BIT(OPTION_HELP), 0, 1, false, true }, cmd_check_config },
	{ "connect", "tscon",
		"[sessionID | sessionname] [/password:*] [/server:name] [/dest:sessionname] [/v]",
		"show a session on this terminal, or on another", NEEDS_SERVER,
		{ ACTION | BIT(OPTION_DEST) | BIT(OPTION_PASSWORD) | BIT(OPTION_PASSWORD_FD), 0, 1,
			false },
		cmd_connect },
	{ "disconn", "tsdiscon", "[sessionID | sessionname] [/server:name] [/v]",
		"take a session off its terminal; its programs go on", NEEDS_SERVER,
		{ ACTION, 0, 1, false }, cmd_disconn },
	{ "env", NULL, "", "print what the present terminal brings, for a shell to take over",
		NEEDS_SERVER, { COMMON, 0, 0, false }, cmd_env },
	{ "help", NULL, "[command]", "say what there is", NEEDS_NOTHING,
		{ BIT(OPTION_HELP) | BIT(OPTION_COMPLETION), 0, 2, false }, cmd_help },
	{ "logoff", NULL, "[sessionID | sessionname] [/server:name] [/v]",
		"end a session and its programs", NEEDS_SERVER, { ACTION, 0, 1, false },
		cmd_logoff },
	{ "logon", NULL,
		"[--new] [--detached] [--size COLSxROWS] [--terminal NAME] [-- COMMAND...]",
		"make this a terminal of the server and show a session on it", NEEDS_SERVER,
		{ ACTION | BIT(OPTION_DETACHED) | BIT(OPTION_NEW) | BIT(OPTION_SIZE) |
				BIT(OPTION_TERMINAL),
			0, 0, true },
		cmd_logon },
	{ "query audit", NULL, "[username] [/server:name] [--lines=N] [--json]",
		"list who did what to which session", NEEDS_SERVER,
		{ COMMON | BIT(OPTION_JSON) | BIT(OPTION_LINES), 0, 1, false }, cmd_query_audit },
	{ "query permission", NULL, "[username] [/server:name] [--json]",
		"list who may do what, and by which line of the configuration", NEEDS_SERVER,
		{ COMMON | BIT(OPTION_JSON), 0, 1, false }, cmd_query_permission },
	{ "query session", "qwinsta",
		"[sessionname | username | sessionID] [/server:name] [/mode] [/flow] [/connect] "
		"[/counter] [--json] [--watch] [/v]",
		"list the sessions", NEEDS_SERVER,
		{ ACTION | BIT(OPTION_CONNECT) | BIT(OPTION_COUNTER) | BIT(OPTION_FLOW) |
				BIT(OPTION_JSON) | BIT(OPTION_MODE) | BIT(OPTION_WATCH),
			0, 1, false },
		cmd_query_session },
	{ "query user", "quser",
		"[username | sessionname | sessionID] [/server:name] [--json] [--watch]",
		"list who is logged on, and for how long idle", NEEDS_SERVER,
		{ COMMON | BIT(OPTION_JSON) | BIT(OPTION_WATCH), 0, 1, false }, cmd_query_user },
	{ "reset session", "rwinsta", "{sessionID | sessionname} [/server:name] [/v]",
		"end a session at once, whatever its programs do", NEEDS_SERVER,
		{ ACTION, 1, 1, false }, cmd_reset_session },
	{ "stop", NULL, "[--force]", "end the server and every session", NEEDS_NOTHING,
		{ ACTION | BIT(OPTION_FORCE), 0, 0, false }, cmd_stop },
	{ "version", NULL, "", "print the version", NEEDS_NOTHING,
		{ BIT(OPTION_HELP), 0, 0, false }, cmd_version },
};

const struct command *command_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(commands);
	return commands;
}

/* How many of the words at argv are this row's name: 0, 1 or 2. */
static size_t words_of(const struct command *c, char **argv)
{
	if (strcasecmp(c->name, argv[0]) == 0 ||
		(c->alias != NULL && strcasecmp(c->alias, argv[0]) == 0)) {
		return 1;
	}
	const char *second = strchr(c->name, ' ');
	size_t first = second != NULL ? (size_t)(second - c->name) : 0;
	if (second != NULL && argv[1] != NULL && strlen(argv[0]) == first &&
		strncasecmp(c->name, argv[0], first) == 0 && strcasecmp(second + 1, argv[1]) == 0) {
		return 2;
	}
	return 0;
}

const struct command *command_find(char ***argv)
{
	for (size_t i = 0; (*argv)[0] != NULL && i < ARRAY_SIZE(commands); i++) {
		size_t words = words_of(&commands[i], *argv);
		if (words > 0) {
			*argv += words;
			return &commands[i];
		}
	}
	return NULL;
}
