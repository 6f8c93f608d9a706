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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "session_rig.h"

static bool is_active(const struct link_info *i)
{
	return i->state == SESSION_ACTIVE;
}

static bool is_disconnected(const struct link_info *i)
{
	return i->state == SESSION_DISCONNECTED;
}

static bool runs(const struct link_info *i)
{
	return i->program != 0;
}

static void a_programs_output_reaches_the_cable_and_its_input_comes_back(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "printf 'hello\\n'; read x; echo \"got $x.\"; read y", 0);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "hello");
	door_type(&d, "abc\r");
	door_wait_text(&d, "got abc.");
	rig_wait_info(&r, is_active);
	assert_int_equal(r.info.session, RIG_ID);
	assert_int_equal(r.info.uid, geteuid());
	assert_string_equal(r.info.terminal, "TERM01");
	assert_string_equal(r.info.client, "192.0.2.7");
	assert_string_equal(r.info.term, "xterm-256color");
	assert_int_equal(r.info.token[0], 0x5a);
	assert_int_equal(r.info.rows, 24);
	assert_int_equal(r.info.columns, 80);
	assert_true(strncmp(r.info.command, "/bin/sh -c printf", 17) == 0);
	struct stat st;
	assert_int_equal(stat(r.info.tty, &st), 0);
	assert_int_equal(st.st_rdev, r.info.tty_device);
	door_close(&d);
	rig_wait_info(&r, is_disconnected);
	assert_string_equal(r.info.terminal, "");
	rig_stop(&r);
}

static void a_second_terminal_takes_the_session_and_the_first_is_told(void **state)
{
	struct rig r;
	struct door first;
	struct door second;
	rig_start(&r, "printf 'before the swap\\n'; read x; echo \"got $x.\"; cat", 0);
	rig_connect(&r, &first, "TERM01");
	door_wait_text(&first, "before the swap");
	struct rig_terminal t = rig_terminal("TERM02");
	t.rows = 30;
	t.columns = 100;
	assert_int_equal(rig_plug(&r, &second, &t), 0);
	door_wait_flag(&second, &second.welcome);
	assert_false(second.screen);
	door_type(&first, "typed before\r"); /* on its way while the swap happens */
	assert_int_equal(rig_commit(&r, "Session 7 was connected to TERM02 by alice."), 0);
	door_wait_flag(&first, &first.has_bye);
	assert_int_equal(first.bye.reason, LINK_REASON_TAKEN);
	assert_int_equal(first.bye.ended, 0);
	assert_string_equal(first.bye.text, "Session 7 was connected to TERM02 by alice.");
	door_close(&first);
	door_wait_text(&second, "before the swap"); /* painted from the model */
	door_wait_text(&second, "got typed before.");
	rig_wait_info(&r, is_active);
	while (r.info.rows != 30) {
		(void)rig_wait(&r, LINK_INFO);
	}
	assert_string_equal(r.info.terminal, "TERM02");
	assert_int_equal(r.info.columns, 100);
	door_close(&second);
	rig_stop(&r);
}

static void a_prepared_cable_changes_nothing_until_it_is_committed(void **state)
{
	struct rig r;
	struct door first;
	struct door second;
	rig_start(&r, "while read x; do echo \"got $x.\"; done", 0);
	rig_connect(&r, &first, "TERM01");
	struct rig_terminal t = rig_terminal("TERM02");
	assert_int_equal(rig_plug(&r, &second, &t), 0);
	door_type(&second, "from the second\r");
	rig_tell(&r, LINK_ABORT, "", "");
	door_wait_flag(&second, &second.closed);
	assert_false(second.screen);
	assert_int_equal(rig_commit(&r, ""), -ECONNRESET);
	door_type(&first, "from the first\r");
	door_wait_text(&first, "got from the first.");
	assert_false(door_has(&first, "second"));
	assert_false(first.has_bye);
	door_close(&first);
	door_close(&second);
	rig_stop(&r);
}

static void a_commit_for_a_dead_cable_leaves_the_session_where_it_was(void **state)
{
	struct rig r;
	struct door first;
	struct door second;
	rig_start(&r, "while read x; do echo \"got $x.\"; done", 0);
	rig_connect(&r, &first, "TERM01");
	struct rig_terminal t = rig_terminal("TERM02");
	assert_int_equal(rig_plug(&r, &second, &t), 0);
	door_close(&second);
	assert_int_equal(rig_commit(&r, ""), -ECONNRESET);
	door_type(&first, "still here\r");
	door_wait_text(&first, "got still here.");
	door_close(&first);
	rig_stop(&r);
}

