/* What the rows say about themselves: help, usage, and the lists that a shell's completion reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/report.h"

void command_synopsis(FILE *out, const struct command *c)
{
	bool own = strcmp(c->name, "connect") == 0 || strcmp(c->name, "disconn") == 0 ||
		   strcmp(c->name, "logoff") == 0 || strncmp(c->name, "query ", 6) == 0;
	(void)fprintf(out, "Usage: %s%s%s%s\n", own ? "" : "termserv ", c->name,
		c->synopsis[0] != '\0' ? " " : "", c->synopsis);
}

/* `/dest:sessionname`, or `--new`: NT's options are the ones that the synopsis spells so. */
static void put_option(FILE *out, const struct command *c, enum option_id id)
{
	const struct option *row = option_row(id);
	char nt[40];
	char spelled[80];
	(void)snprintf(nt, sizeof(nt), "/%s", row->letter == 'v' ? "v" : row->name);
	if (id == OPTION_HELP) {
		(void)snprintf(spelled, sizeof(spelled), "/?, -h, --help");
	} else if (strstr(c->synopsis, nt) != NULL) {
		(void)snprintf(spelled, sizeof(spelled), "%s%s%s, %s--%s%s%s", nt,
			row->value != NULL ? ":" : "", row->value != NULL ? row->value : "",
			row->letter == 'v' ? "-v, " : "", row->name, row->value != NULL ? "=" : "",
			row->value != NULL ? row->value : "");
	} else {
		(void)snprintf(spelled, sizeof(spelled), "%s--%s%s%s",
			row->letter == 'v' ? "/v, -v, " : "", row->name,
			row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
	}
	(void)fprintf(out, "  %-42s %s\n", spelled, row->help);
}

static void put_one(FILE *out, const struct command *c)
{
	command_synopsis(out, c);
	if (c->alias != NULL) {
		(void)fprintf(out, "       %s is another name of it.\n", c->alias);
	}
	(void)fprintf(out, "\n%s%s.\n\nOptions:\n", c->help,
		c->needs == NEEDS_SERVER ? "; starts the server where none runs" : "");
	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		if ((c->syntax.options & OPTION_BIT(id)) != 0 && id != OPTION_COMPLETION) {
			put_option(out, c, id);
		}
	}
}

void command_help(FILE *out, const struct command *c)
{
	if (c != NULL) {
		put_one(out, c);
		return;
	}
	size_t count;
	const struct command *table = command_table(&count);
	(void)fprintf(out, "Usage: termserv command [arguments]\n\n");
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(out, "  %-16s %s%s%s%s\n", table[i].name, table[i].help,
			table[i].alias != NULL ? " (also: " : "",
			table[i].alias != NULL ? table[i].alias : "",
			table[i].alias != NULL ? ")" : "");
	}
	(void)fprintf(out, "\n`termserv help COMMAND` says more about one of them.\n");
}

bool command_family(FILE *out, const char *first)
{
	bool found = false;
	size_t length = strlen(first);
	size_t count;
	const struct command *commands = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (strncasecmp(commands[i].name, first, length) == 0 &&
			commands[i].name[length] == ' ') {
			command_synopsis(out, &commands[i]);
			found = true;
		}
	}
	return found;
}

int command_usage(const struct command *c, const char *problem)
{
	if (problem != NULL) {
		report_line(stderr, "%s", problem);
	}
	command_synopsis(stderr, c);
	return EXIT_USAGE;
}

/* A line a name: the name, a tab, its options, a tab, its help. */
static void put_completion(const struct command *c, const char *name)
{
	(void)printf("%s\t", name);
	const char *between = "";
	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		if ((c->syntax.options & OPTION_BIT(id)) != 0) {
			(void)printf("%s--%s%s", between, option_row(id)->name,
				option_row(id)->value != NULL ? "=" : "");
			between = " ";
		}
	}
	(void)printf("\t%s\n", c->help);
}

int cmd_help(const struct command *c, const struct arguments *a)
{
	size_t count;
	const struct command *table = command_table(&count);
	if (a->values[OPTION_COMPLETION] != NULL) {
		for (size_t i = 0; i < count; i++) {
			put_completion(&table[i], table[i].name);
			if (table[i].alias != NULL) {
				put_completion(&table[i], table[i].alias);
			}
		}
		return EXIT_OK;
	}
	if (a->word_count == 0) {
		command_help(stdout, NULL);
		return EXIT_OK;
	}
	char *words[WORDS_MAX + 1] = { (char *)a->words[0], (char *)a->words[1], NULL };
	char **at = words;
	const struct command *about = command_find(&at);
	if (about == NULL || *at != NULL) {
		AUTO(free) char *problem = NULL;
		if (asprintf(&problem, "There is no command %s%s%s.", a->words[0],
			    a->words[1] != NULL ? " " : "",
			    a->words[1] != NULL ? a->words[1] : "") < 0) {
			problem = NULL;
		}
		return a->word_count == 1 && command_family(stdout, a->words[0])
			       ? EXIT_OK
			       : command_usage(c, problem);
	}
	command_help(stdout, about);
	return EXIT_OK;
}

int cmd_version(const struct command *c, const struct arguments *a)
{
	(void)c;
	(void)a;
	(void)printf("termserv " TERMSERV_VERSION "\n");
	return EXIT_OK;
}
