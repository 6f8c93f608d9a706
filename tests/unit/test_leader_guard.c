/* What a leader asks the kernel about those at the other end. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "leader/guard.h"

static void a_tty_is_a_pty_of_the_owners_and_nothing_else(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	const char *path = ptsname(master);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	dev_t device = 0;
	assert_int_equal(guard_tty(&device, path, st.st_uid), 0);
	assert_int_equal(device, st.st_rdev);
	assert_int_equal(guard_tty(&device, path, st.st_uid + 1), -EACCES);
	char way_round[64];
	(void)snprintf(way_round, sizeof(way_round), "/dev/pts/../pts/%s", strrchr(path, '/') + 1);
	const char *others[] = { "", "/dev/pts/", "/dev/tty1", "/dev/null", "/dev/pts/ptmx", "tty1",
		"/dev/pts", way_round, "/dev/pts/1/2", "/dev/pts/-1" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(guard_tty(&device, others[i], st.st_uid), -EINVAL);
	}
	assert_int_equal(guard_tty(&device, "/dev/pts/999999999", st.st_uid), -ENOENT);
	assert_int_equal(device, st.st_rdev);
	(void)close(master);
}

static void the_maker_of_a_socket_pair_is_known_and_its_type_counts(void **state)
{
	int packets[2];
	int stream[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packets), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
	uid_t maker = (uid_t)-1;
	assert_int_equal(guard_maker(&maker, packets[1]), 0);
	assert_int_equal(maker, geteuid());
	assert_int_equal(guard_cable(&maker, stream[1]), 0);
	/* As a command makes it: the kernel then gives the sender a name. */
	int on = 1;
	assert_int_equal(setsockopt(packets[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(send(packets[0], "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(guard_maker(&maker, packets[1]), 0);
	assert_int_equal(guard_maker(&maker, stream[1]), -EPROTOTYPE);
	assert_int_equal(guard_cable(&maker, packets[1]), -EPROTOTYPE);
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(guard_maker(&maker, file), -ENOTSOCK);
	assert_int_equal(guard_cable(&maker, file), -ENOTSOCK);
	int network = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (network >= 0) {
		assert_int_equal(guard_cable(&maker, network), -EPROTOTYPE);
		(void)close(network);
	}
	int fds[] = { packets[0], packets[1], stream[0], stream[1], file };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		(void)close(fds[i]);
	}
}

/* The kernel names whoever listens as the peer of who connects to him, and the other way round:
 * that is who answers there, not who holds this end. */
static void a_socket_that_was_connected_has_no_maker(void **state)
{
	static const struct sockaddr_un name = { AF_UNIX, "\0termserv-guard-test" };
	static const socklen_t size = offsetof(struct sockaddr_un, sun_path) + 20;
	const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int listener = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
		int near = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
		assert_true(listener >= 0 && near >= 0);
		assert_int_equal(bind(listener, (const struct sockaddr *)&name, size), 0);
		assert_int_equal(listen(listener, 1), 0);
		assert_int_equal(connect(near, (const struct sockaddr *)&name, size), 0);
		int far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(far >= 0);
		uid_t maker = (uid_t)-1;
		int (*const ask)(uid_t *, int) = types[i] == SOCK_STREAM ? guard_cable
									 : guard_maker;
		assert_int_equal(ask(&maker, near), -EPROTOTYPE);
		assert_int_equal(ask(&maker, far), -EPROTOTYPE);
		(void)close(listener); /* the names stay with those that were connected */
		assert_int_equal(ask(&maker, near), -EPROTOTYPE);
		assert_int_equal(ask(&maker, far), -EPROTOTYPE);
		assert_int_equal(maker, (uid_t)-1);
		(void)close(near);
		(void)close(far);
	}
}

/* What guard_warrant() makes of these bytes with `count` descriptors; -1 bytes: the maker has
 * closed. */
static int receive(const void *bytes, ssize_t size, size_t count)
{
	int pair[2];
	int spec = -1;
	struct warrant w;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = (size_t)size };
	int fds[] = { STDERR_FILENO, STDERR_FILENO };
	if (size < 0) {
		(void)close(pair[0]);
	} else {
		assert_int_equal(fd_send(pair[0], &iov, 1, fds, count), size);
	}
	int r = guard_warrant(&w, &spec, pair[1], 0);
	if (r == 0) {
		assert_int_equal(spec >= 0, count == 1);
	}
	if (spec >= 0) {
		(void)close(spec);
	}
	if (size >= 0) {
		(void)close(pair[0]);
	}
	(void)close(pair[1]);
	return r;
}

static void a_warrant_is_one_packet_of_its_form(void **state)
{
	const struct warrant good = {
		.version = WARRANT_VERSION, .use = WARRANT_LOGON, .destination = WARRANT_OWN
	};
	assert_int_equal(receive(&good, sizeof(good), 0), 0);
	assert_int_equal(receive(&good, sizeof(good), 1), 0);
	assert_int_equal(receive(&good, sizeof(good), 2), -EPROTO);
	assert_int_equal(receive(&good, sizeof(good) - 1, 1), -EPROTO);
	assert_int_equal(receive(&good, -1, 0), -EPROTO);
	struct warrant bad = good;
	bad.version++;
	assert_int_equal(receive(&bad, sizeof(bad), 1), -EPROTO);
	bad = good;
	bad.use = 3;
	assert_int_equal(receive(&bad, sizeof(bad), 1), -EPROTO);
	bad = good;
	bad.destination = 0;
	assert_int_equal(receive(&bad, sizeof(bad), 1), -EPROTO);
	bad = good;
	memset(bad.user, 'x', sizeof(bad.user));
	assert_int_equal(receive(&bad, sizeof(bad), 1), -EPROTO);
	char longer[sizeof(good) + 1] = { 0 };
	memcpy(longer, &good, sizeof(good));
	assert_int_equal(receive(longer, sizeof(longer), 1), -EPROTO);
}

static void who_has_sent_nothing_is_not_waited_for(void **state)
{
	int pair[2];
	int spec = -1;
	struct warrant w;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(guard_warrant(&w, &spec, pair[1], 0), -ETIME);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tty_is_a_pty_of_the_owners_and_nothing_else),
		cmocka_unit_test(the_maker_of_a_socket_pair_is_known_and_its_type_counts),
		cmocka_unit_test(a_socket_that_was_connected_has_no_maker),
		cmocka_unit_test(a_warrant_is_one_packet_of_its_form),
		cmocka_unit_test(who_has_sent_nothing_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
