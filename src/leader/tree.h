/* The processes of a session that have outlived their parents: the leader is their subreaper, so
 * they become its children, and nobody else can reap them. That is why a process id is safe to
 * signal here: it cannot be used again before tree_reap() has taken it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

int tree_adopt(void); /* from now on orphans below us become our children. 0 or -errno */

/* Reaps every child that has ended. True when `watched` was one of them: *ret_status is its wait
 * status. *ret_left tells whether children are left. */
bool tree_reap(pid_t watched, int *ret_status, bool *ret_left);

/* Sends the signal to each child of ours. How many could be signalled: 0 = none is left that we
 * may end; or -errno when the processes could not be listed. */
int tree_signal(int signal_number);
