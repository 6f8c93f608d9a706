/* What a process gives back of what it has used: stack and pages of files, with their contents
 * unharmed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/trim.h"

#define DEEP_KB 96

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
	trim_process();
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
	trim_process();
	/* The kernel maps some more pages around each that is asked for. */
	assert_true(resident_kb(table) + 2 * DEEP_KB < before);
	assert_int_equal(read[0], 7);
	assert_int_equal(read[sizeof(table) - 1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stack_that_was_used_goes),
		cmocka_unit_test(the_programs_pages_go_and_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
