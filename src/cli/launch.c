#include "cli/launch.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/runtime.h"
#include "base/text.h"
#include "door/tty/termtype.h"
#include "protocol/error.h"
#include "protocol/spec.h"
#include "protocol/warrant.h"

#define SIZE_MAX_CELLS 4096
#define TERM_STANDARD "xterm-256color"

/* What belongs to the terminal, or to the one process that it was meant for. Sorted. One that ends
 * with `*` stands for all that begin so. TERM is set anew. */
static const char *const left_behind[] = {
	"ALACRITTY_*",
	"COLUMNS",
	"GHOSTTY_*",
	"GNOME_TERMINAL_*",
	"INVOCATION_ID",
	"ITERM_*",
	"JOURNAL_STREAM",
	"KITTY_*",
	"KONSOLE_*",
	"LC_TERMINAL*",
	"LINES",
	"LISTEN_FDNAMES",
	"LISTEN_FDS",
	"LISTEN_PID",
	"NOTIFY_SOCKET",
	"OLDPWD",
	"SHLVL",
	"SSH_ORIGINAL_COMMAND",
	"SSH_TTY",
	"STY",
	"TERM",
	"TERMCAP",
	"TERMINFO",
	"TERMSERV_SESSION",
	"TERM_PROGRAM*",
	"TERM_SESSION_ID",
	"TMUX",
	"TMUX_PANE",
	"VTE_VERSION",
	"WATCHDOG_*",
	"WEZTERM_*",
	"WINDOW",
	"WINDOWID",
	"WT_*",
	"XTERM_*",
	"_",
};

bool launch_leaves(const char *variable)
{
	size_t length = strcspn(variable, "=");
	for (size_t i = 0; i < ARRAY_SIZE(left_behind); i++) {
		const char *name = left_behind[i];
		size_t fixed = strcspn(name, "*");
		bool open_ended = name[fixed] == '*';
		if (strncmp(variable, name, fixed) == 0 &&
			(open_ended ? length >= fixed : length == fixed)) {
			return true;
		}
	}
	return false;
}

char *launch_path(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	char *whole = NULL;
	if (path == NULL || path[0] == '\0') {
		return asprintf(&whole, "/usr/local/bin:/usr/bin:/bin:%s", folder) < 0 ? NULL
										       : whole;
	}
	for (const char *at = path; at != NULL; at = strchr(at, ':')) {
		at += *at == ':';
		if (strncmp(at, folder, length) == 0 && (at[length] == ':' || at[length] == '\0')) {
			return strdup(path);
		}
	}
	return asprintf(&whole, "%s:%s", path, folder) < 0 ? NULL : whole;
}

int launch_size(uint16_t *ret_rows, uint16_t *ret_columns, const char *text)
{
	char columns_text[8];
	uint32_t rows;
	uint32_t columns;
	size_t length = strcspn(text, "xX");
	if (text[length] == '\0' || length >= sizeof(columns_text)) {
		return -EINVAL;
	}
	memcpy(columns_text, text, length);
	columns_text[length] = '\0';
	if (text_to_u32(columns_text, &columns) < 0 || text_to_u32(text + length + 1, &rows) < 0 ||
		columns < 1 || columns > SIZE_MAX_CELLS || rows < 1 || rows > SIZE_MAX_CELLS) {
		return -EINVAL;
	}
	*ret_rows = (uint16_t)rows;
	*ret_columns = (uint16_t)columns;
	return 0;
}

/* A growing list of texts of our own. */
struct texts {
	char **list; /* NULL-ended */
	size_t count;
	bool failed;
};

static void texts_done(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->list[i]);
	}
	free(t->list);
}

static void auto_texts_done(struct texts *t)
{
	texts_done(t);
}

