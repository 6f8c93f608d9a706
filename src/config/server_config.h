/* The configuration of a server for all users of a machine (termserv.conf(5)): who may do what,
 * where terminals come in, which of them are fixed. One object, complete and checked; a server
 * reads a new one beside it and changes over, or keeps what it has.
 *
 * Identity is a number: names of users and groups become uids and gids when the file is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/user_config.h"

#define SERVER_CONFIG_PATH "/etc/termserv/termserv.conf"
#define CONFIG_NAME_SIZE 64	/* of a user, a group, a listener */
#define CONFIG_TERMINAL_SIZE 40 /* a terminal's name: 32 characters, NUL, room */
#define CONFIG_LINE_SIZE 64	/* the path of a line */
#define CONFIG_CONSOLE "console"

/* How much one configuration may hold. */
#define CONFIG_FILES_MAX 64
#define CONFIG_TERMINALS_MAX 1024
#define CONFIG_ENTRIES_MAX 1024 /* lines of one [rights], names of one list */
#define CONFIG_LISTENERS_MAX 64

/* Where something was said. */
struct config_place {
	unsigned file; /* index into the configuration's files; 0 = built in */
	unsigned line; /* from 1 on */
};

/* Who stands in a line: `*`, a user, or a group (`@name`). */
enum principal_kind { PRINCIPAL_EVERYBODY, PRINCIPAL_USER, PRINCIPAL_GROUP };

struct principal {
	enum principal_kind kind;
	uint32_t id;		     /* uid or gid */
	char name[CONFIG_NAME_SIZE]; /* as it is written, with its `@` */
	struct config_place place;
};

struct principal_list {
	struct principal *items;
	size_t count;
};

/* A process, as the kernel tells it. */
struct config_who {
	uint32_t uid;
	const uint32_t *groups; /* the gid and the supplementary groups; borrowed */
	size_t group_count;
};

struct acl_entry {
	struct principal principal;
	unsigned allow, deny; /* sets of rights */
};

struct acl {
	char listener[CONFIG_NAME_SIZE]; /* empty: every listener that has no section of its own */
	struct acl_entry *entries;
	size_t count;
	struct config_place place;
};

enum root_connect { ROOT_CONNECT_PASSWORD, ROOT_CONNECT_NOTIFY, ROOT_CONNECT_FREE };

/* What becomes of a terminal whose session is shown elsewhere. */
enum on_steal { ON_STEAL_DEFAULT, ON_STEAL_CLOSE, ON_STEAL_LOGIN }; /* login where it is fixed */
enum limit_action { LIMIT_DISCONNECTS, LIMIT_ENDS };

struct listener_config {
	char name[CONFIG_NAME_SIZE];
	enum on_steal on_steal;
	unsigned active_minutes, idle_minutes, disconnected_minutes; /* 0 = no limit */
	enum limit_action limit_action; /* of the active and the idle limit */
	struct config_place place;
};

/* Who logs on at a fixed terminal: whoever says his name and password, or the door's own account.
 */
enum login_prompt { LOGIN_PROMPT_BY_SHELL, LOGIN_PROMPT_NO, LOGIN_PROMPT_YES };

struct terminal_config {
	char name[CONFIG_TERMINAL_SIZE];
	struct principal_list doors;	 /* whose processes may be its door */
	char line[CONFIG_LINE_SIZE];	 /* what DEVICE shows; may be empty */
	char listener[CONFIG_NAME_SIZE]; /* whose rights hold there */
	enum login_prompt login_prompt;	 /* by the shell: where the door's account has none */
	struct config_place place;
};

struct server_config {
	char **files; /* files[0] stands for what is built in */
	size_t file_count;

	struct principal_list administrators;
	enum root_connect root_connect;
	unsigned failure_delay;	    /* seconds, for each of the first failed passwords */
	bool single_session;	    /* one session a user */
	unsigned sessions_per_user; /* from 1 on */

	struct acl *acls; /* acls[0] is [rights] */
	size_t acl_count;
	struct listener_config *listeners;
	size_t listener_count;

	bool has_console;
	struct terminal_config console; /* when has_console */
	bool console_strict;		/* NT's rules */
	struct terminal_config *terminals;
	size_t terminal_count;

	struct config user_defaults; /* what users' own files start from */
	struct config_place users;   /* the first line that says so; file 0 = none does */
};

/* Finds a user's or a group's number by its name. 0, -ENOENT, or -errno. */
struct config_names {
	int (*user)(void *context, const char *name, uint32_t *ret_uid);
	int (*group)(void *context, const char *name, uint32_t *ret_gid);
	void *context; /* borrowed; handed to both */
};

const struct config_names *config_names_system(void); /* the system's user database; may block */

/* What is built in: root and the group tsadmin (where `names` knows one; NULL: no names are asked)
 * administer, everybody has the level User everywhere, no fixed terminals. 0 or -ENOMEM. */
int server_config_new(struct server_config **ret, const struct config_names *names);
struct server_config *server_config_free(struct server_config *c); /* NULL is fine; returns NULL */

bool server_config_is_administrator(const struct server_config *c, const struct config_who *who);

/* The rights section that holds for this listener (never NULL). */
const struct acl *server_config_acl(const struct server_config *c, const char *listener);

/* What it grants and denies this process: what is denied in any line that means him, and what is
 * granted in those that name him or his groups, together; `*` grants to whom no other line grants
 * anything. A grant that is about sessions contains QUERY. */
void server_config_rights(const struct server_config *c, const char *listener,
	const struct config_who *who, unsigned *ret_allow, unsigned *ret_deny);

/* The settings of this listener; one without a section has the defaults (never NULL). */
const struct listener_config *server_config_listener(
	const struct server_config *c, const char *listener);

/* The fixed terminal of this name, in any case, the console among them; NULL = none is configured.
 */
const struct terminal_config *server_config_terminal(
	const struct server_config *c, const char *name);

/* May this process be one of them (a door's, an administrator)? */
bool principal_list_has(const struct principal_list *list, const struct config_who *who);
bool principal_matches(const struct principal *p, const struct config_who *who);

/* "/etc/termserv/termserv.conf:12", or "built in". Cut to fit; returns text. */
char *server_config_place_text(
	const struct server_config *c, const struct config_place *place, char *text, size_t size);

/* Hears of each mistake: file and line, and what is wrong. `line` 0 = the file as a whole. `text`
 * may quote the file, `file` may be anything: foreign text, to be encoded at output. */
typedef void server_config_report(void *user, const char *file, unsigned line, const char *text);

/* Takes over what one file's `text` (NUL-ended) sets. What is wrong is reported and changes
 * nothing, except that a line of rights that cannot be read denies everything to whom it names.
 * 0 or -ENOMEM. */
int server_config_parse(struct server_config *c, const char *file, const char *text,
	const struct config_names *names, server_config_report *report, void *user);

/* Reads the file and, after it, FILE's folder + `termserv.conf.d/` + `*.conf`, sorted. No file at
 * `path` is no mistake. Files that others than root and the caller could have written are reported
 * and not read. A file or folder that cannot be read is reported. *ret_mistakes: how many were
 * reported. 0 or -ENOMEM. */
int server_config_load(struct server_config **ret, const char *path,
	const struct config_names *names, server_config_report *report, void *user,
	size_t *ret_mistakes);

AUTO_DEFINE(struct server_config, server_config_free);
