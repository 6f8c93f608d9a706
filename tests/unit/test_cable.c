#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "protocol/cable.h"

#define BOTH (2 * (CABLE_PAYLOAD_MAX + sizeof(struct cable_header)))

static uint8_t zeros[CABLE_PAYLOAD_MAX + 1];

/* What cable_parse() says to a frame of this type and length. */
static int judge(unsigned type, size_t length, const void *payload)
{
	struct buf b = BUF_INIT(BOTH);
	struct cable_frame frame;
	struct cable_header header = { .type = (uint8_t)type, .length = (uint32_t)length };
	assert_int_equal(buf_put(&b, &header, sizeof(header)), 0);
	assert_int_equal(buf_put(&b, payload, length), 0);
	int r = cable_parse(&b, &frame);
	if (r == 1) {
		assert_int_equal(frame.type, type);
		assert_int_equal(frame.length, length);
		assert_memory_equal(frame.payload, payload, length);
		cable_next(&b, &frame);
		assert_int_equal(b.length, 0);
	}
	buf_done(&b);
	return r;
}

static void frames_are_taken_apart_wherever_the_stream_was_cut(void **state)
{
	struct buf whole = BUF_INIT(BOTH);
	struct cable_size size = { 24, 80, 0, 0 };
	assert_int_equal(cable_put(&whole, CABLE_INPUT, "abc", 3), 0);
	assert_int_equal(cable_put(&whole, CABLE_SIZE, &size, sizeof(size)), 0);
	assert_int_equal(cable_put(&whole, CABLE_SCREEN, NULL, 0), 0);
	for (size_t cut = 0; cut <= whole.length; cut++) {
		struct buf in = BUF_INIT(BOTH);
		enum cable_type expected[] = { CABLE_INPUT, CABLE_SIZE, CABLE_SCREEN };
		size_t got = 0;
		for (int half = 0; half < 2; half++) {
			struct cable_frame frame;
			size_t from = half == 0 ? 0 : cut;
			size_t to = half == 0 ? cut : whole.length;
			assert_int_equal(buf_put(&in, whole.data + from, to - from), 0);
			int r;
			while ((r = cable_parse(&in, &frame)) == 1) {
				assert_true(got < 3);
				assert_int_equal(frame.type, expected[got++]);
				cable_next(&in, &frame);
			}
			assert_int_equal(r, 0);
		}
		assert_int_equal(got, 3);
		assert_int_equal(in.length, 0);
		buf_done(&in);
	}
	buf_done(&whole);
}

static void every_struct_has_exactly_its_size(void **state)
{
	static const struct {
		enum cable_type type;
		size_t size;
	} rows[] = {
		{ CABLE_HELLO, sizeof(struct cable_hello) },
		{ CABLE_SIZE, sizeof(struct cable_size) },
		{ CABLE_BYE, sizeof(struct cable_bye) },
		{ CABLE_WELCOME, sizeof(struct cable_welcome) },
		{ CABLE_LISTEN, sizeof(struct cable_listen) },
		{ CABLE_SCREEN, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(judge(rows[i].type, rows[i].size, zeros), 1);
		assert_int_equal(judge(rows[i].type, rows[i].size + 1, zeros), -EPROTO);
		if (rows[i].size > 0) {
			assert_int_equal(judge(rows[i].type, rows[i].size - 1, zeros), -EPROTO);
			assert_int_equal(judge(rows[i].type, 0, zeros), -EPROTO);
		}
	}
}

static void bytes_come_in_any_number_but_none_and_too_many(void **state)
{
	static const enum cable_type types[] = { CABLE_INPUT, CABLE_OUTPUT };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(judge(types[i], 0, zeros), -EPROTO);
		assert_int_equal(judge(types[i], 1, zeros), 1);
		assert_int_equal(judge(types[i], CABLE_PAYLOAD_MAX, zeros), 1);
		assert_int_equal(judge(types[i], CABLE_PAYLOAD_MAX + 1, zeros), -EPROTO);
	}
}

