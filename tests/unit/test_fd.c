#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reader.h"

static void descriptors_arrive_close_on_exec_and_surplus_ones_are_refused(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	int two[] = { pair[0], pair[1] };
	assert_int_equal(fd_send(pair[0], &iov, 1, two, 2), 1);
	char byte;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(fd_receive(pair[1], &byte, 1, &set), 1);
	assert_int_equal(set.count, 2);
	assert_true((fcntl(set.fds[1], F_GETFD) & FD_CLOEXEC) != 0);
	int taken = set.fds[0];
	fd_set_done(&set);
	assert_int_equal(fcntl(taken, F_GETFD), -1);

	int five[] = { pair[0], pair[0], pair[0], pair[0], pair[0] };
	assert_int_equal(fd_send(pair[0], &iov, 1, five, 5), -EINVAL);
	assert_int_equal(fd_send(pair[0], &iov, 1, two, 2), 1);
	assert_int_equal(fd_receive(pair[1], &byte, 1, NULL), -EPROTO);
	close(pair[0]);
	close(pair[1]);
}

static void a_message_counts_though_no_descriptor_is_left_for_its_own(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	struct rlimit before;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(fd_send(pair[0], &iov, 1, &pair[0], 1), 1);
	/* The lowest free number is the limit: there is none below it. */
	int lowest = dup(pair[0]);
	assert_int_equal(close(lowest), 0);
	struct rlimit none = { (rlim_t)lowest, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	char byte = 0;
	struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive(pair[1], &byte, 1, &set);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(n, 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(set.count, 0);
	assert_true(set.lost);
	fd_set_done(&set);
	close(pair[0]);
	close(pair[1]);
}

static void a_packet_longer_than_asked_for_is_an_error(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[0], "four", 4, 0), 4);
	char three[3];
	assert_int_equal(fd_receive(pair[1], three, sizeof(three), NULL), -EPROTO);
	close(pair[0]);
	assert_int_equal(fd_receive(pair[1], three, sizeof(three), NULL), 0);
	close(pair[1]);
}

static void a_socket_by_name_is_reached_but_not_through_a_link(void **state)
{
	char folder[] = "test_fd_XXXXXX";
	assert_non_null(mkdtemp(folder));
	AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD int listener = fd_listen_at(dir, "s", SOCK_STREAM, 0600);
	assert_true(listener >= 0);
	struct stat st;
	assert_int_equal(fstatat(dir, "s", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777 & ~0600, 0);
	AUTO_FD int client = fd_connect_at(dir, "s", SOCK_STREAM);
	assert_true(client >= 0);
	struct ucred peer;
	assert_int_equal(fd_peer(client, &peer), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(symlinkat("s", dir, "l"), 0);
	assert_int_equal(fd_connect_at(dir, "l", SOCK_STREAM), -ENOTSOCK);
	assert_int_equal(fd_connect_at(dir, "none", SOCK_STREAM), -ENOENT);
	assert_int_equal(unlinkat(dir, "l", 0), 0);
	assert_int_equal(unlinkat(dir, "s", 0), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_reader_never_leaves_its_bytes(void **state)
{
	const uint8_t bytes[] = { 1, 0, 'h', 'i', 0, 9 };
	struct reader r = reader_over(bytes, sizeof(bytes));
	assert_int_equal(reader_u16(&r), 1);
	assert_string_equal(reader_text(&r, 8), "hi");
	assert_false(reader_done(&r));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(reader_u8(&r), 0); /* a failed reader stays failed */

	r = reader_over(bytes + 2, 2);
	assert_null(reader_text(&r, 8)); /* no end in sight */
	r = reader_over(bytes + 2, 3);
	assert_null(reader_text(&r, 2)); /* longer than allowed */
}

static void what_must_not_wait_does_not_even_on_a_blocking_socket(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	char bytes[1024] = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(fd_receive_now(pair[1], bytes, sizeof(bytes), &set), -EAGAIN);
	ssize_t n;
	do {
		n = fd_send_now(pair[0], &iov, 1, NULL, 0);
	} while (n == (ssize_t)sizeof(bytes));
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(fd_receive_now(pair[1], bytes, sizeof(bytes), &set), sizeof(bytes));
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_arrive_close_on_exec_and_surplus_ones_are_refused),
		cmocka_unit_test(a_message_counts_though_no_descriptor_is_left_for_its_own),
		cmocka_unit_test(a_packet_longer_than_asked_for_is_an_error),
		cmocka_unit_test(a_socket_by_name_is_reached_but_not_through_a_link),
		cmocka_unit_test(a_reader_never_leaves_its_bytes),
		cmocka_unit_test(what_must_not_wait_does_not_even_on_a_blocking_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
