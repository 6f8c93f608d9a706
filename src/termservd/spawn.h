/* Starting a program that lives on its own: own session, default signals, no descriptor but those
 * that are named. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "termservd/account.h"

struct spawn {
	const char *path;
	char *const *arguments; /* NULL-ended */
	const int *keep;	/* descriptors (close-on-exec here) that stay open in it */
	size_t keep_count;
	const struct account *account; /* it runs as this one; NULL = as we do */
	int hold; /* a signal that waits until the program asks for it; 0 = none */
};

/* Starts a program. What it keeps has the same numbers in it; stdin and stdout are /dev/null,
 * stderr is ours, the umask is 077. Waits until the exec is done. 0 or -errno, also of the exec. */
int spawn_program(pid_t *ret, const struct spawn *spawn);
