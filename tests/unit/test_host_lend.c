/* A door that lends its terminal: the host writes there itself, and gives it back in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "session_rig.h"

#define SHOWN_MAX ((size_t)64 * 1024 * 1024)

/* A terminal and the door that sits at it. */
struct seat {
	struct door door;
	int master, slave;
	char path[64];
	struct buf shown; /* all that the terminal was sent */
};

static void seat_open(struct seat *ret)
{
	struct termios raw = { 0 };
	cfmakeraw(&raw);
	*ret = (struct seat){ .shown = BUF_INIT(SHOWN_MAX) };
	assert_int_equal(openpty(&ret->master, &ret->slave, ret->path, &raw, NULL), 0);
	assert_int_equal(fd_set_nonblocking(ret->master, true), 0);
}

static void seat_close(struct seat *t)
{
	door_close(&t->door);
	(void)close(t->master);
	(void)close(t->slave);
	buf_done(&t->shown);
}

/* What the terminal has got by now; whether that was anything. */
static bool seat_read(struct seat *t)
{
	bool any = false;
	for (;;) {
		assert_int_equal(buf_reserve(&t->shown, 65536), 0);
		ssize_t n = read(t->master, t->shown.data + t->shown.length, 65536);
		if (n <= 0) {
			return any;
		}
		t->shown.length += (size_t)n;
		any = true;
	}
}

static bool seat_has(const struct seat *t, const char *text)
{
	return t->shown.length > 0 &&
	       memmem(t->shown.data, t->shown.length, text, strlen(text)) != NULL;
}

static void seat_wait_text(struct seat *t, const char *text)
{
	uint64_t limit = clock_monotonic_ms() + RIG_LIMIT_MS;
	while (!seat_has(t, text)) {
		if (clock_monotonic_ms() >= limit) {
			fail_msg("waited for \"%s\" on the terminal", text);
		}
		(void)fd_wait_readable(t->master, 100);
		(void)seat_read(t);
	}
}

/* Whether the process holds the terminal. */
static bool holds(pid_t pid, const struct seat *t)
{
	char folder[64];
	char link[sizeof(folder) + 1 + sizeof(((struct dirent *)0)->d_name)];
	char target[sizeof(t->path) + 1];
	bool found = false;
	(void)snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		(void)snprintf(link, sizeof(link), "%s/%s", folder, e->d_name);
		ssize_t n = readlink(link, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = found || strcmp(target, t->path) == 0;
	}
	(void)closedir(d);
	return found;
}

/* As a door that leaves does it. */
static void ask_back(struct seat *t)
{
	assert_int_equal(shutdown(t->door.lease, SHUT_WR), 0);
	assert_int_equal(shutdown(t->door.fd, SHUT_WR), 0);
}

static void wait_back(struct seat *t)
{
	assert_int_equal(fd_wait_readable(t->door.lease, RIG_LIMIT_MS), 1);
}

/* A session is shown at the seat, which has not answered yet. Its host. */
static pid_t show(struct rig *r, struct seat *t, const char *script)
{
	struct rig_terminal terminal = rig_terminal("TERM01");
	terminal.lends = true;
	rig_start(r, script, 0);
	pid_t host = rig_parent(rig_program(r));
	seat_open(t);
	assert_int_equal(rig_plug(r, &t->door, &terminal), 0);
	assert_int_equal(rig_commit(r, "taken"), 0);
	door_wait_flag(&t->door, &t->door.screen);
	return host;
}

static pid_t show_lent(struct rig *r, struct seat *t, const char *script)
{
	pid_t host = show(r, t, script);
	door_lend(&t->door, t->slave);
	return host;
}

static void nothing_is_written_before_the_door_has_answered(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show(&r, &t, "echo first; read x; echo got $x; read y");
	door_type(&t.door, "key\r"); /* the program is told, the terminal is not */
	assert_false(door_read(&t.door, 200));
	assert_false(seat_read(&t));
	door_lend(&t.door, t.slave);
	seat_wait_text(&t, "got key");
	assert_true(seat_has(&t, "first"));
	assert_true(holds(host, &t));
	assert_int_equal(t.door.output.length, 0);
	seat_close(&t);
	rig_stop(&r);
}

