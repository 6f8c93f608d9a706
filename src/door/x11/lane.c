#include "door/x11/lane.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int) * LANE_FDS_MAX)];
};

void lane_init(struct lane *l)
{
	*l = (struct lane){ .bytes = BUF_INIT(LANE_SIZE) };
}

static void close_fds(struct lane *l)
{
	for (size_t i = 0; i < l->fd_count; i++) {
		(void)close(l->fds[i]);
	}
	l->fd_count = 0;
}

static void clear(struct lane *l)
{
	close_fds(l);
	buf_clear(&l->bytes);
}

void lane_done(struct lane *l)
{
	close_fds(l);
	buf_done(&l->bytes);
}

bool lane_wants_read(const struct lane *l)
{
	return !l->ended && l->bytes.length == 0;
}

bool lane_wants_write(const struct lane *l)
{
	return l->bytes.length > 0;
}

bool lane_is_over(const struct lane *l)
{
	return l->ended && l->bytes.length == 0;
}

static void take_fds(struct lane *l, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (l->fd_count < LANE_FDS_MAX) {
				l->fds[l->fd_count++] = fd;
			} else {
				(void)close(fd);
			}
		}
	}
}

void lane_read(struct lane *l, int from)
{
	union control control;
	if (buf_reserve(&l->bytes, LANE_SIZE - l->bytes.length) < 0) {
		l->ended = true;
		return;
	}
	struct iovec iov = { l->bytes.data + l->bytes.length, LANE_SIZE - l->bytes.length };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n > 0) {
		take_fds(l, &message);
		l->bytes.length += (size_t)n;
	}
	/* A message that lost descriptors means something else than its sender meant. */
	l->ended = n <= 0 || (message.msg_flags & MSG_CTRUNC) != 0;
	if (l->broken) {
		clear(l);
	}
}

void lane_write(struct lane *l, int to)
{
	union control control = { 0 };
	struct iovec iov = { l->bytes.data, l->bytes.length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (l->fd_count > 0) { /* over TCP the kernel leaves them behind */
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * l->fd_count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * l->fd_count);
		memcpy(CMSG_DATA(c), l->fds, sizeof(int) * l->fd_count);
	}
	ssize_t n = sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n < 0) {
		l->broken = true;
		clear(l);
		return;
	}
	close_fds(l);
	buf_consume(&l->bytes, (size_t)n);
}
