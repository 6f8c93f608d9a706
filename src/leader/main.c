/* termserv-leader: one session's guard. Started by termservd for one session, it proves who the
 * owner is, starts the one host, stands between broker and host, and stays until the session's last
 * process is gone.
 *
 * In system mode it is root and the owner's login: PAM opens and closes it here, and the login
 * records and the control group are kept here; the host is the owner's own process.
 *
 * Always holds: it knows no other session, never sees a byte of a terminal, never blocks once the
 * host runs, and whatever ends the session, LINK_ENDED says so and sessions/ID is removed. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/trim.h"
#include "leader/arguments.h"
#include "leader/cgroup.h"
#include "leader/folder.h"
#include "leader/host.h"
#include "leader/hostlog.h"
#include "leader/login.h"
#include "leader/logon.h"
#include "leader/pam.h"
#include "leader/record.h"
#include "leader/relay.h"
#include "leader/tree.h"

#define LOGOFF_GRACE_MS 5000 /* from SIGHUP to SIGKILL, for the program */
#define HOST_GRACE_MS 1000   /* for a host that was told to end at once, or has closed its link */
#define TREE_GRACE_MS 2000   /* from SIGHUP to SIGKILL, for what the program has left behind */
#define KILL_LIMIT_MS 5000   /* for SIGKILL to work: a process stuck in the kernel is left behind */
#define ENDED_WAIT_MS 1000
#define LISTEN_PAUSE_MS 100
#define USAGE 2

/* In this order; each but the first and the last has an end in time. */
enum stage {
	STAGE_RUNNING,
	STAGE_LOGOFF, /* the program has got SIGHUP */
	STAGE_RESET,  /* the host is to end at once */
	STAGE_HANGUP, /* the host is gone; what is left has got SIGHUP */
	STAGE_KILL,   /* what is left gets SIGKILL */
	STAGE_OVER,
};

struct leader {
	struct relay relay;
	struct host host;
	struct folder folder;
	struct cgroup cgroup;
	struct record record;
	struct hostlog hostlog; /* system mode */
	struct pam_login *pam;	/* system mode: the owner's login; NULL = none */
	int signal_fd;
	enum stage stage;
	uint64_t deadline;     /* clock_monotonic_ms(); of the stage */
	uint64_t listen_again; /* likewise; 0 = brokers may knock */
	int host_status;
	bool reset; /* somebody asked for the end at once */
};

/* --- the end ---------------------------------------------------------------------------------- */

static void enter(struct leader *l, enum stage stage, unsigned limit_ms)
{
	l->stage = stage;
	l->deadline = clock_monotonic_ms() + limit_ms;
}

static void begin_logoff(struct leader *l)
{
	if (l->stage < STAGE_LOGOFF) {
		enter(l, STAGE_LOGOFF, LOGOFF_GRACE_MS);
	}
}

static void begin_reset(struct leader *l)
{
	if (l->stage < STAGE_RESET) {
		enter(l, STAGE_RESET, HOST_GRACE_MS);
	}
}

static void kill_host(struct leader *l)
{
	if (l->host.pid > 0) {
		(void)kill(l->host.pid, SIGKILL);
	}
	l->deadline = UINT64_MAX; /* its end is the next thing that happens */
}

static void kill_tree(struct leader *l)
{
	(void)cgroup_kill(&l->cgroup); /* where there is one: all at once, whatever they do */
	int n = tree_signal(SIGKILL);
	if (n == 0) {
		/* Left are processes that are not ours to end, as those of a setuid program. */
		log_warning(
			"session %u: some of its processes could not be ended", l->relay.session);
		l->stage = STAGE_OVER;
	}
}

static void hang_up_tree(void)
{
	(void)tree_signal(SIGHUP);
	(void)tree_signal(SIGCONT); /* a stopped one would never see the hangup */
}

static void on_host_end(struct leader *l, bool left)
{
	l->host.pid = 0;
	hostlog_read(&l->hostlog, l->relay.session);
	while (l->relay.host_fd >= 0 && relay_on_host(&l->relay) > 0) {
		/* its last words */
	}
	relay_host_gone(&l->relay); /* even if a child of its still holds the other end */
	relay_set_ending(&l->relay);
	if (!left) {
		l->stage = STAGE_OVER;
	} else if (l->reset) {
		enter(l, STAGE_KILL, KILL_LIMIT_MS);
		kill_tree(l);
	} else {
		enter(l, STAGE_HANGUP, TREE_GRACE_MS);
		hang_up_tree();
	}
}

