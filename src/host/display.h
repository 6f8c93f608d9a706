/* The session's own X display, whose name stays valid whatever terminal shows the session: its
 * number and cookie, and termserv-x11, which answers there and leads on to the terminal's display.
 *
 * Always holds: this process makes the names and hands them over at once; it never takes a
 * connection and never sees a byte of X. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "protocol/x11.h"

struct display {
	unsigned number; /* 0 = there is none */
	int helper_fd;	 /* to termserv-x11; -1 = it does not run */
	pid_t helper;
	struct x11_packet packet; /* what it was told last */
};

#define DISPLAY_INIT ((struct display){ .helper_fd = -1 })

/* Takes the first number that is free. 0 or -errno. */
int display_open(struct display *d);
void display_done(struct display *d);

/* Another terminal shows the session: its DISPLAY and XAUTHORITY; NULL = it has none. A helper that
 * was killed is started again. 0 or -errno. */
int display_tell(struct display *d, const char *display, const char *authority);

/* The file by which a client finds the cookie, whatever name of the display it looks for. */
void display_put_authority(const struct display *d, struct buf *to);