static void a_terminal_that_reads_nothing_never_blocks_the_program(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 5",
		0);
	rig_connect(&r, &d, "TERM01");
	door_type(&d, "go\r");
	(void)rig_wait(&r, LINK_ENDED);
	assert_true(WIFEXITED(r.ended.status));
	assert_int_equal(WEXITSTATUS(r.ended.status), 5);
	assert_string_equal(r.ended.text, "the program ended with exit status 5");
	door_close(&d);
	rig_stop(&r);
}

static void a_terminal_that_reads_again_is_skipped_ahead_to_the_present(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"read x; head -c 20000000 /dev/zero | tr '\\0' x; echo; printf '\\033]0;done\\a'; "
		"read y; echo \"got $y.\"; read z",
		0);
	rig_connect(&r, &d, "TERM01");
	door_type(&d, "go\r");
	while (strcmp(r.info.title, "done") != 0) { /* the program is through; nobody has read */
		(void)rig_wait(&r, LINK_INFO);
	}
	door_type(&d, "here\r");
	door_wait_text(&d, "got here.");
	assert_true(d.output.length < 2000000);
	door_close(&d);
	rig_stop(&r);
}

static void a_cable_that_a_stranger_made_is_refused(void **state)
{
	if (geteuid() != 0) {
		skip(); /* nobody else to make one */
	}
	struct rig r;
	int transfer[2];
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, transfer), 0);
	pid_t stranger = fork();
	assert_true(stranger >= 0);
	if (stranger == 0) {
		int pair[2];
		struct iovec iov = { "c", 1 };
		bool good = setresuid(65534, 65534, 65534) == 0 &&
			    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
			    fd_send(transfer[1], &iov, 1, &pair[1], 1) == 1;
		_exit(good ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
	char byte;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(fd_receive(transfer[0], &byte, 1, &set), 1);
	assert_int_equal(set.count, 1);
	assert_int_equal(rig_plug_cable(&r, "TERM01", set.fds[0]), -EACCES);
	fd_set_done(&set);
	(void)close(transfer[0]);
	(void)close(transfer[1]);
	rig_stop(&r);
}

static void what_is_no_cable_is_refused(void **state)
{
	struct rig r;
	rig_start(&r, "read x", 0);
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(rig_plug_cable(&r, "TERM01", fd), -ENOTSOCK);
	(void)close(fd);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(rig_plug_cable(&r, "TERM01", pair[0]), -EPROTOTYPE);
	(void)close(pair[0]);
	(void)close(pair[1]);
	rig_stop(&r);
}

static void a_hello_is_judged_before_anything_changes(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x", 0);
	struct rig_terminal t = rig_terminal("TERM01");
	t.rows = 0;
	assert_int_equal(rig_plug(&r, &d, &t), -EINVAL);
	door_close(&d);
	t.rows = 4097;
	assert_int_equal(rig_plug(&r, &d, &t), -EINVAL);
	door_close(&d);

	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	d = (struct door){
		.fd = pair[0], .lease = -1, .in = BUF_INIT(65536), .output = BUF_INIT(65536)
	};
	struct cable_hello hello = { .version = CABLE_VERSION + 1, .size = { 24, 80, 0, 0 } };
	door_send(&d, CABLE_HELLO, &hello, sizeof(hello));
	assert_int_equal(rig_plug_cable(&r, "TERM01", pair[1]), -EPROTONOSUPPORT);
	(void)close(pair[1]);
	door_wait_flag(&d, &d.has_bye);
	assert_non_null(strstr(d.bye.text, "version"));
	door_close(&d);
	rig_stop(&r);
}

static void a_program_that_ends_says_goodbye_with_its_status(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x; printf 'last words\\n'; exit 3", 0);
	rig_connect(&r, &d, "TERM01");
	door_type(&d, "go\r");
	door_wait_flag(&d, &d.has_bye);
	assert_true(door_has(&d, "last words"));
	assert_int_equal(d.bye.ended, 1);
	assert_int_equal(WEXITSTATUS(d.bye.status), 3);
	assert_string_equal(d.bye.text, "Session 7 ended, exit status 3.");
	(void)rig_wait(&r, LINK_ENDED);
	assert_int_equal(r.ended.session, RIG_ID);
	assert_string_equal(r.ended.text, "the program ended with exit status 3");
	door_close(&d);
	rig_stop(&r);
}

static void a_program_that_is_killed_says_by_which_signal(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "kill -9 $$", 60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_flag(&d, &d.has_bye);
	assert_string_equal(d.bye.text, "Session 7 ended by signal 9 (Killed).");
	(void)rig_wait(&r, LINK_ENDED);
	assert_string_equal(r.ended.text, "the program was ended by signal 9 (Killed)");
	door_close(&d);
	rig_stop(&r);
}

static void a_program_that_does_not_exist_says_so_on_the_screen(void **state)
{
	char *arguments[] = { "termserv-no-such-program", NULL };
	char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	struct spec spec = { .header = { .wait_ms = 60000 },
		.directory = "/nowhere",
		.term = "xterm",
		.arguments = arguments,
		.environment = environment };
	struct rig r;
	struct door d;
	rig_start_spec(&r, &spec);
	rig_connect(&r, &d, "TERM01");
	door_wait_flag(&d, &d.has_bye);
	assert_true(door_has(&d, "cannot enter /nowhere: No such file"));
	assert_true(door_has(&d, "cannot run termserv-no-such-program: No such file"));
	(void)rig_wait(&r, LINK_ENDED);
	assert_int_equal(WEXITSTATUS(r.ended.status), 127);
	door_close(&d);
	rig_stop(&r);
}

static void a_waiting_session_starts_at_the_size_of_its_first_terminal(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "stty size; read x", 60000);
	rig_wait_info(&r, is_disconnected);
	assert_int_equal(r.info.program, 0);
	struct rig_terminal t = rig_terminal("TERM01");
	t.rows = 33;
	t.columns = 101;
	assert_int_equal(rig_plug(&r, &d, &t), 0);
	assert_int_equal(rig_commit(&r, ""), 0);
	door_wait_text(&d, "33 101");
	rig_wait_info(&r, runs);
	door_close(&d);
	rig_stop(&r);
}

