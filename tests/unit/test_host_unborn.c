/* A host that has a link and no session yet: a leader that failed half-way has left it so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "protocol/link.h"

#define LINK_FD 3
#define LIMIT_MS 20000

static pid_t start_host(int link_fd)
{
	char path[512];
	assert_non_null(getenv("TERMSERV_BIN"));
	(void)snprintf(path, sizeof(path), "%s/termserv-host", getenv("TERMSERV_BIN"));
	pid_t pid = fork();
	if (pid == 0) {
		if (dup2(link_fd, LINK_FD) >= 0) {
			(void)execl(path, "termserv-host", "7", (char *)NULL);
		}
		_exit(127);
	}
	return pid;
}

/* How often it has gone to sleep by itself; -1: it is gone. */
static long sleeps_of(pid_t pid)
{
	char path[64];
	char text[4096];
	long count = -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) > 0) {
		const char *line = strstr(text, "\nvoluntary_ctxt_switches:");
		(void)sscanf(line != NULL ? line : "", "\nvoluntary_ctxt_switches: %ld", &count);
	}
	return count;
}

static void what_it_is_told_too_early_does_no_harm(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	AUTO_FD int ours = pair[0];
	pid_t pid = start_host(pair[1]);
	(void)close(pair[1]);
	union link_packet packet = { .simple = link_make(LINK_ABORT, 1) };
	assert_int_equal(link_send(ours, &packet, NULL, 0), 0);
	/* It answers with nothing; then it wakes once more, to give memory back, and sleeps on. */
	uint64_t limit = clock_monotonic_ms() + LIMIT_MS;
	long first = -1;
	uint64_t since = clock_monotonic_ms();
	int status = 0;
	pid_t ended = 0;
	while (ended == 0 && clock_monotonic_ms() - since < 1000) {
		long now = sleeps_of(pid);
		if (now != first && clock_monotonic_ms() < limit) {
			first = now;
			since = clock_monotonic_ms();
		}
		ended = waitpid(pid, &status, WNOHANG);
	}
	assert_int_equal(ended, 0);
	(void)close(TAKE_FD(ours));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_is_told_too_early_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
