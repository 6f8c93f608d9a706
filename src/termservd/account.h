/* The account without rights as which the broker of system mode runs. */
#pragma once

#include <sys/types.h>

struct account {
	uid_t uid;
	gid_t gid;
};

/* Looks the account `name` up. 0, -ENOENT (there is none), -EPERM (it is root's, or in root's
 * group: that would be no account without rights), or -errno of the lookup. */
int account_find(struct account *ret, const char *name);

/* Becomes it, without a way back, in the child between fork() and exec(). 0 or -errno. */
int account_become(const struct account *a);
