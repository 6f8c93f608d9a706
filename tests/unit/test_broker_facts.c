/* The broker's small facts: who asks, which ID is next, what the tables and records look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/idfile.h"
#include "broker/method.h"
#include "broker/terminal.h"
#include "broker_rig.h"
#include "protocol/idl.h"

static void the_tty_of_a_stat_line_is_found_whatever_the_program_is_called(void **state)
{
	static const struct {
		const char *line;
		int result;
		unsigned major, minor;
	} cases[] = {
		{ "12 (bash) S 1 12 12 34816 12 4194304", 0, 136, 0 },
		{ "12 (bash) S 1 12 12 34823 12 4194304", 0, 136, 7 },
		{ "12 (a) b) 1 2 3 4 (c) R 1 12 12 1027 12 0", 0, 4, 3 },
		{ "12 () S 1 12 12 0 -1 0", 0, 0, 0 },
		{ "12 (\n) S 9 9 9 99) S 1 12 12 34816 12 0", 0, 136, 0 },
		{ "12 (many) S 1 12 12 1083396 12 0", 0, 136, 0x104 },
		{ "12 (bash) S 1 12", -EINVAL, 0, 0 },
		{ "12 bash S 1 12 12 34816", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		dev_t tty = 99;
		assert_int_equal(caller_parse_stat(cases[i].line, &tty), cases[i].result);
		if (cases[i].result == 0) {
			assert_int_equal(major(tty), cases[i].major);
			assert_int_equal(minor(tty), cases[i].minor);
		}
	}
	/* The kernel's own encoding: minor bits 31-20 and 7-0, major bits 19-8; printed signed. */
	dev_t tty = 0;
	assert_int_equal(caller_parse_stat("1 (x) S 1 1 1 -1048321 0", &tty), 0);
	assert_int_equal(major(tty), 0);
	assert_int_equal(minor(tty), 0xfffff);
}

