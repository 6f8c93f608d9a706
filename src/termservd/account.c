#include "termservd/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

int account_find(struct account *ret, const char *name)
{
	errno = 0;
	const struct passwd *entry = getpwnam(name);
	if (entry == NULL) {
		return errno != 0 && errno != ESRCH ? -errno : -ENOENT;
	}
	if (entry->pw_uid == 0 || entry->pw_gid == 0) {
		return -EPERM;
	}
	*ret = (struct account){ entry->pw_uid, entry->pw_gid };
	return 0;
}

int account_become(const struct account *a)
{
	/* With the last user ID the kernel takes all capabilities too. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(a->gid, a->gid, a->gid) < 0 || setresuid(a->uid, a->uid, a->uid) < 0) {
		return -errno;
	}
	return setuid(0) == 0 ? -EPERM : 0; /* it must not be possible any more */
}
