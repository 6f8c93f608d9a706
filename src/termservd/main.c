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

static const char help[] =
	"Usage: termservd --user [OPTION...]\n"
	"The parent of a terminal server: holds its socket, keeps its broker running, and starts "
	"a\n"
	"leader for each session. The commands start it when they need it.\n"
	"\n"
	"  --user              serve the user who starts it\n"
	"  --system            serve all users (not in this version)\n"
	"  --runtime-dir=DIR   the folder for the socket and the sessions, instead of\n"
	"                      $TERMSERV_RUNTIME_DIR, $XDG_RUNTIME_DIR/termserv or the like\n"
	"  --ready-fd=N        write one byte to descriptor N when callers are served\n"
	"  --help, --version\n"
	"\n"
	"TERMSERV_LOG=debug in the environment makes it tell more on stderr.\n";

struct options {
	bool user, system;
	const char *runtime_option;
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
	if (o->system) {
		return refuse("--system is not in this version: start it with --user.");
	}
	if (!o->user) {
		return refuse("say whom to serve: --user; see termservd --help.");
	}
	return -1;
}

static int serve(const struct options *o)
{
	AUTO(free) char *path = NULL;
	int r = runtime_path(&path, o->runtime_option);
	if (r < 0) {
		log_error("there is no runtime folder: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	if (chdir("/") < 0) {
		log_error("cannot enter /: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	struct server *s = NULL;
	r = server_new(&s, &(struct server_options){ path, o->ready_fd });
	if (r == 0) {
		log_debug("another server serves %s", path);
	}
	if (r <= 0) {
		return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	r = server_run(s);
	(void)server_free(s);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	log_open("termservd");
	(void)umask(077);
	fd_ignore_sigpipe(); /* who waits for the ready byte may go, and who reads the log */
	struct options o = read_options(argc, argv);
	int status = check_options(&o, argc);
	return status >= 0 ? status : serve(&o);
}
