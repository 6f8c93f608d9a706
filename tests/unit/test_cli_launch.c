#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/launch.h"

static void sizes_are_columns_by_rows(void **state)
{
	static const struct {
		const char *text;
		unsigned columns, rows; /* 0: refused */
	} cases[] = {
		{ "80x24", 80, 24 },
		{ "132X43", 132, 43 },
		{ "1x1", 1, 1 },
		{ "4096x4096", 4096, 4096 },
		{ "4097x1", 0, 0 },
		{ "0x0", 0, 0 },
		{ "80", 0, 0 },
		{ "80x", 0, 0 },
		{ "x24", 0, 0 },
		{ "-1x5", 0, 0 },
		{ "80x24x3", 0, 0 },
		{ " 80x24", 0, 0 },
		{ "99999999999x24", 0, 0 },
		{ "", 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t rows = 0;
		uint16_t columns = 0;
		int r = launch_size(&rows, &columns, cases[i].text);
		assert_int_equal(r < 0, cases[i].columns == 0);
		assert_int_equal(columns, cases[i].columns);
		assert_int_equal(rows, cases[i].rows);
	}
}

static void what_belongs_to_a_terminal_stays_behind(void **state)
{
	static const char *const terminals[] = { "TERM=xterm", "COLUMNS=80", "TMUX=/tmp/x,1,0",
		"KITTY_WINDOW_ID=1", "TERM_PROGRAM=x", "TERM_PROGRAM_VERSION=1", "WINDOWID=1",
		"TERMSERV_SESSION=3", "LISTEN_FDS=3", "SSH_TTY=/dev/pts/1", "_=/bin/x" };
	static const char *const others[] = { "TERMSERV_RUNTIME_DIR=/x", "TERMS=1", "LANG=C",
		"DISPLAY=:0", "SSH_AUTH_SOCK=/x", "HOME=/root", "COLORTERM=truecolor", "_X=1",
		"LINESX=1", "" };
	for (size_t i = 0; i < ARRAY_SIZE(terminals); i++) {
		assert_true(launch_leaves(terminals[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_false(launch_leaves(others[i]));
	}
}

static void the_path_gets_our_folder_at_its_end_once(void **state)
{
	static const struct {
		const char *path, *result;
	} cases[] = {
		{ "/bin:/usr/bin", "/bin:/usr/bin:/opt/t" },
		{ "/opt/t", "/opt/t" },
		{ "/opt/t:/bin", "/opt/t:/bin" },
		{ "/bin:/opt/t", "/bin:/opt/t" },
		{ "/bin:/opt/tt", "/bin:/opt/tt:/opt/t" },
		{ "/bin:/x/opt/t", "/bin:/x/opt/t:/opt/t" },
		{ "", "/usr/local/bin:/usr/bin:/bin:/opt/t" },
		{ NULL, "/usr/local/bin:/usr/bin:/bin:/opt/t" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *path = launch_path(cases[i].path, "/opt/t");
		assert_string_equal(path, cases[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_columns_by_rows),
		cmocka_unit_test(what_belongs_to_a_terminal_stays_behind),
		cmocka_unit_test(the_path_gets_our_folder_at_its_end_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
