#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "protocol/varlink.h"

#define SMALL 1024 /* what one message may weigh in these tests */

struct pair {
	int raw; /* the peer, byte by byte */
	struct varlink *v;
};

static struct pair pair_new(void)
{
	int fds[2];
	struct pair p;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p.raw = fds[0];
	assert_int_equal(varlink_new(&p.v, fds[1], SMALL), 0);
	return p;
}

static void pair_done(struct pair *p)
{
	(void)close(p->raw);
	p->v = varlink_free(p->v);
}

static void put(struct pair *p, const char *bytes, size_t length)
{
	assert_int_equal(write(p->raw, bytes, length), length);
}

static void put_with_fd(struct pair *p, const char *bytes, size_t length, int fd)
{
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = length };
	assert_int_equal(fd_send(p->raw, &iov, 1, &fd, 1), length);
}

/* What the next message is: 1 with its `n`, 0, or an error. */
static int next(struct pair *p, int *ret_n, int *ret_fds)
{
	json_t *message = NULL;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	int r = varlink_next(p->v, &message, &set);
	if (r == 1) {
		*ret_n = (int)json_integer_value(json_object_get(message, "n"));
		*ret_fds = (int)set.count;
	}
	json_decref(message);
	return r;
}

static void a_message_that_comes_byte_by_byte_is_whole_at_its_end(void **state)
{
	static const char text[] = "{\"n\":7}";
	struct pair p = pair_new();
	int n = 0;
	int fds = 0;
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_int_equal(next(&p, &n, &fds), 0);
		put(&p, text + i, 1);
		assert_int_equal(varlink_read(p.v), 1);
	}
	assert_int_equal(next(&p, &n, &fds), 1);
	assert_int_equal(n, 7);
	assert_int_equal(next(&p, &n, &fds), 0);
	assert_int_equal(varlink_read(p.v), -EAGAIN);
	pair_done(&p);
}

static void several_messages_in_one_read_come_out_in_their_order(void **state)
{
	struct pair p = pair_new();
	int n = 0;
	int fds = 0;
	put(&p, "{\"n\":1}\0{\"n\":2}\0{\"n\":3", 22);
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(next(&p, &n, &fds), 1);
	assert_int_equal(n, 1);
	assert_int_equal(next(&p, &n, &fds), 1);
	assert_int_equal(n, 2);
	assert_int_equal(next(&p, &n, &fds), 0);
	put(&p, "}", 2);
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(next(&p, &n, &fds), 1);
	assert_int_equal(n, 3);
	pair_done(&p);
}

static void descriptors_stay_with_their_message(void **state)
{
	struct pair p = pair_new();
	int n = 0;
	int fds = 0;
	put(&p, "{\"n\":1}\0", 8);
	put_with_fd(&p, "{\"n\":2}\0", 8, STDERR_FILENO);
	put(&p, "{\"n\":3}\0", 8);
	static const int expected[] = { 0, 1, 0 };
	for (int i = 0; i < 3; i++) {
		while (next(&p, &n, &fds) == 0) {
			assert_int_equal(varlink_read(p.v), 1);
		}
		assert_int_equal(n, i + 1);
		assert_int_equal(fds, expected[i]);
	}
	pair_done(&p);
}

static void a_descriptor_in_the_middle_of_a_message_is_refused(void **state)
{
	struct pair p = pair_new();
	put(&p, "{\"n\"", 4);
	assert_int_equal(varlink_read(p.v), 1);
	put_with_fd(&p, ":1}\0", 4, STDERR_FILENO);
	assert_int_equal(varlink_read(p.v), -EPROTO);
	pair_done(&p);
}

static void too_many_descriptors_are_refused_and_closed(void **state)
{
	struct pair p = pair_new();
	int before = dup(STDERR_FILENO);
	(void)close(before);
	for (int i = 0; i < FD_PASS_MAX + 1; i++) {
		put_with_fd(&p, "{\"n\":1}\0", 8, STDERR_FILENO);
	}
	int r = 1;
	for (int i = 0; i < FD_PASS_MAX + 1 && r > 0; i++) {
		r = varlink_read(p.v);
	}
	assert_int_equal(r, -EPROTO);
	p.v = varlink_free(p.v);
	int after = dup(STDERR_FILENO);
	(void)close(after);
	assert_true(after <= before);
	(void)close(p.raw);
}

