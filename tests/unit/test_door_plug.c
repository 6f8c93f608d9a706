#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_and_client_wait_in_a_new_cable),
		cmocka_unit_test(a_host_that_does_not_read_stops_the_typing_and_loses_nothing),
		cmocka_unit_test(the_size_is_told_only_when_it_is_another),
		cmocka_unit_test(frames_come_out_one_by_one_and_then_the_end),
		cmocka_unit_test(bytes_that_are_no_frame_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
