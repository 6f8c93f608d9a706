#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "door/tty/plug.h"

static const char client[] = "LANG=C\0DISPLAY=:0";

static struct plug make(int *ret_end)
{
	struct cable_hello hello = { .version = CABLE_VERSION,
		.size = { .rows = 24, .columns = 80 } };
	struct plug p = PLUG_NONE;
	assert_int_equal(plug_make(&p, ret_end, &hello, client, sizeof(client)), 0);
	return p;
}

/* What the host's end has got, after HELLO and CLIENT. */
static void read_all(int end, struct buf *in)
{
	uint8_t bytes[4096];
	for (;;) {
		ssize_t n = recv(end, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0) {
			return;
		}
		assert_int_equal(buf_put(in, bytes, (size_t)n), 0);
	}
}

static void hello_and_client_wait_in_a_new_cable(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	AUTO(buf_done) struct buf in = BUF_INIT(1 << 20);
	struct cable_frame frame;
	read_all(end, &in);
	assert_int_equal(cable_parse(&in, &frame), 1);
	assert_int_equal(frame.type, CABLE_HELLO);
	cable_next(&in, &frame);
	assert_int_equal(cable_parse(&in, &frame), 1);
	assert_int_equal(frame.type, CABLE_CLIENT);
	assert_memory_equal(frame.payload, client, sizeof(client));
	cable_next(&in, &frame);
	assert_int_equal(in.length, 0);
	plug_close(&p);
	plug_close(&p);
}

static void a_host_that_does_not_read_stops_the_typing_and_loses_nothing(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	AUTO(buf_done) struct buf in = BUF_INIT(64 << 20);
	char bytes[1000];
	size_t typed = 0;
	size_t got = 0;
	memset(bytes, 'x', sizeof(bytes));
	while (plug_room(&p) >= sizeof(bytes)) {
		plug_put_input(&p, bytes, sizeof(bytes));
		typed += sizeof(bytes);
		(void)plug_flush(&p);
	}
	assert_true(p.out.length <= PLUG_OUT_MAX + sizeof(bytes));
	for (int r = 1; r != 0;) {
		read_all(end, &in);
		r = plug_flush(&p);
		assert_true(r >= 0);
	}
	read_all(end, &in);
	for (struct cable_frame frame; cable_parse(&in, &frame) == 1; cable_next(&in, &frame)) {
		got += frame.type == CABLE_INPUT ? frame.length : 0;
	}
	assert_int_equal(got, typed);
	assert_int_equal(in.length, 0);
	plug_close(&p);
}

static void the_size_is_told_only_when_it_is_another(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	struct cable_size size = { .rows = 24, .columns = 80 };
	plug_put_size(&p, &size);
	assert_int_equal(p.out.length, 0);
	size.columns = 81;
	plug_put_size(&p, &size);
	assert_true(p.out.length > 0);
	plug_close(&p);
}

static void frames_come_out_one_by_one_and_then_the_end(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct cable_frame frame;
	assert_int_equal(cable_put(&out, CABLE_OUTPUT, "one", 3), 0);
	assert_int_equal(cable_put(&out, CABLE_OUTPUT, "three", 5), 0);
	assert_int_equal(send(end, out.data, out.length - 2, 0), out.length - 2);
	assert_int_equal(plug_read(&p), 1);
	assert_int_equal(plug_next(&p, &frame), 1);
	assert_memory_equal(frame.payload, "one", 3);
	assert_int_equal(plug_next(&p, &frame), 0);
	assert_int_equal(send(end, out.data + out.length - 2, 2, 0), 2);
	assert_int_equal(plug_read(&p), 1);
	assert_int_equal(plug_next(&p, &frame), 1);
	assert_int_equal(frame.length, 5);
	assert_memory_equal(frame.payload, "three", 5);
	assert_int_equal(plug_next(&p, &frame), 0);
	assert_int_equal(plug_read(&p), -EAGAIN);
	assert_int_equal(shutdown(end, SHUT_WR), 0);
	assert_int_equal(plug_read(&p), 0);
	plug_close(&p);
}

static void bytes_that_are_no_frame_are_refused(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	struct cable_frame frame;
	assert_int_equal(send(end, "\377\377\377\377\377\377\377\377", 8, 0), 8);
	assert_int_equal(plug_read(&p), 1);
	assert_int_equal(plug_next(&p, &frame), -EPROTO);
	plug_close(&p);
}

