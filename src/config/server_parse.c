/* Reads the files of the server's configuration into the object. Whatever stands in them is foreign
 * until it is checked here; a mistake costs its own line, a bad name its section. */
#include "config/server_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/lines.h"
#include "config/right.h"

#define MINUTES_MAX 525600 /* a year */
#define SHOWN 64	   /* bytes of a word of the file, in a complaint */
#define SEPARATORS ", \t"

enum section {
	SECTION_SERVER,
	SECTION_RIGHTS,
	SECTION_LISTENER,
	SECTION_CONSOLE,
	SECTION_TERMINAL,
	SECTION_USERS, /* [terminal] and [session] without a name: what users may set too */
};

struct parse {
	struct config_lines lines; /* first */
	struct server_config *config;
	const struct config_names *names;
	server_config_report *report;
	void *user;
	const char *file;
	unsigned file_index;
	bool out_of_memory;

	/* The present section, and what its lines set. */
	enum section section;
	struct acl *acl;
	struct listener_config *listener;
	struct terminal_config *terminal;
};

static struct config_place here(const struct parse *p)
{
	return (struct config_place){ .file = p->file_index, .line = p->lines.line };
}

/* Room for one more element of `size` bytes behind `count`, zeroed. NULL: no memory, or there are
 * `most`; said. */
static void *grow(struct parse *p, void *items, size_t count, size_t size, size_t most)
{
	if (count >= most) {
		lines_report(&p->lines, "there are too many of these: %zu are the most", most);
		return NULL;
	}
	char *more = realloc(items, (count + 1) * size);
	if (more == NULL) {
		p->out_of_memory = true;
		return NULL;
	}
	memset(more + count * size, 0, size);
	return more;
}

/* The new last element, zeroed, or NULL. */
#define APPEND(p, items, count, most)                                                              \
	({                                                                                         \
		void *more_ = grow((p), (items), (count), sizeof(*(items)), (most));               \
		if (more_ != NULL) {                                                               \
			(items) = more_;                                                           \
			(count)++;                                                                 \
		}                                                                                  \
		more_ != NULL ? &(items)[(count)-1] : NULL;                                        \
	})

/* --- users and groups ------------------------------------------------------------------------- */

/* `*`, `user`, or `@group`. False: said. */
static bool read_principal(
	struct parse *p, const char *word, size_t length, bool everybody, struct principal *ret)
{
	struct principal result = { .kind = PRINCIPAL_USER, .place = here(p) };
	bool group = length > 0 && word[0] == '@';
	if (length == (group ? 1 : 0) || length >= sizeof(result.name)) {
		lines_report(&p->lines, "`%.*s` is no name of a user or a group",
			(int)(length < SHOWN ? length : SHOWN), word);
		return false;
	}
	memcpy(result.name, word, length);
	if (everybody && strcmp(result.name, "*") == 0) {
		result.kind = PRINCIPAL_EVERYBODY;
		*ret = result;
		return true;
	}
	const struct config_names *names = p->names;
	int r = group ? names->group(names->context, result.name + 1, &result.id)
		      : names->user(names->context, result.name, &result.id);
	if (r < 0) {
		const char *what = group ? "group" : "user";
		if (r == -ENOENT) {
			lines_report(&p->lines, "there is no %s %s", what, result.name + group);
		} else {
			lines_report(&p->lines, "the %s %s cannot be looked up: %s", what,
				result.name + group, strerror(-r));
		}
		return false;
	}
	result.kind = group ? PRINCIPAL_GROUP : PRINCIPAL_USER;
	*ret = result;
	return true;
}

static bool same_principal(const struct principal *a, const struct principal *b)
{
	return a->kind == b->kind && a->id == b->id;
}

static void add_to_list(struct parse *p, struct principal_list *list, const struct principal *one)
{
	for (size_t i = 0; i < list->count; i++) {
		if (same_principal(&list->items[i], one)) {
			return;
		}
	}
	struct principal *last = APPEND(p, list->items, list->count, CONFIG_ENTRIES_MAX);
	if (last != NULL) {
		*last = *one;
	}
}

/* Adds every name of a value to the list. `groups`: the words are names of groups, without `@`. */
static void add_names(struct parse *p, struct principal_list *list, const char *value, bool groups)
{
	const char *word = value + strspn(value, SEPARATORS);
	if (*word == '\0') {
		lines_report(&p->lines, "expected names");
	}
	while (*word != '\0') {
		size_t length = strcspn(word, SEPARATORS);
		char name[CONFIG_NAME_SIZE + 1];
		struct principal one;
		int n = snprintf(name, sizeof(name), "%s%.*s", groups && word[0] != '@' ? "@" : "",
			(int)(length < CONFIG_NAME_SIZE ? length : CONFIG_NAME_SIZE), word);
		if (read_principal(p, name, (size_t)n, false, &one)) {
			add_to_list(p, list, &one);
		}
		word += length;
		word += strspn(word, SEPARATORS);
	}
}

