/* What the harnesses of descriptors and packets share. Input of a harness of packets: for each its
 * length (2 bytes), how many descriptors ride with it, then its bytes. */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define PACKETS_DESCRIPTORS 64 /* more than a harness ever holds */

static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static inline unsigned open_descriptors(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < PACKETS_DESCRIPTORS; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

static inline void check_text(const char *text, size_t size)
{
	if (strnlen(text, size) == size) {
		fail("a text without end");
	}
}

struct packet {
	const uint8_t *bytes; /* of the input */
	size_t length, fd_count;
};

/* Takes the next packet that is not empty off the input: an empty one would be the end of the
 * stream. False: there is none. */
static inline bool packet_next(struct packet *ret, const uint8_t **data, size_t *size)
{
	while (*size > 3) {
		size_t length = ((size_t)(*data)[0] << 8 | (*data)[1]) % 2048;
		struct packet p = { *data + 3, length, (*data)[2] % (FD_PASS_MAX + 1) };
		*size -= 3;
		p.length = length < *size ? length : *size;
		*data = p.bytes + p.length;
		*size -= p.length;
		if (p.length > 0) {
			*ret = p;
			return true;
		}
	}
	return false;
}

static inline void packet_send(int fd, const struct packet *p)
{
	static const int fds[FD_PASS_MAX]; /* standard input, each time */
	struct iovec iov = { .iov_base = (void *)p->bytes, .iov_len = p->length };
	(void)fd_send(fd, &iov, 1, fds, p->fd_count);
}