/* SCREEN with a lease that this process has made, or another user's. Its host's end. */
static int send_screen(int end, uid_t maker)
{
	int pair[2];
	struct cable_header header = cable_header_for(CABLE_SCREEN, 0);
	struct iovec iov = { &header, sizeof(header) };
	assert_int_equal(seteuid(maker), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(fd_send(end, &iov, 1, &pair[1], 1), sizeof(header));
	(void)close(pair[1]);
	return pair[0];
}

static void the_kernel_says_who_borrows(void **state)
{
	static const uid_t other = 65534;
	uid_t makers[] = { geteuid(), geteuid() == 0 ? other : geteuid() };
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		AUTO_FD int end = -1;
		struct plug p = make(&end);
		assert_int_equal(plug_borrower(&p), (uid_t)-1);
		AUTO_FD int lease = send_screen(end, makers[i]);
		assert_int_equal(plug_read(&p), 1);
		assert_int_equal(plug_borrower(&p), makers[i]);
		plug_lend(&p, -1);
		char byte;
		assert_int_equal(recv(lease, &byte, 1, 0), 0); /* it was told no */
		assert_int_equal(plug_borrower(&p), (uid_t)-1);
		plug_close(&p);
	}
}

static void what_is_no_socket_is_no_lease(void **state)
{
	AUTO_FD int end = -1;
	struct plug p = make(&end);
	struct cable_header header = cable_header_for(CABLE_SCREEN, 0);
	struct iovec iov = { &header, sizeof(header) };
	AUTO_FD int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(fd_send(end, &iov, 1, &file, 1), sizeof(header));
	assert_int_equal(plug_read(&p), 1);
	assert_int_equal(plug_borrower(&p), (uid_t)-1);
	plug_leave(&p, 0);
}

static void the_terminal_goes_over_the_lease(void **state)
{
	AUTO_FD int end = -1;
	int ends[2];
	struct plug p = make(&end);
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	AUTO_FD int lease = send_screen(end, geteuid());
	assert_int_equal(plug_read(&p), 1);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	plug_lend(&p, ends[1]);
	assert_true(p.lent);
	(void)close(ends[1]);
	char bytes[2];
	assert_int_equal(fd_receive_now(lease, bytes, sizeof(bytes), &set), 1);
	assert_int_equal(set.count, 1);
	assert_int_equal(write(set.fds[0], "x", 1), 1);
	fd_set_done(&set); /* it was the last: the plug has kept none */
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 1);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0);
	(void)close(ends[0]);
	plug_close(&p);
}

/* Plays a host in a process of its own that lets go `late_ms` after the door has asked for it. */
static pid_t start_host(int lease, const struct plug *door, int late_ms)
{
	pid_t child = fork();
	if (child == 0) {
		struct pollfd shut = { .fd = lease, .events = POLLRDHUP };
		(void)close(door->fd);
		(void)close(door->lease);
		(void)poll(&shut, 1, -1);
		(void)poll(NULL, 0, late_ms);
		_exit(0);
	}
	assert_true(child > 0);
	return child;
}

/* The door waits for a host that has its terminal, but not for ever, and for no other. */
static void leaving_waits_until_the_terminal_is_back(void **state)
{
	static const struct {
		bool lent;
		int late_ms;
		uint64_t least, most; /* ms; far below late_ms where it is not waited for */
	} rows[] = {
		{ true, 100, 100, UINT64_MAX },
		{ true, 600000, 500, 300000 },
		{ false, 600000, 0, 300000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FD int end = -1;
		struct plug p = make(&end);
		int lease = send_screen(end, geteuid());
		assert_int_equal(plug_read(&p), 1);
		plug_lend(&p, rows[i].lent ? STDERR_FILENO : -1);
		pid_t host = start_host(lease, &p, rows[i].late_ms);
		(void)close(lease);
		uint64_t before = clock_monotonic_ms();
		plug_leave(&p, 0);
		uint64_t took = clock_monotonic_ms() - before;
		assert_false(plug_is_open(&p));
		assert_in_range(took, rows[i].least, rows[i].most);
		(void)kill(host, SIGKILL);
		assert_int_equal(waitpid(host, NULL, 0), host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_says_who_borrows),
		cmocka_unit_test(what_is_no_socket_is_no_lease),
		cmocka_unit_test(the_terminal_goes_over_the_lease),
		cmocka_unit_test(leaving_waits_until_the_terminal_is_back),
		cmocka_unit_test(hello_and_client_wait_in_a_new_cable),
		cmocka_unit_test(a_host_that_does_not_read_stops_the_typing_and_loses_nothing),
		cmocka_unit_test(the_size_is_told_only_when_it_is_another),
		cmocka_unit_test(frames_come_out_one_by_one_and_then_the_end),
		cmocka_unit_test(bytes_that_are_no_frame_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