static void add(struct texts *t, const char *name, const char *value)
{
	char *text = NULL;
	if (value == NULL) {
		text = strdup(name);
	} else if (asprintf(&text, "%s=%s", name, value) < 0) {
		text = NULL;
	}
	char **list = text != NULL ? realloc(t->list, (t->count + 2) * sizeof(*list)) : NULL;
	if (list == NULL) {
		free(text);
		t->failed = true;
		return;
	}
	list[t->count++] = text;
	list[t->count] = NULL;
	t->list = list;
}

/* The folder of this program, without a slash behind; NULL when it is not known. */
static char *own_folder(void)
{
	char *path = NULL;
	if (runtime_sibling(&path, "termserv") < 0) {
		return NULL;
	}
	*strrchr(path, '/') = '\0';
	return path;
}

static void fill_environment(struct texts *t, const struct launch *launch)
{
	bool shell = launch->config->shell[0] != '\0';
	for (char **at = environ; *at != NULL; at++) {
		bool replaced = strncmp(*at, "PATH=", 5) == 0 ||
				(shell && strncmp(*at, "SHELL=", 6) == 0) ||
				(launch->runtime_dir != NULL &&
					strncmp(*at, "TERMSERV_RUNTIME_DIR=", 21) == 0);
		if (!replaced && !launch_leaves(*at) && strchr(*at, '=') != NULL) {
			add(t, *at, NULL);
		}
	}
	AUTO(free) char *folder = own_folder();
	AUTO(free) char *path = launch_path(getenv("PATH"), folder != NULL ? folder : "/usr/bin");
	add(t, "PATH", path != NULL ? path : "/usr/bin:/bin");
	if (shell) {
		add(t, "SHELL", launch->config->shell);
	}
	if (launch->runtime_dir != NULL) {
		add(t, "TERMSERV_RUNTIME_DIR", launch->runtime_dir);
	}
}

/* A login shell makes its PATH anew. Where our programs lie in a folder that no login knows (a
 * build that is not installed), the shell is started as an ordinary one, so that they stay on PATH.
 */
static bool login_finds_us(void)
{
	AUTO(free) char *folder = own_folder();
	return folder == NULL || strcmp(folder, "/usr/bin") == 0 || strcmp(folder, "/bin") == 0 ||
	       strcmp(folder, "/usr/local/bin") == 0;
}

/* The shell to run, by name, when the host is not to choose the login shell itself; borrowed, or
 * NULL. */
static const char *named_shell(const struct launch *launch, bool login)
{
	if (launch->config->shell[0] != '\0') {
		return launch->config->shell;
	}
	const char *shell = getenv("SHELL");
	const struct passwd *user = shell == NULL && !login ? getpwuid(geteuid()) : NULL;
	return login ? NULL : shell != NULL ? shell : user != NULL ? user->pw_shell : "/bin/sh";
}

/* The kernel tells it only to who sets it. */
static mode_t own_umask(void)
{
	mode_t mask = umask(077);
	(void)umask(mask);
	return mask;
}

/* A memory file with the spec, or -errno. */
static int write_spec(const struct launch *launch)
{
	AUTO(texts_done) struct texts environment = { 0 };
	const char *term = getenv("TERM");
	bool login = launch->user != NULL || login_finds_us();
	const char *named = launch->user != NULL ? NULL : named_shell(launch, login);
	char *shell[] = { (char *)named, login ? (char *)"-l" : NULL, NULL };
	char **command = launch->command;
	if ((command == NULL || command[0] == NULL) && shell[0] != NULL) {
		command = shell;
	}
	fill_environment(&environment, launch);
	AUTO(free) char *directory = getcwd(NULL, 0);
	if (environment.failed) {
		return -ENOMEM;
	}
	bool xterm = term_type_of(term, NULL).class == CABLE_CLASS_XTERM;
	struct spec spec = {
		.header = { .rows = launch->rows,
			.columns = launch->columns,
			.history_bytes = launch->config->history_bytes,
			.wait_ms = launch->wait_ms,
			.umask = own_umask() },
		.directory = directory != NULL ? directory : "/",
		.term = xterm ? term : TERM_STANDARD,
		.arguments = command,
		.environment = environment.list,
	};
	return spec_write(&spec);
}

