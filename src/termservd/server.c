/* What always holds: while the lock is ours, nobody else serves this folder; one broker at most
 * runs; leaders are never ended from here, they outlive us. */
#include "termservd/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/runtime.h"
#include "protocol/link.h"
#include "termservd/folders.h"
#include "termservd/leaders.h"
#include "termservd/spawn.h"

#define CONTROL_SOCKET "control"
#define LOCK_FILE "lock"
#define DEATHS_MAX 5	       /* of brokers, within ... */
#define DEATHS_WINDOW_MS 10000 /* ... this time: from then on there is a pause before the next */
#define RESTART_PAUSE_MS 1000
#define BROKER_END_MS 2000    /* for a broker that was asked to end */
#define TIMER_SLACK_USEC 1000 /* a wait may be so much longer; sd-event's default is 250 ms */
#define NUMBER_SIZE 16

struct server {
	sd_event *event;
	struct folders folders;
	int lock_fd, control_fd, ready_fd;
	const struct account *account; /* of the broker; NULL = user mode */
	const char *config_path;
	bool control_given; /* by a service manager, whose socket it stays */
	char *broker_path, *leader_path;
	int link_fd; /* to the broker; -1 = none runs */
	sd_event_source *link_source, *child_source, *timer;
	pid_t broker_pid; /* 0 = none runs */
	uint64_t deaths[DEATHS_MAX];
	size_t death_count;
	bool ending;
};

static int start_broker(struct server *s);

static int on_restart_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *s = userdata;
	s->timer = sd_event_source_disable_unref(s->timer);
	return start_broker(s);
}

static int restart_after(struct server *s, unsigned ms)
{
	return sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC, (uint64_t)ms * 1000,
		TIMER_SLACK_USEC, on_restart_time, s);
}

/* The clock takes a descriptor with its first use and keeps it: a broker's restart must not fail
 * for want of one. */
static int reserve_clock(struct server *s)
{
	int r = restart_after(s, 0);
	s->timer = sd_event_source_disable_unref(s->timer);
	return r;
}

/* At once, unless brokers die like flies: then one a second, so that a broken build or a full disk
 * does not eat the machine. */
static unsigned restart_pause(struct server *s)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t *slot = &s->deaths[s->death_count++ % DEATHS_MAX];
	*slot = now;
	uint64_t oldest = s->deaths[s->death_count % DEATHS_MAX];
	bool often = s->death_count >= DEATHS_MAX && now - oldest < DEATHS_WINDOW_MS;
	return often ? RESTART_PAUSE_MS : 0;
}

static void close_link(struct server *s)
{
	s->link_source = sd_event_source_disable_unref(s->link_source);
	if (s->link_fd >= 0) {
		(void)close(TAKE_FD(s->link_fd));
	}
}

static int on_broker_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct server *s = userdata;
	s->broker_pid = 0;
	s->child_source = sd_event_source_disable_unref(s->child_source);
	close_link(s);
	if (s->ending) {
		return sd_event_exit(s->event, EXIT_SUCCESS);
	}
	log_warning("the broker ended (%s %d); the sessions stay",
		info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status);
	return restart_after(s, restart_pause(s));
}

static int spawn_leader(
	struct server *s, const struct link_spawn *spawn, const struct fd_set_received *set)
{
	if (set->lost) {
		return -EMFILE;
	}
	if (set->count != 2) {
		return -EBADMSG;
	}
	/* In system mode whose session it is is the leader's to find out, not the broker's to say.
	 */
	if (s->account == NULL && spawn->uid != geteuid()) {
		return -EPERM;
	}
	struct leader_start start = {
		.path = s->leader_path,
		.spawn = spawn,
		.folders = &s->folders,
		.link_fd = set->fds[0],
		.proof_fd = set->fds[1],
		.broker_uid = s->account != NULL ? s->account->uid : geteuid(),
		.system = s->account != NULL,
	};
	return leaders_start(s->event, &start);
}

static int stop(struct server *s)
{
	log_info("ended by request");
	s->ending = true;
	return sd_event_exit(s->event, EXIT_SUCCESS);
}

static int handle(
	struct server *s, const union link_packet *packet, const struct fd_set_received *set)
{
	struct link_simple answer = link_make(LINK_SPAWNED, packet->header.serial);
	switch (packet->header.type) {
	case LINK_SPAWN:
		answer.error = spawn_leader(s, &packet->spawn, set);
		if (answer.error < 0) {
			log_error("session %u: its leader could not be started: %s",
				packet->spawn.session, strerror(-answer.error));
		}
		return link_send_simple(s->link_fd, &answer);
	case LINK_STOP:
		return stop(s);
	default:
		return -EPROTO;
	}
}

