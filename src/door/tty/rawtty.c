#include "door/tty/rawtty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define SIZE_LIMIT 4096

/* A description of our own, else the shared one: a terminal may belong to another user (su). */
static int open_own(bool *ret_shared)
{
	int fd = open("/proc/self/fd/0", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		*ret_shared = false;
		return fd;
	}
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		return -errno;
	}
	int r = fd_set_nonblocking(fd, true);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_shared = true;
	return fd;
}

int rawtty_open(struct rawtty *ret)
{
	struct rawtty t = RAWTTY_NONE;
	if (!isatty(STDIN_FILENO)) {
		return -ENOTTY;
	}
	if (tcgetattr(STDIN_FILENO, &t.mode) < 0) {
		return -errno;
	}
	if (ttyname_r(STDIN_FILENO, t.path, sizeof(t.path)) != 0) {
		t.path[0] = '\0';
	}
	t.fd = open_own(&t.shared);
	if (t.fd < 0) {
		return t.fd;
	}
	*ret = t;
	return 0;
}

void rawtty_close(struct rawtty *t)
{
	if (t->fd < 0) {
		return;
	}
	rawtty_leave(t);
	if (t->shared) {
		(void)fd_set_nonblocking(t->fd, false);
	}
	(void)close(t->fd);
	t->fd = -1;
}

static int set_raw(const struct rawtty *t)
{
	struct termios raw = t->mode;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(t->fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

/* A session would write on while the shell has the terminal. No key asks for that in raw mode; who
 * reads in the background gets an error instead, and leaves. */
static void allow_suspending(bool allow)
{
	struct sigaction action = { .sa_handler = allow ? SIG_DFL : SIG_IGN };
	(void)sigaction(SIGTSTP, &action, NULL);
	(void)sigaction(SIGTTIN, &action, NULL);
}

int rawtty_enter(struct rawtty *t)
{
	if (t->raw) {
		return 0;
	}
	int r = set_raw(t);
	t->raw = r == 0;
	allow_suspending(!t->raw);
	return r;
}

void rawtty_leave(struct rawtty *t)
{
	if (t->raw) {
		(void)tcsetattr(t->fd, TCSANOW, &t->mode);
		t->raw = false;
		allow_suspending(true);
	}
}

void rawtty_hush(const struct rawtty *t, bool on)
{
	struct termios silent = t->mode;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	silent.c_lflag |= ECHONL | ICANON;
	if (!t->raw) {
		(void)tcsetattr(t->fd, TCSANOW, on ? &silent : &t->mode);
	}
}

void rawtty_reenter(const struct rawtty *t)
{
	if (t->raw) {
		(void)set_raw(t);
	}
}

bool rawtty_is_ours(const struct rawtty *t)
{
	pid_t group = tcgetpgrp(t->fd);
	return group < 0 || group == getpgrp(); /* who has no job control has it always */
}

static uint16_t or_default(unsigned value, unsigned otherwise)
{
	return (uint16_t)(value == 0 ? otherwise : value > SIZE_LIMIT ? SIZE_LIMIT : value);
}

struct cable_size rawtty_size(struct rawtty *t)
{
	struct winsize size = { 0 };
	if (ioctl(t->fd, TIOCGWINSZ, &size) < 0 && t->size.rows > 0) {
		return t->size;
	}
	t->size = (struct cable_size){
		.rows = or_default(size.ws_row, 24),
		.columns = or_default(size.ws_col, 80),
		.width_pixels = size.ws_xpixel,
		.height_pixels = size.ws_ypixel,
	};
	return t->size;
}

/* Its owner could open it himself; others' terminals, which root can open too, are not passed on.
 */
bool rawtty_may_lend(const struct rawtty *t)
{
	struct stat st;
	return !t->shared && fstat(t->fd, &st) == 0 && st.st_uid == geteuid();
}

int rawtty_lend(const struct rawtty *t)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd);
	return open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool rawtty_has_input(const struct rawtty *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

void rawtty_forget_input(const struct rawtty *t)
{
	(void)tcflush(t->fd, TCIFLUSH);
}

ssize_t rawtty_read(const struct rawtty *t, void *bytes, size_t size)
{
	ssize_t n = read(t->fd, bytes, size);
	return n < 0 ? -errno : n;
}

ssize_t rawtty_write(const struct rawtty *t, const void *bytes, size_t length)
{
	ssize_t n = write(t->fd, bytes, length);
	return n < 0 ? -errno : n;
}
