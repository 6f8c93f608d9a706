/* Processes from a process that was forked before: they live and die on their own, and it goes with
 * the broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/nursery.h"

#define LIMIT_MS 30000

/* Says whose child it is and whether the test's privileges are still there, and waits for the end.
 */
struct words {
	pid_t pid, parent;
	int no_new_privs, spare_is_open;
};

#define SPARE_FD 100

static _Noreturn void work(int fd)
{
	const struct words w = {
		.pid = getpid(),
		.parent = getppid(),
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		.spare_is_open = fcntl(SPARE_FD, F_GETFD) >= 0,
	};
	char byte;
	(void)!write(fd, &w, sizeof(w));
	(void)!read(fd, &byte, 1);
	_exit(0);
}

/* A process and our end of the pair that it works with. */
static int start(pid_t *ret, struct words *ret_words)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	int r = nursery_start(ret, fds[1]);
	(void)close(fds[1]);
	if (r < 0) {
		(void)close(fds[0]);
		return r;
	}
	assert_int_equal(read(fds[0], ret_words, sizeof(*ret_words)), sizeof(*ret_words));
	return fds[0];
}

static void assert_ends(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
}

static void without_one_nothing_starts(void **state)
{
	pid_t pid = 0;
	assert_int_equal(nursery_start(&pid, STDERR_FILENO), -ENOTCONN);
	assert_int_equal(nursery_watch(NULL), 0);
}

static void its_processes_are_as_the_broker_was_and_hold_nothing_of_it(void **state)
{
	int spare = dup2(STDERR_FILENO, SPARE_FD);
	assert_int_equal(spare, SPARE_FD);
	assert_int_equal(nursery_open(work), 0);
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	pid_t first = 0, second = 0;
	struct words one, two;
	AUTO_FD int a = start(&first, &one);
	AUTO_FD int b = start(&second, &two);
	assert_true(a >= 0 && b >= 0);
	assert_int_equal(one.pid, first);
	assert_int_equal(two.pid, second);
	assert_int_equal(one.parent, two.parent);
	assert_int_not_equal(one.parent, getpid());
	assert_int_equal(one.no_new_privs + two.no_new_privs, 0);
	assert_int_equal(one.spare_is_open + two.spare_is_open, 0);
	(void)close(spare);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_ends(a);
	assert_int_equal(kill(second, 0), 0);
	nursery_close();
}

static void its_end_ends_the_loop(void **state)
{
	sd_event *event = NULL;
	pid_t pid = 0;
	struct words w;
	assert_int_equal(nursery_open(work), 0);
	assert_true(sd_event_new(&event) >= 0);
	assert_true(nursery_watch(event) >= 0);
	AUTO_FD int fd = start(&pid, &w);
	assert_true(fd >= 0);
	assert_int_equal(kill(w.parent, SIGKILL), 0);
	assert_int_equal(sd_event_loop(event), -EPIPE);
	AUTO_FD int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(nursery_start(&pid, other), -ENOTCONN);
	assert_int_equal(kill(w.pid, 0), 0); /* it has its own descriptor to end by */
	nursery_close();
	(void)sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_one_nothing_starts),
		cmocka_unit_test(its_processes_are_as_the_broker_was_and_hold_nothing_of_it),
		cmocka_unit_test(its_end_ends_the_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
