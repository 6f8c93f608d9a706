#include "protocol/warrant.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

_Static_assert(sizeof(struct warrant) == 152, "wire size");
_Static_assert(sizeof(struct warrant_question) == 72, "wire size");

static int send_packet(int fd, const void *bytes, size_t size, int with_fd)
{
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = size };
	ssize_t n = fd_send_now(fd, &iov, 1, &with_fd, with_fd >= 0 ? 1 : 0);
	return n < 0 ? (int)n : 0;
}

static bool text_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

int warrant_send(int fd, const struct warrant *w, int spec_fd)
{
	return send_packet(fd, w, sizeof(*w), spec_fd);
}

int warrant_ask(int fd, const struct warrant_question *q, int pipe_fd)
{
	return send_packet(fd, q, sizeof(*q), pipe_fd);
}

int warrant_receive(struct warrant *ret, int *ret_spec_fd, int fd)
{
	struct warrant w;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive_now(fd, &w, sizeof(w), &set);
	if (n <= 0) {
		return (int)n;
	}
	if (set.lost) {
		return -EMFILE;
	}
	bool good = n == sizeof(w) && set.count <= 1 && w.version == WARRANT_VERSION &&
		    (w.use == WARRANT_LOGON || w.use == WARRANT_CONNECT) &&
		    (w.destination == WARRANT_OWN || w.destination == WARRANT_NAMED) &&
		    text_ends(w.session, sizeof(w.session)) &&
		    text_ends(w.terminal, sizeof(w.terminal)) && text_ends(w.user, sizeof(w.user));
	if (!good) {
		return -EPROTO;
	}
	*ret = w;
	*ret_spec_fd = set.count == 1 ? TAKE_FD(set.fds[0]) : -1;
	return 1;
}

int warrant_want_credentials(int fd)
{
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* Takes what the kernel and the peer sent beside the bytes. *ret_fd: the one descriptor, else -1.
 */
static bool read_ancillary(struct msghdr *message, int *ret_fd, struct ucred *ret_asker)
{
	bool asker_known = false;
	bool good = (message->msg_flags & MSG_CTRUNC) == 0;
	AUTO_FD int fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET) {
			continue;
		}
		if (c->cmsg_type == SCM_CREDENTIALS &&
			c->cmsg_len == CMSG_LEN(sizeof(*ret_asker))) {
			memcpy(ret_asker, CMSG_DATA(c), sizeof(*ret_asker));
			asker_known = true;
		}
		for (size_t at = 0;
			c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(int)) <= c->cmsg_len;
			at += sizeof(int)) {
			good = good && fd < 0;
			auto_close(&fd);
			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
		}
	}
	if (!good || !asker_known || fd < 0) {
		return false;
	}
	*ret_fd = TAKE_FD(fd);
	return true;
}

int warrant_receive_question(
	struct warrant_question *ret, int *ret_pipe_fd, struct ucred *ret_asker, int fd)
{
	struct warrant_question q;
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = &q, .iov_len = sizeof(q) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (n < 0) {
		return -errno;
	}
	AUTO_FD int pipe_fd = -1;
	struct ucred asker;
	bool good = read_ancillary(&message, &pipe_fd, &asker);
	if (n == 0) {
		return 0;
	}
	if (!good || n != sizeof(q) || q.version != WARRANT_VERSION ||
		!text_ends(q.user, sizeof(q.user))) {
		return -EPROTO;
	}
	*ret = q;
	*ret_pipe_fd = TAKE_FD(pipe_fd);
	*ret_asker = asker;
	return 1;
}
