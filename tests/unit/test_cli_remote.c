#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/remote.h"

static void a_word_is_quoted_so_that_the_shell_gives_it_back(void **state)
{
	static const char *const words[] = { "", "plain", "two words", "'", "''", "it's", "'$HOME'",
		"$(touch /tmp/x)", "`id`", "a\nb\n", "\t ", "-n", "--", "\\", "\\'", "\"", "*?[a]~",
		"!!", "#c", "a;b|c&d>e", "=x", "gr\xc3\xbc\xc3\x9f", "\xff\xfe", "{a,b}",
		"/dest:TERM05" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char line[256];
		char read[256] = "";
		AUTO(free) char *quoted = remote_quote(words[i]);
		(void)snprintf(line, sizeof(line), "printf '%%s|%%d' %s $#", quoted);
		FILE *shell = popen(line, "r"); // NOLINT: the shell is what is asked
		assert_non_null(shell);
		size_t n = fread(read, 1, sizeof(read) - 1, shell);
		assert_int_equal(pclose(shell), 0);
		assert_int_equal(n, strlen(words[i]) + 2);
		assert_memory_equal(read, words[i], strlen(words[i]));
		assert_string_equal(read + strlen(words[i]), "|0");
	}
}

static void a_name_that_ssh_could_misread_is_refused(void **state)
{
	static const char *const good[] = { "nt4", "host.example", "bob@host", "::1", "[::1]",
		"a-b_c", "m\xc3\xbcnchen", "bob@corp@host" };
	static const char *const bad[] = { "", "-oProxyCommand=x", "-", "bob@-host", "@host",
		"bob@", "a b", "a\nb", "a\x1b[2J", "a\x7f", "a;b", "$(id)", "`id`", "a'b", "a\"b",
		"a|b", "a/b", "ssh://a", "a*", "a\\b", "a!b", "a=b", "a%h", "a\xff", "a\xc2\x9b",
		"a\xe2\x80\xae" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!remote_name_is_good(good[i])) {
			fail_msg("%s is refused", good[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (remote_name_is_good(bad[i])) {
			fail_msg("%s is taken", bad[i]);
		}
	}
}

/* The words, one blank between them. */
static void join(char text[static 1024], char **argv)
{
	text[0] = '\0';
	for (; *argv != NULL; argv++) {
		size_t length = strlen(text);
		(void)snprintf(text + length, 1024 - length, "%s%s", length > 0 ? " " : "", *argv);
	}
}

struct build_case {
	const char *words[8];
	bool at_tty;
	const char *line;
	bool password, asked;
};

static void check_build(const struct build_case *b)
{
	char *words[9] = { 0 };
	char text[1024];
	struct arguments a;
	AUTO(free) char *problem = NULL;
	AUTO(remote_done) struct remote r = { 0 };
	memcpy(words, b->words, sizeof(b->words));
	char **at = words;
	const struct command *c = command_find(&at);
	assert_non_null(c);
	if (options_parse(&a, &c->syntax, at, &problem) < 0) {
		fail_msg("%s: %s", b->line, problem);
	}
	assert_int_equal(remote_build(&r, c, &a, b->at_tty), 0);
	join(text, r.argv);
	assert_string_equal(text, b->line);
	assert_int_equal(r.password, b->password);
	assert_int_equal(r.asked, b->asked);
	assert_int_equal(r.terminal, strncmp(b->line, "ssh -t ", 7) == 0);
}

static void the_same_command_is_run_there(void **state)
{
	static const struct build_case cases[] = {
		{ { "query", "session", "/server:nt4" }, true,
			"ssh -- nt4 termserv 'query' 'session'", false, false },
		{ { "qwinsta", "bob", "--json", "/SERVER:al@nt4", "/v" }, false,
			"ssh -- al@nt4 termserv 'query' 'session' '--json' '--verbose' 'bob'",
			false, false },
		{ { "quser", "--watch", "/server:nt4" }, true,
			"ssh -t -- nt4 termserv 'query' 'user' '--watch'", false, false },
		{ { "quser", "--watch", "/server:nt4" }, false,
			"ssh -- nt4 termserv 'query' 'user' '--watch'", false, false },
		{ { "tscon", "12", "/server:nt4" }, true, "ssh -t -- nt4 termserv 'connect' '12'",
			false, false },
		{ { "connect", "12", "--dest", "-x", "/server:nt4" }, true,
			"ssh -- nt4 termserv 'connect' '--dest=-x' '12'", false, false },
		{ { "connect", "it's", "--dest=a b", "/server:nt4" }, false,
			"ssh -- nt4 termserv 'connect' '--dest=a b' 'it'\\''s'", false, false },
		{ { "logon", "--server", "nt4", "--", "ls", "-l", "*" }, true,
			"ssh -t -- nt4 termserv 'logon' '--' 'ls' '-l' '*'", false, false },
		{ { "logon", "--server=nt4", "--detached", "--", "top" }, true,
			"ssh -- nt4 termserv 'logon' '--detached' '--' 'top'", false, false },
		{ { "stop", "/server:nt4" }, true, "ssh -t -- nt4 termserv 'stop'", false, false },
		{ { "stop", "/server:nt4", "--force", "--system" }, true,
			"ssh -- nt4 termserv 'stop' '--force' '--system'", false, false },
		{ { "logoff", "3", "/server:nt4", "--runtime-dir=/run/x y" }, true,
			"ssh -- nt4 termserv 'logoff' '--runtime-dir=/run/x y' '3'", false, false },
		{ { "call", "Connect", "{\"session\":\"1\"}", "/server:nt4" }, true,
			"ssh -- nt4 termserv 'call' 'Connect' '{\"session\":\"1\"}'", false,
			false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_build(&cases[i]);
	}
}

static void a_password_is_in_no_argument(void **state)
{
	static const struct build_case cases[] = {
		{ { "connect", "12", "/dest:T", "/password:secret", "/server:nt4" }, true,
			"ssh -- nt4 termserv 'connect' '--dest=T' '--password-fd=0' '12'", true,
			false },
		{ { "connect", "12", "/dest:T", "--password-fd=7", "/server:nt4" }, true,
			"ssh -- nt4 termserv 'connect' '--dest=T' '--password-fd=0' '12'", true,
			false },
		{ { "connect", "12", "/password:secret", "/server:nt4" }, true,
			"ssh -t -- nt4 termserv 'connect' '--password=*' '12'", false, true },
		{ { "connect", "12", "/dest:T", "/password:*", "/server:nt4" }, true,
			"ssh -t -- nt4 termserv 'connect' '--dest=T' '--password=*' '12'", false,
			false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_build(&cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_quoted_so_that_the_shell_gives_it_back),
		cmocka_unit_test(a_name_that_ssh_could_misread_is_refused),
		cmocka_unit_test(the_same_command_is_run_there),
		cmocka_unit_test(a_password_is_in_no_argument),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
