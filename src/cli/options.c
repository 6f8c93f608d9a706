#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* Sorted. */
static const struct option rows[OPTION_COUNT] = {
	[OPTION_COMPLETION] = { "completion", 0, NULL,
		"print the commands for a shell's completion" },
	[OPTION_CONNECT] = { "connect", 0, NULL, "connect settings (serial terminals only)" },
	[OPTION_COUNTER] = { "counter", 0, NULL,
		"add how many sessions were created, disconnected, reconnected" },
	[OPTION_DEST] = { "dest", 0, "sessionname", "the terminal that is to show the session" },
	[OPTION_DETACHED] = { "detached", 0, NULL,
		"start a session that no terminal shows, and print its ID" },
	[OPTION_FLOW] = { "flow", 0, NULL, "flow control (serial terminals only)" },
	[OPTION_FORCE] = { "force", 0, NULL, "do not ask" },
	[OPTION_HELP] = { "help", 'h', NULL, "this text" },
	[OPTION_JSON] = { "json", 0, NULL, "print JSON, for programs" },
	[OPTION_LINES] = { "lines", 0, "N", "so many records, the newest" },
	[OPTION_MODE] = { "mode", 0, NULL, "line settings (serial terminals only)" },
	[OPTION_NEW] = { "new", 0, NULL, "start a new session even if one is disconnected" },
	[OPTION_PASSWORD] = { "password", 0, "*", "ask for the password of the session's owner" },
	[OPTION_PASSWORD_FD] = { "password-fd", 0, "number",
		"read the password from this descriptor" },
	[OPTION_RUNTIME_DIR] = { "runtime-dir", 0, "folder", "the server in this folder" },
	[OPTION_SERVER] = { "server", 0, "name", "the server of that machine, through ssh" },
	[OPTION_SIZE] = { "size", 0, "COLSxROWS", "the first size of a new session" },
	[OPTION_SYSTEM] = { "system", 0, NULL, "the server of all users of this machine" },
	[OPTION_TERMINAL] = { "terminal", 0, "name", "make this a fixed terminal of that name" },
	[OPTION_USER] = { "user", 0, NULL, "the user's own server, which starts itself" },
	[OPTION_VERBOSE] = { "verbose", 'v', NULL, "say what is done" },
	[OPTION_WATCH] = { "watch", 0, NULL, "print again after each change" },
};

const struct option *option_row(enum option_id id)
{
	return &rows[id];
}

static int problem(char **ret_problem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int problem(char **ret_problem, const char *format, ...)
{
	char *sentence = NULL;
	va_list texts;
	va_start(texts, format);
	if (vasprintf(&sentence, format, texts) < 0) {
		sentence = NULL;
	}
	va_end(texts);
	*ret_problem = sentence;
	return -EINVAL;
}

/* OPTION_COUNT: there is none. */
static enum option_id find(uint32_t allowed, const char *name, size_t length, bool any_case)
{
	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		const struct option *row = &rows[id];
		bool same = strlen(row->name) == length &&
			    (any_case ? strncasecmp(row->name, name, length)
				      : strncmp(row->name, name, length)) == 0;
		if (same && (allowed & OPTION_BIT(id)) != 0) {
			return id;
		}
	}
	return OPTION_COUNT;
}

static enum option_id find_letter(uint32_t allowed, const char *name, size_t length, bool any_case)
{
	if (length != 1) {
		return OPTION_COUNT;
	}
	if (name[0] == '?') {
		return OPTION_HELP;
	}
	char letter = (char)(any_case && name[0] >= 'A' && name[0] <= 'Z' ? name[0] | 0x20
									  : name[0]);
	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		if (rows[id].letter == letter && (allowed & OPTION_BIT(id)) != 0) {
			return id;
		}
	}
	return OPTION_COUNT;
}

/* One spelled option, taken apart. */
struct spelling {
	enum option_id id;
	const char *value; /* NULL: none stands with it */
	bool next;	   /* the value may be the next argument */
};

static struct spelling spell(uint32_t allowed, const char *argument)
{
	struct spelling s = { .id = OPTION_COUNT };
	bool slash = argument[0] == '/';
	bool lengthy = !slash && argument[1] == '-';
	const char *name = argument + (lengthy ? 2 : 1);
	size_t length = strcspn(name, slash ? ":" : "=");
	if (slash || lengthy) {
		s.id = find(allowed, name, length, slash);
	}
	if (s.id == OPTION_COUNT && !lengthy) {
		s.id = find_letter(allowed, name, length, slash);
	}
	s.value = name[length] != '\0' ? name + length + 1 : NULL;
	s.next = lengthy;
	return s;
}

/* Takes the option at **argv; *argv is left on its last word. */
static int take_option(struct arguments *a, uint32_t allowed, char ***argv, char **ret_problem)
{
	const char *argument = **argv;
	struct spelling s = spell(allowed, argument);
	if (s.id == OPTION_COUNT) {
		return problem(ret_problem, "There is no option %s.", argument);
	}
	if (rows[s.id].value == NULL) {
		if (s.value != NULL) {
			return problem(ret_problem, "The option %s takes no value.", argument);
		}
		a->values[s.id] = "";
		return 0;
	}
	if (a->values[s.id] != NULL) {
		return problem(ret_problem, "The option %s is given twice.", rows[s.id].name);
	}
	if (s.value == NULL && s.next && (*argv)[1] != NULL) {
		(*argv)++;
		s.value = **argv;
	}
	if (s.value == NULL || (s.value[0] == '\0' && s.id != OPTION_PASSWORD)) {
		return problem(ret_problem, "The option %s needs a value.", rows[s.id].name);
	}
	a->values[s.id] = s.value;
	return 0;
}

static bool is_option(const struct syntax *syntax, const char *argument)
{
	if (argument[0] == '/' && syntax->paths) {
		return spell(syntax->options, argument).id != OPTION_COUNT;
	}
	return argument[0] == '/' || (argument[0] == '-' && argument[1] != '\0');
}

static int take_all(
	struct arguments *a, const struct syntax *syntax, char **argv, char **ret_problem)
{
	for (; *argv != NULL; argv++) {
		if (strcmp(*argv, "--") == 0 && syntax->rest) {
			a->rest = argv + 1;
			return 0;
		}
		if (is_option(syntax, *argv)) {
			int r = take_option(a, syntax->options, &argv, ret_problem);
			if (r < 0) {
				return r;
			}
		} else if (a->word_count == syntax->words_most) {
			return problem(ret_problem, "%s is one argument too many.", *argv);
		} else {
			a->words[a->word_count++] = *argv;
		}
	}
	return 0;
}

int options_parse(
	struct arguments *ret, const struct syntax *syntax, char **argv, char **ret_problem)
{
	struct arguments a = { 0 };
	int r = take_all(&a, syntax, argv, ret_problem);
	if (r < 0) {
		return r;
	}
	if (a.word_count < syntax->words_least && a.values[OPTION_HELP] == NULL) {
		return problem(ret_problem, "%s", "An argument is missing.");
	}
	*ret = a;
	return 0;
}