static void a_promise_that_is_not_kept_gives_output(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show(&r, &t, "echo first; read x; echo got $x; read y");
	(void)close(t.door.lease);
	t.door.lease = -1;
	door_wait_text(&t.door, "first");
	door_type(&t.door, "key\r");
	door_wait_text(&t.door, "got key");
	assert_false(holds(host, &t));
	seat_close(&t);
	rig_stop(&r);
}

static void what_is_no_terminal_is_not_written_to(void **state)
{
	struct rig r;
	struct seat t;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	(void)show(&r, &t, "echo first; read x");
	door_lend(&t.door, ends[1]);
	(void)close(ends[1]);
	door_wait_text(&t.door, "first");
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 0); /* nothing came, and nobody holds it */
	(void)close(ends[0]);
	seat_close(&t);
	rig_stop(&r);
}

static void a_door_that_says_nothing_is_not_waited_for_long(void **state)
{
	struct rig r;
	struct seat t;
	(void)show(&r, &t, "echo first; read x");
	door_wait_text(&t.door, "first");
	char byte;
	assert_int_equal(recv(t.door.lease, &byte, 1, 0), 0); /* too late now */
	seat_close(&t);
	rig_stop(&r);
}

static void a_word_without_a_terminal_is_a_no(void **state)
{
	struct rig r;
	struct seat t;
	(void)show(&r, &t, "echo first; read x");
	door_lend(&t.door, -1);
	door_wait_text(&t.door, "first");
	seat_close(&t);
	rig_stop(&r);
}

static void a_door_that_does_not_lend_is_offered_nothing(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "echo first; read x", 0);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "first");
	assert_int_equal(d.lease, -1);
	door_close(&d);
	rig_stop(&r);
}

static void who_makes_the_lease_is_the_sessions_user(void **state)
{
	struct rig r;
	struct seat t;
	struct ucred maker;
	(void)show(&r, &t, "read x");
	assert_int_equal(fd_peer(t.door.lease, &maker), 0);
	assert_int_equal(maker.uid, geteuid());
	seat_close(&t);
	rig_stop(&r);
}

static void a_goodbye_says_that_the_terminal_was_given_back(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show_lent(&r, &t, "printf '\\033[?1049hpicture'; read x; exit 3");
	seat_wait_text(&t, "picture");
	rig_tell(&r, LINK_UNPLUG, "TERM01", "moved");
	door_wait_flag(&t.door, &t.door.has_bye);
	assert_string_equal(t.door.bye.text, "moved");
	assert_false(holds(host, &t));
	(void)seat_read(&t);
	assert_true(seat_has(&t, "\033[?1049l")); /* undone before that was said */
	seat_close(&t);
	rig_stop(&r);
}

static void a_door_that_wants_its_terminal_gets_it_at_once(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show_lent(&r, &t, "yes");
	seat_wait_text(&t, "y\r\ny\r\n");
	ask_back(&t);
	wait_back(&t);
	assert_false(holds(host, &t));
	seat_close(&t);
	rig_stop(&r);
}

/* Until the host reads no more of it, because its program takes no input. */
static void type_too_much(struct door *d)
{
	char text[1024];
	struct cable_header header = cable_header_for(CABLE_INPUT, sizeof(text));
	struct iovec iov[] = { { &header, sizeof(header) }, { text, sizeof(text) } };
	struct pollfd room = { .fd = d->fd, .events = POLLOUT };
	memset(text, 'x', sizeof(text));
	assert_int_equal(fd_set_nonblocking(d->fd, true), 0);
	while (poll(&room, 1, 500) == 1) {
		ssize_t n = fd_send(d->fd, iov, 2, NULL, 0);
		assert_true(n > 0 || n == -EAGAIN);
		if (n > 0 && (size_t)n < sizeof(header) + sizeof(text)) {
			return; /* a frame that has only begun is no key */
		}
	}
}

static void a_door_with_too_much_typed_gets_its_terminal_back_too(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show_lent(&r, &t, "stty raw -echo; echo ready; sleep 600");
	seat_wait_text(&t, "ready");
	type_too_much(&t.door);
	ask_back(&t);
	wait_back(&t);
	assert_false(holds(host, &t));
	seat_close(&t);
	rig_stop(&r);
}

