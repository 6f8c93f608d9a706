#include "termservd/leaders.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "termservd/spawn.h"

#define NUMBER_SIZE 16

/* Belongs to the event source that waits for its process. */
struct leader {
	uint32_t session;
	const struct folders *sweep; /* NULL = the broker does that */
};

static int on_leader_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct leader *l = userdata;
	if (info->si_code == CLD_EXITED && info->si_status == 0) {
		log_debug("the leader of session %u has ended", l->session);
	} else {
		log_warning("the leader of session %u ended (%s %d)", l->session,
			info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status);
	}
	if (l->sweep != NULL && info->si_code != CLD_EXITED) {
		folders_sweep(l->sweep, l->session, NULL);
	}
	/* The loop's reference is the last one: with it goes `l`. */
	(void)sd_event_source_set_floating(source, false);
	return 0;
}

static int spawn_leader(pid_t *ret, const struct leader_start *start)
{
	char session[NUMBER_SIZE], runtime[NUMBER_SIZE], link[NUMBER_SIZE], proof[NUMBER_SIZE];
	char uid[NUMBER_SIZE], owner[NUMBER_SIZE];
	(void)snprintf(session, sizeof(session), "%u", start->spawn->session);
	(void)snprintf(runtime, sizeof(runtime), "%d", start->folders->runtime_fd);
	(void)snprintf(link, sizeof(link), "%d", start->link_fd);
	(void)snprintf(proof, sizeof(proof), "%d", start->proof_fd);
	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)start->broker_uid);
	(void)snprintf(owner, sizeof(owner), "%u", start->spawn->uid);
	/* Each text of the broker's is one word behind its option: it cannot become another. */
	char *arguments[] = { (char *)"termserv-leader", (char *)"--session", session,
		(char *)"--runtime-fd", runtime, (char *)"--link-fd", link, (char *)"--proof-fd",
		proof, (char *)"--broker-uid", uid, (char *)"--owner", owner, (char *)"--mode",
		(char *)(start->system ? "system" : "user"), (char *)"--listener",
		(char *)start->spawn->listener, (char *)"--terminal",
		(char *)start->spawn->terminal, (char *)"--client", (char *)start->spawn->client,
		NULL };
	int keep[] = { start->folders->runtime_fd, start->link_fd, start->proof_fd };
	return spawn_program(ret, &(struct spawn){ .path = start->path,
					  .arguments = arguments,
					  .keep = keep,
					  .keep_count = ARRAY_SIZE(keep) });
}

/* Takes `l` on success. */
static int wait_for_end(sd_event *event, struct leader *l, pid_t pid)
{
	sd_event_source *source = NULL;
	int r = sd_event_add_child(event, &source, pid, WEXITED, on_leader_end, l);
	if (r >= 0) {
		r = sd_event_source_set_floating(source, true);
	}
	if (r >= 0) {
		r = sd_event_source_set_destroy_callback(source, free);
	}
	(void)sd_event_source_unref(source);
	return r < 0 ? r : 0;
}

int leaders_start(sd_event *event, const struct leader_start *start)
{
	AUTO(free) struct leader *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		return -ENOMEM;
	}
	l->session = start->spawn->session;
	l->sweep = start->system ? start->folders : NULL;
	pid_t pid = 0;
	int r = spawn_leader(&pid, start);
	if (r < 0) {
		return r;
	}
	r = wait_for_end(event, l, pid);
	if (r < 0) {
		/* It would stay a zombie for as long as we live; it has nothing to lose yet. */
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	(void)TAKE_PTR(l);
	return 0;
}

/* --- those of a server before us -------------------------------------------------------------- */

struct adoption {
	sd_event *event;
	const struct folders *folders;
};

static int on_adopted_end(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct leader *l = userdata;
	log_debug("the leader of session %u, which an earlier server has started, has ended",
		l->session);
	folders_sweep(l->sweep, l->session, NULL); /* when it has done that itself, there is none */
	(void)sd_event_source_set_floating(source, false);
	return 0;
}

/* The process that listens there. fd or -errno. While the connection stands it is that one that the
 * number means. */
static int open_listener(int link_fd)
{
	struct ucred peer;
	int r = fd_peer(link_fd, &peer);
	if (r < 0) {
		return r;
	}
	AUTO_FD int fd = pidfd_open(peer.pid, 0);
	if (fd < 0) {
		return -errno;
	}
	struct pollfd p = { .fd = link_fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) == 0 ? TAKE_FD(fd) : -ESRCH;
}

/* Takes `l` and fd on success. */
static int wait_for_adopted(sd_event *event, struct leader *l, int fd)
{
	sd_event_source *source = NULL;
	int r = sd_event_add_io(event, &source, fd, EPOLLIN, on_adopted_end, l);
	if (r >= 0) {
		r = sd_event_source_set_floating(source, true);
	}
	if (r >= 0) {
		r = sd_event_source_set_io_fd_own(source, true);
	}
	if (r >= 0) {
		r = sd_event_source_set_destroy_callback(source, free);
	}
	(void)sd_event_source_unref(source);
	return r < 0 ? r : 0;
}

static void on_living(void *user, uint32_t session, int link_fd)
{
	const struct adoption *a = user;
	AUTO(free) struct leader *l = calloc(1, sizeof(*l));
	AUTO_FD int fd = l != NULL ? open_listener(link_fd) : -ENOMEM;
	int r = fd;
	if (fd >= 0) {
		l->session = session;
		l->sweep = a->folders;
		r = wait_for_adopted(a->event, l, fd);
	}
	if (r < 0) { /* what it may leave is for the next server */
		log_debug("session %u: its leader cannot be watched: %s", session, strerror(-r));
		return;
	}
	(void)TAKE_PTR(l);
	(void)TAKE_FD(fd);
}

void leaders_adopt(sd_event *event, const struct folders *folders)
{
	struct adoption a = { .event = event, .folders = folders };
	folders_sweep(folders, 0, &(struct folders_listener){ on_living, &a });
}
