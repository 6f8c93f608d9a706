#include "host/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/trim.h"
#include "host/session.h"
#include "host/switchboard.h"

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

/* The viewers' cables, and behind them as many leases or terminals. */
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
		polls[POLL_VIEWERS + count + i] = switchboard_poll_lent(s, list[i]);
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
	struct pollfd polls[POLL_VIEWERS + 2 * SWITCHBOARD_VIEWERS_MAX];
	size_t viewers = fill(s, polls, list);
	/* Never believed to be newer than it is. */
	uint64_t looked = clock_monotonic_ms();
	int n = trim_poll(polls, POLL_VIEWERS + 2 * viewers, timeout_ms(s));
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
		for (size_t i = 0; i < viewers; i++) {
			if (polls[POLL_VIEWERS + viewers + i].revents != 0) {
				switchboard_on_lent(s, list[i],
					polls[POLL_VIEWERS + viewers + i].revents, looked);
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

int host_run(uint32_t id)
{
	log_open("termserv-host");
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)fd_set_nonblocking(HOST_LINK_FD, true);
	struct session s;
	session_init(&s, id, HOST_LINK_FD);
	while (s.stage != SESSION_OVER) {
		turn(&s);
	}
	session_done(&s);
	return 0;
}
