/* link_receive() takes packets of any length and content, with and without descriptors: what it
 * accepts is whole and every text in it ends; no descriptor is lost. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "packets.h"
#include "protocol/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wiped(const char *text, size_t size)
{
	check_text(text, size);
	for (size_t i = strlen(text); i < size; i++) {
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
		check_wiped(p->info.terminal, sizeof(p->info.terminal));
		check_wiped(p->info.client, sizeof(p->info.client));
		check_wiped(p->info.tty, sizeof(p->info.tty));
		check_wiped(p->info.term, sizeof(p->info.term));
		check_wiped(p->info.command, sizeof(p->info.command));
		check_wiped(p->info.title, sizeof(p->info.title));
		check_wiped(p->info.user, sizeof(p->info.user));
		check_wiped(p->info.listener, sizeof(p->info.listener));
	} else if (p->header.type == LINK_SPAWN) {
		check_wiped(p->spawn.listener, sizeof(p->spawn.listener));
		check_wiped(p->spawn.terminal, sizeof(p->spawn.terminal));
		check_wiped(p->spawn.client, sizeof(p->spawn.client));
	} else {
		check_wiped(p->simple.terminal, sizeof(p->simple.terminal));
		check_wiped(p->simple.client, sizeof(p->simple.client));
		check_wiped(p->simple.text, sizeof(p->simple.text));
		if (p->simple.error > 0 || p->simple.error < -4095) {
			fail("an error that is none");
		}
	}
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
	struct packet p;
	while (packet_next(&p, &data, &size)) {
		packet_send(pair[0], &p);
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
