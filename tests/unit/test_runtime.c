#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/runtime.h"

static char folder[PATH_MAX];

static int make_folder(void **state)
{
	(void)snprintf(folder, sizeof(folder), "%s/runtime-XXXXXX", "/tmp");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[PATH_MAX + 32];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static char *below(const char *name)
{
	static char path[PATH_MAX + 64];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void a_missing_folder_is_made_with_its_parents(void **state)
{
	assert_int_equal(runtime_open(below("a/b/c"), false), -ENOENT);
	AUTO_FD int fd = runtime_open(below("a/b/c"), true);
	assert_true(fd >= 0);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	AUTO_FD int again = runtime_open(below("a/b/c"), false);
	assert_true(again >= 0);
}

static void a_folder_that_others_may_enter_is_refused_and_left_alone(void **state)
{
	static const mode_t modes[] = { 0750, 0705, 0770, 0777, 0710, 0701 };
	assert_int_equal(mkdir(below("open"), 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(below("open"), modes[i]), 0);
		assert_int_equal(runtime_open(below("open"), true), -EKEYREJECTED);
		struct stat st;
		assert_int_equal(stat(below("open"), &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
	}
}

static void a_symbolic_link_is_refused(void **state)
{
	assert_int_equal(mkdir(below("real"), 0700), 0);
	assert_int_equal(symlink("real", below("link")), 0);
	assert_int_equal(runtime_open(below("link"), true), -ELOOP);
	AUTO(free) char *path = NULL;
	assert_int_equal(runtime_path(&path, below("link//")), 0);
	assert_int_equal(runtime_open(path, true), -ELOOP);
	assert_non_null(strstr(runtime_problem(-ELOOP), "symbolic link"));
}

static void a_file_is_refused(void **state)
{
	AUTO_FD int fd = open(below("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(runtime_open(below("file"), true), -ENOTDIR);
}

static void another_users_folder_is_refused(void **state)
{
	if (geteuid() == 0) {
		assert_int_equal(mkdir(below("foreign"), 0700), 0);
		assert_int_equal(chown(below("foreign"), 65534, 65534), 0);
		assert_int_equal(runtime_open(below("foreign"), true), -EPERM);
	} else {
		assert_int_equal(runtime_open("/", true), -EPERM);
	}
}

static void the_option_wins_then_the_variables_in_their_order(void **state)
{
	AUTO(free) char *path = NULL;
	assert_int_equal(setenv("TERMSERV_RUNTIME_DIR", "/variable/", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
	assert_int_equal(runtime_path(&path, "/option"), 0);
	assert_string_equal(path, "/option");
	free(TAKE_PTR(path));
	assert_int_equal(runtime_path(&path, NULL), 0);
	assert_string_equal(path, "/variable");
	free(TAKE_PTR(path));
	assert_int_equal(unsetenv("TERMSERV_RUNTIME_DIR"), 0);
	assert_int_equal(runtime_path(&path, NULL), 0);
	assert_string_equal(path, below("termserv"));
	assert_int_equal(runtime_path(&path, ""), -EINVAL);
}

static void an_unsafe_xdg_folder_is_passed_over(void **state)
{
	AUTO(free) char *path = NULL;
	assert_int_equal(mkdir(below("shared"), 0700), 0);
	assert_int_equal(chmod(below("shared"), 0755), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", below("shared"), 1), 0);
	assert_int_equal(runtime_path(&path, NULL), 0);
	assert_int_not_equal(strncmp(path, folder, strlen(folder)), 0);
	assert_int_not_equal(strncmp(path, "/tmp", 4), 0);
}

static void a_relative_option_becomes_absolute(void **state)
{
	AUTO(free) char *path = NULL;
	AUTO(free) char *here = getcwd(NULL, 0);
	assert_int_equal(runtime_path(&path, "some/where/"), 0);
	char expected[PATH_MAX + 16];
	(void)snprintf(expected, sizeof(expected), "%s/some/where", here);
	assert_string_equal(path, expected);
}

static void a_sibling_lies_beside_this_program(void **state)
{
	AUTO(free) char *path = NULL;
	assert_int_equal(runtime_sibling(&path, "test_runtime"), 0);
	assert_int_equal(access(path, X_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_folder_is_made_with_its_parents),
		cmocka_unit_test(a_folder_that_others_may_enter_is_refused_and_left_alone),
		cmocka_unit_test(a_symbolic_link_is_refused),
		cmocka_unit_test(a_file_is_refused),
		cmocka_unit_test(another_users_folder_is_refused),
		cmocka_unit_test(the_option_wins_then_the_variables_in_their_order),
		cmocka_unit_test(an_unsafe_xdg_folder_is_passed_over),
		cmocka_unit_test(a_relative_option_becomes_absolute),
		cmocka_unit_test(a_sibling_lies_beside_this_program),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
