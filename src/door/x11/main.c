/* termserv-x11: one session's own X display. Its number never changes; what stands behind it is the
 * display of the terminal that shows the session now. Started by the session's host with the
 * listening sockets, which lives as long as it does.
 *
 * Always holds: one poll loop, and but for the name service (for a display on another machine, when
 * its terminal comes) nothing in it waits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "door/x11/relay.h"

#define USAGE 2
#define DEAF_MS 100

enum { POLL_HOST, POLL_RELAY };

/* False: the host is gone. */
static bool hear_host(struct relay *r)
{
	struct x11_packet packet;
	for (;;) {
		ssize_t n = recv(X11_HOST_FD, &packet, sizeof(packet), MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(packet)) {
			relay_tell(r, &packet);
		} else if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
			return false;
		} else {
			return true;
		}
	}
}

static void serve(struct relay *r)
{
	struct pollfd polls[POLL_RELAY + RELAY_POLLS_MAX];
	for (;;) {
		polls[POLL_HOST] = (struct pollfd){ .fd = X11_HOST_FD, .events = POLLIN };
		size_t n = relay_fill(r, polls + POLL_RELAY);
		if (poll(polls, POLL_RELAY + n, r->deaf ? DEAF_MS : -1) < 0) {
			if (errno == EINTR) {
				continue;
			}
			log_error("poll: %s", strerrordesc_np(errno));
			return;
		}
		/* First where to, then who: a client that comes with its terminal goes there. */
		if (polls[POLL_HOST].revents != 0 && !hear_host(r)) {
			return;
		}
		relay_turn(r, polls + POLL_RELAY);
	}
}

static int take_descriptor(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
	log_open("termserv-x11");
	struct relay relay;
	uint32_t number;
	if (argc != 2 || argv[1][0] != ':' || text_to_u32(argv[1] + 1, &number) < 0 ||
		take_descriptor(X11_HOST_FD) < 0) {
		dprintf(STDERR_FILENO,
			"termserv-x11 is started by termserv-host; it is of no use by hand.\n");
		return USAGE;
	}
	/* The session's end sends it to all; ours comes from the host, after which we clean up. */
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGHUP, &ignore, NULL);
	relay_init(&relay, number);
	relay.listeners[0] = take_descriptor(X11_ABSTRACT_FD);
	relay.listeners[1] = take_descriptor(X11_FILE_FD);
	serve(&relay);
	if (relay.listeners[1] >= 0) {
		char path[64];
		(void)snprintf(path, sizeof(path), X11_SOCKET_FOLDER "/X%u", number);
		(void)unlink(path);
	}
	return 0;
}