static void a_waiting_session_starts_by_itself_when_nobody_comes(void **state)
{
	struct rig r;
	rig_start(&r, "exit 4", 50);
	(void)rig_wait(&r, LINK_ENDED);
	assert_int_equal(WEXITSTATUS(r.ended.status), 4);
	rig_stop(&r);
}

static void a_terminal_that_changes_size_tells_the_program(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "trap 'stty size' WINCH; echo ready; while :; do read x; done", 60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "ready");
	struct cable_size size = { .rows = 40, .columns = 132 };
	door_send(&d, CABLE_SIZE, &size, sizeof(size));
	door_wait_text(&d, "40 132");
	size.rows = 5000; /* is ignored, and costs the terminal nothing */
	door_send(&d, CABLE_SIZE, &size, sizeof(size));
	door_type(&d, "x\r");
	door_wait_text(&d, "x\r\n");
	door_close(&d);
	rig_stop(&r);
}

static void a_session_without_a_terminal_answers_its_programs_queries(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"stty raw -echo; printf '\\033[5n'; answer=$(dd bs=1 count=4 2>/dev/null | od -An "
		"-c);"
		"stty sane; echo answer: $answer; printf '\\033]0;answered\\a'; read x",
		0);
	while (strcmp(r.info.title, "answered") != 0) {
		(void)rig_wait(&r, LINK_INFO);
	}
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "answer: 033 [ 0 n");
	door_close(&d);
	rig_stop(&r);
}

static void a_plain_terminal_is_painted_with_what_it_can_show(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"read x; printf '\\033[38;2;1;2;3mcolour\\033[0m\\033[?2004h plain\\n'; read y", 0);
	struct rig_terminal t = rig_terminal("TERM01");
	t.class = CABLE_CLASS_PLAIN;
	t.colours = 0;
	assert_int_equal(rig_plug(&r, &d, &t), 0);
	assert_int_equal(rig_commit(&r, ""), 0);
	door_type(&d, "go\r");
	door_wait_text(&d, "plain");
	assert_true(door_has(&d, "colour"));
	assert_false(door_has(&d, "38;2"));
	assert_false(door_has(&d, "2004h"));
	door_close(&d);
	rig_stop(&r);
}

