/* The program `termserv` and its other names: which command is meant. What stands in argv as a
 * password is gone before anything else is done. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/password.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/shell.h"

static bool is_own_name(const char *name)
{
	size_t count;
	const struct command *commands = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		size_t first = strcspn(commands[i].name, " ");
		if ((strlen(name) == first && strncmp(name, commands[i].name, first) == 0) ||
			(commands[i].alias != NULL && strcmp(commands[i].alias, name) == 0)) {
			return true;
		}
	}
	return false;
}

/* Options that say which server may stand before the command: they are moved behind its name. */
static const struct command *choose(char **argv, char ***ret_rest)
{
	char **at = argv;
	size_t options = 0;
	while (*at != NULL && strncmp(*at, "--", 2) == 0 && strcmp(*at, "--help") != 0) {
		size_t used = strcmp(*at, "--runtime-dir") == 0 && at[1] != NULL ? 2 : 1;
		at += used;
		options += used;
	}
	char **behind = at;
	const struct command *c = command_find(&behind);
	if (c != NULL) {
		memmove(behind - options, argv, options * sizeof(*argv));
		*ret_rest = behind - options;
	}
	return c;
}

static bool asks_for_help(const char *word)
{
	return word != NULL &&
	       (strcmp(word, "/?") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0);
}

static int unknown(char **argv)
{
	if (asks_for_help(argv[0])) {
		command_help(stdout, NULL);
		return EXIT_OK;
	}
	if (argv[0] != NULL && strcmp(argv[0], "--version") == 0) {
		return cmd_version(NULL, NULL);
	}
	if (argv[0] != NULL && command_family(asks_for_help(argv[1]) ? stdout : stderr, argv[0])) {
		return asks_for_help(argv[1]) ? EXIT_OK : EXIT_USAGE;
	}
	if (argv[0] != NULL) {
		report_line(stderr, "There is no command %s.", argv[0]);
	}
	command_help(stderr, NULL);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 1) {
		return EXIT_USAGE;
	}
	password_take_from(argv + 1);
	char *logon[] = { (char *)"logon", NULL };
	char **words = argv + 1;
	char *name = basename(argv[0]);
	if (is_own_name(name)) {
		argv[0] = name;
		words = argv;
	} else if (shell_is_own_name(name)) {
		shell_stand_aside(argv);
		words = logon;
	}
	char **rest = NULL;
	const struct command *c = choose(words, &rest);
	if (c == NULL) {
		return unknown(words);
	}
	struct arguments a;
	AUTO(free) char *problem = NULL;
	if (options_parse(&a, &c->syntax, rest, &problem) < 0) {
		return command_usage(c, problem);
	}
	if (a.values[OPTION_HELP] != NULL) {
		command_help(stdout, c);
		return EXIT_OK;
	}
	int status = a.values[OPTION_SERVER] != NULL ? remote_run(c, &a) : c->run(c, &a);
	password_forget();
	if (fflush(stdout) != 0) {
		return EXIT_FAILED;
	}
	return status;
}
