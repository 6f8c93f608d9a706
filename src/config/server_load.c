/* All files of the server's configuration, and what only the whole of them can tell. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/files.h"
#include "config/server_config.h"

static bool is_listener(const struct server_config *c, const char *name)
{
	static const char *const own[] = { CONFIG_CONSOLE, "ssh", "tty" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (strcasecmp(own[i], name) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < c->terminal_count; i++) {
		if (strcasecmp(c->terminals[i].listener, name) == 0) {
			return true;
		}
	}
	return false;
}

struct counted {
	server_config_report *report;
	void *user;
	size_t count;
};

static void count(void *user, const char *file, unsigned line, const char *text)
{
	struct counted *counted = user;
	counted->count++;
	if (counted->report != NULL) {
		counted->report(counted->user, file, line, text);
	}
}

static void complain(struct counted *to, const struct server_config *c,
	const struct config_place *place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void complain(struct counted *to, const struct server_config *c,
	const struct config_place *place, const char *format, ...)
{
	char text[256];
	va_list texts;
	va_start(texts, format);
	(void)vsnprintf(text, sizeof(text), format, texts);
	va_end(texts);
	count(to, c->files[place->file], place->line, text);
}

/* What only the whole can tell. */
static void check_whole(const struct server_config *c, struct counted *to)
{
	for (size_t i = 1; i < c->acl_count; i++) {
		if (!is_listener(c, c->acls[i].listener)) {
			complain(to, c, &c->acls[i].place,
				"[rights %s]: nothing comes in by a listener of that name",
				c->acls[i].listener);
		}
	}
	for (size_t i = 0; i < c->listener_count; i++) {
		if (!is_listener(c, c->listeners[i].name)) {
			complain(to, c, &c->listeners[i].place,
				"[listener %s]: nothing comes in by a listener of that name",
				c->listeners[i].name);
		}
	}
	for (size_t i = 0; i < c->terminal_count; i++) {
		if (c->terminals[i].doors.count == 0) {
			complain(to, c, &c->terminals[i].place,
				"[terminal %s] has no user and no group that may open it",
				c->terminals[i].name);
		}
	}
	if (c->has_console && c->console.doors.count == 0) {
		complain(to, c, &c->console.place, "[%s] has no user and no group that may open it",
			c->console.name);
	}
}

/* One file. `must`: it was found in a folder, so that it must be there. */
static int load_file(struct server_config *c, const char *path, bool must,
	const struct config_names *names, struct counted *to)
{
	AUTO(free) char *text = NULL;
	struct stat info;
	int r = config_read_file(&text, path, &info);
	if (r == -ENOMEM) {
		return r;
	}
	if (r < 0) {
		if (must || (r != -ENOENT && r != -ENOTDIR)) {
			char why[128];
			(void)snprintf(why, sizeof(why), "cannot be read: %s",
				r == -EINVAL ? "it is no text file" : strerror(-r));
			count(to, path, 0, why);
		}
		return 0;
	}
	if (!config_file_is_safe(&info)) {
		count(to, path, 0, "is not read: others than root could have written it");
		return 0;
	}
	return server_config_parse(c, path, text, names, count, to);
}

int server_config_load(struct server_config **ret, const char *path,
	const struct config_names *names, server_config_report *report, void *user,
	size_t *ret_mistakes)
{
	struct counted to = { .report = report, .user = user };
	AUTO(server_config_free) struct server_config *c = NULL;
	int r = server_config_new(&c, names);
	if (r < 0) {
		return r;
	}
	struct config_files files;
	r = config_files_list(&files, path);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; r >= 0 && i < files.count; i++) {
		r = load_file(c, files.paths[i], i > 0, names, &to);
	}
	if (files.unread != NULL) {
		char why[128];
		(void)snprintf(why, sizeof(why), "cannot be read: %s", strerror(-files.error));
		count(&to, files.unread, 0, why);
	}
	if (files.more) {
		count(&to, path, 0, "there are too many files; the last ones are not read");
	}
	config_files_done(&files);
	if (r < 0) {
		return r;
	}
	check_whole(c, &to);
	*ret_mistakes = to.count;
	*ret = TAKE_PTR(c);
	return 0;
}