static int on_link(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct server *s = userdata;
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	int r = link_receive(fd, &packet, &set);
	if (r > 0) {
		log_debug("from the broker: packet %u, serial %u", packet.header.type,
			packet.header.serial);
		r = handle(s, &packet, &set);
	} else if (r == 0) {
		r = -ECONNRESET;
	}
	if (r >= 0 || r == -EAGAIN) {
		return 0;
	}
	/* A broker whose link is broken is of no use: the next one finds everything again. */
	close_link(s);
	if (s->broker_pid != 0) {
		(void)kill(s->broker_pid, SIGKILL);
	}
	return 0;
}

static int spawn_broker(struct server *s, int parent_fd)
{
	const struct folders *f = &s->folders;
	char control[NUMBER_SIZE], parent[NUMBER_SIZE], runtime[NUMBER_SIZE], state[NUMBER_SIZE];
	char log[NUMBER_SIZE];
	(void)snprintf(control, sizeof(control), "%d", s->control_fd);
	(void)snprintf(parent, sizeof(parent), "%d", parent_fd);
	(void)snprintf(runtime, sizeof(runtime), "%d", f->runtime_fd);
	(void)snprintf(state, sizeof(state), "%d", f->state_fd);
	(void)snprintf(log, sizeof(log), "%d", f->log_fd);
	const char *const arguments[] = { "termserv-broker", "--mode",
		s->account != NULL ? "system" : "user", "--control-fd", control, "--parent-fd",
		parent, "--runtime-fd", runtime,
		/* user mode ends here */
		s->account != NULL ? "--state-fd" : NULL, state, "--log-fd", log, "--config",
		s->config_path, NULL };
	int keep[] = { s->control_fd, parent_fd, f->runtime_fd, f->state_fd, f->log_fd };
	return spawn_program(&s->broker_pid,
		&(struct spawn){
			.path = s->broker_path,
			.arguments = (char *const *)arguments,
			.keep = keep,
			.keep_count = s->account != NULL ? ARRAY_SIZE(keep) : ARRAY_SIZE(keep) - 2,
			.account = s->account,
			/* It may come before the broker is ready for it, which must not be its end.
			 */
			.hold = s->account != NULL ? SIGHUP : 0,
		});
}

static int try_start_broker(struct server *s)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
		return -errno;
	}
	AUTO_FD int parent_fd = fds[1];
	s->link_fd = fds[0];
	int r = sd_event_add_io(s->event, &s->link_source, s->link_fd, EPOLLIN, on_link, s);
	if (r >= 0) {
		r = spawn_broker(s, parent_fd);
	}
	if (r < 0) {
		close_link(s);
		return r;
	}
	r = sd_event_add_child(
		s->event, &s->child_source, s->broker_pid, WEXITED, on_broker_end, s);
	if (r < 0) {
		(void)kill(s->broker_pid, SIGKILL);
		(void)waitpid(s->broker_pid, NULL, 0);
		s->broker_pid = 0;
		close_link(s);
	}
	return r;
}

static void tell_ready(struct server *s)
{
	if (s->ready_fd >= 0) {
		(void)!write(s->ready_fd, "r", 1);
		(void)close(TAKE_FD(s->ready_fd));
	}
	(void)sd_notify(1, "READY=1");
}

static int start_broker(struct server *s)
{
	int r = try_start_broker(s);
	if (r >= 0) {
		tell_ready(s);
		return 0;
	}
	log_error("%s cannot be started: %s", s->broker_path, strerror(-r));
	/* Whoever waits for the first one shall not wait in vain; later ones may yet come. */
	return s->ready_fd >= 0 ? r : restart_after(s, RESTART_PAUSE_MS);
}

static int on_end_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *s = userdata;
	if (s->broker_pid != 0) {
		(void)kill(s->broker_pid, SIGKILL);
	}
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct server *s = userdata;
	if (s->ending) {
		return 0;
	}
	log_info("ended by signal %u; the sessions stay", info->ssi_signo);
	s->ending = true;
	s->timer = sd_event_source_disable_unref(s->timer);
	if (s->broker_pid == 0) {
		return sd_event_exit(s->event, EXIT_SUCCESS);
	}
	(void)kill(s->broker_pid, SIGTERM);
	return sd_event_add_time_relative(s->event, &s->timer, CLOCK_MONOTONIC,
		(uint64_t)BROKER_END_MS * 1000, TIMER_SLACK_USEC, on_end_time, s);
}