/* --- values ----------------------------------------------------------------------------------- */

static void read_number(struct parse *p, const char *name, const char *value, unsigned least,
	unsigned most, unsigned *ret)
{
	uint32_t number;
	if (text_to_u32(value, &number) < 0 || number < least || number > most) {
		lines_report(&p->lines, "%s: expected a number from %u to %u", name, least, most);
		return;
	}
	*ret = number;
}

static void read_flag(struct parse *p, const char *name, const char *value, bool *ret)
{
	if (!config_flag(value, ret)) {
		lines_report(&p->lines, "%s: expected yes or no", name);
	}
}

/* The index of the value among `words`; -1 = it is none of them, said. */
static int read_word(struct parse *p, const char *name, const char *value, const char *const *words,
	const char *expected)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcasecmp(words[i], value) == 0) {
			return i;
		}
	}
	lines_report(&p->lines, "%s: expected %s", name, expected);
	return -1;
}

static void read_line(struct parse *p, const char *value, char ret[static CONFIG_LINE_SIZE])
{
	if (strncmp(value, "/dev/", 5) != 0 || strlen(value) >= CONFIG_LINE_SIZE ||
		strstr(value, "..") != NULL || strpbrk(value, " \t") != NULL) {
		lines_report(&p->lines, "line: expected the path of a device, as /dev/ttyS0");
		return;
	}
	(void)snprintf(ret, CONFIG_LINE_SIZE, "%s", value);
}

static void unknown_key(struct parse *p, const char *section, const char *name)
{
	lines_report(&p->lines, "there is no %s in [%s]", name, section);
}

/* --- one line of each section ----------------------------------------------------------------- */

static void server_line(struct parse *p, const char *name, const char *value)
{
	static const char *const root[] = { "password", "notify", "free", NULL };
	struct server_config *c = p->config;
	if (strcmp(name, "administrators") == 0) {
		c->administrators.count = 0;
		add_names(p, &c->administrators, value, false);
	} else if (strcmp(name, "failure-delay") == 0) {
		read_number(p, name, value, 0, 60, &c->failure_delay);
	} else if (strcmp(name, "root-connect") == 0) {
		int word = read_word(p, name, value, root, "password, notify or free");
		c->root_connect = word >= 0 ? (enum root_connect)word : c->root_connect;
	} else if (strcmp(name, "sessions-per-user") == 0) {
		read_number(p, name, value, 1, 4096, &c->sessions_per_user);
	} else if (strcmp(name, "single-session") == 0) {
		read_flag(p, name, value, &c->single_session);
	} else {
		unknown_key(p, "server", name);
	}
}

/* A later file may say something else about somebody; within one file that is a mistake. */
static struct acl_entry *entry_for(struct parse *p, const struct principal *who)
{
	for (size_t i = 0; i < p->acl->count; i++) {
		struct acl_entry *e = &p->acl->entries[i];
		if (!same_principal(&e->principal, who)) {
			continue;
		}
		if (e->principal.place.file == p->file_index) {
			lines_report(&p->lines, "%s has rights already, in line %u", who->name,
				e->principal.place.line);
			e->allow = 0; /* and keeps what was denied */
		} else {
			e->deny = 0;
		}
		e->principal = *who;
		return e;
	}
	return APPEND(p, p->acl->entries, p->acl->count, CONFIG_ENTRIES_MAX);
}

static void rights_line(struct parse *p, const char *name, const char *value)
{
	struct principal who;
	unsigned allow = 0, deny = 0;
	const char *wrong = NULL;
	size_t length = 0;
	/* Whoever writes a line means all of them. */
	if (p->acl->count > 0 && p->acl->entries[0].principal.place.file == 0) {
		p->acl->count = 0;
	}
	if (!read_principal(p, name, strlen(name), true, &who)) {
		return;
	}
	if (rights_parse(value, &allow, &deny, &wrong, &length) < 0) {
		int shown = (int)(length < SHOWN ? length : SHOWN);
		lines_report(&p->lines,
			"%s: `%.*s` is no right and no level; until that is mended all is denied",
			who.name, shown, wrong);
		allow = 0;
		deny = RIGHTS_FULL;
	}
	struct acl_entry *e = entry_for(p, &who);
	if (e != NULL) {
		e->principal = who;
		e->allow = allow;
		e->deny |= deny;
	}
}