static void the_next_terminal_is_shown_though_too_much_was_typed(void **state)
{
	struct rig r;
	struct seat t;
	struct seat next;
	struct rig_terminal terminal = rig_terminal("TERM02");
	terminal.lends = true;
	(void)show_lent(&r, &t, "stty raw -echo; echo ready; sleep 600");
	seat_wait_text(&t, "ready");
	type_too_much(&t.door);
	seat_open(&next);
	assert_int_equal(rig_plug(&r, &next.door, &terminal), 0);
	assert_int_equal(rig_commit(&r, "taken"), 0);
	door_type(&next.door, "a key, too");
	door_wait_flag(&next.door, &next.door.screen);
	door_lend(&next.door, next.slave);
	seat_wait_text(&next, "ready");
	seat_close(&t);
	seat_close(&next);
	rig_stop(&r);
}

static bool has_written_it_all(const struct link_info *i)
{
	return strcmp(i->title, "written") == 0;
}

static void a_terminal_that_takes_nothing_holds_nobody_up(void **state)
{
	struct rig r;
	struct seat t;
	(void)show_lent(
		&r, &t, "seq 1 200000; printf '\033]2;written\007'; read x; echo the end; read y");
	rig_wait_info(&r, has_written_it_all);
	door_type(&t.door, "go\r");
	seat_wait_text(&t, "the end");
	assert_false(seat_has(&t, "\n100000\r")); /* it was skipped ahead */
	seat_close(&t);
	rig_stop(&r);
}

/* Stopped in the midst of a flood, it must not write on when it goes on later: by then the terminal
 * is somebody else's. */
static void a_host_that_was_stopped_looks_before_it_writes_on(void **state)
{
	struct rig r;
	struct seat t;
	pid_t host = show_lent(&r, &t, "yes");
	seat_wait_text(&t, "y\r\ny\r\n");
	assert_int_equal(kill(host, SIGSTOP), 0);
	(void)poll(NULL, 0, 150); /* that old is its knowledge of the lease then */
	ask_back(&t);
	while (seat_read(&t) || fd_wait_readable(t.master, 100) == 1) {
	}
	assert_int_equal(kill(host, SIGCONT), 0);
	wait_back(&t);
	assert_false(holds(host, &t));
	assert_int_equal(fd_wait_readable(t.master, 200), 0);
	seat_close(&t);
	rig_stop(&r);
}

/* What the terminal has not taken comes over the cable, to a door that has more patience. */
static void the_last_words_reach_a_terminal_that_rests(void **state)
{
	struct rig r;
	struct seat t;
	char line[16];
	(void)show_lent(&r, &t, "read x; seq 1 8000; exit 7");
	door_type(&t.door, "\r");
	door_wait_flag(&t.door, &t.door.has_bye);
	assert_int_equal(WEXITSTATUS(t.door.bye.status), 7);
	(void)rig_wait(&r, LINK_ENDED);
	while (seat_read(&t) || fd_wait_readable(t.master, 100) == 1) {
	}
	assert_int_equal(buf_put(&t.shown, t.door.output.data, t.door.output.length), 0);
	const uint8_t *at = t.shown.data;
	for (unsigned i = 1; i <= 8000; i++) {
		(void)snprintf(line, sizeof(line), "\n%u\r", i);
		at = memmem(at, (size_t)(t.shown.data + t.shown.length - at), line + (i == 1),
			strlen(line + (i == 1)));
		assert_non_null(at);
	}
	seat_close(&t);
	rig_stop(&r);
}

static void listen_to_keys(struct seat *t, bool on)
{
	struct cable_listen wish = { .on = on, .detach_key = -1 };
	char word = 0;
	door_send(&t->door, CABLE_LISTEN, &wish, sizeof(wish));
	assert_int_equal(fd_wait_readable(t->door.lease, RIG_LIMIT_MS), 1);
	assert_int_equal(recv(t->door.lease, &word, 1, 0), 1);
	assert_int_equal(word, on ? CABLE_WORD_LISTENS : CABLE_WORD_DEAF);
}

static void press(struct seat *t, const char *keys)
{
	assert_int_equal(write(t->master, keys, strlen(keys)), strlen(keys));
	assert_int_equal(fd_wait_readable(t->slave, RIG_LIMIT_MS), 1);
}

