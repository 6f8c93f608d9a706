/* Starting a program that lives on its own: own session, default signals, no descriptor but those
 * that are named. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Starts `path` with the NULL-ended `arguments`. The descriptors in `keep` (close-on-exec here)
 * stay open in it under their numbers; stdin and stdout are /dev/null, stderr is ours. Waits until
 * the exec is done. 0 or -errno, also of the exec. */
int spawn_program(
	pid_t *ret, const char *path, char *const *arguments, const int *keep, size_t keep_count);
