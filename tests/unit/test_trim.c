/* What a process gives back of what it has used when it rests: stack and pages of files, with their
 * contents unharmed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trim.h"

#define DEEP_KB 96
#define CODE_PAGES 4   /* two, or where a function lies across a border one more */
#define LIMIT_MS 20000 /* for a process to rest */

/* KB of code that the process has mapped. */
static unsigned code_kb(pid_t pid)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	char line[512];
	unsigned sum = 0;
	bool code = false;
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned kb;
		char rights[5];
		if (sscanf(line, "%*x-%*x %4s ", rights) == 1) {
			code = rights[2] == 'x' && strstr(line, "[v") == NULL;
		} else if (code && sscanf(line, "Rss: %u kB", &kb) == 1) {
			sum += kb;
		}
	}
	(void)fclose(file);
	return sum;
}

/* A child sees that its parent has no code mapped but what it sleeps in. */
static bool parent_rests(void)
{
	unsigned most = CODE_PAGES * (unsigned)sysconf(_SC_PAGESIZE) / 1024;
	for (int left = LIMIT_MS / 10; left > 0; left--) {
		if (code_kb(getppid()) <= most) {
			return true;
		}
		(void)poll(NULL, 0, 10);
	}
	return false;
}

/* Until a child that has seen it rest wakes it. */
static void rest_once(void)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		_exit(parent_rests() ? 0 : 1);
	}
	assert_true(child > 0);
	(void)close(ends[1]);
	struct pollfd end = { .fd = ends[0], .events = POLLIN };
	assert_int_equal(trim_poll(&end, 1, -1), 1);
	assert_int_equal(end.revents, POLLHUP);
	(void)close(ends[0]);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* KB of the mapping that `where` lies in which are in memory. */
static unsigned resident_kb(const void *where)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	assert_non_null(file);
	char line[512];
	unsigned kb = 0;
	bool inside = false;
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			inside = (uintptr_t)where >= start && (uintptr_t)where < end;
		} else if (inside && sscanf(line, "Rss: %u kB", &kb) == 1) {
			break;
		}
	}
	(void)fclose(file);
	return kb;
}

__attribute__((noinline)) static void go_deep(void)
{
	volatile char deep[DEEP_KB * 1024];
	for (size_t i = 0; i < sizeof(deep); i += 512) {
		deep[i] = 1;
	}
}

static void the_stack_that_was_used_goes(void **state)
{
	char here = 'h';
	go_deep();
	unsigned before = resident_kb(&here);
	rest_once();
	assert_true(resident_kb(&here) + DEEP_KB / 2 < before);
	assert_int_equal(here, 'h');
}

static void the_programs_pages_go_and_come_back(void **state)
{
	static const uint8_t table[4 * DEEP_KB * 1024] = { 7 };
	const volatile uint8_t *read = table;
	for (size_t i = 0; i < sizeof(table); i += 512) {
		(void)read[i];
	}
	unsigned before = resident_kb(table);
	rest_once();
	/* The kernel maps some more pages around each that is asked for. */
	assert_true(resident_kb(table) + 2 * DEEP_KB < before);
	assert_int_equal(read[0], 7);
	assert_int_equal(read[sizeof(table) - 1], 0);
}

static void a_wait_with_an_end_is_like_poll(void **state)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct pollfd end = { .fd = ends[0], .events = POLLIN };
	unsigned least = 2 * CODE_PAGES * (unsigned)sysconf(_SC_PAGESIZE) / 1024;
	assert_int_equal(trim_poll(&end, 1, 1), 0);
	assert_int_equal(trim_poll(&end, 1, 2500), 0); /* nor is it a rest when it is long */
	assert_true(code_kb(getpid()) > least);
	(void)close(ends[1]);
	assert_int_equal(trim_poll(&end, 1, 1), 1);
	assert_int_equal(trim_poll(&end, 1, -1), 1);
	assert_int_equal(end.revents, POLLHUP);
	(void)close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stack_that_was_used_goes),
		cmocka_unit_test(the_programs_pages_go_and_come_back),
		cmocka_unit_test(a_wait_with_an_end_is_like_poll),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
