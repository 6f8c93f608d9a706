#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/user_config.h"

struct heard {
	unsigned count;
	unsigned lines[16];
	char last[512];
};

static void hear(void *user, unsigned line, const char *text)
{
	struct heard *h = user;
	if (h->count < ARRAY_SIZE(h->lines)) {
		h->lines[h->count] = line;
	}
	h->count++;
	(void)snprintf(h->last, sizeof(h->last), "%s", text);
}

static struct config parse(const char *text, struct heard *h)
{
	struct config c;
	*h = (struct heard){ 0 };
	config_init(&c);
	config_parse(&c, text, hear, h);
	return c;
}

static void nothing_said_means_the_defaults(void **state)
{
	struct heard h;
	struct config c = parse("", &h);
	assert_int_equal(h.count, 0);
	assert_int_equal(c.detach_key, 0x1d);
	assert_int_equal(c.history_lines, 500);
	assert_int_equal(c.history_bytes, 4 * 1024 * 1024);
	assert_string_equal(c.shell, "");
}

static void every_key_is_read(void **state)
{
	struct heard h;
	struct config c = parse("# a comment\n"
				"[terminal]\n"
				"detach-key = ctrl-^\n"
				"history-lines=2000 ; another\n"
				"chooser = No\n"
				"\n"
				"[session]\n"
				"  history-size = 16M\n"
				"shell = /bin/zsh\n",
		&h);
	assert_int_equal(h.count, 0);
	assert_int_equal(c.detach_key, 0x1e);
	assert_int_equal(c.history_lines, 2000);
	assert_false(c.chooser);
	assert_int_equal(c.history_bytes, 16 * 1024 * 1024);
	assert_string_equal(c.shell, "/bin/zsh");
}

static void each_mistake_is_reported_with_its_line_and_the_rest_counts(void **state)
{
	struct heard h;
	struct config c = parse("stray = 1\n"
				"[terminal]\n"
				"no equals sign\n"
				"detach-key = ctrl-i\n"
				"colour = blue\n"
				"history-lines = 7\n"
				"[nonsense]\n"
				"anything = 1\n"
				"[session\n"
				"[session]\n"
				"history-size = 300M\n"
				"shell = zsh\n"
				"history-size = 8k\n",
		&h);
	static const unsigned lines[] = { 1, 3, 4, 5, 7, 9, 11, 12 };
	assert_int_equal(h.count, ARRAY_SIZE(lines));
	assert_memory_equal(h.lines, lines, sizeof(lines));
	assert_int_equal(c.detach_key, 0x1d);
	assert_int_equal(c.history_lines, 7);
	assert_int_equal(c.history_bytes, 8 * 1024);
	assert_string_equal(c.shell, "");
}

static void detach_keys_are_read_as_a_person_writes_them(void **state)
{
	static const struct {
		const char *text;
		int key; /* 0: refused */
	} cases[] = {
		{ "ctrl-]", 0x1d },
		{ "Ctrl-A", 1 },
		{ "CTRL-a", 1 },
		{ "ctrl-_", 0x1f },
		{ "ctrl-\\", 0x1c },
		{ "off", -1 },
		{ "OFF", -1 },
		{ "ctrl-m", 0 },
		{ "ctrl-[", 0 },
		{ "ctrl-j", 0 },
		{ "ctrl-@", 0 },
		{ "ctrl-1", 0 },
		{ "ctrl-ab", 0 },
		{ "alt-a", 0 },
		{ "]", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		struct heard h;
		(void)snprintf(text, sizeof(text), "[terminal]\ndetach-key = %s\n", cases[i].text);
		struct config c = parse(text, &h);
		assert_int_equal(h.count, cases[i].key == 0 ? 1 : 0);
		assert_int_equal(c.detach_key, cases[i].key == 0 ? 0x1d : cases[i].key);
	}
}

static void a_line_too_long_for_the_reader_is_a_mistake_of_its_own(void **state)
{
	char text[2048] = "[terminal]\nhistory-lines = 1";
	struct heard h;
	memset(text + strlen(text), '1', 1000);
	(void)strcat(text, "\nhistory-lines = 3\n");
	struct config c = parse(text, &h);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.lines[0], 2);
	assert_int_equal(c.history_lines, 3);
}

static void bytes_of_any_kind_are_survived(void **state)
{
	char text[256];
	for (unsigned seed = 0; seed < 2000; seed++) {
		unsigned value = seed * 2654435761u;
		struct heard h;
		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			static const char bytes[] = "[]=;# \t\n\r\001\377terminalhistory-size0K";
			value = value * 1103515245u + 12345u;
			text[i] = bytes[(value >> 16) % (sizeof(bytes) - 1)];
		}
		text[sizeof(text) - 1] = '\0';
		(void)parse(text, &h);
	}
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static void a_file_that_is_not_there_changes_nothing(void **state)
{
	struct config c;
	struct heard h = { 0 };
	config_init(&c);
	assert_int_equal(config_load(&c, "/nonexistent/termserv.conf", hear, &h), 0);
	assert_int_equal(h.count, 0);
	assert_int_equal(c.history_lines, 500);
}

/* The machine's file holds much that is not the user's: it is passed over, and so is every mistake.
 */
static void the_machines_file_and_its_drop_ins_are_defaults(void **state)
{
	char folder[] = "/tmp/termserv-defaults-XXXXXX";
	char path[128], drop_in[160], below[144];
	struct config c;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/termserv.conf", folder);
	(void)snprintf(below, sizeof(below), "%s/termserv.conf.d", folder);
	(void)snprintf(drop_in, sizeof(drop_in), "%s/10.conf", below);
	assert_int_equal(mkdir(below, 0700), 0);
	put(path, "[rights]\n* = User\n[terminal]\nchooser = no\nhistory-lines = x\n"
		  "[terminal A]\nuser = x\nhistory-lines = 9\n[session]\nshell = /bin/a\n");
	put(drop_in, "[session]\nshell = /bin/b\n");
	config_init(&c);
	config_load_defaults(&c, path);
	assert_false(c.chooser);
	assert_int_equal(c.history_lines, 500);
	assert_string_equal(c.shell, "/bin/b");
	assert_int_equal(chmod(drop_in, 0666), 0);
	config_init(&c);
	config_load_defaults(&c, path);
	assert_string_equal(c.shell, "/bin/a"); /* who could have written the other? */
	assert_int_equal(unlink(drop_in), 0);
	assert_int_equal(rmdir(below), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void the_users_folder_is_where_the_file_is_sought(void **state)
{
	AUTO(free) char *own = NULL;
	AUTO(free) char *standard = NULL;
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/x/y", 1), 0);
	assert_int_equal(config_path(&own), 0);
	assert_string_equal(own, "/x/y/termserv/termserv.conf");
	assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
	assert_int_equal(setenv("HOME", "/home/alice", 1), 0);
	assert_int_equal(config_path(&standard), 0);
	assert_string_equal(standard, "/home/alice/.config/termserv/termserv.conf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_means_the_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(each_mistake_is_reported_with_its_line_and_the_rest_counts),
		cmocka_unit_test(detach_keys_are_read_as_a_person_writes_them),
		cmocka_unit_test(a_line_too_long_for_the_reader_is_a_mistake_of_its_own),
		cmocka_unit_test(bytes_of_any_kind_are_survived),
		cmocka_unit_test(a_file_that_is_not_there_changes_nothing),
		cmocka_unit_test(the_machines_file_and_its_drop_ins_are_defaults),
		cmocka_unit_test(the_users_folder_is_where_the_file_is_sought),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
