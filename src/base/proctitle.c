#include "base/proctitle.h"

#include <string.h>
#include <sys/prctl.h>

void proctitle_set(char **argv, const char *const *words)
{
	(void)prctl(PR_SET_NAME, words[0]);
	char *at = argv[0];
	char *end = at;
	/* The kernel puts them one behind the other. */
	for (char **a = argv; *a != NULL && *a == end; a++) {
		end += strlen(*a) + 1;
	}
	for (; *words != NULL && at < end; words++) {
		size_t length = strnlen(*words, (size_t)(end - at) - 1);
		memmove(at, *words, length);
		at += length;
		*at++ = '\0';
	}
	memset(at, 0, (size_t)(end - at));
}
