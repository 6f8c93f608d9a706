#include "leader/guard.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

#define PTY_FOLDER "/dev/pts/"

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

#define NO_NAME sizeof(sa_family_t)
#define KERNELS_NAME (sizeof(sa_family_t) + 6) /* a NUL and five digits */

/* Made by socketpair(). One that was connected has a name at one of its ends for ever, and the
 * kernel names as its peer whoever listened or connected there, not who made this end: anybody
 * could bring one whose peer is root. A packet socket that asks for credentials is given a name by
 * the kernel when it sends: that is how a warrant's other end looks. */
static bool is_pair(int fd, int type)
{
	struct sockaddr_un here;
	struct sockaddr_un there;
	socklen_t near = sizeof(here);
	socklen_t far = sizeof(there);
	if (getsockname(fd, (struct sockaddr *)&here, &near) < 0 ||
		getpeername(fd, (struct sockaddr *)&there, &far) < 0) {
		return false;
	}
	bool given = type == SOCK_SEQPACKET && far == KERNELS_NAME && there.sun_path[0] == '\0';
	return near == NO_NAME && (far == NO_NAME || given);
}

static int maker_of(uid_t *ret, int fd, int type)
{
	int r = check_socket(fd, type);
	if (r < 0) {
		return r;
	}
	if (!is_pair(fd, type)) {
		return -EPROTOTYPE;
	}
	struct ucred maker;
	r = fd_peer(fd, &maker);
	if (r < 0) {
		return r;
	}
	*ret = maker.uid;
	return 0;
}

int guard_maker(uid_t *ret, int warrant_fd)
{
	return maker_of(ret, warrant_fd, SOCK_SEQPACKET);
}

int guard_cable(uid_t *ret, int cable_fd)
{
	return maker_of(ret, cable_fd, SOCK_STREAM);
}

int guard_warrant(struct warrant *ret, int *ret_spec_fd, int warrant_fd, int timeout_ms)
{
	int r = fd_wait_readable(warrant_fd, timeout_ms);
	if (r <= 0) {
		return r < 0 ? r : -ETIME;
	}
	r = warrant_receive(ret, ret_spec_fd, warrant_fd);
	return r > 0 ? 0 : r == 0 || r == -EAGAIN ? -EPROTO : r;
}

int guard_tty(dev_t *ret, const char *path, uid_t owner)
{
	size_t prefix = strlen(PTY_FOLDER);
	const char *number = path + prefix;
	if (strncmp(path, PTY_FOLDER, prefix) != 0 || number[0] == '\0' ||
		number[strspn(number, "0123456789")] != '\0') {
		return -EINVAL;
	}
	struct stat st;
	if (lstat(path, &st) < 0) {
		return -errno;
	}
	if (!S_ISCHR(st.st_mode) || st.st_uid != owner) {
		return -EACCES;
	}
	*ret = st.st_rdev;
	return 0;
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
