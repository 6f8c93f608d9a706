/* Another command line over main()'s own arguments, and nothing beyond them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/proctitle.h"

#define ROOM 32

/* As the kernel lays arguments out: one behind the other. */
struct area {
	char text[ROOM];
	char *argv[4];
};

static void lay_out(struct area *a)
{
	memset(a, 'x', sizeof(*a)); /* what lies behind must stay */
	memcpy(a->text,
		"leader\0--session\0"
		"12",
		20);
	a->argv[0] = a->text;
	a->argv[1] = a->text + 7;
	a->argv[2] = a->text + 17;
	a->argv[3] = NULL;
}

static void words_replace_the_arguments(void **state)
{
	struct area a;
	lay_out(&a);
	proctitle_set(a.argv, (const char *const[]){ "the-host", "12", NULL });
	assert_memory_equal(a.text,
		"the-host\0"
		"12\0\0\0\0\0\0\0\0\0",
		20);
	assert_int_equal(a.text[20], 'x');
	char name[16];
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_string_equal(name, "the-host");
}

static void what_does_not_fit_is_cut(void **state)
{
	struct area a;
	lay_out(&a);
	proctitle_set(a.argv, (const char *const[]){ "a-name-of-24-bytes-as-said", "12", NULL });
	assert_memory_equal(a.text, "a-name-of-24-bytes-\0", 20);
	assert_int_equal(a.text[20], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_replace_the_arguments),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
