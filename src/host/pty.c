#include "host/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* Typing stops at ROOM; the rest is for the frames that are under way and for the model's answers.
 */
#define INPUT_ROOM (64 * 1024)
#define INPUT_MAX (INPUT_ROOM + 2 * CABLE_PAYLOAD_MAX)
/* The kernel keeps 4095 bytes for readers, and wakes the worker that fills them up at the end of a
 * read. At a third of them it fills while we read on, and the few that three such reads leave keep
 * the next look from sleeping until it has run. */
#define READ_PIECE 1360
#define READ_WORTH 1024 /* a read of less has most likely emptied the device */
#define SIZE_MAX_CELLS 4096

bool pty_size_good(const struct cable_size *size)
{
	return size->rows >= 1 && size->rows <= SIZE_MAX_CELLS && size->columns >= 1 &&
	       size->columns <= SIZE_MAX_CELLS;
}

static int set_size(int fd, const struct cable_size *size)
{
	struct winsize w = {
		.ws_row = size->rows,
		.ws_col = size->columns,
		.ws_xpixel = size->width_pixels,
		.ws_ypixel = size->height_pixels,
	};
	return ioctl(fd, TIOCSWINSZ, &w) < 0 ? -errno : 0;
}

/* The kernel's defaults are sane; only that text is UTF-8 it cannot know. */
static int set_mode(int slave)
{
	struct termios t;
	if (tcgetattr(slave, &t) < 0) {
		return -errno;
	}
	t.c_iflag |= IUTF8;
	return tcsetattr(slave, TCSANOW, &t) < 0 ? -errno : 0;
}

int pty_open(struct pty *ret, const struct cable_size *size)
{
	AUTO_FD int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0) { /* "no space" there means no pty is left; no disk is full */
		return errno == ENOSPC ? -ENFILE : -errno;
	}
	int locked = 0;
	unsigned number = 0;
	if (ioctl(master, TIOCSPTLCK, &locked) < 0 || ioctl(master, TIOCGPTN, &number) < 0) {
		return -errno;
	}
	/* By descriptor: a path in /dev/pts could belong to another mount namespace. */
	AUTO_FD int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0) {
		return -errno;
	}
	struct stat st;
	if (fstat(slave, &st) < 0) {
		return -errno;
	}
	int r = set_mode(slave);
	if (r == 0) {
		r = set_size(master, size);
	}
	if (r < 0) {
		return r;
	}
	*ret = (struct pty){
		.device = st.st_rdev,
		.input = BUF_INIT(INPUT_MAX),
		.size = *size,
	};
	(void)snprintf(ret->path, sizeof(ret->path), "/dev/pts/%u", number);
	ret->slave = TAKE_FD(slave);
	ret->master = TAKE_FD(master);
	return 0;
}

void pty_done(struct pty *p)
{
	auto_close(&p->slave);
	auto_close(&p->master);
	buf_done(&p->input);
	*p = PTY_INIT;
}

int pty_resize(struct pty *p, const struct cable_size *size)
{
	int r = set_size(p->master, size);
	if (r == 0) {
		p->size = *size;
	}
	return r;
}

size_t pty_waiting(const struct pty *p)
{
	return p->input.length - p->input_done;
}

bool pty_has_room(const struct pty *p)
{
	return pty_waiting(p) <= INPUT_ROOM;
}

bool pty_flush(struct pty *p)
{
	while (pty_waiting(p) > 0) {
		ssize_t n = write(p->master, p->input.data + p->input_done, pty_waiting(p));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		p->input_done += (size_t)n;
	}
	buf_done(&p->input); /* input is rare and small: it need not keep memory */
	p->input_done = 0;
	return true;
}

int pty_type(struct pty *p, const void *bytes, size_t length)
{
	buf_consume(&p->input, p->input_done);
	p->input_done = 0;
	int r = buf_put(&p->input, bytes, length);
	if (r < 0) {
		p->input.failed = false;
		return r;
	}
	(void)pty_flush(p);
	return 0;
}

ssize_t pty_read_once(struct pty *p, uint8_t *bytes, size_t size)
{
	ssize_t n;
	do {
		n = read(p->master, bytes, size);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? n : n < 0 ? -errno : -EAGAIN;
}

ssize_t pty_read(struct pty *p, uint8_t *bytes, size_t size)
{
	size_t length = 0;
	/* Several together cost the viewer one frame. */
	while (length < size) {
		size_t rest = size - length;
		ssize_t n = pty_read_once(p, bytes + length, rest < READ_PIECE ? rest : READ_PIECE);
		if (n < 0) {
			return length > 0 ? (ssize_t)length : n;
		}
		length += (size_t)n;
		if (n < READ_WORTH) {
			break;
		}
	}
	return (ssize_t)length;
}