static void a_message_over_the_limit_is_refused_before_its_end(void **state)
{
	char bytes[SMALL + 64];
	memset(bytes, ' ', sizeof(bytes));
	bytes[0] = '{';
	struct pair p = pair_new();
	int n;
	int fds;
	put(&p, bytes, SMALL);
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(next(&p, &n, &fds), 0);
	put(&p, bytes, 1);
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(next(&p, &n, &fds), -EPROTO);
	pair_done(&p);
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "7", "[]", "\"x\"", "{", "}", "{\"a\":1,\"a\":2}", "{\"a\":1}x",
		"{\"a\":\"\xff\"}", "{\"a\":\"\\u0000\"}", "nonsense",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pair p = pair_new();
		int n;
		int fds;
		put(&p, texts[i], strlen(texts[i]) + 1);
		assert_int_equal(varlink_read(p.v), 1);
		assert_int_equal(next(&p, &n, &fds), -EPROTO);
		pair_done(&p);
	}
}

static void brackets_in_texts_are_not_depth(void **state)
{
	struct pair p = pair_new();
	int n = 0;
	int fds;
	static const char text[] =
		"{\"s\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\",\"n\":4}";
	put(&p, text, sizeof(text));
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(next(&p, &n, &fds), 1);
	assert_int_equal(n, 4);
	pair_done(&p);
}

static void a_peer_that_does_not_read_is_refused_in_the_end(void **state)
{
	struct pair p = pair_new();
	char *text = malloc(1 << 20);
	assert_non_null(text);
	memset(text, 'x', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	int r = 0;
	for (int i = 0; i < 32 && r == 0; i++) {
		r = varlink_reply(p.v, json_pack("{s:s}", "text", text), false);
	}
	assert_int_equal(r, -ENOBUFS);
	free(text);
	pair_done(&p);
}

static void queued_descriptors_arrive_with_their_own_message(void **state)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	struct varlink *from;
	struct varlink *to;
	assert_int_equal(varlink_new(&from, fds[0], VARLINK_REPLY_MAX), 0);
	assert_int_equal(varlink_new(&to, fds[1], VARLINK_REPLY_MAX), 0);
	/* So much that the socket is full and the rest waits in the queue. */
	char big[60000];
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	int file = STDERR_FILENO;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(varlink_send(from, json_pack("{s:i, s:s}", "n", i, "s", big),
					 &file, i % 2 == 0 ? 1 : 0),
			0);
	}
	assert_true((varlink_events(from) & 4) != 0);
	for (int i = 0; i < 20; i++) {
		json_t *message = NULL;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r;
		while ((r = varlink_next(to, &message, &set)) == 0) {
			assert_true(varlink_flush(from) >= 0);
			assert_int_equal(varlink_read(to), 1);
		}
		assert_int_equal(r, 1);
		assert_int_equal(json_integer_value(json_object_get(message, "n")), i);
		assert_int_equal(set.count, i % 2 == 0 ? 1 : 0);
		json_decref(message);
	}
	assert_int_equal(varlink_flush(from), 0);
	(void)varlink_free(from);
	(void)varlink_free(to);
}

static void a_peer_that_is_gone_is_the_end(void **state)
{
	struct pair p = pair_new();
	put(&p, "{\"n\":1}\0", 8);
	(void)close(TAKE_FD(p.raw));
	int n;
	int fds;
	assert_int_equal(varlink_read(p.v), 1);
	assert_int_equal(varlink_read(p.v), 0);
	assert_int_equal(next(&p, &n, &fds), 1);
	p.v = varlink_free(p.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_that_comes_byte_by_byte_is_whole_at_its_end),
		cmocka_unit_test(several_messages_in_one_read_come_out_in_their_order),
		cmocka_unit_test(descriptors_stay_with_their_message),
		cmocka_unit_test(a_descriptor_in_the_middle_of_a_message_is_refused),
		cmocka_unit_test(too_many_descriptors_are_refused_and_closed),
		cmocka_unit_test(a_message_over_the_limit_is_refused_before_its_end),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(brackets_in_texts_are_not_depth),
		cmocka_unit_test(a_peer_that_does_not_read_is_refused_in_the_end),
		cmocka_unit_test(queued_descriptors_arrive_with_their_own_message),
		cmocka_unit_test(a_peer_that_is_gone_is_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