static void a_sequence_that_a_connect_cuts_arrives_whole(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "printf '\\033]0;first\\a\\033]0;sec'; read x; printf 'ond\\a'; read y", 0);
	while (strcmp(r.info.title, "first") != 0) {
		(void)rig_wait(&r, LINK_INFO);
	}
	rig_connect(&r, &d, "TERM01");
	door_type(&d, "go\r");
	/* The echo of "go" stands inside the string too; the string begins with what came before.
	 */
	door_wait_text(&d, "ond\a");
	assert_true(door_has(&d, "\033]0;sec"));
	door_close(&d);
	rig_stop(&r);
}

static void unplugging_a_terminal_leaves_the_session_disconnected(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x", 0);
	rig_connect(&r, &d, "TERM01");
	rig_tell(&r, LINK_UNPLUG, "TERM09", "");
	assert_int_equal(rig_wait(&r, LINK_UNPLUGGED).simple.error, -ENOTCONN);
	rig_tell(&r, LINK_UNPLUG, "TERM01", "Session 7 was disconnected by alice.");
	assert_int_equal(rig_wait(&r, LINK_UNPLUGGED).simple.error, 0);
	door_wait_flag(&d, &d.has_bye);
	assert_string_equal(d.bye.text, "Session 7 was disconnected by alice.");
	rig_wait_info(&r, is_disconnected);
	door_close(&d);
	rig_stop(&r);
}

static void the_terminals_own_variables_reach_the_session(void **state)
{
	static const char client[] = "SSH_AUTH_SOCK=/some/agent\0DISPLAY=:7\0EVIL=1\0"
				     "LANG=it's; rm -rf $HOME\0WAYLAND_DISPLAY=wayland-3\0"
				     "XDG_RUNTIME_DIR=/run/user/9";
	struct rig r;
	struct door d;
	rig_start(&r, "echo \"$SSH_AUTH_SOCK\" $TERMSERV_SESSION $TERM; read x", 0);
	struct rig_terminal t = rig_terminal("TERM01");
	t.columns = 200;
	t.client = client;
	t.client_length = sizeof(client);
	assert_int_equal(rig_plug(&r, &d, &t), 0);
	assert_int_equal(rig_commit(&r, ""), 0);
	char text[4096];
	ssize_t n = readlinkat(r.runtime_fd, "sessions/7/run/ssh-agent", text, sizeof(text) - 1);
	assert_int_equal(n, strlen("/some/agent"));
	assert_memory_equal(text, "/some/agent", (size_t)n);
	n = readlinkat(r.runtime_fd, "sessions/7/run/wayland", text, sizeof(text) - 1);
	assert_int_equal(n, strlen("/run/user/9/wayland-3"));
	assert_memory_equal(text, "/run/user/9/wayland-3", (size_t)n);
	assert_true(fd_read_file_at(r.runtime_fd, "sessions/7/run/env", text, sizeof(text)) > 0);
	const char *display = strstr(text, "\nDISPLAY=':"); /* the session's own */
	assert_non_null(display);
	unsigned number = (unsigned)strtoul(display + strlen("\nDISPLAY=':"), NULL, 10);
	assert_true(number >= 1000);
	assert_non_null(strstr(text, "/sessions/7/run/xauthority'\n"));
	assert_non_null(strstr(text, "LANG='it'\\''s; rm -rf $HOME'\n"));
	assert_non_null(strstr(text, "unset SSH_TTY\n"));
	assert_null(strstr(text, "EVIL"));
	assert_null(strstr(text, "XDG_RUNTIME_DIR"));
	char expected[256];
	(void)snprintf(expected, sizeof(expected), "%s/sessions/7/run/ssh-agent 7 xterm-256color",
		r.folder);
	door_wait_text(&d, expected);
	(void)snprintf(expected, sizeof(expected), "SSH_AUTH_SOCK='%s/sessions/7/run/ssh-agent'\n",
		r.folder);
	assert_non_null(strstr(text, expected));
	door_close(&d);
	rig_stop(&r);
}

