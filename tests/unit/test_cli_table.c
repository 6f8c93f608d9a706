#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/json.h"
#include "cli/table.h"
#include "protocol/varlink.h"

static struct table_row row(
	const char *name, const char *user, const char *id, const char *state, const char *type)
{
	struct table_row r = { 0 };
	(void)snprintf(r.name, sizeof(r.name), "%s", name);
	(void)snprintf(r.user, sizeof(r.user), "%s", user);
	(void)snprintf(r.id, sizeof(r.id), "%s", id);
	(void)snprintf(r.state, sizeof(r.state), "%s", state);
	(void)snprintf(r.type, sizeof(r.type), "%s", type);
	return r;
}

static void query_session_has_the_layout_of_the_origin(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table_row rows[] = {
		row("services", "", "0", "Disc", ""),
		row("console", "", "1", "Conn", ""),
		row("rdp-tcp#0", "alice", "2", "Active", "rdpwd"),
		row("", "bob", "3", "Disc", ""),
		row("rdp-tcp", "", "65536", "Listen", ""),
	};
	rows[2].current = true;
	table_session_header(out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		table_session(out, &rows[i]);
	}
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
		" SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE\n"
		" services                                    0  Disc\n"
		" console                                     1  Conn\n"
		">rdp-tcp#0         alice                     2  Active  rdpwd\n"
		"                   bob                       3  Disc\n"
		" rdp-tcp                                 65536  Listen\n");
}

static void query_user_has_the_layout_of_the_origin(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table_row alice = row("rdp-tcp#2", "alice", "2", "Active", "");
	struct table_row bob = row("", "bob", "3", "Disc", "");
	alice.current = true;
	table_idle(alice.idle, 59);
	table_idle(bob.idle, 72 * 60 + 5);
	(void)snprintf(alice.logon, sizeof(alice.logon), "3/25/2021 9:27 AM");
	(void)snprintf(bob.logon, sizeof(bob.logon), "3/25/2021 8:01 AM");
	table_user_header(out);
	table_user(out, &alice);
	table_user(out, &bob);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
		" USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME\n"
		">alice                 rdp-tcp#2           2  Active          .  3/25/2021 9:27 "
		"AM\n"
		" bob                                       3  Disc         1:12  3/25/2021 8:01 "
		"AM\n");
}

static void long_names_are_cut_before_their_column_ends(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table_row long_row = row("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz",
		"12345", "Active", "pty");
	table_session(out, &long_row);
	table_user(out, &long_row);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, " ABCDEFGHIJKLMNOPQ abcdefghijklmnopqrstu 12345  Active  pty\n"
				  " abcdefghijklmnopqrst  ABCDEFGHIJKLMNO 12345  Active\n");
}

static void columns_count_characters_and_not_bytes(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table_row umlaut = row("", "m\u00fcller", "3", "Disc", "");
	table_session(out, &umlaut);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "                   m\u00fcller                    3  Disc\n");
}

static void idle_times_are_written_as_the_origin_does(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -1, "none" },
		{ 0, "." },
		{ 59, "." },
		{ 60, "1" },
		{ 59 * 60 + 59, "59" },
		{ 60 * 60, "1:00" },
		{ 72 * 60, "1:12" },
		{ 24 * 3600 - 1, "23:59" },
		{ 24 * 3600, "1+00:00" },
		{ 24 * 3600 * 12 + 3600 * 5 + 60 * 7, "12+05:07" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[TABLE_IDLE_SIZE];
		table_idle(text, cases[i].seconds);
		assert_string_equal(text, cases[i].text);
	}
}

static void times_are_shown_in_the_local_zone(void **state)
{
	static const struct {
		const char *from, *text;
	} cases[] = {
		{ "2021-03-25T09:27:00.123+01:00", "2021-03-25 08:27" },
		{ "2021-03-25T09:27:59-02:30", "2021-03-25 11:57" },
		{ "2021-03-25T23:27:00Z", "2021-03-25 23:27" },
		{ "yesterday", "" },
		{ "2021-03-25T09:27:00", "" },
		{ "", "" },
		{ NULL, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[TABLE_TIME_SIZE];
		table_time(text, cases[i].from);
		assert_string_equal(text, cases[i].text);
	}
}

static void a_row_takes_what_is_there_and_makes_it_harmless(void **state)
{
	AUTO(json)
	json_t *session = json_pack("{s:i, s:s, s:n, s:i, s:s, s:b, s:i, s:s}", "id", 7, "name",
		"tty#1\033[31m", "user", "uid", 1000, "state", "Active", "current", 1, "idle", 61,
		"type", "pty");
	struct table_row r;
	table_row_from(&r, session);
	assert_string_equal(r.id, "7");
	assert_string_equal(r.name, "tty#1?[31m");
	assert_string_equal(r.user, "1000");
	assert_string_equal(r.idle, "1");
	assert_string_equal(r.device, "");
	assert_true(r.current);
	AUTO(json)
	json_t *strange = json_pack("{s:s, s:i, s:[]}", "id", "seven", "name", 3, "user");
	table_row_from(&r, strange);
	assert_string_equal(r.id, "");
	assert_string_equal(r.name, "");
	assert_string_equal(r.user, "");
	assert_string_equal(r.idle, "none");
}

static void who_has_typed_nothing_yet_is_idle_since_the_terminal_came(void **state)
{
	struct table_row r;
	AUTO(json)
	json_t *active = json_pack("{s:i, s:s, s:n, s:s}", "id", 7, "state", "Active", "idle",
		"connected", "1970-01-02T00:00:00Z");
	table_row_from(&r, active);
	assert_non_null(strchr(r.idle, '+'));
	AUTO(json)
	json_t *left = json_pack("{s:i, s:s, s:n, s:s}", "id", 7, "state", "Disc", "idle",
		"connected", "1970-01-02T00:00:00Z");
	table_row_from(&r, left);
	assert_string_equal(r.idle, "none");
}

static void json_is_ascii_without_controls(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	AUTO(json) json_t *value = json_pack("{s:s}", "t", "a\x7f\033\u00e4\u202e\xc2\x9b");
	assert_int_equal(json_print(out, value, false), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "{\"t\":\"a\\u007f\\u001B\\u00E4\\u202E\\u009B\"}\n");
}

static void a_query_in_json_has_its_version_first(void **state)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	AUTO(json)
	json_t *answer = json_pack(
		"{s:i, s:[{s:i}], s:i}", "created", 4, "sessions", "id", 1, "version", 9);
	AUTO(json) json_t *query = json_query(answer);
	assert_int_equal(json_print(out, query, false), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "{\"version\":1,\"sessions\":[{\"id\":1}],\"created\":4}\n");
}

int main(void)
{
	(void)setenv("TZ", "UTC0", 1);
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_session_has_the_layout_of_the_origin),
		cmocka_unit_test(query_user_has_the_layout_of_the_origin),
		cmocka_unit_test(long_names_are_cut_before_their_column_ends),
		cmocka_unit_test(columns_count_characters_and_not_bytes),
		cmocka_unit_test(idle_times_are_written_as_the_origin_does),
		cmocka_unit_test(times_are_shown_in_the_local_zone),
		cmocka_unit_test(a_row_takes_what_is_there_and_makes_it_harmless),
		cmocka_unit_test(who_has_typed_nothing_yet_is_idle_since_the_terminal_came),
		cmocka_unit_test(json_is_ascii_without_controls),
		cmocka_unit_test(a_query_in_json_has_its_version_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
