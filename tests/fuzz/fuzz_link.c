/* link_receive() takes packets of any length and content, with and without descriptors: what it
 * accepts is whole and every text in it ends; no descriptor is lost.
 *
 * Input: for each packet its length (2 bytes), how many descriptors ride with it, then its bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "protocol/link.h"

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
	size_t length = strnlen(text, size);
	if (length == size) {
		fail("a text without end");
	}
	for (size_t i = length; i < size; i++) {
		if (text[i] != '\0') {
			fail("something behind the end of a text");
		}
	}
}

static void check_packet(const union link_packet *p)
{
	if (p->header.version != LINK_VERSION) {
		fail("another version was accepted");
	}
	if (p->header.type == LINK_INFO) {
		check_text(p->info.terminal, sizeof(p->info.terminal));
		check_text(p->info.client, sizeof(p->info.client));
		check_text(p->info.tty, sizeof(p->info.tty));
		check_text(p->info.term, sizeof(p->info.term));
		check_text(p->info.command, sizeof(p->info.command));
		check_text(p->info.title, sizeof(p->info.title));
		check_text(p->info.user, sizeof(p->info.user));
		check_text(p->info.listener, sizeof(p->info.listener));
	} else if (p->header.type == LINK_SPAWN) {
		check_text(p->spawn.listener, sizeof(p->spawn.listener));
		check_text(p->spawn.terminal, sizeof(p->spawn.terminal));
		check_text(p->spawn.client, sizeof(p->spawn.client));
	} else {
		check_text(p->simple.terminal, sizeof(p->simple.terminal));
		check_text(p->simple.client, sizeof(p->simple.client));
		check_text(p->simple.text, sizeof(p->simple.text));
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

static void receive_all(int fd)
{
	for (;;) {
		union link_packet packet;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = link_receive(fd, &packet, &set);
		if (r == 1) {
			check_packet(&packet);
		} else if (r == -EAGAIN || r == 0) {
			return;
		} else if (r > 1) {
			fail("a result that the header does not name");
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	unsigned before = open_descriptors();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
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
		}
		data += length;
		size -= length;
		receive_all(pair[1]);
	}
	(void)close(pair[0]);
	receive_all(pair[1]);
	(void)close(pair[1]);
	if (open_descriptors() != before) {
		fail("descriptors were lost");
	}
	return 0;
}
