/* Who gets the session that is asked for: the leader's own reading of the proof. The kernel says
 * who made it, its packet says whose session it shall be, and where these differ the password
 * decides. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "leader/account.h"
#include "leader/arguments.h"

struct logon {
	uid_t maker;		/* who asks */
	struct account account; /* whose session it is; in user mode the name may be empty */
	bool by_password;	/* the maker is somebody else, who knows the owner's password */
	int spec_fd;		/* what it is to run; -1 = none */
};

#define LOGON_INIT ((struct logon){ .spec_fd = -1 })

/* Takes the proof in a->proof_fd (borrowed). *ret_step says what failed. 0, -EACCES (this maker may
 * not have that session), -EKEYREJECTED (user name or password wrong), -EKEYREVOKED (the account
 * may not log on), -EPROTO, -ETIME, or -errno. */
int logon_read(struct logon *ret, const struct arguments *a, const char **ret_step);
void logon_done(struct logon *l);

/* For AUTO(logon_done). */
static inline void auto_logon_done(struct logon *l)
{
	logon_done(l);
}
