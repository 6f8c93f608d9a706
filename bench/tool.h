/* What the bench programs share: time, writing everything, a pty with a program on it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* The generator ends its stream with this; readers look for it. Split so that no shell echo of a
 * command line holds it. */
#define FINAL_MARK                                                                                 \
	"==bench-"                                                                                 \
	"final=="
/* The generator's answer to a PROBE. */
#define PROBE '!'
#define READY_MARK                                                                                 \
	"==bench-"                                                                                 \
	"ready=="

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline void write_all(int fd, const void *data, size_t length)
{
	const char *from = data;
	while (length > 0) {
		ssize_t n = write(fd, from, length);
		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			continue;
		}
		if (n <= 0) {
			die("write");
		}
		from += n;
		length -= (size_t)n;
	}
}

static inline void make_raw(int fd)
{
	struct termios t;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		(void)tcsetattr(fd, TCSANOW, &t);
	}
}

/* Starts a program on a new pty; returns the master, non-blocking off. */
static inline int start_on_pty(
	char *const arguments[], unsigned short rows, unsigned short columns, pid_t *ret_pid)
{
	int master;
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	pid_t pid = forkpty(&master, NULL, NULL, &size);
	if (pid < 0) {
		die("forkpty");
	}
	if (pid == 0) {
		execvp(arguments[0], arguments);
		die(arguments[0]);
	}
	*ret_pid = pid;
	return master;
}

/* Looks for a mark in a stream that comes in pieces. `state` starts at 0; true when the mark's last
 * byte was seen. The mark must not begin again inside itself other than at its `==` (true for
 * ours). */
static inline bool mark_seen(const char *mark, size_t *state, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == mark[*state]) {
			if (mark[++*state] == '\0') {
				*state = 0;
				return true;
			}
		} else if (*state != 2 || bytes[i] != '=') {
			*state = bytes[i] == mark[0] ? 1 : 0;
		}
	}
	return false;
}
