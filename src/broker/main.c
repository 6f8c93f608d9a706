/* termserv-broker: started by termservd alone, with descriptors whose numbers stand in its
 * arguments. In system mode it runs as an account without any rights, into which termservd has put
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/configuration.h"
#include "broker/confine.h"
#include "broker/names.h"
#include "broker/nursery.h"

#define EXIT_USAGE 2

struct options {
	int control_fd, parent_fd, runtime_fd, state_fd, log_fd;
	enum policy_mode mode;
	const char *config_path;
};

static int usage(void)
{
	(void)fputs("termserv-broker is started by termservd, not by hand.\n", stderr);
	return EXIT_USAGE;
}

/* A descriptor that is open, from now on closed by exec. */
static int read_fd(const char *text)
{
	uint32_t number;
	if (text_to_u32(text, &number) < 0 || number > INT32_MAX ||
		fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0) {
		return -1;
	}
	return (int)number;
}

static bool read_mode(enum policy_mode *ret, const char *text)
{
	bool system = strcmp(text, "system") == 0;
	*ret = system ? POLICY_SYSTEM_MODE : POLICY_USER_MODE;
	return system || strcmp(text, "user") == 0;
}

/* In system mode nothing is written outside the two folders that were made for it. */
static bool is_complete(const struct options *o, bool mode_known)
{
	bool folders = o->mode == POLICY_USER_MODE || (o->state_fd >= 0 && o->log_fd >= 0);
	return mode_known && folders && o->control_fd >= 0 && o->parent_fd >= 0 &&
	       o->runtime_fd >= 0;
}

static int read_options(struct options *ret, int argc, char **argv)
{
	static const struct option known[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "control-fd", required_argument, NULL, 'c' },
		{ "parent-fd", required_argument, NULL, 'p' },
		{ "runtime-fd", required_argument, NULL, 'r' },
		{ "state-fd", required_argument, NULL, 's' },
		{ "log-fd", required_argument, NULL, 'l' },
		{ "config", required_argument, NULL, 'f' },
		{ 0 },
	};
	struct options o = { -1, -1, -1, -1, -1, POLICY_USER_MODE, NULL };
	bool mode_known = false;
	int c;
	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (c) {
		case 'm':
			mode_known = read_mode(&o.mode, optarg);
			break;
		case 'c':
			o.control_fd = read_fd(optarg);
			break;
		case 'p':
			o.parent_fd = read_fd(optarg);
			break;
		case 'r':
			o.runtime_fd = read_fd(optarg);
			break;
		case 's':
			o.state_fd = read_fd(optarg);
			break;
		case 'l':
			o.log_fd = read_fd(optarg);
			break;
		case 'f':
			o.config_path = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind != argc || !is_complete(&o, mode_known)) {
		return -EINVAL;
	}
	*ret = o;
	return 0;
}

/* Thousands of sessions and terminals are a descriptor each. */
static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	int r = configuration_load(userdata);
	if (r < 0) {
		log_warning("the configuration stays as it was: %s", strerror(-r));
	}
	return 0;
}

/* In user mode there is nothing to read, and a hangup ends us as it ends any program. */
static int watch_reload(struct broker *b)
{
	sigset_t hangup;
	(void)sigemptyset(&hangup);
	(void)sigaddset(&hangup, SIGHUP);
	if (b->mode == POLICY_USER_MODE) {
		return 0;
	}
	if (sigprocmask(SIG_BLOCK, &hangup, NULL) < 0) {
		return -errno;
	}
	return sd_event_add_signal(b->event, NULL, SIGHUP, on_reload, b);
}

/* From here on only what serving needs. What a kernel does not have is said once. */
static int confine_broker(const struct options *o)
{
	bool system = o->mode == POLICY_SYSTEM_MODE;
	int r = confine(&(struct confine_places){
		.write_fd = { o->state_fd, o->log_fd, system ? -1 : o->runtime_fd },
		.read_fd = system ? o->runtime_fd : -1,
		.config_path = o->config_path,
	});
	if (r > 0) {
		log_warning("the broker is confined less than it could be: there is no %s",
			r == CONFINE_NO_LANDLOCK ? "Landlock"
			: r == CONFINE_NO_FILTER ? "filter of system calls for this machine"
						 : "Landlock and no filter of system calls");
	}
	return r < 0 ? r : 0;
}

int main(int argc, char **argv)
{
	struct options o;
	log_open("termserv-broker");
	if (read_options(&o, argc, argv) < 0) {
		return usage();
	}
	(void)umask(077);
	fd_ignore_sigpipe(); /* whoever reads our log may go */
	raise_limit();
	struct broker *b = NULL;
	const struct limits limits = LIMITS_DEFAULT;
	int r = o.mode == POLICY_SYSTEM_MODE ? nursery_open(names_serve) : 0;
	if (r >= 0) {
		r = broker_new(&b, &(struct broker_setup){ .mode = o.mode,
					   .runtime_fd = o.runtime_fd,
					   .state_fd = o.state_fd,
					   .log_fd = o.log_fd,
					   .config_path = o.config_path,
					   .limits = &limits });
	}
	if (r >= 0) {
		r = watch_reload(b);
	}
	if (r >= 0) {
		r = broker_start(b, o.control_fd, o.parent_fd);
	}
	if (r >= 0) {
		r = nursery_watch(b->event);
	}
	if (r >= 0) {
		r = confine_broker(&o);
	}
	if (r >= 0) {
		r = sd_event_loop(b->event);
	}
	if (r < 0) {
		log_error("the broker ends: %s", strerror(-r));
		r = EXIT_FAILURE;
	}
	(void)broker_free(b);
	return r;
}
