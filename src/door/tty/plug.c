#include "door/tty/plug.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#define READ_CHUNK 16384
#define UNREAD_FEW 16384    /* bytes: far below what a socket takes */
#define RETURN_LIMIT_MS 500 /* a host that is alive needs well under a millisecond */

int plug_make(struct plug *ret, int *ret_end, const struct cable_hello *hello, const char *client,
	size_t client_length)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int other = pair[1];
	struct plug p = PLUG_NONE;
	p.fd = pair[0];
	p.size = hello->size;
	buf_init(&p.in, sizeof(struct cable_header) + CABLE_PAYLOAD_MAX + READ_CHUNK);
	/* Frames' headers and a size or a goodbye behind full input. */
	buf_init(&p.out, 2 * PLUG_OUT_MAX);
	(void)cable_put(&p.out, CABLE_HELLO, hello, sizeof(*hello));
	(void)cable_put(&p.out, CABLE_CLIENT, client, client_length);
	int r = p.out.failed ? -ENOMEM : plug_flush(&p);
	if (r != 0) {
		plug_close(&p);
		return r < 0 ? r : -ENOBUFS;
	}
	*ret = p;
	*ret_end = TAKE_FD(other);
	return 0;
}

void plug_close(struct plug *p)
{
	auto_close(&p->fd);
	auto_close(&p->lease);
	buf_done(&p->in);
	buf_done(&p->out);
	*p = PLUG_NONE;
}

size_t plug_room(const struct plug *p)
{
	return p->out.length < PLUG_OUT_MAX ? PLUG_OUT_MAX - p->out.length : 0;
}

void plug_put_input(struct plug *p, const void *bytes, size_t length)
{
	(void)cable_put(&p->out, CABLE_INPUT, bytes, length);
}

void plug_put_size(struct plug *p, const struct cable_size *size)
{
	if (memcmp(size, &p->size, sizeof(*size)) != 0 &&
		cable_put(&p->out, CABLE_SIZE, size, sizeof(*size)) == 0) {
		p->size = *size;
	}
}

uid_t plug_borrower(const struct plug *p)
{
	struct ucred maker;
	return p->lease >= 0 && !p->lent && fd_peer(p->lease, &maker) == 0 ? maker.uid : (uid_t)-1;
}

void plug_lend(struct plug *p, int fd)
{
	struct iovec iov = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	p->lent = fd >= 0 && fd_send_now(p->lease, &iov, 1, &fd, 1) == 1;
	if (!p->lent) {
		auto_close(&p->lease);
		p->lease = -1;
	}
}

/* What is told next goes out at once: also that it shall stop, should it not answer. */
bool plug_may_listen(const struct plug *p)
{
	int unread = 0;
	return p->lent && p->listens && !p->at_end && p->out.length == 0 &&
	       ioctl(p->fd, SIOCOUTQ, &unread) == 0 && unread < UNREAD_FEW;
}

void plug_put_listen(struct plug *p, const struct cable_listen *wish)
{
	(void)cable_put(&p->out, CABLE_LISTEN, wish, sizeof(*wish));
	(void)plug_flush(p); /* what is left goes when poll() says so */
}

int plug_word(struct plug *p)
{
	uint8_t word = 0;
	ssize_t n = p->lent ? recv(p->lease, &word, sizeof(word), MSG_DONTWAIT) : -1;
	if (n == 1 && word != 0) {
		return word;
	}
	if (!p->lent || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
		return -EAGAIN;
	}
	auto_close(&p->lease);
	p->lease = -1;
	p->lent = false;
	return 0;
}

/* Until the host has closed its end of the lease: then it has closed the terminal too. */
static void take_back(struct plug *p)
{
	(void)shutdown(p->lease, SHUT_WR);
	(void)shutdown(p->fd, SHUT_WR); /* seen also by a host that reads no more keys for now */
	uint64_t now = clock_monotonic_ms();
	uint64_t until = now + RETURN_LIMIT_MS;
	while (p->lent && now < until && fd_wait_readable(p->lease, (int)(until - now)) > 0) {
		(void)plug_word(p); /* its end comes behind what the host had said */
		now = clock_monotonic_ms();
	}
}

void plug_leave(struct plug *p, uint32_t reason)
{
	if (plug_is_open(p)) {
		struct cable_bye bye = { .reason = reason };
		(void)cable_put(&p->out, CABLE_BYE, &bye, sizeof(bye));
		(void)plug_flush(p);
		if (p->lent) {
			take_back(p);
		}
	}
	plug_close(p);
}

int plug_flush(struct plug *p)
{
	while (p->out.length > 0) {
		struct iovec iov = { .iov_base = p->out.data, .iov_len = p->out.length };
		ssize_t n = fd_send(p->fd, &iov, 1, NULL, 0);
		if (n == -EAGAIN) {
			return 1;
		}
		if (n < 0) {
			return (int)n;
		}
		buf_consume(&p->out, (size_t)n);
	}
	return 0;
}

int plug_read(struct plug *p)
{
	buf_consume(&p->in, p->used);
	p->used = 0;
	int r = buf_reserve(&p->in, READ_CHUNK);
	if (r < 0) {
		return r;
	}
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive_now(p->fd, p->in.data + p->in.length, READ_CHUNK, &set);
	if (n < 0) {
		return n == -ECONNRESET ? 0 : (int)n;
	}
	if (set.count > 0 && p->lease < 0) {
		p->lease = TAKE_FD(set.fds[0]);
	}
	p->in.length += (size_t)n;
	return n > 0;
}

int plug_next(struct plug *p, struct cable_frame *ret)
{
	struct buf rest = p->in;
	rest.data += p->used;
	rest.length -= p->used;
	int r = cable_parse(&rest, ret);
	if (r > 0) {
		p->used += sizeof(struct cable_header) + ret->length;
	}
	return r;
}
