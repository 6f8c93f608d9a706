/* warrant_receive() and warrant_receive_question() take packets of any length and content, with and
 * without descriptors: what they accept is whole and every text in it ends; no descriptor is lost.
 *
 * Input: for each packet its length (2 bytes), how many descriptors ride with it, then its bytes.
 * Each packet is read once by either.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "protocol/warrant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < 64; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

static void check_text(const char *text, size_t size)
{
	if (strnlen(text, size) == size) {
		fail("a text without end");
	}
}

static void send_packet(int fd, const uint8_t *bytes, size_t length, size_t fd_count)
{
	int fds[FD_PASS_MAX];
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = length };
	for (size_t i = 0; i < fd_count; i++) {
		fds[i] = 0;
	}
	(void)fd_send(fd, &iov, 1, fds, fd_count);
}

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
	while (size > 3) {
		size_t length = ((size_t)data[0] << 8 | data[1]) % 2048;
		size_t fds = data[2] % (FD_PASS_MAX + 1);
		data += 3;
		size -= 3;
		length = length < size ? length : size;
		if (length > 0) { /* an empty packet is the end of the stream */
			send_packet(pair[0], data, length, fds);
			receive_warrant(pair[1]);
			send_packet(pair[0], data, length, fds);
			receive_question(pair[1]);
		}
		data += length;
		size -= length;
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (open_descriptors() != before) {
		fail("descriptors were lost");
	}
	return 0;
}
