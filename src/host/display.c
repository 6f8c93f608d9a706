#include "host/display.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/runtime.h"

/* Far above what X servers and sshd take. */
#define NUMBER_FIRST 1000
#define NUMBER_LAST 9999
#define BACKLOG 64
#define FAMILY_WILD 0xffff

/* --- names -------------------------------------------------------------------------------------
 */

static struct sockaddr_un address_of(unsigned number, bool abstract, socklen_t *ret_length)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char *to = a.sun_path + (abstract ? 1 : 0);
	int n = snprintf(to, sizeof(a.sun_path) - 1, X11_SOCKET_FOLDER "/X%u", number);
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	return a;
}

static int listen_on(unsigned number, bool abstract)
{
	socklen_t length;
	struct sockaddr_un a = address_of(number, abstract, &length);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&a, length) < 0 ||
		listen(fd, BACKLOG) < 0) {
		return -errno;
	}
	return TAKE_FD(fd);
}

/* Whether nobody answers at the file any more. */
static bool is_stale(unsigned number)
{
	socklen_t length;
	struct sockaddr_un a = address_of(number, false, &length);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, length) < 0 && errno == ECONNREFUSED;
}

/* The folder is the machine's; one that anybody could have made or could change is not used. */
static bool has_folder(void)
{
	struct stat st;
	return lstat(X11_SOCKET_FOLDER, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0);
}

/* The file, or -1 without an error where there can be none. */
static int listen_on_file(int *ret_fd, unsigned number)
{
	if (!has_folder()) {
		*ret_fd = -1;
		return 0;
	}
	int fd = listen_on(number, false);
	if (fd == -EADDRINUSE && is_stale(number)) {
		socklen_t length;
		struct sockaddr_un a = address_of(number, false, &length);
		fd = unlink(a.sun_path) == 0 ? listen_on(number, false) : fd;
	}
	if (fd == -EADDRINUSE) {
		return fd;
	}
	*ret_fd = fd < 0 ? -1 : fd;
	return 0;
}

/* Both names of a display, as X clients try them one after the other: who has the abstract one is
 * asked first, so it is never left to others. */
static int take_number(unsigned number, int *ret_abstract, int *ret_file)
{
	AUTO_FD int abstract = listen_on(number, true);
	if (abstract < 0) {
		return abstract;
	}
	int r = listen_on_file(ret_file, number);
	if (r < 0) {
		return r;
	}
	*ret_abstract = TAKE_FD(abstract);
	return 0;
}

/* --- the helper --------------------------------------------------------------------------------
 */

/* In the child: away from the session's terminal, with three descriptors and no more. */
_Noreturn static void become_helper(const char *path, unsigned number, int host, const int *sockets)
{
	char name[16];
	(void)snprintf(name, sizeof(name), ":%u", number);
	/* Out of the way of the numbers below before they are taken. */
	int high_host = fcntl(host, F_DUPFD, 10);
	int high_abstract = fcntl(sockets[0], F_DUPFD, 10);
	int high_file = sockets[1] >= 0 ? fcntl(sockets[1], F_DUPFD, 10) : -1;
	if (setsid() < 0 || dup2(high_host, X11_HOST_FD) < 0 ||
		dup2(high_abstract, X11_ABSTRACT_FD) < 0) {
		_exit(127);
	}
	bool has_file = high_file >= 0 && dup2(high_file, X11_FILE_FD) >= 0;
	(void)close_range(has_file ? X11_FILE_FD + 1 : X11_FILE_FD, ~0U, 0);
	(void)execl(path, "termserv-x11", name, (char *)NULL);
	_exit(127);
}

static int start_helper(struct display *d, unsigned number, const int *sockets)
{
	AUTO(free) char *path = NULL;
	int pair[2];
	int r = runtime_sibling(&path, "termserv-x11");
	if (r < 0 || access(path, X_OK) < 0) {
		return r < 0 ? r : -errno;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int ours = pair[0];
	AUTO_FD int theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		become_helper(path, number, theirs, sockets);
	}
	d->helper = pid;
	d->helper_fd = TAKE_FD(ours);
	return 0;
}

/* The id is safe: nobody but us can reap it. What it held of the display goes with it. */
static void end_helper(struct display *d)
{
	if (d->helper_fd >= 0) {
		auto_close(&d->helper_fd);
		d->helper_fd = -1;
		(void)kill(d->helper, SIGKILL);
		(void)waitpid(d->helper, NULL, 0);
	}
}

static int start(struct display *d, unsigned first, unsigned last)
{
	int r = -EADDRINUSE;
	for (unsigned number = first; r == -EADDRINUSE && number <= last; number++) {
		AUTO_FD int abstract = -1;
		AUTO_FD int file = -1;
		r = take_number(number, &abstract, &file);
		if (r == 0) {
			r = start_helper(d, number, (int[]){ abstract, file });
			d->number = r == 0 ? number : d->number;
		}
	}
	return r;
}

int display_open(struct display *d)
{
	ssize_t n = getrandom(d->packet.cookie, sizeof(d->packet.cookie), 0);
	if (n != (ssize_t)sizeof(d->packet.cookie)) {
		return n < 0 ? -errno : -EIO;
	}
	return start(d, NUMBER_FIRST, NUMBER_LAST);
}

void display_done(struct display *d)
{
	auto_close(&d->helper_fd); /* it cleans up and leaves by itself; our leader reaps it */
	*d = DISPLAY_INIT;
}

static int send_packet(const struct display *d)
{
	struct iovec iov = { (void *)&d->packet, sizeof(d->packet) };
	if (d->helper_fd < 0) {
		return -EPIPE;
	}
	ssize_t n = fd_send(d->helper_fd, &iov, 1, NULL, 0);
	return n < 0 ? (int)n : 0;
}

int display_tell(struct display *d, const char *display, const char *authority)
{
	struct x11_packet *p = &d->packet;
	const char *from = display != NULL && strlen(display) < sizeof(p->display) ? display : "";
	(void)snprintf(p->display, sizeof(p->display), "%s", from);
	(void)snprintf(
		p->authority, sizeof(p->authority), "%s", authority != NULL ? authority : "");
	int r = send_packet(d);
	if (r == -EPIPE || r == -ECONNRESET) {
		end_helper(d);
		r = start(d, d->number, d->number);
		r = r == 0 ? send_packet(d) : r;
	}
	return r;
}

/* --- the cookie --------------------------------------------------------------------------------
 */

static void put_counted(struct buf *to, const void *bytes, size_t length)
{
	(void)buf_put_byte(to, (uint8_t)(length >> 8));
	(void)buf_put_byte(to, (uint8_t)length);
	(void)buf_put(to, bytes, length);
}

void display_put_authority(const struct display *d, struct buf *to)
{
	(void)buf_put_byte(to, FAMILY_WILD >> 8);
	(void)buf_put_byte(to, FAMILY_WILD & 0xff);
	put_counted(to, "", 0); /* any address */
	put_counted(to, "", 0); /* any number */
	put_counted(to, X11_COOKIE_NAME, strlen(X11_COOKIE_NAME));
	put_counted(to, d->packet.cookie, sizeof(d->packet.cookie));
}
