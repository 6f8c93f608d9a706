#include "leader/guard.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* 0 when fd is a unix socket of this type, else why not. */
static int check_socket(int fd, int wanted_type)
{
	int domain = 0;
	int type = 0;
	socklen_t size = sizeof(domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0) {
		return -errno;
	}
	size = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
		return -errno;
	}
	return domain == AF_UNIX && type == wanted_type ? 0 : -EPROTOTYPE;
}

int guard_owner(uid_t *ret, int proof_fd)
{
	int r = check_socket(proof_fd, SOCK_SEQPACKET);
	if (r < 0) {
		return r;
	}
	struct ucred maker;
	r = fd_peer(proof_fd, &maker);
	if (r < 0) {
		return r;
	}
	if (maker.uid != geteuid()) {
		return -EACCES;
	}
	*ret = maker.uid;
	return 0;
}

int guard_spec(int *ret, int proof_fd, int timeout_ms)
{
	int r = fd_wait_readable(proof_fd, timeout_ms);
	if (r <= 0) {
		return r < 0 ? r : -ETIME;
	}
	uint8_t bytes[16];
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive(proof_fd, bytes, sizeof(bytes), &set);
	if (n < 0) {
		return (int)n;
	}
	if (set.lost) {
		return -EMFILE;
	}
	if (n == 0 || set.count != 1) {
		return -EPROTO;
	}
	*ret = TAKE_FD(set.fds[0]);
	return 0;
}

int guard_cable(int cable_fd, uid_t owner)
{
	int r = check_socket(cable_fd, SOCK_STREAM);
	if (r < 0) {
		return r;
	}
	struct ucred maker;
	r = fd_peer(cable_fd, &maker);
	if (r < 0) {
		return r;
	}
	return maker.uid == owner ? 0 : -EACCES;
}

int guard_broker(int fd, uid_t broker_uid)
{
	struct ucred peer;
	int r = fd_peer(fd, &peer);
	if (r < 0) {
		return r;
	}
	return peer.uid == broker_uid || peer.uid == 0 || peer.uid == geteuid() ? 0 : -EACCES;
}