/* The configuration is the broker's to read. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct server *s = userdata;
	if (s->broker_pid != 0 && !s->ending) {
		(void)kill(s->broker_pid, SIGHUP);
	}
	return 0;
}

static int add_signals(struct server *s)
{
	static const int known[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t blocked;
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD); /* sd_event_add_child() asks for it */
	(void)sigaddset(&blocked, SIGPIPE); /* who waited to hear that we are ready may be gone */
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		(void)sigaddset(&blocked, known[i]);
	}
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0) {
		return -errno;
	}
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(known) && r >= 0; i++) {
		bool reload = known[i] == SIGHUP && s->account != NULL;
		r = sd_event_add_signal(
			s->event, NULL, known[i], reload ? on_reload : on_signal, s);
	}
	return r;
}

/* 1 = the lock is ours, 0 = another's, or -errno. */
static int take_lock(struct server *s)
{
	s->lock_fd = openat(
		s->folders.runtime_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0) {
		return -errno;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? 0 : -errno;
	}
	return 1;
}

/* The socket that a service manager has made, or one of our own. */
static int open_control(struct server *s)
{
	int count = sd_listen_fds(1);
	if (count < 0) {
		return count;
	}
	if (count > 1 || (count == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL,
						0) <= 0)) {
		log_error("exactly one listening stream socket may be handed over");
		return -EINVAL;
	}
	s->control_given = count == 1;
	s->control_fd = s->control_given ? SD_LISTEN_FDS_START
					 : fd_listen_at(s->folders.runtime_fd, CONTROL_SOCKET,
						   SOCK_STREAM, 0600);
	if (s->control_fd < 0) {
		return s->control_fd;
	}
	/* Anyone may ask; what he may do is the broker's to decide. */
	bool open = s->account != NULL && !s->control_given;
	if (open && fchmodat(s->folders.runtime_fd, CONTROL_SOCKET, 0666, 0) < 0) {
		return -errno;
	}
	return 0;
}

/* Only with the lock in hand: the server before us may still have its own. */
static int make_folders(struct server *s, const struct server_options *options)
{
	const char *what = "";
	int r = s->account != NULL ? folders_make(&s->folders, options->log_path, s->account, &what)
				   : 0;
	if (r < 0) {
		log_error("the folder %s cannot be made ready: %s", what, strerror(-r));
		return r;
	}
	return 0;
}

/* 1, 0 or -errno as server_new(). */
static int set_up(struct server *s, const struct server_options *options)
{
	int r = folders_open(&s->folders, options->runtime_path, options->account);
	if (r < 0) {
		log_error("%s %s", options->runtime_path, runtime_problem(r));
		return r;
	}
	r = take_lock(s);
	if (r <= 0) {
		return r;
	}
	r = make_folders(s, options);
	if (r >= 0) {
		r = open_control(s);
	}
	if (r >= 0) {
		r = runtime_sibling(&s->broker_path, "termserv-broker");
	}
	if (r >= 0) {
		r = runtime_sibling(&s->leader_path, "termserv-leader");
	}
	if (r >= 0) {
		r = sd_event_new(&s->event);
	}
	if (r >= 0 && s->account != NULL) {
		leaders_adopt(s->event, &s->folders);
	}
	if (r >= 0) {
		r = reserve_clock(s);
	}
	if (r >= 0) {
		r = add_signals(s);
	}
	if (r < 0) {
		log_error(
			"%s: the server cannot be set up: %s", options->runtime_path, strerror(-r));
		return r;
	}
	return 1;
}

int server_new(struct server **ret, const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return -ENOMEM;
	}
	s->folders = FOLDERS_NONE;
	s->lock_fd = s->control_fd = s->link_fd = -1;
	s->account = options->account;
	s->config_path = options->config_path;
	s->ready_fd = options->ready_fd;
	int r = set_up(s, options);
	if (r <= 0) {
		(void)server_free(s);
		return r;
	}
	*ret = s;
	return 1;
}

int server_run(struct server *s)
{
	int r = start_broker(s);
	return r < 0 ? r : sd_event_loop(s->event);
}

struct server *server_free(struct server *s)
{
	if (s == NULL) {
		return NULL;
	}
	/* The broker answers `termserv stop` when its link closes: by then the next server must
	 * find neither socket nor lock in its way. */
	if (s->ending && !s->control_given && s->control_fd >= 0) {
		(void)unlinkat(s->folders.runtime_fd, CONTROL_SOCKET, 0);
	}
	auto_close(&s->control_fd);
	auto_close(&s->lock_fd);
	close_link(s);
	(void)sd_event_source_disable_unref(s->child_source);
	(void)sd_event_source_disable_unref(s->timer);
	(void)sd_event_unref(s->event);
	folders_close(&s->folders);
	auto_close(&s->ready_fd);
	free(s->broker_path);
	free(s->leader_path);
	free(s);
	return NULL;
}
