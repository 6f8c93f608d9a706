#include "base/trim.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIM_AFTER_MS 2000
#define SEGMENTS_MAX 64 /* three of each object; PAM brings a dozen into a leader */
#define STACK_DEPTH ((size_t)128 * 1024) /* that a process of ours may have used at most */
#define CODE_SIZE ((size_t)256)		 /* of rest(), and of syscall(), at most */
#define STACK_NEAR ((size_t)1024)	 /* below us, for what is called from here */

struct segments {
	uintptr_t page;
	size_t count;
	struct {
		uintptr_t start;
		size_t length;
	} list[SEGMENTS_MAX];
};

/* Read-only ones hold nothing of the process's own: relocated data lies in writable ones. (Code
 * that is relocated in place, DT_TEXTREL, no 64-bit system has.) */
static int find_segments(struct dl_phdr_info *object, size_t size, void *user)
{
	struct segments *s = user;
	for (size_t i = 0; i < object->dlpi_phnum && s->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0) {
			uintptr_t start = object->dlpi_addr + segment->p_vaddr;
			uintptr_t before = start & (s->page - 1);
			s->list[s->count].start = start - before;
			s->list[s->count].length = segment->p_memsz + before;
			s->count++;
		}
	}
	return 0;
}

/* The kernel maps 64 KB around each page that is touched, as far as its mapping goes: what has one
 * of its own stays alone. */
static void set_apart(uintptr_t code, uintptr_t page)
{
	uintptr_t start = code & ~(page - 1);
	(void)madvise((void *)start, code - start + CODE_SIZE, MADV_RANDOM);
}

/* Once the pages are gone, only those of this function and of libc's syscall() come back, until
 * there is something to do; all that lies below its frame is free. `call` is volatile so that it
 * does not go through the table of jumps, which lies on one page more; a sanitizer's calls would
 * bring its own. */
__attribute__((
	noinline, aligned(CODE_SIZE), no_sanitize("address"), no_sanitize("undefined"))) static int
rest(const struct segments *files, struct pollfd *fds, nfds_t count)
{
	long (*volatile call)(long, ...) = syscall;
	uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) - STACK_NEAR) & ~(files->page - 1);
	/* It does what it can where the stack is shorter, and says ENOMEM. */
	(void)call(SYS_madvise, stack - STACK_DEPTH, STACK_DEPTH, MADV_DONTNEED);
	for (size_t i = 0; i < files->count; i++) { /* fails for the vdso */
		(void)call(SYS_madvise, files->list[i].start, files->list[i].length, MADV_DONTNEED);
	}
	return (int)call(SYS_ppoll, fds, count, NULL, NULL, 0L);
}

static int trim_and_rest(struct pollfd *fds, nfds_t count)
{
	struct segments files = { .page = (uintptr_t)sysconf(_SC_PAGESIZE) };
	(void)malloc_trim(0);
	/* All are found before the first goes: the list is read from these very pages. */
	(void)dl_iterate_phdr(find_segments, &files);
	set_apart((uintptr_t)rest, files.page);
	set_apart((uintptr_t)syscall, files.page);
	return rest(&files, fds, count);
}

int trim_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int n = poll(fds, count, timeout_ms < 0 ? TRIM_AFTER_MS : timeout_ms);
	return n == 0 && timeout_ms < 0 ? trim_and_rest(fds, count) : n;
}
