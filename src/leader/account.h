/* An account of this machine, as the name service knows it: read in a child of its own, so that
 * neither the libraries that the name service loads nor their memory stay with the leader. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "protocol/link.h"

#define ACCOUNT_PATH_SIZE 512
#define ACCOUNT_GROUPS_MAX 512 /* what is beyond is left out */

struct account {
	uid_t uid;
	gid_t gid;
	char name[LINK_SHORT_SIZE];
	char home[ACCOUNT_PATH_SIZE];
	char shell[ACCOUNT_PATH_SIZE]; /* never empty */
	gid_t *groups;		       /* all of them, supplementary; owned */
	size_t group_count;
};

/* The account of this name, or, when name is NULL, of this uid. Waits for the name service, but not
 * for ever. 0, -ENOENT (there is none, or its name or paths are longer than any may be), -ETIME, or
 * -errno. */
int account_read(struct account *ret, const char *name, uid_t uid);
void account_done(struct account *a);

/* For AUTO(account_done). */
static inline void auto_account_done(struct account *a)
{
	account_done(a);
}
