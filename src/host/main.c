/* termserv-host: one session. Started by its leader with a link as descriptor 3, it owns the pty,
 * the screen model and the viewers, and ends with the session's first program.
 *
 * Always holds: one poll loop, nothing in it blocks, and without anything to do it sleeps. It
 * listens on nothing; all that it knows of the world comes from its leader and through cables. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "host/session.h"
#include "host/switchboard.h"

#define LINK_FD 3
#define USAGE 2

enum { POLL_LINK, POLL_PTY, POLL_PROGRAM, POLL_VIEWERS };

static int timeout_ms(const struct session *s)
{
	uint64_t next = session_next_time(s);
	if (next == 0) {
		return -1;
	}
	uint64_t now = clock_monotonic_ms();
	uint64_t wait = next > now ? next - now : 0;
	return wait < INT32_MAX ? (int)wait : INT32_MAX;
}

static size_t fill(const struct session *s, struct pollfd *polls, struct viewer **list)
{
	bool runs = s->stage == SESSION_RUNNING;
	polls[POLL_LINK] = (struct pollfd){
		.fd = s->link_fd,
		.events = (short)(POLLIN | (s->to_leader.count > 0 ? POLLOUT : 0)),
	};
	polls[POLL_PTY] = (struct pollfd){
		.fd = runs ? s->pty.master : -1,
		.events = (short)(POLLIN | (pty_waiting(&s->pty) > 0 ? POLLOUT : 0)),
	};
	polls[POLL_PROGRAM] = (struct pollfd){ .fd = s->program.pid_fd, .events = POLLIN };
	size_t count = switchboard_list(s, list);
	for (size_t i = 0; i < count; i++) {
		polls[POLL_VIEWERS + i] = (struct pollfd){
			.fd = list[i]->hung ? -1 : list[i]->fd,
			.events = switchboard_events(list[i]),
		};
	}
	return count;
}

static void on_link(struct session *s, short revents)
{
	if ((revents & POLLOUT) != 0) {
		(void)link_queue_flush(&s->to_leader, s->link_fd);
	}
	if ((revents & ~POLLOUT) != 0 && switchboard_on_link(s) < 0) {
		session_abandon(s);
	}
}

/* Output first, so that a key that was pressed meets the newest state; new cables last, so that
 * no viewer of this turn's list is replaced before its turn. */
static void turn(struct session *s)
{
	struct viewer *list[SWITCHBOARD_VIEWERS_MAX];
	struct pollfd polls[POLL_VIEWERS + SWITCHBOARD_VIEWERS_MAX];
	size_t viewers = fill(s, polls, list);
	int n = poll(polls, POLL_VIEWERS + viewers, timeout_ms(s));
	if (n < 0 && errno != EINTR) {
		log_error("poll: %s", strerrordesc_np(errno));
		session_abandon(s);
		return;
	}
	if (n > 0) {
		if ((polls[POLL_PTY].revents & POLLOUT) != 0) {
			(void)pty_flush(&s->pty);
		}
		if ((polls[POLL_PTY].revents & ~POLLOUT) != 0) {
			session_on_output(s);
		}
		for (size_t i = 0; i < viewers; i++) {
			if (polls[POLL_VIEWERS + i].revents != 0) {
				switchboard_on_cable(s, list[i], polls[POLL_VIEWERS + i].revents);
			}
		}
		if (polls[POLL_PROGRAM].revents != 0) {
			session_on_program_end(s);
		}
		if (polls[POLL_LINK].revents != 0) {
			on_link(s, polls[POLL_LINK].revents);
		}
	}
	session_on_time(s, clock_monotonic_ms());
}

int main(int argc, char **argv)
{
	log_open("termserv-host");
	uint32_t id;
	if (argc != 2 || text_to_u32(argv[1], &id) < 0 || fcntl(LINK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		dprintf(STDERR_FILENO,
			"termserv-host is started by termserv-leader; it is of no use by hand.\n");
		return USAGE;
	}
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)fd_set_nonblocking(LINK_FD, true);
	struct session s;
	session_init(&s, id, LINK_FD);
	while (s.stage != SESSION_OVER) {
		turn(&s);
	}
	session_done(&s);
	return 0;
}