/* What a try is made from. */
struct creation {
	const struct launch *launch;
	int spec_fd;
};

/* For the session's leader: who asks, as the kernel has noted, whose session it is to be, and the
 * spec. A socket or -errno. */
static int make_proof(const struct creation *c)
{
	struct warrant w = {
		.version = WARRANT_VERSION, .use = WARRANT_LOGON, .destination = WARRANT_OWN
	};
	link_set_text(w.user, c->launch->user != NULL ? c->launch->user : "");
	return warrant_make(c->launch->maker, &w, c->spec_fd);
}

static int set(json_t *parameters, const char *key, json_t *value)
{
	return json_object_set_new(parameters, key, value) < 0 ? -ENOMEM : 0;
}

static int fill_create(void *user, const char *secret, json_t *parameters, int *ret_fd)
{
	const struct creation *c = user;
	const struct launch *launch = c->launch;
	AUTO_FD int proof = make_proof(c);
	int r = proof < 0 ? proof : set(parameters, "proof", json_integer(0));
	if (r == 0 && secret != NULL) {
		r = set(parameters, "secret", json_string(secret));
	}
	if (r == 0 && launch->user != NULL) {
		json_t *name = json_string(launch->user);
		r = name != NULL ? set(parameters, "user", name) : -EILSEQ;
	}
	if (r == 0) {
		*ret_fd = TAKE_FD(proof);
	}
	return r;
}

/* Without a door. ATTACH_DONE and *ret, or ATTACH_FAILED. */
static enum attach_step create(
	struct server *server, struct creation *c, json_t **ret, struct failure *ret_failure)
{
	AUTO_FD int proof = -1;
	AUTO(json) json_t *parameters = json_object();
	int r = fill_create(c, NULL, parameters, &proof);
	if (r < 0) {
		failure_from_errno(ret_failure, r);
		return ATTACH_FAILED;
	}
	r = server_call(server, "CreateSession", TAKE_PTR(parameters), &proof, 1, SERVER_ONCE, ret,
		ret_failure);
	return r == 0 ? ATTACH_DONE : ATTACH_FAILED;
}

enum attach_step launch_session(struct server *server, struct attach *attach,
	const struct launch *launch, uint32_t *ret_id, json_t **ret_answer,
	struct failure *ret_failure)
{
	AUTO(json) json_t *answer = NULL;
	AUTO_FD int spec_fd = write_spec(launch);
	struct creation creation = { .launch = launch, .spec_fd = spec_fd };
	struct attach_call call = {
		.method = "CreateSession",
		.tries = 1, /* a second try would make a second session */
		.limit_ms = WARRANT_CALL_MS,
		.fill = fill_create,
		.user = &creation,
	};
	if (spec_fd == -E2BIG) {
		failure_set(ret_failure, ERROR_INVALID_PARAMETER,
			"The command and its environment are too long.");
		return ATTACH_FAILED;
	}
	if (spec_fd < 0) {
		failure_from_errno(ret_failure, spec_fd);
		return ATTACH_FAILED;
	}
	enum attach_step step = attach != NULL ? attach_call(attach, &call, &answer, ret_failure)
					       : create(server, &creation, &answer, ret_failure);
	if (step != ATTACH_DONE) {
		return step;
	}
	const json_t *session = json_object_get(answer, "session");
	if (!json_is_integer(session)) {
		failure_set(ret_failure, ERROR_SERVER_UNAVAILABLE,
			"The server's answer cannot be understood.");
		return ATTACH_FAILED;
	}
	*ret_id = (uint32_t)json_integer_value(session);
	if (ret_answer != NULL) {
		*ret_answer = TAKE_PTR(answer);
	}
	return ATTACH_DONE;
}
