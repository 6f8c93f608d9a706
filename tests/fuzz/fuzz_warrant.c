/* warrant_receive() and warrant_receive_question() take packets of any length and content, with and
 * without descriptors: what they accept is whole and every text in it ends; no descriptor is lost.
 * Each packet is read once by either. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "packets.h"
#include "protocol/warrant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void receive_warrant(int fd)
{
	struct warrant w;
	AUTO_FD int spec_fd = -1;
	int r = warrant_receive(&w, &spec_fd, fd);
	if (r == 1) {
		if (w.version != WARRANT_VERSION) {
			fail("another version was accepted");
		}
		check_text(w.session, sizeof(w.session));
		check_text(w.terminal, sizeof(w.terminal));
		check_text(w.user, sizeof(w.user));
	} else if (r > 1 || spec_fd >= 0) {
		fail("a result that the header does not name");
	}
}

static void receive_question(int fd)
{
	struct warrant_question q;
	struct ucred asker;
	AUTO_FD int pipe_fd = -1;
	int r = warrant_receive_question(&q, &pipe_fd, &asker, fd);
	if (r == 1) {
		check_text(q.user, sizeof(q.user));
		if (pipe_fd < 0 || asker.pid != getpid()) {
			fail("a question without its pipe or its asker");
		}
	} else if (r > 1 || pipe_fd >= 0) {
		fail("a result that the header does not name");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	unsigned before = open_descriptors();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		abort();
	}
	if (warrant_want_credentials(pair[1]) < 0) {
		abort();
	}
	struct packet p;
	while (packet_next(&p, &data, &size)) {
		packet_send(pair[0], &p);
		receive_warrant(pair[1]);
		packet_send(pair[0], &p);
		receive_question(pair[1]);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (open_descriptors() != before) {
		fail("descriptors were lost");
	}
	return 0;
}
