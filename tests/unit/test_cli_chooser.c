#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/chooser.h"
#include "protocol/varlink.h"

static json_t *sessions(void)
{
	return json_loads(
		"[{\"id\":1,\"state\":\"Active\",\"name\":\"tty#1\",\"command\":\"vim\"},"
		"{\"id\":3,\"state\":\"Disc\",\"command\":\"-bash\\u001b[31m\",\"columns\":80,"
		"\"rows\":24,\"idle\":4320},"
		"{\"id\":12,\"state\":\"Disc\",\"command\":\"make\",\"columns\":132,"
		"\"rows\":43},"
		"{\"id\":null,\"state\":\"Conn\",\"name\":\"TERM03\"}]",
		0, NULL);
}

static void only_the_disconnected_ones_are_offered(void **state)
{
	AUTO(json) json_t *list = sessions();
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	chooser_print(out, list);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "    3)  -bash?[31m "));
	assert_non_null(strstr(text, "   12)  make "));
	assert_non_null(strstr(text, "80x24"));
	assert_non_null(strstr(text, "1:12"));
	assert_null(strstr(text, "vim"));
	assert_null(strstr(text, "TERM03"));
	assert_non_null(strstr(text, "    n)  a new session\n"));
}

static void they_are_counted(void **state)
{
	AUTO(json) json_t *list = sessions();
	AUTO(json) json_t *none = json_array();
	struct choice only = { .kind = CHOICE_NONSENSE };
	assert_int_equal(chooser_count(none, &only), 0);
	assert_int_equal(only.kind, CHOICE_NONSENSE);
	assert_int_equal(chooser_count(list, &only), 2);
	assert_int_equal(json_array_remove(list, 1), 0);
	assert_int_equal(chooser_count(list, &only), 1);
	assert_int_equal(only.kind, CHOICE_SESSION);
	assert_string_equal(only.session, "12");
}

static void the_one_session_is_found_wherever_it_is(void **state)
{
	AUTO(json) json_t *list = sessions();
	struct choice only = { .kind = CHOICE_NONSENSE };
	assert_true(chooser_any(list, &only));
	assert_int_equal(only.kind, CHOICE_SESSION);
	assert_string_equal(only.session, "1");
	while (json_array_size(list) > 1) {
		assert_int_equal(json_array_remove(list, 0), 0);
	}
	assert_false(chooser_any(list, &only)); /* a terminal that waits is none */
}

static void an_answer_is_understood_or_asked_for_again(void **state)
{
	static const struct {
		const char *line;
		enum choice_kind kind;
		const char *session;
	} cases[] = {
		{ "3", CHOICE_SESSION, "3" },
		{ "  12 \r\n", CHOICE_SESSION, "12" },
		{ "n", CHOICE_NEW, "" },
		{ "N\n", CHOICE_NEW, "" },
		{ "new", CHOICE_NEW, "" },
		{ "q", CHOICE_QUIT, "" },
		{ "Quit", CHOICE_QUIT, "" },
		{ "1", CHOICE_NONSENSE, "" },  /* active */
		{ "2", CHOICE_NONSENSE, "" },  /* not there */
		{ "03", CHOICE_NONSENSE, "" }, /* not how it is written */
		{ "3 12", CHOICE_NONSENSE, "" },
		{ "", CHOICE_NONSENSE, "" },
		{ "\n", CHOICE_NONSENSE, "" },
		{ "nonsense", CHOICE_NONSENSE, "" },
		{ "333333333333333333333333333333333333333", CHOICE_NONSENSE, "" },
	};
	AUTO(json) json_t *list = sessions();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct choice c = chooser_parse(list, cases[i].line);
		assert_int_equal(c.kind, cases[i].kind);
		assert_string_equal(c.session, cases[i].session);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_disconnected_ones_are_offered),
		cmocka_unit_test(they_are_counted),
		cmocka_unit_test(the_one_session_is_found_wherever_it_is),
		cmocka_unit_test(an_answer_is_understood_or_asked_for_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
