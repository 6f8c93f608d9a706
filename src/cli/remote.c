#include "cli/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/password.h"
#include "cli/report.h"
#include "protocol/error.h"

#define STATUS_UNREACHED 255 /* ssh's own */
#define STATUS_NOT_FOUND 127 /* of the shell there */
#define NAME_SIZE 512
#define WORDS_FIXED 16 /* ssh -t -- NAME termserv, two words of a name, `--`, the end */

static bool is_option(const struct arguments *a, enum option_id id)
{
	return a->values[id] != NULL;
}

char *remote_quote(const char *word)
{
	static const char quote[] = "'\\''";
	size_t length = 2;
	for (const char *at = word; *at != '\0'; at++) {
		length += *at == '\'' ? sizeof(quote) - 1 : 1;
	}
	char *text = malloc(length + 1);
	if (text == NULL) {
		return NULL;
	}
	char *end = text;
	*end++ = '\'';
	for (const char *at = word; *at != '\0'; at++) {
		if (*at == '\'') {
			end = mempcpy(end, quote, sizeof(quote) - 1);
		} else {
			*end++ = *at;
		}
	}
	*end++ = '\'';
	*end = '\0';
	return text;
}

bool remote_name_is_good(const char *name)
{
	const char *host = strrchr(name, '@');
	host = host != NULL ? host + 1 : name;
	if (name[0] == '-' || name[0] == '@' || host[0] == '-' || host[0] == '\0') {
		return false;
	}
	for (const char *at = name; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			     (byte >= 'a' && byte <= 'z') || byte >= 0x80;
		if (!plain && strchr(".-_:@+[]", *at) == NULL) {
			return false;
		}
	}
	char shown[NAME_SIZE];
	return text_encode(shown, sizeof(shown), name) > 0 && strcmp(shown, name) == 0;
}

/* ssh's arguments while they grow. */
struct line {
	char **argv;
	size_t count;
	bool failed;
};

/* Takes text, which is owned and may be NULL: then memory was short. */
static void add_owned(struct line *l, char *text)
{
	l->failed = l->failed || text == NULL;
	if (text != NULL) {
		l->argv[l->count++] = text;
	}
}

static void add_quoted(struct line *l, const char *word)
{
	add_owned(l, remote_quote(word));
}

/* `--name` or `--name=value`: one word, so that no value passes for an option. */
static void add_option(struct line *l, enum option_id id, const char *value)
{
	const struct option *row = option_row(id);
	AUTO(free) char *word = NULL;
	bool valued = row->value != NULL;
	if (asprintf(&word, "--%s%s%s", row->name, valued ? "=" : "", valued ? value : "") < 0) {
		word = NULL;
		l->failed = true;
		return;
	}
	add_quoted(l, word);
}

static void add_name(struct line *l, const struct command *c)
{
	const char *second = strchr(c->name, ' ');
	AUTO(free)
	char *first = second != NULL ? strndup(c->name, (size_t)(second - c->name))
				     : strdup(c->name);
	if (first == NULL) {
		l->failed = true;
		return;
	}
	add_quoted(l, first);
	if (second != NULL) {
		add_quoted(l, second + 1);
	}
}

static void add_options(struct line *l, const struct arguments *a, const struct remote *r)
{
	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		bool ours = id == OPTION_SERVER || id == OPTION_PASSWORD ||
			    id == OPTION_PASSWORD_FD;
		if (is_option(a, id) && !ours) {
			add_option(l, id, a->values[id]);
		}
	}
	if (r->password) {
		add_option(l, OPTION_PASSWORD_FD, "0");
	} else if (is_option(a, OPTION_PASSWORD) || is_option(a, OPTION_PASSWORD_FD)) {
		add_option(l, OPTION_PASSWORD, "*");
	}
}

/* Whether the command speaks to a person there. */
static bool needs_terminal(const struct command *c, const struct arguments *a)
{
	const char *password = a->values[OPTION_PASSWORD];
	if (password != NULL && strcmp(password, "*") == 0) {
		return true;
	}
	if (c->run == cmd_logon) {
		return !is_option(a, OPTION_DETACHED);
	}
	if (c->run == cmd_connect) {
		return !is_option(a, OPTION_DEST);
	}
	if (c->run == cmd_stop) {
		return !is_option(a, OPTION_FORCE);
	}
	return is_option(a, OPTION_WATCH); /* so that Ctrl-C ends it there too */
}

