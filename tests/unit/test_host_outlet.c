#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/outlet.h"

struct rig {
	struct outlet out;
	int far;
	struct buf in;
	size_t frames; /* that read_all() has seen */
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int pair[2];
	int size = 4096;
	if (r == NULL ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ||
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0) {
		return -1;
	}
	outlet_init(&r->out, pair[0]);
	r->far = pair[1];
	r->in = BUF_INIT((size_t)4 * 1024 * 1024);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	(void)close(r->out.fd);
	outlet_done(&r->out);
	(void)close(r->far);
	buf_done(&r->in);
	free(r);
	return 0;
}

/* Takes at most `most` bytes from the far end. */
static void read_some(struct rig *r, size_t most)
{
	assert_int_equal(buf_reserve(&r->in, most), 0);
	ssize_t n = recv(r->far, r->in.data + r->in.length, most, MSG_DONTWAIT);
	r->in.length += n > 0 ? (size_t)n : 0;
}

/* Everything, until nothing waits any more. The letters that came, frames of the same one together;
 * returns their number. */
static size_t read_all(struct rig *r, char *ret, size_t size)
{
	size_t count = 0;
	for (bool done = false; !done;) {
		outlet_ready(&r->out);
		done = outlet_flush(&r->out);
		size_t before = r->in.length;
		read_some(r, 65536);
		done = done && r->in.length == before;
	}
	struct cable_frame frame;
	int result;
	while ((result = cable_parse(&r->in, &frame)) == 1) {
		assert_true(count + 1 < size);
		char letter = frame.length > 0 ? (char)frame.payload[0] : '.';
		r->frames++;
		if (count == 0 || ret[count - 1] != letter) { /* else more of the same output */
			ret[count++] = letter;
		}
		cable_next(&r->in, &frame);
	}
	assert_int_equal(result, 0);
	assert_int_equal(r->in.length, 0); /* the stream ends between two frames */
	ret[count] = '\0';
	return count;
}

static void put(struct rig *r, char letter, size_t length)
{
	char *bytes = malloc(length);
	memset(bytes, letter, length);
	assert_int_equal(outlet_put(&r->out, CABLE_OUTPUT, bytes, length), 0);
	free(bytes);
}

static void frames_arrive_whole_and_in_order_through_a_small_socket(void **state)
{
	struct rig *r = *state;
	char got[64];
	for (char c = 'a'; c <= 'j'; c++) {
		put(r, c, 5000 + (size_t)c);
	}
	assert_true(outlet_waiting(&r->out) > 0);
	uint64_t end = outlet_end(&r->out);
	assert_int_equal(read_all(r, got, sizeof(got)), 10);
	assert_string_equal(got, "abcdefghij");
	assert_int_equal(r->out.sent, end);
	assert_int_equal(outlet_waiting(&r->out), 0);
}

static void an_output_becomes_small_frames(void **state)
{
	struct rig *r = *state;
	char got[64];
	put(r, 'x', (size_t)3 * CABLE_PAYLOAD_MAX + 1);
	assert_int_equal(read_all(r, got, sizeof(got)), 1);
	assert_true(r->frames > 3 * CABLE_PAYLOAD_MAX / 4096); /* so soon can each be cut */
	r->frames = 0;
	put(r, 'y', 10);
	assert_int_equal(read_all(r, got, sizeof(got)), 1);
	assert_int_equal(r->frames, 1);
}

static void a_cut_leaves_the_stream_between_two_frames(void **state)
{
	/* Whatever part of whichever frame has been sent when the cut comes. */
	for (size_t taken = 0; taken < 60000; taken += 1237) {
		void *inner;
		assert_int_equal(setup(&inner), 0);
		struct rig *r = inner;
		char got[64];
		for (char c = 'a'; c <= 'j'; c++) {
			put(r, c, 6000);
		}
		for (size_t done = 0; done < taken; done += 200) {
			read_some(r, 200);
			outlet_ready(&r->out);
		}
		(void)outlet_cut(&r->out, 0);
		put(r, 'Z', 10);
		size_t count = read_all(r, got, sizeof(got));
		assert_true(count >= 1);
		assert_int_equal(got[count - 1], 'Z');
		assert_memory_equal(got, "abcdefghij", count - 1);
		assert_int_equal(teardown(&inner), 0);
	}
	(void)state;
}

static void a_cut_spares_what_lies_before_its_floor(void **state)
{
	struct rig *r = *state;
	char got[64];
	put(r, 'a', 30000);
	put(r, 'b', 30000);
	uint64_t floor = outlet_end(&r->out);
	put(r, 'c', 30000);
	assert_true(outlet_cut(&r->out, floor));
	assert_false(outlet_cut(&r->out, floor));
	assert_int_equal(outlet_end(&r->out), floor);
	put(r, 'd', 10);
	assert_int_equal(read_all(r, got, sizeof(got)), 3);
	assert_string_equal(got, "abd");
}

static void a_door_that_has_closed_breaks_nothing_but_the_outlet(void **state)
{
	struct rig *r = *state;
	(void)close(r->far);
	r->far = -1;
	put(r, 'a', 10);
	assert_true(r->out.broken);
	assert_true(outlet_flush(&r->out));
	put(r, 'b', 10);
	assert_int_equal(outlet_waiting(&r->out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			frames_arrive_whole_and_in_order_through_a_small_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(an_output_becomes_small_frames, setup, teardown),
		cmocka_unit_test(a_cut_leaves_the_stream_between_two_frames),
		cmocka_unit_test_setup_teardown(
			a_cut_spares_what_lies_before_its_floor, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_door_that_has_closed_breaks_nothing_but_the_outlet, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
