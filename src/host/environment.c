#include "host/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/reader.h"

#define VALUE_MAX 4096
#define FILE_MAX (128 * 1024)
#define NEW_NAME ".new"
#define DOOR_FILE "door"
#define AUTHORITY_NAME "xauthority"

enum known {
	COLORTERM,
	DISPLAY,
	LANG,
	SSH_AUTH_SOCK,
	SSH_CLIENT,
	SSH_CONNECTION,
	SSH_TTY,
	WAYLAND_DISPLAY,
	XAUTHORITY,
	KNOWN_FILE,		      /* the ones above stand in run/env */
	XDG_RUNTIME_DIR = KNOWN_FILE, /* only tells what a relative WAYLAND_DISPLAY means */
	KNOWN_COUNT,
};

struct known_row {
	const char *name;
	const char *link; /* its stable path is this name in run/; NULL = it has none */
};

static const struct known_row known_rows[KNOWN_COUNT] = {
	[COLORTERM] = { "COLORTERM", NULL },
	[DISPLAY] = { "DISPLAY", NULL },
	[LANG] = { "LANG", NULL },
	[SSH_AUTH_SOCK] = { "SSH_AUTH_SOCK", "ssh-agent" },
	[SSH_CLIENT] = { "SSH_CLIENT", NULL },
	[SSH_CONNECTION] = { "SSH_CONNECTION", NULL },
	[SSH_TTY] = { "SSH_TTY", NULL },
	[WAYLAND_DISPLAY] = { "WAYLAND_DISPLAY", "wayland" },
	[XAUTHORITY] = { "XAUTHORITY", NULL },
	[XDG_RUNTIME_DIR] = { "XDG_RUNTIME_DIR", NULL },
};

struct values {
	const char *value[KNOWN_COUNT]; /* borrowed; NULL = the terminal does not have it */
};

int environment_open(struct environment *ret, int run_fd)
{
	*ret = ENVIRONMENT_INIT;
	ret->run_fd = run_fd;
	char name[32];
	char path[PATH_MAX];
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", run_fd);
	ssize_t n = readlink(name, path, sizeof(path) - 1);
	if (n < 0) {
		return -errno;
	}
	path[n] = '\0';
	/* The longest stable path must fit into a socket's address, or nobody could use it. */
	if (path[0] != '/' ||
		(size_t)n + sizeof("/ssh-agent") > sizeof(((struct sockaddr_un *)0)->sun_path)) {
		return -ENAMETOOLONG;
	}
	ret->run_path = strdup(path);
	return ret->run_path == NULL ? -ENOMEM : 0;
}

void environment_done(struct environment *e)
{
	display_done(&e->display);
	auto_close(&e->run_fd);
	free(e->run_path);
	*e = ENVIRONMENT_INIT;
}

static const char *value_of(const char *variable, const char *name)
{
	size_t length = strlen(name);
	return strncmp(variable, name, length) == 0 && variable[length] == '='
		       ? variable + length + 1
		       : NULL;
}

