/* Descriptors: sending and receiving them, asking the kernel who is at the other end, reading small
 * files. Every descriptor that comes out of here is close-on-exec. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define FD_PASS_MAX 4 /* descriptors that may ride with one message */

/* Descriptors that came with a message. fd_set_done() closes what was not taken with TAKE_FD(). */
struct fd_set_received {
	int fds[FD_PASS_MAX];
	size_t count;
	bool lost; /* more came, but this process has no descriptor left for them */
};
#define FD_SET_NONE ((struct fd_set_received){ .fds = { -1, -1, -1, -1 } })
void fd_set_done(struct fd_set_received *set);

/* Sends the bytes and the descriptors (borrowed). Bytes sent, or -errno (-EAGAIN when the peer is
 * full). No SIGPIPE. */
ssize_t fd_send(int fd, const struct iovec *iov, size_t iov_count, const int *fds, size_t fd_count);

/* Receives up to `size` bytes; descriptors are added to `set`, surplus ones are closed and give
 * -EPROTO, as does a packet longer than `size`. That none was left for them is no mistake of the
 * peer's: the message counts, and set->lost says so. Bytes received, 0 at the end of the stream, or
 * -errno. */
ssize_t fd_receive(int fd, void *data, size_t size, struct fd_set_received *set);

/* The same two, and they never wait: for a socket that came from somebody, who may hold it too and
 * make it a blocking one again at any time. -EAGAIN when there is no room, or nothing. */
ssize_t fd_send_now(
	int fd, const struct iovec *iov, size_t iov_count, const int *fds, size_t fd_count);
ssize_t fd_receive_now(int fd, void *data, size_t size, struct fd_set_received *set);

/* Writing to a pipe or socket whose reader has gone gives EPIPE, not a deadly signal. For whole
 * programs. */
void fd_ignore_sigpipe(void);

int fd_set_nonblocking(int fd, bool on); /* 0 or -errno */

/* Who made the other end of this AF_UNIX socket (SO_PEERCRED). 0 or -errno. */
int fd_peer(int fd, struct ucred *ret);

/* A bound and listening AF_UNIX socket of `type` below the directory `dir_fd`; a stale one is
 * replaced. fd or -errno. */
int fd_listen_at(int dir_fd, const char *name, int type, mode_t mode);

/* A connection to the socket `name` below `dir_fd`, not following a symbolic link. fd or -errno. */
int fd_connect_at(int dir_fd, const char *name, int type);

/* Reads to the end, at most size - 1 bytes, and ends them with NUL. Bytes, -EFBIG (there are more),
 * or -errno. */
ssize_t fd_read_text(int fd, char *text, size_t size);

/* The same with a whole file, which must not be a symbolic link. */
ssize_t fd_read_file_at(int dir_fd, const char *name, char *text, size_t size);

/* Waits until fd is readable. 1 readable, 0 time is over, or -errno. */
int fd_wait_readable(int fd, int timeout_ms);

/* For AUTO(fd_set_done). */
static inline void auto_fd_set_done(struct fd_set_received *set)
{
	fd_set_done(set);
}
