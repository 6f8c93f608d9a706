/* What a confined process still can and what not, each in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "broker/auditlog.h"
#include "broker/confine.h"
#include "broker/idfile.h"

#define CONFIG "/elsewhere/termserv.conf"

/* A process's answer: 0 or an errno, as an exit status. */
typedef int probe(void);

static char base[] = "/tmp/confine-XXXXXX";
static int state_fd, log_fd, runtime_fd;
static pid_t outside; /* a process that is not confined */

static char *below(char *text, size_t size, const char *name)
{
	(void)snprintf(text, size, "%s%s", base, name);
	return text;
}

static void make_file(const char *name, const char *text)
{
	char path[128];
	AUTO_FD int fd = open(
		below(path, sizeof(path), name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static int make_folder(const char *name)
{
	char path[128];
	assert_int_equal(mkdir(below(path, sizeof(path), name), 0755), 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int set_up(void **state)
{
	assert_non_null(mkdtemp(base));
	state_fd = make_folder("/state");
	log_fd = make_folder("/log");
	runtime_fd = make_folder("/run");
	(void)close(make_folder("/elsewhere"));
	(void)close(make_folder("/elsewhere/termserv.conf.d"));
	make_file("/secret", "secret\n");
	make_file("/run/file", "runtime\n");
	make_file(CONFIG, "first\n");
	outside = fork();
	if (outside == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)pause();
		_exit(0);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	return remove(path);
}

static int tear_down(void **state)
{
	(void)kill(outside, SIGKILL);
	(void)waitpid(outside, NULL, 0);
	(void)close(state_fd);
	(void)close(log_fd);
	(void)close(runtime_fd);
	return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int confine_here(void)
{
	char config[128];
	return confine(&(struct confine_places){
		.write_fd = { state_fd, log_fd, -1 },
		.read_fd = runtime_fd,
		.config_path = below(config, sizeof(config), CONFIG),
	});
}

/* The exit status of a process that does this: 200 and more are mistakes of the test. */
static int run(probe *first, probe *then)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int r = first != NULL ? first() : 0;
		_exit(r != 0 ? 200 + r : then());
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int outcome_of(int r)
{
	return r < 0 ? errno : 0;
}

static int open_and_close(int dir_fd, const char *name, int flags)
{
	int fd = openat(dir_fd, name, flags | O_CLOEXEC, 0600);
	int result = outcome_of(fd);
	auto_close(&fd);
	return result;
}

static int open_below(const char *name, int flags)
{
	char path[128];
	return open_and_close(AT_FDCWD, below(path, sizeof(path), name), flags);
}

/* --- what it needs ---------------------------------------------------------------------------- */

static int counts_and_writes_records(void)
{
	uint32_t id = 0;
	struct auditlog *log = NULL;
	char line[] = "{\"event\":\"a\",\"rest\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}";
	struct stat st;
	if (idfile_next(state_fd, 0, &id) < 0 || idfile_next(state_fd, 0, &id) < 0 || id != 2) {
		return 1;
	}
	/* The second and the third have no room beside the first. */
	if (auditlog_new(&log, log_fd, sizeof(line) + 8) < 0) {
		return 2;
	}
	for (int i = 0; i < 3; i++) {
		auditlog_write(log, line);
	}
	if (fstatat(log_fd, "audit.log.1", &st, 0) < 0 || st.st_size != (off_t)strlen(line) + 1) {
		return 3;
	}
	json_t *records = auditlog_read(log, 9, NULL, NULL);
	size_t count = json_array_size(records);
	json_decref(records);
	(void)auditlog_free(log);
	return count == 2 ? 0 : 4;
}

static int reads_its_configuration_again(void)
{
	char text[32], path[128];
	if (fd_read_file_at(AT_FDCWD, below(path, sizeof(path), CONFIG), text, sizeof(text)) < 0) {
		return errno;
	}
	return strcmp(text, "changed\n") == 0 ? 0 : 100;
}

/* Made by whoever is not confined, after we were. */
static int reads_a_configuration_that_came_later(void)
{
	char path[128];
	const struct confine_places places = {
		.write_fd = { state_fd, log_fd, -1 },
		.read_fd = runtime_fd,
		.config_path = below(path, sizeof(path), "/later/too/termserv.conf"),
	};
	int gate[2];
	if (pipe2(gate, O_CLOEXEC) < 0) {
		return 101;
	}
	pid_t maker = fork();
	if (maker == 0) {
		char byte;
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		(void)close(make_folder("/later"));
		(void)close(make_folder("/later/too"));
		make_file("/later/too/termserv.conf", "late\n");
		_exit(0);
	}
	if (confine(&places) < 0 || open_below("/secret", O_RDONLY) != 0) {
		return 102; /* what lies beside it can be read then: it is where a file could come
			     */
	}
	(void)close(gate[1]);
	(void)waitpid(maker, NULL, 0);
	return open_below("/later/too/termserv.conf", O_RDONLY);
}

static int finds_out_who_a_caller_is(void)
{
	char path[64], text[4096];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)outside);
	ssize_t n = fd_read_file_at(AT_FDCWD, path, text, sizeof(text));
	return n < 0 ? (int)-n : 0;
}

static int reaches_a_leader(void)
{
	AUTO_FD int fd = fd_connect_at(runtime_fd, "link", SOCK_SEQPACKET | SOCK_NONBLOCK);
	return fd < 0 ? -fd : 0;
}

static int ends_a_process(void)
{
	return outcome_of(kill(getppid(), 0)) + outcome_of(kill(getpid(), 0));
}

static void what_a_broker_does_works(void **state)
{
	AUTO_FD int leader = fd_listen_at(runtime_fd, "link", SOCK_SEQPACKET, 0600);
	assert_true(leader >= 0);
	assert_int_equal(run(confine_here, counts_and_writes_records), 0);
	assert_int_equal(run(confine_here, finds_out_who_a_caller_is), 0);
	assert_int_equal(run(confine_here, reaches_a_leader), 0);
	assert_int_equal(run(NULL, reads_a_configuration_that_came_later), 0);
	assert_int_equal(run(confine_here, ends_a_process), 0);
}

/* As editors and managers of configurations do it: another file of that name. */
static void a_configuration_that_was_replaced_is_read(void **state)
{
	int gate[2];
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		int r = confine_here();
		(void)!write(ready[1], "r", 1);
		(void)!read(gate[0], &byte, 1);
		_exit(r != 0 ? 200 : reads_its_configuration_again());
	}
	char byte, path[128], fresh[128];
	assert_int_equal(read(ready[0], &byte, 1), 1);
	make_file("/elsewhere/fresh", "changed\n");
	assert_int_equal(rename(below(fresh, sizeof(fresh), "/elsewhere/fresh"),
				 below(path, sizeof(path), CONFIG)),
		0);
	assert_int_equal(write(gate[1], "g", 1), 1);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(gate[i]);
		(void)close(ready[i]);
	}
}

/* --- what it must not ------------------------------------------------------------------------- */

static int executes(void)
{
	char *arguments[] = { (char *)"true", NULL };
	return outcome_of(execv("/bin/true", arguments));
}

static int forks(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		_exit(0);
	}
	return outcome_of(pid);
}

static int makes_an_internet_socket(void)
{
	return outcome_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int makes_a_netlink_socket(void)
{
	return outcome_of(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int makes_a_local_socket(void)
{
	return outcome_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int maps_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? 100 : outcome_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int traces(void)
{
	return outcome_of((int)ptrace(PTRACE_ATTACH, outside, NULL, NULL));
}

static int types_into_a_terminal(void)
{
	AUTO_FD int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return outcome_of((int)syscall(SYS_ioctl, fd, 0x5412, "x"));
}

static void it_starts_nothing_and_looks_into_nothing(void **state)
{
	const struct {
		probe *what;
		int expected;
	} cases[] = {
		{ executes, ENOSYS },
		{ forks, ENOSYS },
		{ traces, ENOSYS },
		{ types_into_a_terminal, ENOSYS },
		{ makes_an_internet_socket, EAFNOSUPPORT },
		{ makes_a_netlink_socket, EAFNOSUPPORT },
		{ makes_a_local_socket, 0 },
		{ maps_code, EACCES },
		{ makes_code, EACCES },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int result = run(confine_here, cases[i].what);
		if (result != cases[i].expected) {
			fail_msg("case %zu: %d, not %d", i, result, cases[i].expected);
		}
	}
	assert_int_equal(run(NULL, makes_an_internet_socket), 0);
	assert_int_equal(run(NULL, maps_code), 0);
	assert_int_equal(run(NULL, forks), 0);
}

static int reads_elsewhere(void)
{
	return open_below("/secret", O_RDONLY);
}

static int reads_the_users(void)
{
	return open_and_close(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static int makes_a_file_elsewhere(void)
{
	return open_below("/new", O_WRONLY | O_CREAT);
}

static int climbs_out(void)
{
	return open_and_close(state_fd, "../secret", O_RDONLY);
}

static int writes_the_runtime_folder(void)
{
	return open_and_close(runtime_fd, "file", O_WRONLY);
}

static int writes_its_configuration(void)
{
	return open_below(CONFIG, O_WRONLY | O_TRUNC);
}

static int lists_the_root(void)
{
	return open_and_close(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
}

static int looks_into_a_process(void)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)outside);
	return open_and_close(AT_FDCWD, path, O_RDWR);
}

static void no_file_is_opened_elsewhere(void **state)
{
	probe *const cases[] = { reads_elsewhere, reads_the_users, makes_a_file_elsewhere,
		climbs_out, writes_the_runtime_folder, writes_its_configuration, lists_the_root,
		looks_into_a_process };
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
		print_message("this kernel has no Landlock\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int result = run(confine_here, cases[i]);
		if (result != EACCES) {
			fail_msg("case %zu: %d", i, result);
		}
	}
	assert_int_equal(run(NULL, reads_elsewhere), 0);
	assert_int_equal(run(NULL, reads_the_users), 0);
}

/* --- a kernel that has less ------------------------------------------------------------------- */

/* From now on this call is not there. */
static int take_away(int call, bool filters)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		/* of prctl() only PR_SET_SECCOMP */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, filters ? 1 : 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (filters ? EINVAL : ENOSYS)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(steps), .filter = steps };
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? errno : 0;
}

static int without_landlock(void)
{
	return take_away(SYS_landlock_create_ruleset, false);
}

static int without_filters(void)
{
	/* libseccomp goes the old way when it finds no new one. */
	int r = take_away(SYS_seccomp, false);
	return r != 0 ? r : take_away(SYS_prctl, true);
}

static int holds_the_filter_alone(void)
{
	int r = confine_here();
	return r != CONFINE_NO_LANDLOCK ? 100 : forks() != ENOSYS ? 101 : reads_elsewhere();
}

static int holds_landlock_alone(void)
{
	int r = confine_here();
	return r != CONFINE_NO_FILTER ? 100 : reads_elsewhere() != EACCES ? 101 : forks();
}

static void what_a_kernel_does_not_have_is_told_and_the_rest_holds(void **state)
{
	assert_int_equal(run(without_landlock, holds_the_filter_alone), 0);
	assert_int_equal(run(without_filters, holds_landlock_alone), 0);
}

int main(void)
{
	if (!confine_is_built()) {
		return 77; /* meson: skipped. The sanitizers do what is not allowed. */
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_broker_does_works),
		cmocka_unit_test(a_configuration_that_was_replaced_is_read),
		cmocka_unit_test(it_starts_nothing_and_looks_into_nothing),
		cmocka_unit_test(no_file_is_opened_elsewhere),
		cmocka_unit_test(what_a_kernel_does_not_have_is_told_and_the_rest_holds),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
