/* Any words behind `termserv`: the command is found or not, and its options are taken only as its
 * row allows.
 *
 * Input: words, each ended by a newline or NUL. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGUMENTS_MAX 256

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check(const struct syntax *syntax, const struct arguments *a)
{
	bool help = a->values[OPTION_HELP] != NULL;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (a->values[i] != NULL && (syntax->options & OPTION_BIT(i)) == 0 &&
			i != OPTION_HELP) {
			fail("an option that the command does not have");
		}
	}
	if (a->word_count > WORDS_MAX || (!help && (a->word_count < syntax->words_least ||
							   a->word_count > syntax->words_most))) {
		fail("too few or too many words");
	}
	for (size_t i = 0; i < a->word_count; i++) {
		if (a->words[i] == NULL) {
			fail("a word that is none");
		}
	}
	if (a->rest != NULL && !syntax->rest && !help) {
		fail("a command where none may stand");
	}
}

static void parse(const struct syntax *syntax, char **argv)
{
	struct arguments arguments;
	AUTO(free) char *problem = NULL;
	int r = options_parse(&arguments, syntax, argv, &problem);
	if (r == 0) {
		check(syntax, &arguments);
	} else if (r != -EINVAL || problem == NULL || problem[0] == '\0') {
		fail("a refusal without a reason");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGUMENTS_MAX + 1];
	size_t count = 0;
	AUTO(free) char *text = malloc(size + 1);
	if (text == NULL) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *p = text; p < text + size && count < ARGUMENTS_MAX;) {
		argv[count++] = p;
		p += strcspn(p, "\n");
		*p++ = '\0';
	}
	argv[count] = NULL;
	char **rest = argv;
	const struct command *c = command_find(&rest);
	if (c != NULL) {
		if (rest < argv || rest > argv + count) {
			fail("the words behind a command's name lie elsewhere");
		}
		parse(&c->syntax, rest);
		return 0;
	}
	size_t rows;
	const struct command *table = command_table(&rows);
	parse(&table[size % rows].syntax, argv);
	return 0;
}
