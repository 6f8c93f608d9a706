/* What a user may set in termserv.conf: [terminal] chooser, detach-key, history-lines; [session]
 * history-size, shell. The machine's file may hold the same sections, as defaults for all. Reading
 * never runs anything, and a mistake costs its own line only. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE_MAX (64 * 1024)
#define CONFIG_DETACH_KEY_OFF (-1)
#define CONFIG_DETACH_KEY_DEFAULT 0x1d /* Ctrl-] */
#define CONFIG_HISTORY_LINES_DEFAULT 500
#define CONFIG_HISTORY_LINES_MAX 1000000

struct config {
	bool chooser;		/* several sessions to come back to: ask which */
	int detach_key;		/* the byte that Ctrl and the key send, or CONFIG_DETACH_KEY_OFF */
	uint32_t history_lines; /* that a terminal gets into its own scrollback */
	uint32_t history_bytes; /* that a session may keep */
	char shell[PATH_MAX];	/* empty: the login shell */
};

/* Hears of each mistake. `line` counts from 1; 0 = the file as a whole. `text` may quote the file:
 * foreign text, to be encoded at output. */
typedef void config_report(void *user, unsigned line, const char *text);

void config_init(struct config *c); /* the defaults */

/* Takes over what `text` (NUL-ended) sets; what is wrong is reported and changes nothing. */
void config_parse(struct config *c, const char *text, config_report *report, void *user);

/* May users set something in sections of this name? */
bool config_has_section(const char *section);

/* Sets one thing. CONFIG_SET_VALUE: *ret_expected (static text) says what was expected. */
enum config_set { CONFIG_SET, CONFIG_SET_UNKNOWN, CONFIG_SET_VALUE };
enum config_set config_set(struct config *c, const char *section, const char *name,
	const char *value, const char **ret_expected);

/* Takes over, in silence, what the machine's file at `path` and its drop-ins say in the users'
 * sections; whoever reads them to run the server reports their mistakes. */
void config_load_defaults(struct config *c, const char *path);

/* $XDG_CONFIG_HOME/termserv/termserv.conf, else ~/.config/termserv/termserv.conf (owned by the
 * caller). 0, -ENOENT (no home folder), or -ENOMEM. */
int config_path(char **ret);

/* Reads the file at `path`. 0, also when there is none, or -errno with the defaults untouched. */
int config_load(struct config *c, const char *path, config_report *report, void *user);
