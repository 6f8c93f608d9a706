#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"

#define LISTEN_BACKLOG 128

void fd_set_done(struct fd_set_received *set)
{
	for (size_t i = 0; i < FD_PASS_MAX; i++) {
		auto_close(&set->fds[i]);
	}
	*set = FD_SET_NONE;
}

static ssize_t send_with(int fd, const struct iovec *iov, size_t iov_count, const int *fds,
	size_t fd_count, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
	} control = { 0 };
	struct msghdr message = { .msg_iov = (struct iovec *)iov, .msg_iovlen = iov_count };
	if (fd_count > FD_PASS_MAX) {
		return -EINVAL;
	}
	if (fd_count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	ssize_t n;
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t fd_send(int fd, const struct iovec *iov, size_t iov_count, const int *fds, size_t fd_count)
{
	return send_with(fd, iov, iov_count, fds, fd_count, 0);
}

ssize_t fd_send_now(
	int fd, const struct iovec *iov, size_t iov_count, const int *fds, size_t fd_count)
{
	return send_with(fd, iov, iov_count, fds, fd_count, MSG_DONTWAIT);
}

/* Takes every descriptor of the message into `set`; what does not fit is closed. 0 or -EPROTO. */
static int take_descriptors(struct msghdr *message, struct fd_set_received *set)
{
	int result = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (set != NULL && set->count < FD_PASS_MAX) {
				set->fds[set->count++] = fd;
			} else {
				(void)close(fd);
				result = -EPROTO;
			}
		}
	}
	return result;
}

static ssize_t receive_with(int fd, void *data, size_t size, struct fd_set_received *set, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * (FD_PASS_MAX + 4))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	do {
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -errno;
	}
	int r = take_descriptors(&message, set);
	bool cut = (message.msg_flags & MSG_CTRUNC) != 0;
	if (r < 0 || (message.msg_flags & MSG_TRUNC) != 0 || (cut && set == NULL)) {
		return -EPROTO;
	}
	if (cut) {
		set->lost = true;
	}
	return n;
}

ssize_t fd_receive(int fd, void *data, size_t size, struct fd_set_received *set)
{
	return receive_with(fd, data, size, set, 0);
}

ssize_t fd_receive_now(int fd, void *data, size_t size, struct fd_set_received *set)
{
	return receive_with(fd, data, size, set, MSG_DONTWAIT);
}

void fd_ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int fd_set_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) {
		return -errno;
	}
	int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return wanted != flags && fcntl(fd, F_SETFL, wanted) < 0 ? -errno : 0;
}

int fd_peer(int fd, struct ucred *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return -errno;
	}
	if (size != sizeof(peer)) {
		return -EINVAL;
	}
	*ret = peer;
	return 0;
}

/* Through /proc/self/fd the path is short whatever the folder's own length, and cannot be moved
 * under us. */
static int address_at(int dir_fd, const char *name, struct sockaddr_un *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(
		address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	*ret = address;
	return 0;
}

int fd_listen_at(int dir_fd, const char *name, int type, mode_t mode)
{
	struct sockaddr_un address;
	int r = address_at(dir_fd, name, &address);
	if (r < 0) {
		return r;
	}
	AUTO_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) {
		return -errno;
	}
	/* The mode that bind() gives the name is the socket's own, less the umask: never wider than
	 * asked for. */
	if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, LISTEN_BACKLOG) < 0) {
		return -errno;
	}
	return TAKE_FD(fd);
}

int fd_connect_at(int dir_fd, const char *name, int type)
{
	struct stat st;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return -errno;
	}
	if (!S_ISSOCK(st.st_mode)) {
		return -ENOTSOCK;
	}
	struct sockaddr_un address;
	int r = address_at(dir_fd, name, &address);
	if (r < 0) {
		return r;
	}
	AUTO_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	do {
		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : TAKE_FD(fd);
}

ssize_t fd_read_text(int fd, char *text, size_t size)
{
	size_t length = 0;
	while (length < size) {
		ssize_t n = read(fd, text + length, size - length);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			text[length] = '\0';
			return (ssize_t)length;
		}
		length += (size_t)n;
	}
	return -EFBIG;
}

ssize_t fd_read_file_at(int dir_fd, const char *name, char *text, size_t size)
{
	AUTO_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? -errno : fd_read_text(fd, text, size);
}

static long long now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int fd_wait_readable(int fd, int timeout_ms)
{
	long long end = now_ms() + timeout_ms;
	for (;;) {
		long long left = end - now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = poll(&p, 1, left > 0 ? (int)left : 0);
		if (r >= 0) {
			return r;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
}
