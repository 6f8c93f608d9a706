/* termservd: the parent of a terminal server. See server.h for what it does; here are its options.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/runtime.h"
#include "base/text.h"
#include "termservd/server.h"

#define EXIT_USAGE 2

#define CONFIG_PATH "/etc/termserv/termserv.conf"
#define LOG_PATH "/var/log/termserv"
#define ACCOUNT "termserv"

static const char help[] =
	"Usage: termservd --user [OPTION...]\n"
	"       termservd --system [OPTION...]\n"
	"The parent of a terminal server: holds its socket, keeps its broker running, and starts "
	"a\n"
	"leader for each session. The commands start it with --user when they need it.\n"
	"\n"
	"  --user              serve the user who starts it\n"
	"  --system            serve all users of this machine; must be started by root\n"
	"  --runtime-dir=DIR   the folder for the socket and the sessions. With --user instead of\n"
	"                      $TERMSERV_RUNTIME_DIR, $XDG_RUNTIME_DIR/termserv or the like, with\n"
	"                      --system instead of " RUNTIME_SYSTEM_PATH "\n"
	"  --config=FILE       with --system: instead of " CONFIG_PATH "\n"
	"  --log-dir=DIR       with --system: instead of " LOG_PATH ", or of log/ in the\n"
	"                      folder that --runtime-dir names\n"
	"  --account=NAME      with --system: who the broker runs as, instead of " ACCOUNT "\n"
	"  --ready-fd=N        write one byte to descriptor N when callers are served\n"
	"  --help, --version\n"
	"\n"
	"TERMSERV_LOG=debug in the environment makes it tell more on stderr.\n";

struct options {
	bool user, system;
	const char *runtime_option, *config_option, *log_option, *account_option;
	int ready_fd;
	int exit_status; /* -1 = go on */
};

static int refuse(const char *text)
{
	(void)fprintf(stderr, "termservd: %s\n", text);
	return EXIT_USAGE;
}

static int read_ready_fd(const char *text)
{
	uint32_t number;
	if (text_to_u32(text, &number) < 0 || number > INT32_MAX ||
		fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0) {
		return -1;
	}
	return (int)number;
}

static int print(const char *text)
{
	return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "system", no_argument, NULL, 's' },
		{ "runtime-dir", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "log-dir", required_argument, NULL, 'l' },
		{ "account", required_argument, NULL, 'a' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct options o = { .ready_fd = -1, .exit_status = -1 };
	int c;
	while (o.exit_status < 0 && (c = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		switch (c) {
		case 'u':
			o.user = true;
			break;
		case 's':
			o.system = true;
			break;
		case 'd':
			o.runtime_option = optarg;
			break;
		case 'c':
			o.config_option = optarg;
			break;
		case 'l':
			o.log_option = optarg;
			break;
		case 'a':
			o.account_option = optarg;
			break;
		case 'r':
			o.ready_fd = read_ready_fd(optarg);
			if (o.ready_fd < 0) {
				o.exit_status = refuse("--ready-fd needs an open descriptor.");
			}
			break;
		case 'h':
			o.exit_status = print(help);
			break;
		case 'v':
			o.exit_status = print("termservd " TERMSERV_VERSION "\n");
			break;
		default:
			o.exit_status = EXIT_USAGE;
			break;
		}
	}
	return o;
}

/* -1 = go on, else the exit status. */
static int check_options(const struct options *o, int argc)
{
	if (o->exit_status >= 0) {
		return o->exit_status;
	}
	if (optind < argc) {
		return refuse("it takes no arguments; see termservd --help.");
	}
	if (o->user == o->system) {
		return refuse("say whom to serve: --user or --system; see termservd --help.");
	}
	bool for_system = o->config_option != NULL || o->log_option != NULL ||
			  o->account_option != NULL;
	if (o->user && for_system) {
		return refuse("--config, --log-dir and --account go with --system.");
	}
	if (o->system && geteuid() != 0) {
		return refuse("--system must be started by root.");
	}
	return -1;
}

/* The paths and the account that the options mean; owned by whoever has it. */
struct place {
	char *runtime, *config, *log;
	struct account account;
};

static void place_done(struct place *p)
{
	free(p->runtime);
	free(p->config);
	free(p->log);
}

/* An option's path, else the usual one. */
static int choose(char **ret, const char *option, const char *usual)
{
	return runtime_absolute(ret, option != NULL ? option : usual);
}

static int place_system(struct place *p, const struct options *o)
{
	int r = choose(&p->runtime, o->runtime_option, RUNTIME_SYSTEM_PATH);
	if (r == 0) {
		r = choose(&p->config, o->config_option, CONFIG_PATH);
	}
	if (r == 0 && o->log_option == NULL && o->runtime_option != NULL) {
		r = asprintf(&p->log, "%s/log", p->runtime) < 0 ? -ENOMEM : 0;
	} else if (r == 0) {
		r = choose(&p->log, o->log_option, LOG_PATH);
	}
	if (r < 0) {
		log_error("an option's path cannot be used: %s", strerror(-r));
		return r;
	}
	const char *name = o->account_option != NULL ? o->account_option : ACCOUNT;
	r = account_find(&p->account, name);
	if (r < 0) {
		log_error("the account %s %s", name,
			r == -ENOENT  ? "does not exist; it is made when termserv is installed"
			: r == -EPERM ? "has root's rights: the broker must have none"
				      : strerror(-r));
	}
	return r;
}

static int place_user(struct place *p, const struct options *o)
{
	int r = runtime_path(&p->runtime, o->runtime_option);
	if (r < 0) {
		log_error("there is no runtime folder: %s", strerror(-r));
	}
	return r;
}

static int run(const struct options *o, const struct place *p)
{
	struct server *s = NULL;
	int r = server_new(&s, &(struct server_options){ .runtime_path = p->runtime,
				       .account = o->system ? &p->account : NULL,
				       .config_path = p->config,
				       .log_path = p->log,
				       .ready_fd = o->ready_fd });
	if (r == 0) {
		log_message(o->system ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG,
			"another server serves %s", p->runtime);
	}
	if (r <= 0) {
		return r == 0 && !o->system ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	r = server_run(s);
	(void)server_free(s);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int serve(const struct options *o)
{
	struct place p = { 0 };
	int status = EXIT_FAILURE;
	int r = o->system ? place_system(&p, o) : place_user(&p, o);
	if (r == 0 && chdir("/") < 0) {
		log_error("cannot enter /: %s", strerror(errno));
	} else if (r == 0) {
		status = run(o, &p);
	}
	place_done(&p);
	return status;
}

int main(int argc, char **argv)
{
	log_open("termservd");
	fd_ignore_sigpipe(); /* who waits for the ready byte may go, and who reads the log */
	struct options o = read_options(argc, argv);
	/* Modes that matter are set by name; a folder that is missing above ours is like any other.
	 */
	(void)umask(o.system ? 022 : 077);
	int status = check_options(&o, argc);
	return status >= 0 ? status : serve(&o);
}