int remote_build(
	struct remote *ret, const struct command *c, const struct arguments *a, bool at_tty)
{
	const char *password = a->values[OPTION_PASSWORD];
	bool text = is_option(a, OPTION_PASSWORD_FD) ||
		    (password != NULL && strcmp(password, "*") != 0);
	struct remote r = { .terminal = at_tty && needs_terminal(c, a) };
	r.password = text && !r.terminal;
	r.asked = text && r.terminal;
	size_t rest = 0;
	while (a->rest != NULL && a->rest[rest] != NULL) {
		rest++;
	}
	struct line l = { .argv = calloc(
				  WORDS_FIXED + OPTION_COUNT + WORDS_MAX + rest, sizeof(*l.argv)) };
	if (l.argv == NULL) {
		return -ENOMEM;
	}
	add_owned(&l, strdup("ssh"));
	if (r.terminal) {
		add_owned(&l, strdup("-t"));
	}
	add_owned(&l, strdup("--"));
	add_owned(&l, strdup(a->values[OPTION_SERVER]));
	add_owned(&l, strdup("termserv"));
	add_name(&l, c);
	add_options(&l, a, &r);
	for (size_t i = 0; i < a->word_count; i++) {
		add_quoted(&l, a->words[i]);
	}
	if (a->rest != NULL) {
		add_quoted(&l, "--");
	}
	for (size_t i = 0; i < rest; i++) {
		add_quoted(&l, a->rest[i]);
	}
	r.argv = l.argv;
	if (l.failed) {
		remote_done(&r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

void remote_done(struct remote *r)
{
	for (char **at = r->argv; at != NULL && *at != NULL; at++) {
		free(*at);
	}
	free(r->argv);
	*r = (struct remote){ 0 };
}

/* What Ctrl-C and Ctrl-\\ did to us before. */
struct keys {
	struct sigaction interrupt, quit;
};

/* They are ssh's alone. */
static void keys_ignore(struct keys *ret)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGINT, &ignore, &ret->interrupt);
	(void)sigaction(SIGQUIT, &ignore, &ret->quit);
}

static void keys_restore(const struct keys *k)
{
	(void)sigaction(SIGINT, &k->interrupt, NULL);
	(void)sigaction(SIGQUIT, &k->quit, NULL);
}

/* In the child. stdin_fd -1: ours. Never returns. */
static void become_ssh(const struct remote *r, int stdin_fd, pid_t parent, const struct keys *k)
{
	keys_restore(k);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || (stdin_fd >= 0 && dup2(stdin_fd, STDIN_FILENO) < 0)) {
		_exit(STATUS_UNREACHED);
	}
	(void)execvp(r->argv[0], r->argv);
	report_line(stderr, "ssh: %s", strerror(errno));
	_exit(STATUS_UNREACHED);
}

/* Until it has ended; one that is stopped (~^Z) stops us too, so that the shell notices. A wait
 * status or -errno. */
static int await(pid_t child)
{
	for (;;) {
		int status;
		if (waitpid(child, &status, WUNTRACED) < 0) {
			if (errno != EINTR) {
				return -errno;
			}
		} else if (WIFSTOPPED(status)) {
			(void)raise(SIGSTOP);
			(void)kill(child, SIGCONT);
		} else {
			return status;
		}
	}
}

/* A wait status or -errno. stdin_fd as in become_ssh(). */
static int run(const struct remote *r, int stdin_fd)
{
	pid_t self = getpid();
	(void)fflush(NULL);
	struct keys keys;
	keys_ignore(&keys);
	pid_t child = fork();
	int status = child < 0 ? -errno : 0;
	if (child == 0) {
		become_ssh(r, stdin_fd, self, &keys);
	}
	if (child > 0) {
		status = await(child);
	}
	keys_restore(&keys);
	return status;
}

static int fail(const char *name, const char *text)
{
	struct failure failure;
	failure_set(&failure, ERROR_SERVER_UNAVAILABLE, text);
	return report_failure(&failure, "reach server %s", name);
}

/* What its end means. A session's program may end with these numbers too: then it is its status. */
static int judge(const struct remote *r, const char *name, int status)
{
	if (WIFSIGNALED(status)) {
		return 128 + WTERMSIG(status);
	}
	switch (WEXITSTATUS(status)) {
	case STATUS_UNREACHED:
		return fail(name, "ssh could not get there, or lost the way; it said why above.");
	case STATUS_NOT_FOUND:
		if (r->terminal) {
			report_line(stderr,
				"Exit status 127: where the shell of server %s said so above, "
				"termserv is not installed there.",
				name);
			return STATUS_NOT_FOUND;
		}
		return fail(name, "termserv is not installed there, or not in its PATH.");
	default:
		return WEXITSTATUS(status);
	}
}

int remote_run(const struct command *c, const struct arguments *a)
{
	const char *name = a->values[OPTION_SERVER];
	struct failure failure;
	AUTO(remote_done) struct remote r = { 0 };
	AUTO_FD int stdin_fd = -1;
	if (!remote_name_is_good(name)) {
		failure_set(&failure, ERROR_INVALID_PARAMETER, "This is no name of a server.");
		return report_failure(&failure, "reach server %s", name);
	}
	int error = remote_build(&r, c, a, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
	if (error == 0 && r.password && password_open(&stdin_fd, a, &failure) < 0) {
		return report_failure(&failure, "reach server %s", name);
	}
	if (r.asked) {
		password_forget();
		report_line(stderr, "Server %s will ask for the password itself.", name);
	}
	if (error == 0 && !r.terminal && !r.password) {
		/* ssh would read what is meant for the caller's next command. */
		stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		error = stdin_fd < 0 ? -errno : 0;
	}
	int status = error == 0 ? run(&r, stdin_fd) : error;
	if (status < 0) {
		failure_from_errno(&failure, status);
		return report_failure(&failure, "reach server %s", name);
	}
	return judge(&r, name, status);
}
