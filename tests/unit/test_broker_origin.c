/* Did an ssh server let this process in? On a /proc that the test has written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/origin.h"

static char folder[64];
static int proc_fd;

static int set_up(void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/origin-XXXXXX");
	assert_non_null(mkdtemp(folder));
	proc_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc_fd >= 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	(void)close(proc_fd);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void process(int pid, const char *name, int parent, unsigned uid)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "%d", pid);
	(void)mkdirat(proc_fd, path, 0700);
	(void)snprintf(path, sizeof(path), "%d/status", pid);
	AUTO_FD int fd = openat(proc_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(dprintf(fd,
			    "Name:\t%s\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\n"
			    "PPid:\t%d\nTracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t0\t0\t0\t0\n",
			    name, pid, pid, parent, uid, uid, uid, uid) > 0);
}

static void what_an_ssh_server_has_let_in_is_known_by_its_ancestors(void **state)
{
	process(1, "systemd", 0, 0);
	process(10, "sshd", 1, 0);
	process(11, "sshd-session", 10, 0);
	process(12, "sshd-session", 11, 1000);
	process(13, "bash", 12, 1000);
	process(14, "termserv", 13, 1000);
	assert_true(origin_is_ssh(proc_fd, 14));
	process(20, "login", 1, 0);
	process(21, "bash", 20, 1000);
	assert_false(origin_is_ssh(proc_fd, 21));
}

static void what_a_session_has_started_is_below_its_leader(void **state)
{
	process(1, "systemd", 0, 0);
	process(30, "termserv-leader", 1, 0);
	process(31, "termserv-host", 30, 1000);
	process(32, "bash", 31, 1000);
	process(33, "connect", 32, 1000);
	process(34, "connect", 30, 1000); /* whose parent has ended */
	assert_true(origin_is_below(proc_fd, 33, 30));
	assert_true(origin_is_below(proc_fd, 34, 30));
	assert_false(origin_is_below(proc_fd, 33, 40));
	assert_false(origin_is_below(proc_fd, 30, 33));
	assert_false(origin_is_below(proc_fd, 99, 30));
	/* An sshd that was started there lets in whoever comes, but not from there. */
	process(35, "sshd", 30, 0);
	process(36, "sshd-session", 35, 1000);
	process(37, "bash", 36, 1000);
	assert_false(origin_is_below(proc_fd, 37, 30));
	/* What only calls itself so has let in nobody. */
	process(38, "sshd", 32, 1000);
	process(39, "connect", 38, 1000);
	assert_true(origin_is_below(proc_fd, 39, 30));
}

static void a_program_that_calls_itself_sshd_is_believed_only_as_root(void **state)
{
	process(1, "systemd", 0, 0);
	process(20, "login", 1, 0);
	process(21, "sshd", 20, 1000);
	process(22, "termserv", 21, 1000);
	assert_false(origin_is_ssh(proc_fd, 22));
	/* The name is at the end of its line, whatever stands in it. */
	process(23, "a\\nUid:\t0\\nName:\tsshd", 20, 1000);
	process(24, "termserv", 23, 1000);
	assert_false(origin_is_ssh(proc_fd, 24));
}

static void a_chain_that_breaks_or_never_ends_is_no_ssh(void **state)
{
	process(30, "termserv", 29, 1000);
	assert_false(origin_is_ssh(proc_fd, 30));
	assert_false(origin_is_ssh(proc_fd, 31));
	assert_false(origin_is_ssh(proc_fd, 0));
	process(40, "a", 41, 1000);
	process(41, "b", 40, 1000);
	assert_false(origin_is_ssh(proc_fd, 40));
}

static void a_status_without_its_lines_is_refused(void **state)
{
	struct origin o;
	assert_int_equal(origin_parse(&o, "Name:\tsshd\nPPid:\t1\n"), -EINVAL);
	assert_int_equal(origin_parse(&o, "Name:\tsshd\nUid:\t0\n"), -EINVAL);
	assert_int_equal(origin_parse(&o, "PPid:\t1\nUid:\t0\n"), -EINVAL);
	assert_int_equal(origin_parse(&o, ""), -EINVAL);
	assert_int_equal(origin_parse(&o, "Name:\tsshd\nPPid:\t7\nUid:\t0\t1\t1\t1\n"), 0);
	assert_string_equal(o.name, "sshd");
	assert_int_equal(o.parent, 7);
	assert_int_equal(o.uid, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_an_ssh_server_has_let_in_is_known_by_its_ancestors),
		TEST(what_a_session_has_started_is_below_its_leader),
		TEST(a_program_that_calls_itself_sshd_is_believed_only_as_root),
		TEST(a_chain_that_breaks_or_never_ends_is_no_ssh),
		TEST(a_status_without_its_lines_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
