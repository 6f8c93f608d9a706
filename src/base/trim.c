#include "base/trim.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 32 /* three of each object; we have libc, its linker and the vdso */
#define STACK_DEPTH ((size_t)128 * 1024) /* that a process of ours may have used at most */
#define STACK_NEAR ((size_t)1024)	 /* below us, for what is called from here */

struct segments {
	size_t count;
	struct {
		uintptr_t start;
		size_t length;
	} list[SEGMENTS_MAX];
};

/* Read-only ones hold nothing of the process's own: relocated data lies in writable ones. */
static int find_segments(struct dl_phdr_info *object, size_t size, void *user)
{
	struct segments *s = user;
	for (size_t i = 0; i < object->dlpi_phnum && s->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0) {
			s->list[s->count].start = object->dlpi_addr + segment->p_vaddr;
			s->list[s->count].length = segment->p_memsz;
			s->count++;
		}
	}
	return 0;
}

/* All are found before the first goes: the list is read from these very pages. */
static void trim_files(uintptr_t page)
{
	struct segments s = { 0 };
	(void)dl_iterate_phdr(find_segments, &s);
	for (size_t i = 0; i < s.count; i++) {
		uintptr_t start = s.list[i].start & ~(page - 1);
		size_t length = s.list[i].start - start + s.list[i].length;
		(void)madvise((void *)start, length, MADV_DONTNEED); /* fails for the vdso */
	}
}

/* With a frame of its own: everything below it is free. */
__attribute__((noinline, hot)) static void trim_stack(uintptr_t page)
{
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - STACK_NEAR) & ~(page - 1);
	/* It does what it can where the stack is shorter, and says ENOMEM. */
	(void)madvise((void *)(end - STACK_DEPTH), STACK_DEPTH, MADV_DONTNEED);
}

void trim_process(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	(void)malloc_trim(0);
	trim_files(page);
	trim_stack(page);
}
