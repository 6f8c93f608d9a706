#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "door/x11/authority.h"

#define MIT "MIT-MAGIC-COOKIE-1"

static void put_field(struct buf *b, const char *text)
{
	size_t length = strlen(text);
	assert_int_equal(buf_put_byte(b, (uint8_t)(length >> 8)), 0);
	assert_int_equal(buf_put_byte(b, (uint8_t)length), 0);
	assert_int_equal(buf_put(b, text, length), 0);
}

static void put_entry(struct buf *b, unsigned family, const char *address, const char *number,
	const char *name, const char *data)
{
	assert_int_equal(buf_put_byte(b, (uint8_t)(family >> 8)), 0);
	assert_int_equal(buf_put_byte(b, (uint8_t)family), 0);
	put_field(b, address);
	put_field(b, number);
	put_field(b, name);
	put_field(b, data);
}

/* Display 10 of the machine `here`, or at 1.2.3.4 ("\1\2\3\4"). */
static struct authority_keys some_keys(void)
{
	struct authority_keys k = { 0 };
	authority_add_key(&k, AUTHORITY_LOCAL, "here", 4);
	authority_add_key(&k, AUTHORITY_INTERNET, "\1\2\3\4", 4);
	return k;
}

static bool finds(const struct buf *b, const char *expected)
{
	struct authority_keys keys = some_keys();
	struct authority a = { 0 };
	bool found = authority_find(&a, b->data, b->length, &keys, 10);
	if (found && expected != NULL) {
		assert_int_equal(a.length, strlen(expected));
		assert_memory_equal(a.data, expected, a.length);
	}
	return found;
}