const char *environment_find(char *const *variables, const char *name)
{
	for (; *variables != NULL; variables++) {
		const char *value = value_of(*variables, name);
		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

static void take(struct values *v, const char *variable)
{
	for (int i = 0; i < KNOWN_COUNT; i++) {
		const char *value = value_of(variable, known_rows[i].name);
		if (value != NULL && value[0] != '\0' && strlen(value) < VALUE_MAX) {
			v->value[i] = value;
		}
	}
}

/* --- stable paths ----------------------------------------------------------------------------- */

/* Where the terminal's value really leads, as an absolute path (free()), or NULL when it leads
 * nowhere or to ourselves. */
static char *target_of(const struct environment *e, const struct values *v, enum known which)
{
	const char *value = v->value[which];
	const char *folder = v->value[XDG_RUNTIME_DIR];
	char *path = NULL;
	if (value[0] == '/') {
		path = strdup(value);
	} else if (which != WAYLAND_DISPLAY || folder == NULL || folder[0] != '/' ||
		   asprintf(&path, "%s/%s", folder, value) < 0) {
		return NULL;
	}
	/* A terminal that sits in another session brings that session's stable path. Links that
	 * lead to links could close to a ring, so what is kept is where it leads now. */
	const char *sessions = strstr(e->run_path, "/sessions/");
	size_t common = sessions != NULL ? (size_t)(sessions - e->run_path) : strlen(e->run_path);
	if (path != NULL && strncmp(path, e->run_path, common) == 0) {
		size_t own = strlen(e->run_path);
		bool ours = strncmp(path, e->run_path, own) == 0 && path[own] == '/';
		char *real = ours ? NULL : realpath(path, NULL);
		free(path);
		path = real;
	}
	return path;
}

/* 0 when the stable path leads there now. */
static int point_to(const struct environment *e, const char *name, const char *target)
{
	(void)unlinkat(e->run_fd, NEW_NAME, 0);
	if (symlinkat(target, e->run_fd, NEW_NAME) < 0 ||
		renameat(e->run_fd, NEW_NAME, e->run_fd, name) < 0) {
		return -errno;
	}
	return 0;
}

static int update_links(const struct environment *e, const struct values *v, bool *stable)
{
	int result = 0;
	for (int i = 0; i < KNOWN_FILE; i++) {
		const char *name = known_rows[i].link;
		if (name == NULL || v->value[i] == NULL || e->run_path == NULL) {
			continue;
		}
		AUTO(free) char *target = target_of(e, v, (enum known)i);
		if (target == NULL) { /* what it led to before is the best that we know */
			stable[i] = faccessat(e->run_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
			continue;
		}
		int r = point_to(e, name, target);
		stable[i] = r == 0;
		result = r < 0 ? r : result;
	}
	return result;
}

/* --- files -------------------------------------------------------------------------------------
 */

static int write_file(const struct environment *e, const char *name, const struct buf *text)
{
	(void)unlinkat(e->run_fd, NEW_NAME, 0);
	AUTO_FD int fd = openat(
		e->run_fd, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	ssize_t n = write(fd, text->data, text->length);
	if (n != (ssize_t)text->length) {
		int error = n < 0 ? -errno : -ENOSPC;
		(void)unlinkat(e->run_fd, NEW_NAME, 0);
		return error;
	}
	return renameat(e->run_fd, NEW_NAME, e->run_fd, name) < 0 ? -errno : 0;
}

static int open_display(struct environment *e)
{
	int r = display_open(&e->display);
	if (r < 0) {
		return r;
	}
	AUTO(buf_done) struct buf cookie = BUF_INIT(VALUE_MAX);
	display_put_authority(&e->display, &cookie);
	r = cookie.failed ? -ENOMEM : write_file(e, AUTHORITY_NAME, &cookie);
	if (r < 0) {
		display_done(&e->display);
	}
	return r;
}

static int update_display(struct environment *e, const struct values *v, bool *stable)
{
	const char *display = v->value[DISPLAY];
	if (e->run_path == NULL || (display == NULL && e->display.number == 0)) {
		return 0;
	}
	int r = e->display.number == 0 ? open_display(e) : 0;
	if (e->display.number != 0) {
		r = display_tell(&e->display, display, v->value[XAUTHORITY]);
		stable[DISPLAY] = stable[XAUTHORITY] = display != NULL;
	}
	return r;
}

/* --- run/env -----------------------------------------------------------------------------------
 */

/* The value that stays, as text behind `to`. */
static void put_stable(struct buf *to, const struct environment *e, int which)
{
	if (which == DISPLAY) {
		(void)buf_printf(to, ":%u", e->display.number);
	} else {
		const char *link = known_rows[which].link; /* a file of our own has none */
		(void)buf_printf(to, "%s/%s", e->run_path, link != NULL ? link : AUTHORITY_NAME);
	}
	(void)buf_put_byte(to, '\0');
}

static void put_quoted(struct buf *out, const char *value)
{
	(void)buf_put_byte(out, '\'');
	for (; *value != '\0'; value++) {
		if (*value == '\'') {
			(void)buf_put_text(out, "'\\''");
		} else {
			(void)buf_put_byte(out, (uint8_t)*value);
		}
	}
	(void)buf_put_text(out, "'\n");
}

static void put_variable(
	struct buf *out, const struct environment *e, int which, const char *value, bool stable)
{
	AUTO(buf_done) struct buf text = BUF_INIT(VALUE_MAX);
	if (stable) {
		put_stable(&text, e, which);
		value = text.failed ? value : (const char *)text.data;
	}
	if (value == NULL) {
		(void)buf_printf(out, "unset %s\n", known_rows[which].name);
		return;
	}
	(void)buf_printf(out, "%s=", known_rows[which].name);
	put_quoted(out, value);
}

static int update(struct environment *e, const struct values *v)
{
	if (e->run_fd < 0) {
		return 0;
	}
	bool stable[KNOWN_FILE] = { false };
	int links = update_links(e, v, stable);
	int display = update_display(e, v, stable);
	AUTO(buf_done) struct buf text = BUF_INIT(FILE_MAX);
	for (int i = 0; i < KNOWN_FILE; i++) {
		put_variable(&text, e, i, v->value[i], stable[i]);
	}
	int file = text.failed ? -ENOMEM : write_file(e, "env", &text);
	return links < 0 ? links : display < 0 ? display : file;
}

int environment_note_door(const struct environment *e, uid_t uid)
{
	AUTO(buf_done) struct buf text = BUF_INIT(FILE_MAX);
	if (e->run_fd < 0) {
		return 0;
	}
	(void)buf_printf(&text, "%u\n", (unsigned)uid);
	int r = text.failed ? -ENOMEM : write_file(e, DOOR_FILE, &text);
	if (r < 0) {
		(void)unlinkat(e->run_fd, DOOR_FILE, 0); /* rather none than an old one */
	}
	return r;
}

int environment_update(struct environment *e, const char *texts, size_t length)
{
	struct values v = { 0 };
	struct reader r = reader_over(texts, length);
	while (r.length > 0) {
		const char *variable = reader_text(&r, length);
		if (variable == NULL) {
			break;
		}
		take(&v, variable);
	}
	return update(e, &v);
}

int environment_begin(struct environment *e, char *const *variables)
{
	struct values v = { 0 };
	for (; *variables != NULL; variables++) {
		take(&v, *variables);
	}
	return update(e, &v);
}

/* --- the owner's login ------------------------------------------------------------------------ */

static bool is_named(const char *variable, const char *const *names)
{
	for (; *names != NULL; names++) {
		size_t length = strlen(*names);
		bool open_ended = (*names)[length - 1] == '_';
		if (strncmp(variable, *names, length) == 0 &&
			(open_ended || variable[length] == '=')) {
			return true;
		}
	}
	return false;
}

/* Whether the row has a variable of that name. */
static bool has(char *const *row, const char *variable)
{
	size_t length = strcspn(variable, "=");
	for (; *row != NULL; row++) {
		if (strncmp(*row, variable, length) == 0 && (*row)[length] == '=') {
			return true;
		}
	}
	return false;
}

int environment_log_on(struct spec *spec, char **own, bool foreign)
{
	static const char *const users_own[] = { "PATH", "SHELL", NULL };
	static const char *const harmless[] = { "TERM", "COLORTERM", "LANG", "LC_", NULL };
	size_t own_count = 0;
	while (own[own_count] != NULL) {
		own_count++;
	}
	size_t size = own_count + spec->header.environment_count + 1;
	char **row = calloc(size, sizeof(*row));
	if (row == NULL) {
		return -ENOMEM;
	}
	size_t n = 0;
	for (char **v = own; *v != NULL; v++) {
		if (foreign || !is_named(*v, users_own) || !has(spec->environment, *v)) {
			row[n++] = *v;
		}
	}
	for (char **v = spec->environment; *v != NULL; v++) {
		if ((!foreign || is_named(*v, harmless)) && !has(row, *v)) {
			row[n++] = *v;
		}
	}
	free(spec->environment);
	spec->environment = row;
	spec->header.environment_count = (uint32_t)n;
	if (foreign) {
		const char *home = environment_find(own, "HOME");
		mode_t mask = umask(077);
		(void)umask(mask); /* as the login has set it */
		spec->header.umask = mask;
		spec->header.argument_count = 0;
		spec->arguments[0] = NULL;
		spec->directory = home != NULL ? home : "/";
	}
	return 0;
}

/* --- for the programs ------------------------------------------------------------------------- */

/* Which known variables have a value that stays, for programs of this spec. */
static void find_stable(const struct environment *e, const struct spec *spec, bool *stable)
{
	for (int i = 0; i < KNOWN_FILE && e->run_path != NULL; i++) {
		const char *value = environment_find(spec->environment, known_rows[i].name);
		bool has_one = known_rows[i].link != NULL ||
			       (i == DISPLAY && e->display.number != 0);
		stable[i] = has_one && value != NULL && value[0] != '\0';
	}
	stable[XAUTHORITY] = stable[DISPLAY];
}

/* Whether we say ourselves what this variable is. */
static bool is_ours(const struct environment *e, const bool *stable, const char *variable)
{
	if (value_of(variable, "TERM") != NULL || value_of(variable, "TERMSERV_SESSION") != NULL) {
		return true;
	}
	for (int i = 0; i < KNOWN_FILE && e->run_path != NULL; i++) {
		if ((stable[i] || known_rows[i].link != NULL) &&
			value_of(variable, known_rows[i].name) != NULL) {
			return true;
		}
	}
	return false;
}

char **environment_program(const struct environment *e, const struct spec *spec, uint32_t session)
{
	/* The array, and behind it the texts that are ours. */
	AUTO(buf_done) struct buf texts = BUF_INIT(FILE_MAX);
	bool stable[KNOWN_FILE] = { false };
	size_t ours = 2;
	find_stable(e, spec, stable);
	(void)buf_printf(&texts, "TERM=%s", spec->term);
	(void)buf_put_byte(&texts, '\0');
	(void)buf_printf(&texts, "TERMSERV_SESSION=%u", session);
	(void)buf_put_byte(&texts, '\0');
	for (int i = 0; i < KNOWN_FILE; i++) {
		if (stable[i]) {
			(void)buf_printf(&texts, "%s=", known_rows[i].name);
			put_stable(&texts, e, i);
			ours++;
		}
	}
	size_t count = spec->header.environment_count + ours + 1;
	char **list = texts.failed ? NULL : malloc(count * sizeof(*list) + texts.length);
	if (list == NULL) {
		return NULL;
	}
	size_t n = 0;
	for (char **v = spec->environment; *v != NULL; v++) {
		if (!is_ours(e, stable, *v)) {
			list[n++] = *v;
		}
	}
	char *text = memcpy(list + count, texts.data, texts.length);
	for (size_t i = 0; i < ours; i++) {
		list[n++] = text;
		text += strlen(text) + 1;
	}
	list[n] = NULL;
	return list;
}
