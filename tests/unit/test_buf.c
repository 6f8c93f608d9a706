#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"

static void a_put_beyond_the_cap_changes_nothing(void **state)
{
	struct buf b = BUF_INIT(8);
	assert_int_equal(buf_put(&b, "12345", 5), 0);
	assert_int_equal(buf_put(&b, "6789", 4), -ENOBUFS);
	assert_int_equal(b.length, 5);
	assert_true(b.failed);
	assert_memory_equal(b.data, "12345", 5);
	buf_clear(&b);
	assert_false(b.failed);
	assert_int_equal(buf_put(&b, "12345678", 8), 0);
	buf_done(&b);
}

static void consuming_keeps_what_follows(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(buf_printf(&b, "%03d", i), 0);
	}
	buf_consume(&b, 2997);
	assert_int_equal(b.length, 3);
	assert_memory_equal(b.data, "999", 3);
	buf_consume(&b, 3);
	buf_trim(&b);
	assert_null(b.data);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_beyond_the_cap_changes_nothing),
		cmocka_unit_test(consuming_keeps_what_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
