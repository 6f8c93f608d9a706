#include "leader/record.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmpx.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#define WTMP "/var/log/wtmp"
#define DEVICES "/dev/"
#define WRITE_SECONDS 5 /* then the writing process gives up: somebody holds the file locked */

/* These fields of a record need no NUL at their end. */
static void fill(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);
	memcpy(to, from, length < size ? length : size);
}

static struct utmpx entry_of(const struct record *r, short type, pid_t pid)
{
	size_t prefix = strlen(DEVICES);
	const char *line = strncmp(r->tty, DEVICES, prefix) == 0 ? r->tty + prefix : r->tty;
	size_t length = strlen(line);
	struct utmpx u = { .ut_type = type, .ut_pid = pid };
	fill(u.ut_line, sizeof(u.ut_line), line);
	fill(u.ut_id, sizeof(u.ut_id),
		length > sizeof(u.ut_id) ? line + length - sizeof(u.ut_id) : line);
	if (type == USER_PROCESS) {
		fill(u.ut_user, sizeof(u.ut_user), r->user);
		fill(u.ut_host, sizeof(u.ut_host), r->client);
	}
	struct timeval now;
	(void)gettimeofday(&now, NULL);
	u.ut_tv.tv_sec = (__typeof__(u.ut_tv.tv_sec))now.tv_sec;
	u.ut_tv.tv_usec = (__typeof__(u.ut_tv.tv_usec))now.tv_usec;
	return u;
}

static void wait_until_written(struct record *r, int timeout_ms)
{
	if (r->pid_fd >= 0) {
		(void)fd_wait_readable(r->pid_fd, timeout_ms);
		auto_close(&r->pid_fd);
		r->pid_fd = -1;
	}
}

/* Its process is reaped by whoever reaps our children. */
static void write_entry(struct record *r, short type, bool in_wtmp)
{
	wait_until_written(r, RECORD_WAIT_MS); /* so that the newest is the last */
	struct utmpx u = entry_of(r, type, getpid());
	pid_t pid = fork();
	if (pid == 0) {
		(void)close_range(STDERR_FILENO + 1, ~0U, 0); /* no link stays open for it */
		(void)alarm(WRITE_SECONDS);
		setutxent();
		(void)pututxline(&u);
		endutxent();
		if (in_wtmp) {
			updwtmpx(WTMP, &u);
		}
		_exit(0);
	}
	if (pid < 0) {
		log_warning("no login record for %s: %s", r->tty, strerrordesc_np(errno));
		return;
	}
	r->pid_fd = pidfd_open(pid, 0); /* close-on-exec by itself */
}

void record_update(struct record *r, const char *user, const char *tty, const char *client)
{
	if (tty[0] == '\0' ||
		(r->open && strcmp(r->tty, tty) == 0 && strcmp(r->client, client) == 0)) {
		return;
	}
	link_set_text(r->user, user);
	link_set_text(r->tty, tty);
	link_set_text(r->client, client);
	write_entry(r, USER_PROCESS, !r->open);
	r->open = true;
}

void record_end(struct record *r)
{
	if (r->open) {
		write_entry(r, DEAD_PROCESS, true);
		r->open = false;
	}
	wait_until_written(r, RECORD_END_MS);
}