static void a_terminal_inside_the_session_does_not_close_a_ring_of_links(void **state)
{
	struct rig r;
	struct door d;
	char client[256];
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	int n = snprintf(
		client, sizeof(client), "SSH_AUTH_SOCK=%s/sessions/7/run/ssh-agent", r.folder);
	struct rig_terminal t = rig_terminal("TERM01");
	t.client = client;
	t.client_length = (size_t)n + 1;
	assert_int_equal(rig_plug(&r, &d, &t), 0);
	assert_int_equal(rig_commit(&r, ""), 0);
	char text[256];
	ssize_t length = readlinkat(r.runtime_fd, "sessions/7/run/ssh-agent", text, sizeof(text));
	assert_int_equal(length, strlen("/nowhere/first")); /* the creator's */
	assert_memory_equal(text, "/nowhere/first", (size_t)length);
	door_close(&d);
	rig_stop(&r);
}

static void more_typed_bytes_than_the_program_takes_all_arrive(void **state)
{
	enum { FRAMES = 12, FRAME = 50000 };
	struct rig r;
	struct door d;
	rig_start(&r,
		"stty raw -echo; echo ready; read_on() { head -c 600000 | cksum; }; "
		"dd bs=1 count=1 2>/dev/null >/dev/null; read_on; exit 0",
		60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "ready");
	static char bytes[FRAME];
	memset(bytes, 'q', sizeof(bytes));
	pid_t typist = fork(); /* blocks while the session takes no more */
	assert_true(typist >= 0);
	if (typist == 0) {
		door_type(&d, "!");
		for (int i = 0; i < FRAMES; i++) {
			door_send(&d, CABLE_INPUT, bytes, sizeof(bytes));
		}
		_exit(0);
	}
	door_wait_text(&d, "2201004595 600000"); /* cksum of 600000 times q */
	int status;
	assert_int_equal(waitpid(typist, &status, 0), typist);
	assert_int_equal(status, 0);
	door_close(&d);
	(void)rig_wait(&r, LINK_ENDED);
	rig_stop(&r);
}

static void a_cable_that_speaks_nonsense_is_dropped_alone(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x", 0);
	rig_connect(&r, &d, "TERM01");
	assert_int_equal(send(d.fd, "nonsense", 8, MSG_NOSIGNAL), 8);
	door_wait_flag(&d, &d.closed);
	rig_wait_info(&r, is_disconnected);
	door_close(&d);
	rig_connect(&r, &d, "TERM01");
	door_close(&d);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_programs_output_reaches_the_cable_and_its_input_comes_back),
		cmocka_unit_test(a_second_terminal_takes_the_session_and_the_first_is_told),
		cmocka_unit_test(a_prepared_cable_changes_nothing_until_it_is_committed),
		cmocka_unit_test(a_commit_for_a_dead_cable_leaves_the_session_where_it_was),
		cmocka_unit_test(a_terminal_that_reads_nothing_never_blocks_the_program),
		cmocka_unit_test(a_terminal_that_reads_again_is_skipped_ahead_to_the_present),
		cmocka_unit_test(a_cable_that_a_stranger_made_is_refused),
		cmocka_unit_test(what_is_no_cable_is_refused),
		cmocka_unit_test(a_hello_is_judged_before_anything_changes),
		cmocka_unit_test(a_program_that_ends_says_goodbye_with_its_status),
		cmocka_unit_test(a_program_that_is_killed_says_by_which_signal),
		cmocka_unit_test(a_program_that_does_not_exist_says_so_on_the_screen),
		cmocka_unit_test(a_waiting_session_starts_at_the_size_of_its_first_terminal),
		cmocka_unit_test(a_waiting_session_starts_by_itself_when_nobody_comes),
		cmocka_unit_test(a_terminal_that_changes_size_tells_the_program),
		cmocka_unit_test(a_session_without_a_terminal_answers_its_programs_queries),
		cmocka_unit_test(a_plain_terminal_is_painted_with_what_it_can_show),
		cmocka_unit_test(a_sequence_that_a_connect_cuts_arrives_whole),
		cmocka_unit_test(unplugging_a_terminal_leaves_the_session_disconnected),
		cmocka_unit_test(the_terminals_own_variables_reach_the_session),
		cmocka_unit_test(a_terminal_inside_the_session_does_not_close_a_ring_of_links),
		cmocka_unit_test(more_typed_bytes_than_the_program_takes_all_arrive),
		cmocka_unit_test(a_cable_that_speaks_nonsense_is_dropped_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
