/* Removing what somebody else has filled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"

static char place[64];
static int place_fd;

static int set_up(void **state)
{
	(void)snprintf(place, sizeof(place), "%s/test-dir-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(place));
	place_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return place_fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)close(place_fd);
	return rmdir(place); /* fails the test when something was left */
}

static void make_file(int at, const char *name)
{
	int fd = openat(at, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

/* A path of `depth` folders in `name`, with a file and a link to `outside` in each. */
static void make_path(const char *name, int depth)
{
	int fd = dup(place_fd);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(fd, i == 0 ? name : "down", 0700), 0);
		int next = dir_open_at(fd, i == 0 ? name : "down");
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
		make_file(fd, "file");
		assert_int_equal(mkdirat(fd, "deep-0", 0700), 0); /* as the remover names them */
		assert_int_equal(symlinkat(place, fd, "out"), 0);
	}
	(void)close(fd);
}

static void a_folder_goes_however_deep_it_is(void **state)
{
	make_file(place_fd, "outside");
	const int depths[] = { 1, 2, 3, 4, 9, 50, 1000 };
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		make_path("full", depths[i]);
		dir_remove_at(place_fd, "full", 4);
		assert_int_equal(faccessat(place_fd, "full", F_OK, AT_SYMLINK_NOFOLLOW), -1);
		assert_int_equal(faccessat(place_fd, "outside", F_OK, 0), 0);
	}
	assert_int_equal(unlinkat(place_fd, "outside", 0), 0);
}

static void a_link_and_a_file_go_themselves(void **state)
{
	assert_int_equal(mkdirat(place_fd, "kept", 0700), 0);
	assert_int_equal(symlinkat("kept", place_fd, "link"), 0);
	make_file(place_fd, "file");
	dir_remove_at(place_fd, "link", 4);
	dir_remove_at(place_fd, "file", 4);
	dir_remove_at(place_fd, "nothing", 4);
	assert_int_equal(unlinkat(place_fd, "kept", AT_REMOVEDIR), 0);
}

/* He has its subfolder open, which he could fill for as long as it is his. */
static void what_is_emptied_as_root_belongs_to_nobody_else_meanwhile(void **state)
{
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(mkdirat(place_fd, "full", 0755), 0);
	int fd = dir_open_at(place_fd, "full");
	assert_int_equal(mkdirat(fd, "his", 0700), 0);
	int his = dir_open_at(fd, "his");
	assert_int_equal(fchown(his, 4711, 4711), 0);
	assert_int_equal(fchmod(his, 0), 0);
	make_file(his, "file");
	dir_remove_at(place_fd, "full", 4);
	struct stat st;
	assert_int_equal(fstat(his, &st), 0);
	assert_int_equal(st.st_uid, 0);
	(void)close(his);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_folder_goes_however_deep_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_link_and_a_file_go_themselves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_emptied_as_root_belongs_to_nobody_else_meanwhile, set_up,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
