/* What the host of system mode writes to its standard error, in our own log. It is the owner's
 * process, so he could write there himself.
 *
 * Always holds: harmless text, so many lines a minute and no more; nobody waits, neither we for the
 * host nor the host for us. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HOSTLOG_LINES 20 /* a minute */
#define HOSTLOG_LINE_SIZE 256

struct hostlog {
	int fd; /* -1 = none */
	unsigned count;
	uint64_t since; /* clock_monotonic_ms(): the minute that is counted */
	size_t length;
	char line[HOSTLOG_LINE_SIZE];
};

#define HOSTLOG_INIT ((struct hostlog){ .fd = -1 })

int hostlog_open(struct hostlog *l, int *ret_write_fd); /* 0 or -errno */
void hostlog_read(struct hostlog *l, uint32_t session); /* when it is readable, and at the end */
void hostlog_close(struct hostlog *l);
