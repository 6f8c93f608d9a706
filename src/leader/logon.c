#include "leader/logon.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "leader/guard.h"

#define PACKET_WAIT_MS 100 /* the maker has sent it before he gave the proof away */

void logon_done(struct logon *l)
{
	auto_close(&l->spec_fd);
	account_done(&l->account);
	*l = LOGON_INIT;
}

/* In user mode there is one user, whether the name service knows him or not. */
static int read_user(struct logon *l, const struct warrant *w)
{
	if (l->maker != geteuid()) {
		return -EACCES;
	}
	int r = account_read(&l->account, NULL, l->maker);
	if (r == -ENOENT) {
		l->account = (struct account){ .uid = l->maker };
		r = 0;
	}
	if (r == 0 && w->user[0] != '\0' && strcmp(w->user, l->account.name) != 0) {
		return -EACCES;
	}
	return r;
}

static int read_system(struct logon *l, const struct warrant *w, const struct arguments *a)
{
	if (l->maker == a->broker_uid) {
		return -EACCES;
	}
	int r = w->user[0] != '\0' ? account_read(&l->account, w->user, 0)
				   : account_read(&l->account, NULL, l->maker);
	if (r < 0) {
		return r == -ENOENT ? -EKEYREVOKED : r;
	}
	return l->account.uid == l->maker ? 0 : -EACCES;
}

int logon_read(struct logon *ret, const struct arguments *a, const char **ret_step)
{
	struct logon l = LOGON_INIT;
	struct warrant w;
	*ret_step = "to learn who asks for it";
	int r = guard_maker(&l.maker, a->proof_fd);
	if (r < 0) {
		return r;
	}
	*ret_step = "to receive what it is to run";
	r = guard_warrant(&w, &l.spec_fd, a->proof_fd, PACKET_WAIT_MS);
	if (r == 0 && (w.use != WARRANT_LOGON || l.spec_fd < 0)) {
		r = -EPROTO;
	}
	if (r == 0) {
		*ret_step = "to learn whose it is";
		r = a->system ? read_system(&l, &w, a) : read_user(&l, &w);
	}
	if (r < 0) {
		logon_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}
