#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "door/x11/address.h"

static void display_names_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		struct name expected;
	} rows[] = {
		{ ":0", { .local = true } },
		{ ":12.3", { .local = true, .number = 12 } },
		{ "unix:7", { .local = true, .number = 7 } },
		{ "unix:7.0", { .local = true, .number = 7 } },
		{ ":2147483647", { .local = true, .number = 2147483647 } },
		{ "unix:/run/x/socket", { .local = true, .path = "/run/x/socket" } },
		{ "/run/x/a:1", { .local = true, .path = "/run/x/a:1" } },
		{ "localhost:10.0", { .host = "localhost", .number = 10 } },
		{ "192.0.2.7:0", { .host = "192.0.2.7" } },
		{ "x.example.org:59535", { .host = "x.example.org", .number = 59535 } },
		{ "[::1]:11.0", { .host = "::1", .number = 11 } },
		{ "2001:db8::7:3", { .host = "2001:db8::7", .number = 3 } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct name n;
		assert_int_equal(name_parse(&n, rows[i].text), 0);
		assert_int_equal(n.local, rows[i].expected.local);
		assert_string_equal(n.path, rows[i].expected.path);
		assert_string_equal(n.host, rows[i].expected.host);
		assert_int_equal(n.number, rows[i].expected.number);
	}
}

static void what_is_no_display_name_is_refused(void **state)
{
	static const char *const rows[] = { "", ":", "localhost", "localhost:", ":x", ":-1", ":+1",
		": 1", ":1.", ":1.x", ":1.0.0", ":1x", ":2147483648", ":99999999999999999999",
		"localhost:59536", "node::0", "[]:0", "tcp/host:0", "a/b:0", "'; touch owned; '",
		"$(id):x", "unix:" };
	struct name before;
	memset(&before, 7, sizeof(before));
	struct name n = before;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(name_parse(&n, rows[i]), -EINVAL);
		assert_memory_equal(&n, &before, sizeof(n));
	}
}

static void a_name_or_path_that_is_too_long_is_refused(void **state)
{
	char text[400];
	struct name n;
	memset(text, 'a', sizeof(text));
	memcpy(text + 255, ":0", 3);
	assert_int_equal(name_parse(&n, text), 0);
	memset(text, 'a', sizeof(text));
	memcpy(text + 256, ":0", 3);
	assert_int_equal(name_parse(&n, text), -EINVAL);
	memset(text, '/', sizeof(text));
	text[107] = '\0';
	assert_int_equal(name_parse(&n, text), 0);
	text[107] = '/';
	text[108] = '\0';
	assert_int_equal(name_parse(&n, text), -EINVAL);
}

static struct addresses find(const char *text)
{
	struct name n;
	struct addresses a;
	assert_int_equal(name_parse(&n, text), 0);
	assert_int_equal(addresses_find(&a, &n), 0);
	return a;
}

static void a_local_display_is_looked_for_as_a_file_and_then_as_an_abstract_name(void **state)
{
	struct addresses a = find(":77");
	assert_int_equal(a.count, 2);
	assert_string_equal(a.list[0].local.sun_path, "/tmp/.X11-unix/X77");
	assert_int_equal(a.list[1].local.sun_path[0], 0);
	assert_int_equal(a.list[1].length, offsetof(struct sockaddr_un, sun_path) + 19);
	assert_memory_equal(a.list[1].local.sun_path + 1, "/tmp/.X11-unix/X77", 18);
	a = find("unix:/some/where");
	assert_int_equal(a.count, 1);
	assert_string_equal(a.list[0].local.sun_path, "/some/where");
}

static void a_display_of_sshd_is_looked_for_on_both_loopback_addresses(void **state)
{
	struct addresses a = find("localhost:10.0");
	const struct sockaddr_in *four = (const struct sockaddr_in *)&a.list[0].storage;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&a.list[1].storage;
	assert_int_equal(a.count, 2);
	assert_int_equal(four->sin_family, AF_INET);
	assert_int_equal(ntohs(four->sin_port), 6010);
	assert_int_equal(ntohl(four->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(ntohs(six->sin6_port), 6010);
}

static void the_cookie_of_a_loopback_address_is_the_local_machines(void **state)
{
	static const struct {
		const char *display;
		enum authority_family family;
		size_t length; /* 0 = that of the host's name */
	} rows[] = {
		{ ":0", AUTHORITY_LOCAL, 0 },
		{ "localhost:10.0", AUTHORITY_LOCAL, 0 },
		{ "127.0.0.1:10.0", AUTHORITY_LOCAL, 0 },
		{ "[::1]:10.0", AUTHORITY_LOCAL, 0 },
		{ "192.0.2.7:0", AUTHORITY_INTERNET, 4 },
		{ "[2001:db8::7]:0", AUTHORITY_INTERNET6, 16 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct addresses a = find(rows[i].display);
		struct authority_keys keys;
		addresses_keys(&a, &keys);
		assert_true(keys.count > 0);
		assert_int_equal(keys.list[0].family, rows[i].family);
		assert_true(rows[i].length == 0 ? keys.list[0].length > 0
						: keys.list[0].length == rows[i].length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(display_names_are_taken_apart),
		cmocka_unit_test(what_is_no_display_name_is_refused),
		cmocka_unit_test(a_name_or_path_that_is_too_long_is_refused),
		cmocka_unit_test(
			a_local_display_is_looked_for_as_a_file_and_then_as_an_abstract_name),
		cmocka_unit_test(a_display_of_sshd_is_looked_for_on_both_loopback_addresses),
		cmocka_unit_test(the_cookie_of_a_loopback_address_is_the_local_machines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
