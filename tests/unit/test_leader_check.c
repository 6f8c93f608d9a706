/* The process that takes a password: nobody looks into it, and nothing is left when it dies. Two
 * things keep it from leaving a core file, each shown without the other: the limit, and that it is
 * not dumpable, which counts where core files go into a pipe or the limit was raised. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "leader/check.h"
#include "protocol/warrant.h"

#define NOBODY 65534
#define LIMIT_MS 20000

/* Nobody gives a password here. */
int pam_check(const struct pam_who *who, const char *password)
{
	return -EIO;
}

static bool limits_last; /* setrlimit() says yes and does nothing */

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return limits_last ? 0 : (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

/* Part of a file of /proc about that process. */
static void read_of(int pid, const char *name, char *text, size_t size)
{
	char path[96];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	assert_true(fd_read_file_at(AT_FDCWD, path, text, size) > 0);
}

static int pid_of(int pid_fd)
{
	char name[64];
	char text[512];
	int pid = 0;
	(void)snprintf(name, sizeof(name), "fdinfo/%d", pid_fd);
	read_of((int)getpid(), name, text, sizeof(text));
	const char *line = strstr(text, "\nPid:");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "\nPid: %d", &pid), 1);
	return pid;
}

/* It has taken its name: what comes before that is done. */
static void await_name(int pid)
{
	char text[64] = "";
	uint64_t limit = clock_monotonic_ms() + LIMIT_MS;
	while (strcmp(text, "termserv-check\n") != 0) {
		assert_true(clock_monotonic_ms() < limit);
		read_of(pid, "comm", text, sizeof(text));
	}
}

static uid_t owner_of(int pid)
{
	char path[64];
	struct stat st;
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	assert_int_equal(stat(path, &st), 0);
	return st.st_uid;
}

static void while_it_waits_it_is_closed_and_leaves_no_core(void **state)
{
	/* As somebody without privileges: the kernel gives to root what is not to be dumped. */
	if (geteuid() == 0) {
		assert_int_equal(setresuid(NOBODY, NOBODY, NOBODY), 0);
	}
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
	assert_int_equal(owner_of((int)getpid()), geteuid());
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	AUTO_FD int asker = pair[0];
	AUTO_FD int warrant = pair[1];
	const struct pam_who who = { .user = "nobody", .by = "", .from = "", .tty = "" };
	struct check c = CHECK_INIT;
	assert_int_equal(warrant_want_credentials(asker), 0);
	assert_int_equal(check_start(&c, 1, &who, geteuid(), warrant), 0);
	int pid = pid_of(c.pid_fd);
	await_name(pid);
	assert_int_equal(owner_of(pid), 0);
	char limits[4096];
	unsigned soft = 1;
	unsigned hard = 1;
	read_of(pid, "limits", limits, sizeof(limits));
	const char *core = strstr(limits, "Max core file size");
	assert_non_null(core);
	assert_int_equal(sscanf(core, "Max core file size %u %u", &soft, &hard), 2);
	assert_int_equal(soft, 0);
	assert_int_equal(hard, 0);
	/* It waits for what nobody writes. */
	struct warrant_question question;
	struct ucred by;
	int pipe_fd = -1;
	assert_int_equal(warrant_receive_question(&question, &pipe_fd, &by, asker), 1);
	assert_int_equal(fd_wait_readable(c.answer_fd, 0), 0);
	(void)close(pipe_fd);
	assert_int_equal(fd_wait_readable(c.answer_fd, LIMIT_MS), 1);
	assert_int_equal(check_answer(&c), -EKEYREJECTED);
}

/* A folder of its own, where core files may lie, and a limit that lets them. False: it may not be
 * raised. */
static bool room_for_cores(char *folder)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	return setrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max > 0;
}

/* What a program dies of, as its parent is told, when it is killed as a crash would kill it. */
static int status_of_crash(pid_t pid)
{
	int status = 0;
	assert_int_equal(kill(pid, SIGQUIT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
	return status;
}

static pid_t any_program(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		(void)signal(SIGQUIT, SIG_DFL);
		for (;;) {
			(void)pause();
		}
	}
	return pid;
}

static void remove_cores(const char *folder)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(system(command), 0);
}

static void without_the_limit_it_leaves_no_core_either(void **state)
{
	char folder[] = "/tmp/check-XXXXXX";
	bool room = room_for_cores(folder);
	/* The kernel says whether it has dumped, wherever to. */
	bool others = room && WCOREDUMP(status_of_crash(any_program()));
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	AUTO_FD int asker = pair[0];
	AUTO_FD int warrant = pair[1];
	const struct pam_who who = { .user = "nobody", .by = "", .from = "", .tty = "" };
	struct check c = CHECK_INIT;
	assert_int_equal(warrant_want_credentials(asker), 0);
	limits_last = true;
	int r = check_start(&c, 1, &who, geteuid(), warrant);
	limits_last = false;
	assert_int_equal(r, 0);
	pid_t pid = pid_of(c.pid_fd);
	await_name(pid);
	char limits[4096];
	read_of(pid, "limits", limits, sizeof(limits));
	assert_true(!room || strstr(limits, "Max core file size         0 ") == NULL);
	bool dumped = WCOREDUMP(status_of_crash(pid));
	check_stop(&c);
	remove_cores(folder);
	assert_false(dumped);
	if (!others) {
		print_message("nothing leaves a core file on this machine\n");
		skip();
	}
}

int main(void)
{
	(void)signal(SIGQUIT, SIG_DFL); /* a shell ignores it for what it starts behind it */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_it_waits_it_is_closed_and_leaves_no_core),
		cmocka_unit_test(without_the_limit_it_leaves_no_core_either),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
