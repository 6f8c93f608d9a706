#include "leader/hostlog.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define MINUTE_MS 60000

int hostlog_open(struct hostlog *l, int *ret_write_fd)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	l->fd = fds[0];
	*ret_write_fd = fds[1];
	return 0;
}

static void say(struct hostlog *l, uint32_t session)
{
	uint64_t now = clock_monotonic_ms();
	if (l->since == 0 || now - l->since >= MINUTE_MS) {
		l->since = now;
		l->count = 0;
	}
	l->line[l->length] = '\0';
	l->length = 0;
	l->count += l->count <= HOSTLOG_LINES;
	if (l->count <= HOSTLOG_LINES) {
		log_warning("session %u host: %s", session, l->line);
	}
}

void hostlog_read(struct hostlog *l, uint32_t session)
{
	char bytes[1024];
	ssize_t n = l->fd >= 0 ? read(l->fd, bytes, sizeof(bytes)) : -1;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			l->line[l->length++] = bytes[i];
		}
		/* What is too long goes on in the next line. */
		if (l->length > 0 && (bytes[i] == '\n' || l->length == sizeof(l->line) - 1)) {
			say(l, session);
		}
	}
	if (n == 0) {
		hostlog_close(l);
	}
}

void hostlog_close(struct hostlog *l)
{
	auto_close(&l->fd);
	l->fd = -1;
}