static void the_kernel_says_who_connected_and_on_which_tty_it_sits(void **state)
{
	uint64_t own = rig_own_tty();
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	struct caller c;
	assert_int_equal(caller_from_socket(&c, fds[0]), 0);
	assert_int_equal(c.uid, geteuid());
	assert_int_equal(c.pid, getpid());
	assert_true(c.pidfd >= 0);
	assert_true((fcntl(c.pidfd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true(caller_tty(&c) == (dev_t)own);
	caller_done(&c);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_process_that_has_ended_sits_nowhere(void **state)
{
	(void)rig_own_tty();
	int fds[2];
	int go[2];
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr address = { .sa_family = AF_UNIX };
	assert_int_equal(bind(listener, &address, sizeof(address.sa_family)), 0);
	assert_int_equal(listen(listener, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct sockaddr_storage name;
		socklen_t size = sizeof(name);
		(void)getsockname(listener, (struct sockaddr *)&name, &size);
		fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
		char byte;
		if (connect(fds[0], (struct sockaddr *)&name, size) == 0) {
			(void)!read(go[0], &byte, 1);
		}
		_exit(0);
	}
	fds[1] = accept(listener, NULL, NULL);
	assert_true(fds[1] >= 0);
	struct caller c;
	assert_int_equal(caller_from_socket(&c, fds[1]), 0);
	assert_int_equal(c.pid, pid);
	assert_true(caller_tty(&c) != 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(caller_tty(&c) == 0);
	caller_done(&c);
	(void)close(listener);
	(void)close(fds[1]);
	(void)close(go[0]);
	(void)close(go[1]);
}

static int make_folder(char *folder)
{
	assert_non_null(mkdtemp(folder));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void drop_folder(const char *folder, int fd)
{
	(void)unlinkat(fd, "last-id", 0);
	(void)close(fd);
	assert_int_equal(rmdir(folder), 0);
}

static void write_file(int fd, const char *text)
{
	AUTO_FD int file = openat(fd, "last-id", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
}

static void ids_go_up_and_are_written_before_they_are_given(void **state)
{
	char folder[] = "/tmp/idfile-XXXXXX";
	int fd = make_folder(folder);
	uint32_t id = 0;
	uint32_t last = 99;
	assert_int_equal(idfile_read(fd, &last), 0);
	assert_int_equal(last, 0);
	for (uint32_t i = 1; i <= 12; i++) {
		assert_int_equal(idfile_next(fd, 0, &id), 0);
		assert_int_equal(id, i);
		assert_int_equal(idfile_read(fd, &last), 0);
		assert_int_equal(last, i);
	}
	assert_int_equal(idfile_next(fd, 40, &id), 0);
	assert_int_equal(id, 41);
	assert_int_equal(idfile_next(fd, 7, &id), 0);
	assert_int_equal(id, 42);
	struct stat st;
	assert_int_equal(fstatat(fd, "last-id", &st, 0), 0);
	assert_int_equal(st.st_size, 11); /* never grows: a full disk cannot stop it */
	assert_int_equal(st.st_mode & 0777, 0600);
	drop_folder(folder, fd);
}

static void a_spoilt_file_is_told_and_mended(void **state)
{
	static const char *const spoilt[] = { "x", "-1", "12 ", "99999999999", "1\n2x\n3" };
	char folder[] = "/tmp/idfile-XXXXXX";
	int fd = make_folder(folder);
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
		uint32_t id = 0;
		write_file(fd, spoilt[i]);
		if (i < 4) {
			assert_int_equal(idfile_read(fd, &id), -EINVAL);
		}
		assert_int_equal(idfile_next(fd, 100, &id), 0);
		assert_int_equal(id, 101);
	}
	uint32_t id = 0;
	write_file(fd, "4294967295\n");
	assert_int_equal(idfile_next(fd, 0, &id), -ERANGE);
	write_file(fd, "");
	assert_int_equal(idfile_next(fd, 3, &id), 0);
	assert_int_equal(id, 4);
	drop_folder(folder, fd);
}

static void a_link_in_the_files_place_is_not_followed(void **state)
{
	char folder[] = "/tmp/idfile-XXXXXX";
	int fd = make_folder(folder);
	uint32_t id = 77;
	assert_int_equal(symlinkat("elsewhere", fd, "last-id"), 0);
	assert_true(idfile_next(fd, 0, &id) < 0);
	assert_int_equal(id, 77);
	assert_int_equal(faccessat(fd, "elsewhere", F_OK, 0), -1);
	drop_folder(folder, fd);
}

static void where_nothing_can_be_written_no_id_is_given(void **state)
{
	char folder[] = "/tmp/idfile-XXXXXX";
	int fd = make_folder(folder);
	struct rlimit kept;
	uint32_t id = 77;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
	struct rlimit none = { 0, kept.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int r = idfile_next(fd, 0, &id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
	assert_true(r < 0);
	assert_int_equal(id, 77);
	assert_int_equal(idfile_next(fd, 0, &id), 0);
	assert_int_equal(id, 1);
	drop_folder(folder, fd);
}

static void the_table_of_methods_is_the_interface_description(void **state)
{
	size_t count;
	const struct method *table = method_table(&count);
	size_t described = 0;
	for (const char *at = idl_text(); (at = strstr(at, "\nmethod ")) != NULL; at++) {
		char name[64] = "";
		char full[128];
		bool known = false;
		assert_int_equal(sscanf(at, "\nmethod %63[A-Za-z](", name), 1);
		(void)snprintf(full, sizeof(full), "io.termserv.Control.%s", name);
		const struct method *m = method_find(full, &known);
		assert_non_null(m);
		assert_string_equal(m->name, name);
		assert_int_not_equal(m->right, RIGHT_NONE);
		described++;
	}
	assert_int_equal(described, count);
	for (size_t i = 1; i < count; i++) {
		assert_true(strcmp(table[i - 1].name, table[i].name) < 0);
	}
}

static void a_kind_and_its_reserved_names_are_told_apart(void **state)
{
	assert_true(terminal_is_kind("tty"));
	assert_true(terminal_is_kind("rdp-tcp"));
	static const char *const bad[] = { "", "TTY", "tty1", "-tty", "t#y", "abcdefghijklmnopq" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(terminal_is_kind(bad[i]));
	}
	assert_true(terminal_is_listener_name("Ssh"));
	assert_false(terminal_is_listener_name("ssh#1"));
	assert_true(terminal_is_reserved_name("CONSOLE"));
}

static void a_secret_survives_its_way_through_text(void **state)
{
	uint8_t a[LINK_TOKEN_SIZE];
	uint8_t b[LINK_TOKEN_SIZE] = { 0 };
	char text[TERMINAL_SECRET_TEXT_SIZE];
	assert_int_equal(terminal_secret_new(a), 0);
	assert_false(terminal_secret_equal(a, b));
	terminal_secret_text(text, a);
	assert_int_equal(terminal_secret_read(b, text), 0);
	assert_true(terminal_secret_equal(a, b));
	static const char *const bad[] = { "", "00", "0123456789abcdef0123456789abcdeg",
		"0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef0" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(terminal_secret_read(b, bad[i]), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tty_of_a_stat_line_is_found_whatever_the_program_is_called),
		cmocka_unit_test(the_kernel_says_who_connected_and_on_which_tty_it_sits),
		cmocka_unit_test(a_process_that_has_ended_sits_nowhere),
		cmocka_unit_test(ids_go_up_and_are_written_before_they_are_given),
		cmocka_unit_test(a_spoilt_file_is_told_and_mended),
		cmocka_unit_test(a_link_in_the_files_place_is_not_followed),
		cmocka_unit_test(where_nothing_can_be_written_no_id_is_given),
		cmocka_unit_test(the_table_of_methods_is_the_interface_description),
		cmocka_unit_test(a_kind_and_its_reserved_names_are_told_apart),
		cmocka_unit_test(a_secret_survives_its_way_through_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