static void listener_line(struct parse *p, const char *name, const char *value)
{
	static const char *const steal[] = { "close", "login", NULL };
	static const char *const action[] = { "disconnect", "end", NULL };
	struct listener_config *l = p->listener;
	if (strcmp(name, "active-limit") == 0) {
		read_number(p, name, value, 0, MINUTES_MAX, &l->active_minutes);
	} else if (strcmp(name, "disconnected-limit") == 0) {
		read_number(p, name, value, 0, MINUTES_MAX, &l->disconnected_minutes);
	} else if (strcmp(name, "idle-limit") == 0) {
		read_number(p, name, value, 0, MINUTES_MAX, &l->idle_minutes);
	} else if (strcmp(name, "limit-action") == 0) {
		int word = read_word(p, name, value, action, "disconnect or end");
		l->limit_action = word >= 0 ? (enum limit_action)word : l->limit_action;
	} else if (strcmp(name, "on-steal") == 0) {
		int word = read_word(p, name, value, steal, "close or login");
		l->on_steal = word == 0 ? ON_STEAL_CLOSE : word == 1 ? ON_STEAL_LOGIN : l->on_steal;
	} else {
		unknown_key(p, "listener", name);
	}
}

static void terminal_line(struct parse *p, const char *name, const char *value)
{
	static const char *const rules[] = { "strict", "relaxed", NULL };
	bool console = p->section == SECTION_CONSOLE;
	struct terminal_config *t = p->terminal;
	if (strcmp(name, "user") == 0) {
		add_names(p, &t->doors, value, false);
	} else if (strcmp(name, "group") == 0) {
		add_names(p, &t->doors, value, true);
	} else if (strcmp(name, "line") == 0) {
		read_line(p, value, t->line);
	} else if (strcmp(name, "login-prompt") == 0) {
		bool asks = t->login_prompt == LOGIN_PROMPT_YES;
		if (config_flag(value, &asks)) {
			t->login_prompt = asks ? LOGIN_PROMPT_YES : LOGIN_PROMPT_NO;
		} else {
			lines_report(&p->lines, "%s: expected yes or no", name);
		}
	} else if (!console && strcmp(name, "listener") == 0) {
		if (text_is_terminal_name(value, false)) {
			(void)snprintf(t->listener, sizeof(t->listener), "%s", value);
		} else {
			lines_report(&p->lines, "listener: expected a name");
		}
	} else if (console && strcmp(name, "rules") == 0) {
		int word = read_word(p, name, value, rules, "strict or relaxed");
		p->config->console_strict = word >= 0 ? word == 0 : p->config->console_strict;
	} else {
		unknown_key(p, console ? "console" : "terminal NAME", name);
	}
}

static void users_line(struct parse *p, const char *section, const char *name, const char *value)
{
	const char *expected = NULL;
	switch (config_set(&p->config->user_defaults, section, name, value, &expected)) {
	case CONFIG_SET:
		if (p->config->users.file == 0) {
			p->config->users = here(p);
		}
		break;
	case CONFIG_SET_UNKNOWN:
		unknown_key(p, section, name);
		break;
	case CONFIG_SET_VALUE:
		lines_report(&p->lines, "%s: expected %s", name, expected);
		break;
	}
}

static void on_pair(
	struct config_lines *l, const char *section, const char *name, const char *value)
{
	struct parse *p = (struct parse *)l;
	switch (p->section) {
	case SECTION_SERVER:
		server_line(p, name, value);
		break;
	case SECTION_RIGHTS:
		rights_line(p, name, value);
		break;
	case SECTION_LISTENER:
		listener_line(p, name, value);
		break;
	case SECTION_CONSOLE:
	case SECTION_TERMINAL:
		terminal_line(p, name, value);
		break;
	case SECTION_USERS:
		users_line(p, section, name, value);
		break;
	}
}

/* --- sections --------------------------------------------------------------------------------- */

static bool open_rights(struct parse *p, const char *listener)
{
	struct server_config *c = p->config;
	p->section = SECTION_RIGHTS;
	if (listener[0] == '\0') {
		c->acls[0].place = here(p);
		p->acl = &c->acls[0];
		return true;
	}
	for (size_t i = 1; i < c->acl_count; i++) {
		if (strcasecmp(c->acls[i].listener, listener) == 0) {
			p->acl = &c->acls[i];
			return true;
		}
	}
	p->acl = APPEND(p, c->acls, c->acl_count, CONFIG_LISTENERS_MAX);
	if (p->acl == NULL) {
		return false;
	}
	p->acl->place = here(p);
	(void)snprintf(p->acl->listener, sizeof(p->acl->listener), "%s", listener);
	return true;
}

static bool open_listener(struct parse *p, const char *name)
{
	struct server_config *c = p->config;
	p->section = SECTION_LISTENER;
	for (size_t i = 0; i < c->listener_count; i++) {
		if (strcasecmp(c->listeners[i].name, name) == 0) {
			p->listener = &c->listeners[i];
			return true;
		}
	}
	p->listener = APPEND(p, c->listeners, c->listener_count, CONFIG_LISTENERS_MAX);
	if (p->listener == NULL) {
		return false;
	}
	p->listener->place = here(p);
	(void)snprintf(p->listener->name, sizeof(p->listener->name), "%s", name);
	return true;
}