static void an_entry_fits_by_address_number_and_name(void **state)
{
	static const struct {
		unsigned family;
		const char *address, *number, *name, *data;
		bool fits;
	} rows[] = {
		{ AUTHORITY_LOCAL, "here", "10", MIT, "secret", true },
		{ AUTHORITY_LOCAL, "here", "", MIT, "secret", true },
		{ AUTHORITY_INTERNET, "\1\2\3\4", "10", MIT, "secret", true },
		{ AUTHORITY_WILD, "", "10", MIT, "secret", true },
		{ AUTHORITY_WILD, "elsewhere", "", MIT, "secret", true },
		{ AUTHORITY_LOCAL, "her", "10", MIT, "secret", false },
		{ AUTHORITY_LOCAL, "here.", "10", MIT, "secret", false },
		{ AUTHORITY_INTERNET, "here", "10", MIT, "secret", false },
		{ AUTHORITY_INTERNET6, "\1\2\3\4", "10", MIT, "secret", false },
		{ AUTHORITY_LOCAL, "here", "1", MIT, "secret", false },
		{ AUTHORITY_LOCAL, "here", "100", MIT, "secret", false },
		{ AUTHORITY_LOCAL, "here", "10", "XDM-AUTHORIZATION-1", "secret", false },
		{ AUTHORITY_LOCAL, "here", "10", MIT "0", "secret", false },
		{ AUTHORITY_LOCAL, "here", "10", MIT, "", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b = BUF_INIT(4096);
		put_entry(&b, rows[i].family, rows[i].address, rows[i].number, rows[i].name,
			rows[i].data);
		assert_int_equal(finds(&b, "secret"), rows[i].fits);
		buf_done(&b);
	}
}

static void the_first_entry_that_fits_is_taken(void **state)
{
	struct buf b = BUF_INIT(4096);
	put_entry(&b, AUTHORITY_LOCAL, "there", "10", MIT, "of another machine");
	put_entry(&b, AUTHORITY_LOCAL, "here", "0", MIT, "of another display");
	put_entry(&b, AUTHORITY_LOCAL, "here", "10", "XDM-AUTHORIZATION-1", "of another kind");
	put_entry(&b, AUTHORITY_LOCAL, "here", "10", MIT, "the one");
	put_entry(&b, AUTHORITY_LOCAL, "here", "10", MIT, "a later one");
	assert_true(finds(&b, "the one"));
	buf_done(&b);
}

static void a_file_that_is_cut_anywhere_gives_nothing(void **state)
{
	struct buf b = BUF_INIT(4096);
	put_entry(&b, AUTHORITY_LOCAL, "here", "10", MIT, "secret");
	for (size_t length = 0; length < b.length; length++) {
		struct authority_keys keys = some_keys();
		struct authority a = { .length = 77 };
		uint8_t *exact = malloc(length == 0 ? 1 : length);
		assert_non_null(exact);
		memcpy(exact, b.data, length);
		assert_false(authority_find(&a, exact, length, &keys, 10));
		assert_int_equal(a.length, 77);
		free(exact);
	}
	buf_done(&b);
}

static void what_stands_before_a_cut_is_found(void **state)
{
	struct buf b = BUF_INIT(4096);
	put_entry(&b, AUTHORITY_LOCAL, "here", "10", MIT, "secret");
	assert_int_equal(buf_put(&b, "\1\0\377\377", 4), 0);
	assert_true(finds(&b, "secret"));
	buf_done(&b);
}

static void a_cookie_of_any_size_that_is_kept_is_kept_whole(void **state)
{
	static const size_t sizes[] = { 1, 16, 255, 256, 257, 65535 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct buf b = BUF_INIT(70000);
		char *data = calloc(1, sizes[i] + 1);
		assert_non_null(data);
		memset(data, 'x', sizes[i]);
		put_entry(&b, AUTHORITY_WILD, "", "", MIT, data);
		assert_int_equal(finds(&b, data), sizes[i] <= 256);
		free(data);
		buf_done(&b);
	}
}

static void more_keys_than_there_is_room_for_are_left_out(void **state)
{
	char address[300] = { 0 };
	struct authority_keys k = { 0 };
	authority_add_key(&k, AUTHORITY_LOCAL, address, sizeof(address));
	assert_int_equal(k.count, 0);
	for (size_t i = 0; i < 2 * AUTHORITY_KEYS_MAX; i++) {
		authority_add_key(&k, AUTHORITY_LOCAL, address, 256);
	}
	assert_int_equal(k.count, AUTHORITY_KEYS_MAX);
}

static void the_file_may_be_named_or_be_the_standard_one_and_may_be_a_link(void **state)
{
	char folder[] = "/tmp/ts-x11-unit-XXXXXX";
	struct authority_keys keys = some_keys();
	struct authority a = { 0 };
	struct buf b = BUF_INIT(4096);
	char path[64];
	put_entry(&b, AUTHORITY_WILD, "", "", MIT, "secret");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(setenv("HOME", folder, 1), 0);
	assert_false(authority_read(&a, "", &keys, 10));
	(void)snprintf(path, sizeof(path), "%s/real", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, b.data, b.length), b.length);
	assert_int_equal(close(fd), 0);
	assert_true(authority_read(&a, path, &keys, 10));
	assert_memory_equal(a.data, "secret", a.length);
	char link[64];
	(void)snprintf(link, sizeof(link), "%s/.Xauthority", folder);
	assert_int_equal(symlink("real", link), 0);
	assert_true(authority_read(&a, "", &keys, 10));
	assert_false(authority_read(&a, "real", &keys, 10)); /* relative: to whose folder? */
	assert_false(authority_read(&a, folder, &keys, 10));
	assert_int_equal(unlink(link) | unlink(path) | rmdir(folder), 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_fits_by_address_number_and_name),
		cmocka_unit_test(the_first_entry_that_fits_is_taken),
		cmocka_unit_test(a_file_that_is_cut_anywhere_gives_nothing),
		cmocka_unit_test(what_stands_before_a_cut_is_found),
		cmocka_unit_test(a_cookie_of_any_size_that_is_kept_is_kept_whole),
		cmocka_unit_test(more_keys_than_there_is_room_for_are_left_out),
		cmocka_unit_test(the_file_may_be_named_or_be_the_standard_one_and_may_be_a_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