static void a_length_that_lies_is_refused_before_its_bytes_come(void **state)
{
	struct buf b = BUF_INIT(64);
	struct cable_frame frame;
	struct cable_header header = { .type = CABLE_INPUT, .length = UINT32_MAX };
	assert_int_equal(buf_put(&b, &header, sizeof(header)), 0);
	assert_int_equal(cable_parse(&b, &frame), -EPROTO);
	buf_done(&b);
}

static void an_unknown_type_and_a_dirty_header_are_refused(void **state)
{
	assert_int_equal(judge(0, 0, zeros), -EPROTO);
	assert_int_equal(judge(9, 0, zeros), -EPROTO);
	assert_int_equal(judge(255, 0, zeros), -EPROTO);
	for (size_t i = 1; i < 4; i++) {
		uint8_t bytes[8] = { CABLE_SCREEN };
		struct buf b = BUF_INIT(64);
		struct cable_frame frame;
		bytes[i] = 1;
		assert_int_equal(buf_put(&b, bytes, sizeof(bytes)), 0);
		assert_int_equal(cable_parse(&b, &frame), -EPROTO);
		buf_done(&b);
	}
}

static void texts_in_structs_must_end(void **state)
{
	struct cable_hello hello = { .version = CABLE_VERSION };
	memset(hello.term, 'x', sizeof(hello.term));
	assert_int_equal(judge(CABLE_HELLO, sizeof(hello), &hello), -EPROTO);
	hello.term[sizeof(hello.term) - 1] = '\0';
	assert_int_equal(judge(CABLE_HELLO, sizeof(hello), &hello), 1);
	struct cable_bye bye = { 0 };
	memset(bye.text, 'x', sizeof(bye.text));
	assert_int_equal(judge(CABLE_BYE, sizeof(bye), &bye), -EPROTO);
	bye.text[sizeof(bye.text) - 1] = '\0';
	assert_int_equal(judge(CABLE_BYE, sizeof(bye), &bye), 1);
}

static void the_clients_variables_end_with_a_nul(void **state)
{
	assert_int_equal(judge(CABLE_CLIENT, 0, ""), 1);
	assert_int_equal(judge(CABLE_CLIENT, 4, "A=1"), 1);
	assert_int_equal(judge(CABLE_CLIENT, 3, "A=1"), -EPROTO);
	assert_int_equal(judge(CABLE_CLIENT, CABLE_CLIENT_MAX, zeros), 1);
	assert_int_equal(judge(CABLE_CLIENT, CABLE_CLIENT_MAX + 1, zeros), -EPROTO);
}

static void a_frame_that_does_not_fit_is_not_put_at_all(void **state)
{
	struct buf b = BUF_INIT(16);
	assert_int_equal(cable_put(&b, CABLE_INPUT, zeros, CABLE_PAYLOAD_MAX + 1), -EMSGSIZE);
	assert_int_equal(cable_put(&b, CABLE_INPUT, zeros, 9), -ENOBUFS);
	assert_int_equal(b.length, 0);
	buf_clear(&b);
	assert_int_equal(cable_put(&b, CABLE_INPUT, zeros, 8), 0);
	assert_int_equal(b.length, 16);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_taken_apart_wherever_the_stream_was_cut),
		cmocka_unit_test(every_struct_has_exactly_its_size),
		cmocka_unit_test(bytes_come_in_any_number_but_none_and_too_many),
		cmocka_unit_test(a_length_that_lies_is_refused_before_its_bytes_come),
		cmocka_unit_test(an_unknown_type_and_a_dirty_header_are_refused),
		cmocka_unit_test(texts_in_structs_must_end),
		cmocka_unit_test(the_clients_variables_end_with_a_nul),
		cmocka_unit_test(a_frame_that_does_not_fit_is_not_put_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
