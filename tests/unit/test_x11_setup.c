#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "door/x11/setup.h"

/* X11 protocol 11.0, name "abc", data "12345", in both byte orders, and one byte more. */
static const char little[] = "l\0\13\0\0\0\3\0\5\0\0\0abc\00012345\0\0\0+";
static const char big[] = "B\0\0\13\0\0\0\3\0\5\0\0abc\00012345\0\0\0+";
#define WORDS_LENGTH (12 + 4 + 8)

static void the_first_words_are_read_in_both_byte_orders(void **state)
{
	static const char *const rows[] = { little, big };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct setup s;
		assert_int_equal(setup_parse(&s, rows[i], sizeof(little) - 1), 1);
		assert_int_equal(s.major, 11);
		assert_int_equal(s.minor, 0);
		assert_int_equal(s.name_length, 3);
		assert_memory_equal(s.name, "abc", 3);
		assert_int_equal(s.data_length, 5);
		assert_memory_equal(s.data, "12345", 5);
		assert_int_equal(s.length, WORDS_LENGTH);
	}
}

static void words_that_are_cut_wait_for_more(void **state)
{
	for (size_t length = 0; length < WORDS_LENGTH; length++) {
		struct setup s;
		assert_int_equal(setup_parse(&s, little, length), 0);
		assert_int_equal(setup_parse(&s, big, length), 0);
	}
}

static void what_no_client_says_is_refused_at_once(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} rows[] = {
		{ "GET / HTTP/1.0", 14 },
		{ "x", 1 },
		{ "\0", 1 },
		{ "l\0\13\0\0\0\1\1\0\0\0\0", 12 }, /* a name of 257 bytes */
		{ "l\0\13\0\0\0\0\0\1\1\0\0", 12 },
		{ "B\0\0\13\0\0\377\377\377\377\0\0", 12 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct setup s;
		assert_int_equal(setup_parse(&s, rows[i].bytes, rows[i].length), -EPROTO);
	}
}

static void what_is_put_is_what_was_read(void **state)
{
	static const char *const rows[] = { little, big };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct setup s;
		struct buf b = BUF_INIT(SETUP_SIZE_MAX);
		assert_int_equal(setup_parse(&s, rows[i], WORDS_LENGTH), 1);
		setup_put(&b, &s);
		assert_int_equal(b.length, WORDS_LENGTH);
		assert_memory_equal(b.data, rows[i], WORDS_LENGTH);
		buf_done(&b);
	}
}

static void a_refusal_is_in_the_clients_byte_order_and_never_longer_than_it_says(void **state)
{
	struct setup s = { .order = 'B', .major = 11 };
	struct buf b = BUF_INIT(1024);
	char reason[300];
	setup_put_refusal(&b, &s, "no way");
	assert_int_equal(b.length, 16);
	assert_memory_equal(b.data, "\0\6\0\13\0\0\0\2no way\0\0", 16);
	buf_clear(&b);
	s.order = 'l';
	memset(reason, 'x', sizeof(reason));
	reason[299] = '\0';
	setup_put_refusal(&b, &s, reason);
	assert_int_equal(b.length, 8 + 256);
	assert_memory_equal(b.data, "\0\377\13\0\0\0\100\0x", 9);
	assert_int_equal(b.data[8 + 255], 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_words_are_read_in_both_byte_orders),
		cmocka_unit_test(words_that_are_cut_wait_for_more),
		cmocka_unit_test(what_no_client_says_is_refused_at_once),
		cmocka_unit_test(what_is_put_is_what_was_read),
		cmocka_unit_test(
			a_refusal_is_in_the_clients_byte_order_and_never_longer_than_it_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