static void keys_are_read_while_the_door_says_so(void **state)
{
	struct rig r;
	struct seat t;
	(void)show_lent(&r, &t, "stty raw -echo; echo ready; exec cat");
	seat_wait_text(&t, "ready");
	press(&t, "one,");
	listen_to_keys(&t, true);
	seat_wait_text(&t, "one,");
	assert_int_equal(write(t.master, "two,", 4), 4);
	seat_wait_text(&t, "one,two,");
	listen_to_keys(&t, false);
	press(&t, "four,");
	door_type(&t.door, "three,");
	seat_wait_text(&t, "one,two,three,");
	int unread = 0;
	assert_int_equal(ioctl(t.slave, FIONREAD, &unread), 0);
	assert_int_equal(unread, strlen("four,"));
	seat_close(&t);
	rig_stop(&r);
}

static bool is_poll(uint64_t call)
{
#ifdef SYS_poll
	if (call == SYS_poll) {
		return true;
	}
#endif
	return call == SYS_ppoll || call == SYS_restart_syscall;
}

/* Lets it run until its poll() has found something, and holds it there. */
static void hold_behind_poll(pid_t host, struct seat *t)
{
	struct __ptrace_syscall_info info = { 0 };
	uint64_t call = 0;
	int status = 0;
	assert_int_equal(ptrace(PTRACE_SEIZE, host, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, host, NULL, NULL), 0);
	assert_int_equal(waitpid(host, &status, __WALL), host);
	press(t, "one,");
	while (info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.rval <= 0 || !is_poll(call)) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, host, NULL, NULL), 0);
		assert_int_equal(waitpid(host, &status, __WALL), host);
		assert_true(WIFSTOPPED(status));
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, host, (void *)sizeof(info), &info) > 0);
		call = info.op == PTRACE_SYSCALL_INFO_ENTRY ? info.entry.nr : call;
	}
}

/* A host that hangs between its look and its reading must not act upon that look when it goes on:
 * by then the door has read on, and the terminal shows something else. */
static void a_host_that_was_held_looks_before_it_reads_on(void **state)
{
	struct rig r;
	struct seat t;
	char keys[16] = "";
	int unread = 0;
	if (geteuid() != 0) { /* only root may hold what is not its child */
		skip();
	}
	pid_t host = show_lent(&r, &t, "stty raw -echo; echo ready; exec cat");
	seat_wait_text(&t, "ready");
	listen_to_keys(&t, true);
	hold_behind_poll(host, &t);
	struct cable_listen stop = { .on = 0, .detach_key = -1 };
	door_send(&t.door, CABLE_LISTEN, &stop, sizeof(stop));
	(void)poll(NULL, 0, 2 * CABLE_FRESH_MS); /* as a door waits */
	assert_int_equal(read(t.slave, keys, sizeof(keys) - 1), strlen("one,"));
	press(&t, "two,");
	door_type(&t.door, keys);
	assert_int_equal(ptrace(PTRACE_DETACH, host, NULL, NULL), 0);
	seat_wait_text(&t, "one,");
	assert_false(seat_has(&t, "two,"));
	assert_int_equal(ioctl(t.slave, FIONREAD, &unread), 0);
	assert_int_equal(unread, strlen("two,"));
	seat_close(&t);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_written_before_the_door_has_answered),
		cmocka_unit_test(a_promise_that_is_not_kept_gives_output),
		cmocka_unit_test(what_is_no_terminal_is_not_written_to),
		cmocka_unit_test(a_door_that_says_nothing_is_not_waited_for_long),
		cmocka_unit_test(a_word_without_a_terminal_is_a_no),
		cmocka_unit_test(a_door_that_does_not_lend_is_offered_nothing),
		cmocka_unit_test(who_makes_the_lease_is_the_sessions_user),
		cmocka_unit_test(a_goodbye_says_that_the_terminal_was_given_back),
		cmocka_unit_test(a_door_that_wants_its_terminal_gets_it_at_once),
		cmocka_unit_test(a_door_with_too_much_typed_gets_its_terminal_back_too),
		cmocka_unit_test(the_next_terminal_is_shown_though_too_much_was_typed),
		cmocka_unit_test(a_terminal_that_takes_nothing_holds_nobody_up),
		cmocka_unit_test(the_last_words_reach_a_terminal_that_rests),
		cmocka_unit_test(a_host_that_was_stopped_looks_before_it_writes_on),
		cmocka_unit_test(keys_are_read_while_the_door_says_so),
		cmocka_unit_test(a_host_that_was_held_looks_before_it_reads_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
