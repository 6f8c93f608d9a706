/* The object and the questions to it; server_parse.c reads it. */
#include "config/server_config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "config/right.h"

#define FAILURE_DELAY_DEFAULT 3
#define SESSIONS_PER_USER_DEFAULT 64
#define ADMINISTRATORS_GROUP "tsadmin"
#define NAMES_SIZE 65536

static int system_user(void *context, const char *name, uint32_t *ret_uid)
{
	struct passwd entry, *found = NULL;
	AUTO(free) char *room = malloc(NAMES_SIZE);
	if (room == NULL) {
		return -ENOMEM;
	}
	int r = getpwnam_r(name, &entry, room, NAMES_SIZE, &found);
	if (found == NULL) {
		return r == 0 || r == ESRCH || r == EPERM || r == EBADF ? -ENOENT : -r;
	}
	*ret_uid = found->pw_uid;
	return 0;
}

static int system_group(void *context, const char *name, uint32_t *ret_gid)
{
	struct group entry, *found = NULL;
	size_t size = NAMES_SIZE;
	for (;;) {
		AUTO(free) char *room = malloc(size);
		if (room == NULL) {
			return -ENOMEM;
		}
		/* A group may have any number of members. */
		int r = getgrnam_r(name, &entry, room, size, &found);
		if (r == ERANGE && size < 64u * NAMES_SIZE) {
			size *= 4;
			continue;
		}
		if (found == NULL) {
			return r == 0 || r == ESRCH || r == EPERM || r == EBADF ? -ENOENT : -r;
		}
		*ret_gid = found->gr_gid;
		return 0;
	}
}

const struct config_names *config_names_system(void)
{
	static const struct config_names names = { .user = system_user, .group = system_group };
	return &names;
}

/* root always; the group only where it is there. */
static int add_administrators(struct server_config *c, const struct config_names *names)
{
	uint32_t gid;
	c->administrators.items = calloc(2, sizeof(*c->administrators.items));
	if (c->administrators.items == NULL) {
		return -ENOMEM;
	}
	struct principal *p = c->administrators.items;
	p[0] = (struct principal){ .kind = PRINCIPAL_USER, .name = "root" };
	c->administrators.count = 1;
	if (names != NULL && names->group(names->context, ADMINISTRATORS_GROUP, &gid) == 0) {
		p[1] = (struct principal){
			.kind = PRINCIPAL_GROUP, .id = gid, .name = "@" ADMINISTRATORS_GROUP
		};
		c->administrators.count = 2;
	}
	return 0;
}

static int add_rights(struct server_config *c)
{
	c->acls = calloc(1, sizeof(*c->acls));
	if (c->acls == NULL) {
		return -ENOMEM;
	}
	c->acl_count = 1;
	c->acls[0].entries = calloc(1, sizeof(*c->acls[0].entries));
	if (c->acls[0].entries == NULL) {
		return -ENOMEM;
	}
	c->acls[0].count = 1;
	c->acls[0].entries[0] = (struct acl_entry){
		.principal = { .kind = PRINCIPAL_EVERYBODY, .name = "*" },
		.allow = RIGHTS_USER,
	};
	return 0;
}

int server_config_new(struct server_config **ret, const struct config_names *names)
{
	AUTO(server_config_free) struct server_config *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return -ENOMEM;
	}
	c->failure_delay = FAILURE_DELAY_DEFAULT;
	c->sessions_per_user = SESSIONS_PER_USER_DEFAULT;
	c->console_strict = true;
	config_init(&c->user_defaults);
	c->files = calloc(1, sizeof(*c->files));
	if (c->files == NULL) {
		return -ENOMEM;
	}
	c->file_count = 1;
	c->files[0] = strdup("built in");
	int r = c->files[0] != NULL ? add_administrators(c, names) : -ENOMEM;
	if (r >= 0) {
		r = add_rights(c);
	}
	if (r < 0) {
		return r;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

struct server_config *server_config_free(struct server_config *c)
{
	if (c == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < c->file_count; i++) {
		free(c->files[i]);
	}
	for (size_t i = 0; i < c->acl_count; i++) {
		free(c->acls[i].entries);
	}
	for (size_t i = 0; i < c->terminal_count; i++) {
		free(c->terminals[i].doors.items);
	}
	free(c->console.doors.items);
	free(c->administrators.items);
	free(c->terminals);
	free(c->listeners);
	free(c->acls);
	free(c->files);
	free(c);
	return NULL;
}

bool principal_matches(const struct principal *p, const struct config_who *who)
{
	switch (p->kind) {
	case PRINCIPAL_EVERYBODY:
		return true;
	case PRINCIPAL_USER:
		return p->id == who->uid;
	case PRINCIPAL_GROUP:
		for (size_t i = 0; i < who->group_count; i++) {
			if (who->groups[i] == p->id) {
				return true;
			}
		}
		return false;
	}
	return false;
}

bool principal_list_has(const struct principal_list *list, const struct config_who *who)
{
	for (size_t i = 0; i < list->count; i++) {
		if (principal_matches(&list->items[i], who)) {
			return true;
		}
	}
	return false;
}

bool server_config_is_administrator(const struct server_config *c, const struct config_who *who)
{
	return who->uid == 0 || principal_list_has(&c->administrators, who);
}

const struct acl *server_config_acl(const struct server_config *c, const char *listener)
{
	for (size_t i = 1; i < c->acl_count; i++) {
		if (strcasecmp(c->acls[i].listener, listener) == 0) {
			return &c->acls[i];
		}
	}
	return &c->acls[0];
}

void server_config_rights(const struct server_config *c, const char *listener,
	const struct config_who *who, unsigned *ret_allow, unsigned *ret_deny)
{
	const struct acl *acl = server_config_acl(c, listener);
	unsigned named = 0, everybody = 0, deny = 0;
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *e = &acl->entries[i];
		if (principal_matches(&e->principal, who)) {
			bool all = e->principal.kind == PRINCIPAL_EVERYBODY;
			*(all ? &everybody : &named) |= e->allow;
			deny |= e->deny;
		}
	}
	unsigned allow = named != 0 ? named : everybody;
	if ((allow & ~RIGHTS_GUEST) != 0) {
		allow |= RIGHT_QUERY; /* what one may not see one cannot do anything with */
	}
	*ret_allow = allow;
	*ret_deny = deny;
}

const struct listener_config *server_config_listener(
	const struct server_config *c, const char *listener)
{
	static const struct listener_config none = { .on_steal = ON_STEAL_DEFAULT };
	for (size_t i = 0; i < c->listener_count; i++) {
		if (strcasecmp(c->listeners[i].name, listener) == 0) {
			return &c->listeners[i];
		}
	}
	return &none;
}

const struct terminal_config *server_config_terminal(
	const struct server_config *c, const char *name)
{
	if (c->has_console && strcasecmp(name, CONFIG_CONSOLE) == 0) {
		return &c->console;
	}
	for (size_t i = 0; i < c->terminal_count; i++) {
		if (strcasecmp(c->terminals[i].name, name) == 0) {
			return &c->terminals[i];
		}
	}
	return NULL;
}

char *server_config_place_text(
	const struct server_config *c, const struct config_place *place, char *text, size_t size)
{
	if (place->file == 0 || place->file >= c->file_count) {
		(void)snprintf(text, size, "%s", c->files[0]);
	} else {
		(void)snprintf(text, size, "%s:%u", c->files[place->file], place->line);
	}
	return text;
}
