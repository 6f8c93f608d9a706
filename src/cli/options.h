/* The options of all commands, one row each, and their two spellings: /dest:TERM05 as NT has it (in
 * any case), --dest=TERM05 or --dest TERM05; /v, -v, --verbose; /?, -h, --help. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorted as the rows are. */
enum option_id {
	OPTION_COMPLETION,
	OPTION_CONNECT,
	OPTION_COUNTER,
	OPTION_DEST,
	OPTION_DETACHED,
	OPTION_FLOW,
	OPTION_FORCE,
	OPTION_HELP,
	OPTION_JSON,
	OPTION_LINES,
	OPTION_MODE,
	OPTION_NEW,
	OPTION_PASSWORD,
	OPTION_PASSWORD_FD,
	OPTION_RUNTIME_DIR,
	OPTION_SERVER,
	OPTION_SIZE,
	OPTION_SYSTEM,
	OPTION_TERMINAL,
	OPTION_USER,
	OPTION_VERBOSE,
	OPTION_WATCH,
	OPTION_COUNT
};

#define OPTION_BIT(id) (UINT32_C(1) << (id))

struct option {
	const char *name;
	char letter;	   /* 0 = none */
	const char *value; /* what the help calls its value; NULL: it has none */
	const char *help;
};

const struct option *option_row(enum option_id id);

#define WORDS_MAX 2

/* What stood behind a command's name; all texts borrowed from argv. */
struct arguments {
	const char *values[OPTION_COUNT]; /* NULL = not given; "" for an option without a value */
	const char *words[WORDS_MAX];	  /* NULL behind the last */
	size_t word_count;
	char **rest; /* what stands behind `--`, NULL-ended; NULL = there is no `--` */
};

/* What a command allows. */
struct syntax {
	uint32_t options; /* OPTION_BIT()s */
	size_t words_least, words_most;
	bool rest;
	bool paths; /* what begins with `/` and is no option is a word */
};

/* argv: NULL-ended, without the command's name. 0; or -EINVAL and *ret_problem (owned by the
 * caller, foreign text in it) says what is wrong. `options` of /? alone suspends the rest of the
 * rules. */
int options_parse(
	struct arguments *ret, const struct syntax *syntax, char **argv, char **ret_problem);
