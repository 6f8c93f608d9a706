/* How a process becomes the owner's, in system mode: his ids and groups, his limits, and a clean
 * environment. */
#pragma once

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "leader/account.h"
#include "leader/cgroup.h"

struct login {
	const struct account *account; /* borrowed */
	const struct cgroup *cgroup;   /* borrowed; NULL = none */
	char **environment;	       /* NULL-ended, each text and the row on the heap */
	bool limited;		       /* the next two hold */
	struct rlimit limits[RLIM_NLIMITS];
	mode_t mask;
};

/* HOME, USER, LOGNAME, SHELL and PATH; the account stays borrowed. 0 or -ENOMEM. */
int login_init(struct login *ret, const struct account *account);

/* Takes over NAME=VALUE (strdup()ed), in place of one of the same name. 0 or -ENOMEM. */
int login_add(struct login *l, const char *variable);
void login_done(struct login *l);

/* In a child that is about to be executed: from here on it is the owner's, without a way back. 0 or
 * -errno: then it must end. */
int login_become(const struct login *l);

/* For AUTO(login_done). */
static inline void auto_login_done(struct login *l)
{
	login_done(l);
}
