/* varlink_read() and varlink_next() take any bytes, at most 137 at a time, with descriptors here
 * and there: only objects come out, whatever the pieces, and no descriptor is lost.
 *
 * Input: size of the pieces, at which piece descriptors ride, how many; then the bytes. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "packets.h"
#include "protocol/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 3

/* False: the connection is to be dropped. */
static bool take_messages(struct varlink *v, unsigned *messages)
{
	for (;;) {
		AUTO(json) json_t *message = NULL;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = varlink_next(v, &message, &set);
		if (r <= 0) {
			return r == 0;
		}
		if (r != 1 || !json_is_object(message)) {
			fail("a message that is no object");
		}
		(*messages)++;
	}
}

static unsigned arrive(const uint8_t *data, size_t size, size_t piece, size_t at, size_t fd_count)
{
	struct varlink *v = NULL;
	int pair[2];
	unsigned messages = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ||
		varlink_new(&v, pair[1], VARLINK_REQUEST_MAX) < 0) {
		abort();
	}
	for (size_t i = 0; size > 0; i++) {
		static const int fds[FD_PASS_MAX] = { 0, 0, 0, 0 };
		struct iovec iov = { .iov_base = (void *)data,
			.iov_len = size < piece ? size : piece };
		if (fd_send(pair[0], &iov, 1, fds, i == at ? fd_count : 0) !=
			(ssize_t)iov.iov_len) {
			abort();
		}
		data += iov.iov_len;
		size -= iov.iov_len;
		int r = varlink_read(v);
		if (r > 1) {
			fail("a result that the header does not name");
		}
		if (r != 1 || !take_messages(v, &messages)) {
			break;
		}
	}
	(void)close(pair[0]);
	varlink_free(v);
	return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD || size > VARLINK_REQUEST_MAX * 2) {
		return 0;
	}
	unsigned before = open_descriptors();
	size_t piece = 1 + data[0] % 137;
	unsigned whole = arrive(data + HEAD, size - HEAD, 137, SIZE_MAX, 0);
	unsigned pieces = arrive(data + HEAD, size - HEAD, piece, SIZE_MAX, 0);
	if (whole != pieces) {
		fail("the messages depend on how the bytes arrive");
	}
	(void)arrive(data + HEAD, size - HEAD, piece, data[1] % 16, data[2] % (FD_PASS_MAX + 1));
	if (open_descriptors() != before) {
		fail("descriptors were lost");
	}
	return 0;
}