/* A child has ended: the host, or an orphan of the session. Its own children are ours now. */
static void on_child(struct leader *l)
{
	bool left;
	if (tree_reap(l->host.pid, &l->host_status, &left)) {
		on_host_end(l, left);
	} else if (l->stage > STAGE_RESET && !left) {
		l->stage = STAGE_OVER;
	} else if (l->stage == STAGE_HANGUP) {
		hang_up_tree();
	} else if (l->stage == STAGE_KILL) {
		kill_tree(l);
	}
}

static void on_deadline(struct leader *l)
{
	switch (l->stage) {
	case STAGE_LOGOFF:
		relay_order_host(&l->relay, LINK_RESET, 0, "");
		enter(l, STAGE_RESET, HOST_GRACE_MS);
		break;
	case STAGE_RESET:
		kill_host(l);
		break;
	case STAGE_HANGUP:
		enter(l, STAGE_KILL, KILL_LIMIT_MS);
		kill_tree(l);
		break;
	case STAGE_KILL:
		log_warning("session %u: some of its processes do not end", l->relay.session);
		l->stage = STAGE_OVER;
		break;
	case STAGE_RUNNING:
	case STAGE_OVER:
		break;
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_signal(struct leader *l)
{
	struct signalfd_siginfo info;
	bool child = false;
	bool stop = false;
	while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		child = child || info.ssi_signo == SIGCHLD;
		stop = stop || info.ssi_signo != SIGCHLD;
	}
	if (stop && l->stage == STAGE_RUNNING) { /* the machine goes down */
		relay_order_host(&l->relay, LINK_LOGOFF, 0, "");
		relay_set_ending(&l->relay);
		begin_logoff(l);
	}
	if (child) {
		on_child(l);
	}
}

static void on_host(struct leader *l)
{
	int r = relay_on_host(&l->relay);
	if (r == -EPIPE) {
		begin_reset(l); /* it is about to end; it need not be told */
	} else if (r < 0) {
		log_error("session %u: its host does not speak this link", l->relay.session);
		begin_reset(l);
		kill_host(l);
	}
}

static void take_orders(struct leader *l)
{
	if (l->relay.order == RELAY_LOGOFF) {
		begin_logoff(l);
	} else if (l->relay.order == RELAY_RESET) {
		l->reset = true;
		begin_reset(l);
		if (l->stage == STAGE_HANGUP) {
			enter(l, STAGE_KILL, KILL_LIMIT_MS);
			kill_tree(l);
		}
	}
}

/* When something is to be done though nothing happens; UINT64_MAX = never. */
static uint64_t next_time(const struct leader *l)
{
	uint64_t next = l->stage == STAGE_RUNNING ? UINT64_MAX : l->deadline;
	uint64_t check = relay_check_time(&l->relay);
	next = check < next ? check : next;
	return l->listen_again != 0 && l->listen_again < next ? l->listen_again : next;
}

static int wait_ms(const struct leader *l)
{
	uint64_t next = next_time(l);
	uint64_t now = clock_monotonic_ms();
	return next == UINT64_MAX ? -1 : next > now ? (int)(next - now) : 0;
}

static void on_time(struct leader *l)
{
	uint64_t now = clock_monotonic_ms();
	if (l->stage != STAGE_RUNNING && now >= l->deadline) {
		on_deadline(l);
	}
	if (now >= l->listen_again) {
		l->listen_again = 0;
	}
	if (now >= relay_check_time(&l->relay)) {
		relay_on_check(&l->relay);
	}
}

static void on_listen(struct leader *l)
{
	int r = relay_on_listen(&l->relay, l->folder.listen_fd);
	if (r < 0 && r != -EAGAIN) { /* no descriptors, no memory: whoever knocked will wait */
		l->listen_again = clock_monotonic_ms() + LISTEN_PAUSE_MS;
	}
}

static size_t add_checks(const struct leader *l, struct pollfd *to)
{
	int fds[ASKING_MAX];
	size_t count = relay_check_fds(&l->relay, fds);
	for (size_t i = 0; i < count; i++) {
		to[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	return count;
}

static void run(struct leader *l)
{
	while (l->stage != STAGE_OVER) {
		enum { SIGNALS, LISTEN, HOST, BROKER, HOSTLOG, CHECKS };
		struct pollfd polls[CHECKS + ASKING_MAX] = {
			[SIGNALS] = { .fd = l->signal_fd, .events = POLLIN },
			[LISTEN] = { .fd = l->listen_again == 0 ? l->folder.listen_fd : -1,
				.events = POLLIN },
			[HOST] = { .fd = l->relay.host_fd, .events = POLLIN },
			[BROKER] = { .fd = l->relay.broker_fd,
				.events = relay_broker_events(&l->relay) },
			[HOSTLOG] = { .fd = l->hostlog.fd, .events = POLLIN },
		};
		size_t checks = add_checks(l, polls + CHECKS);
		/* Few as they are: with a limit of descriptors below their number poll() fails. */
		nfds_t count = checks > 0		? CHECKS + checks
			       : polls[HOSTLOG].fd >= 0 ? CHECKS
							: HOSTLOG;
		int n = trim_poll(polls, count, wait_ms(l));
		if (n < 0 && errno != EINTR) {
			log_error("poll: %s", strerrordesc_np(errno));
			return;
		}
		on_time(l);
		if (n <= 0) {
			continue;
		}
		if (polls[HOST].revents != 0) {
			on_host(l);
		}
		if (polls[BROKER].revents != 0) {
			relay_on_broker(&l->relay, polls[BROKER].revents);
			take_orders(l);
		}
		if (checks > 0) {
			relay_on_check(&l->relay);
		}
		if (polls[HOSTLOG].revents != 0) {
			hostlog_read(&l->hostlog, l->relay.session);
		}
		if (polls[LISTEN].revents != 0) {
			on_listen(l);
		}
		if (polls[SIGNALS].revents != 0) {
			on_signal(l);
		}
		if (l->relay.system && l->stage == STAGE_RUNNING) {
			record_update(&l->record, l->relay.user, l->relay.info.tty,
				l->relay.current.client);
		}
	}
}

/* --- the start -------------------------------------------------------------------------------- */

static int open_signals(int *ret)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return -errno;
	}
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	*ret = fd;
	return 0;
}

/* The host, as the owner's process, or as one like us in user mode. */
static int start_host(
	struct leader *l, const struct logon *logon, const struct login *login, char **argv)
{
	int r = tree_adopt();
	if (r == 0) {
		r = open_signals(&l->signal_fd);
	}
	AUTO_FD int log_fd = -1;
	if (r == 0 && login != NULL) {
		r = hostlog_open(&l->hostlog, &log_fd);
	}
	if (r == 0) {
		r = login != NULL ? host_start(&l->host, l->relay.session, login, log_fd)
				  : host_fork(&l->host, l->relay.session, argv);
	}
	if (r < 0) {
		return r;
	}
	relay_set_host(&l->relay, l->host.link_fd);
	uint32_t flags = (login != NULL ? LINK_START_SYSTEM : 0) |
			 (logon->by_password ? LINK_START_FOREIGN : 0);
	r = host_give(&l->host, l->relay.session, flags, logon->spec_fd, l->folder.run_fd);
	if (r < 0) { /* dead already, or of no use: the loop will see how it ends */
		log_warning("session %u: its host did not take it: %s", l->relay.session,
			strerrordesc_np(-r));
		(void)kill(l->host.pid, SIGKILL);
	}
	return 0;
}

/* PAM's part of it: who asks is told to the modules by name. */
static int open_login(
	struct leader *l, struct logon *logon, const struct arguments *a, struct login *login)
{
	AUTO(account_done) struct account maker = { 0 };
	if (logon->by_password) {
		(void)account_read(&maker, NULL, logon->maker); /* without a name it is empty */
	}
	const struct pam_who who = {
		.user = logon->account.name,
		.by = logon->by_password ? maker.name : logon->account.name,
		.from = a->client,
		.tty = a->terminal,
	};
	int r = login_init(login, &logon->account);
	return r < 0 ? r : pam_login_open(&l->pam, &who, &logon->account, login);
}

/* The password that has made the session counts for its first cable too. */
static void grant_first_cable(struct leader *l, const struct logon *logon)
{
	if (logon->by_password) {
		const struct warrant own = { .destination = WARRANT_OWN };
		grants_add(&l->relay.asking.grants, &own, logon->maker, clock_monotonic_ms());
	}
}

/* Everything up to a host that has its session. *ret_step says what failed. 0 or -errno. */
static int start(struct leader *l, const struct arguments *a, const char **ret_step)
{
	AUTO_FD int proof_fd = a->proof_fd;
	AUTO_FD int runtime_fd = a->runtime_fd;
	AUTO(logon_done) struct logon logon = LOGON_INIT;
	int r = logon_read(&logon, a, ret_step);
	if (r < 0) {
		return r;
	}
	l->relay.system = a->system;
	l->relay.owner = logon.account.uid;
	link_set_text(l->relay.user, logon.account.name);
	link_set_text(l->relay.listener, a->listener);
	AUTO(login_done) struct login login = { 0 };
	*ret_step = "to log its owner on";
	r = a->system ? open_login(l, &logon, a, &login) : 0;
	if (r < 0) {
		return r;
	}
	if (a->system && cgroup_make(&l->cgroup, a->session) == 0) {
		login.cgroup = &l->cgroup;
	}
	*ret_step = "to make its folder";
	r = folder_make(&l->folder, runtime_fd, l->relay.session,
		(struct folder_rights){ a->system, l->relay.owner });
	if (r < 0) {
		return r;
	}
	*ret_step = "to start its host";
	r = start_host(l, &logon, a->system ? &login : NULL, a->argv);
	if (a->system) {
		(void)setgroups(0, NULL); /* the owner's groups are not ours */
	}
	grant_first_cable(l, &logon);
	return r;
}

/* What is told to a person about a session that did not begin. */
static void failure_text(char *text, size_t size, const char *step, int error)
{
	if (error == -EKEYREJECTED) {
		(void)snprintf(text, size, "the user name or the password is wrong");
	} else if (error == -EKEYREVOKED) {
		(void)snprintf(text, size, "this account may not log on");
	} else {
		(void)snprintf(text, size, "it failed %s: %s", step, strerrordesc_np(-error));
	}
}

static struct link_simple ended_message(const struct leader *l)
{
	if (l->relay.ended.header.type == LINK_ENDED) {
		return l->relay.ended;
	}
	struct link_simple message = link_make(LINK_ENDED, 0);
	message.status = l->host_status;
	if (l->reset) {
		link_set_text(message.text, "the session was reset");
	} else {
		host_end_text(message.text, sizeof(message.text), l->host_status);
	}
	return message;
}

int main(int argc, char **argv)
{
	log_open("termserv-leader");
	struct arguments a;
	if (!arguments_read(&a, argc, argv)) {
		return USAGE;
	}
	if (a.system) {
		(void)clearenv(); /* no module of PAM shall be led by it */
		(void)prctl(PR_SET_DUMPABLE, 0);
	}
	(void)setsid(); /* a Ctrl-C where the server was started by hand is not meant for us */
	(void)fd_set_nonblocking(a.link_fd, true);
	struct leader l = { .host = HOST_INIT,
		.folder = FOLDER_INIT,
		.cgroup = CGROUP_INIT,
		.record = RECORD_INIT,
		.hostlog = HOSTLOG_INIT,
		.signal_fd = -1 };
	relay_init(&l.relay, a.session, a.link_fd, a.broker_uid);

	const char *step = "";
	int r = start(&l, &a, &step);
	struct link_simple ended = link_make(LINK_ENDED, 0);
	if (r < 0) {
		failure_text(ended.text, sizeof(ended.text), step, r);
		ended.error = r;
	} else {
		run(&l);
		ended = ended_message(&l);
	}
	log_message(r < 0 || ended.error < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "session %u: %s",
		a.session, ended.text);
	record_end(&l.record);
	folder_remove(&l.folder);
	cgroup_done(&l.cgroup);
	l.pam = pam_login_close(l.pam);
	relay_send_ended(&l.relay, &ended, ENDED_WAIT_MS);
	relay_done(&l.relay);
	hostlog_close(&l.hostlog);
	auto_close(&l.signal_fd);
	return r < 0 || l.host_status != 0 ? 1 : 0;
}