static bool open_console(struct parse *p)
{
	struct server_config *c = p->config;
	p->section = SECTION_CONSOLE;
	p->terminal = &c->console;
	if (!c->has_console) {
		c->has_console = true;
		(void)snprintf(c->console.name, sizeof(c->console.name), "%s", CONFIG_CONSOLE);
		(void)snprintf(
			c->console.listener, sizeof(c->console.listener), "%s", CONFIG_CONSOLE);
		c->console.place = here(p);
	}
	return true;
}

/* Names that mean something else already. */
static bool is_taken_name(const char *name)
{
	static const char *const names[] = { CONFIG_CONSOLE, "rdp", "rdp-tcp", "services", "ssh",
		"tcp", "tty" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool open_terminal(struct parse *p, const char *name)
{
	struct server_config *c = p->config;
	p->section = SECTION_TERMINAL;
	if (is_taken_name(name)) {
		lines_report(&p->lines, "%s cannot be the name of a terminal: it is kept for %s",
			name,
			strcasecmp(name, CONFIG_CONSOLE) == 0 ? "the section [console]"
							      : "something else");
		return false;
	}
	for (size_t i = 0; i < c->terminal_count; i++) {
		struct terminal_config *t = &c->terminals[i];
		if (strcasecmp(t->name, name) != 0) {
			continue;
		}
		if (t->place.file == p->file_index) {
			lines_report(&p->lines,
				"[terminal %s] stands already in line %u: the name is in use "
				"(7023)",
				name, t->place.line);
			return false;
		}
		t->place = here(p);
		p->terminal = t;
		return true;
	}
	p->terminal = APPEND(p, c->terminals, c->terminal_count, CONFIG_TERMINALS_MAX);
	if (p->terminal == NULL) {
		return false;
	}
	p->terminal->place = here(p);
	(void)snprintf(p->terminal->name, sizeof(p->terminal->name), "%s", name);
	(void)snprintf(p->terminal->listener, sizeof(p->terminal->listener), "tty");
	return true;
}

/* Sections that carry a name; `must`: they cannot be without. */
static const struct named {
	const char *word;
	bool must;
	bool (*open)(struct parse *p, const char *name);
} named[] = {
	{ "listener", true, open_listener },
	{ "rights", false, open_rights },
	{ "terminal", true, open_terminal },
};

static bool unknown_section(struct parse *p, const char *section)
{
	lines_report(&p->lines, "there is no section [%s]", section);
	return false;
}

static bool on_section(struct config_lines *l, const char *section)
{
	struct parse *p = (struct parse *)l;
	size_t length = strcspn(section, " \t");
	const char *name = section + length;
	name += strspn(name, " \t");
	if (strcmp(section, "server") == 0) {
		p->section = SECTION_SERVER;
		return true;
	}
	if (strcmp(section, "console") == 0) {
		return open_console(p);
	}
	if (config_has_section(section)) {
		p->section = SECTION_USERS;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		if (strlen(named[i].word) != length ||
			strncmp(named[i].word, section, length) != 0) {
			continue;
		}
		if (name[0] == '\0' ? named[i].must : !text_is_terminal_name(name, false)) {
			lines_report(l,
				"[%s]: expected a name of at most 32 letters, digits and . _ -, "
				"not digits alone",
				section);
			return false;
		}
		return named[i].open(p, name);
	}
	return unknown_section(p, section);
}

/* --- files ------------------------------------------------------------------------------------ */

static void on_mistake(void *user, unsigned line, const char *text)
{
	struct parse *p = user;
	if (p->report != NULL) {
		p->report(p->user, p->file, line, text);
	}
}

static int add_file(struct server_config *c, const char *file)
{
	char **files = realloc(c->files, (c->file_count + 1) * sizeof(*files));
	if (files == NULL) {
		return -ENOMEM;
	}
	c->files = files;
	c->files[c->file_count] = strdup(file);
	if (c->files[c->file_count] == NULL) {
		return -ENOMEM;
	}
	c->file_count++;
	return 0;
}

int server_config_parse(struct server_config *c, const char *file, const char *text,
	const struct config_names *names, server_config_report *report, void *user)
{
	int r = add_file(c, file);
	if (r < 0) {
		return r;
	}
	struct parse p = {
		.lines = { .section = on_section, .pair = on_pair, .mistake = on_mistake },
		.config = c,
		.names = names,
		.report = report,
		.user = user,
		.file = file,
		.file_index = (unsigned)c->file_count - 1,
	};
	p.lines.user = &p;
	lines_read(&p.lines, text);
	return p.out_of_memory ? -ENOMEM : 0;
}
