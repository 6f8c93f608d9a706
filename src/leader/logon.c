#include "leader/logon.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "leader/check.h"
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

/* What PAM and its modules are asked about: a name of harmless characters, or one that nobody has.
 */
static const char *name_to_check(const char *name)
{
	static const char nobody[] = "no.such.user";
	const char *c = name;
	while (*c > ' ' && *c < 0x7f && strchr("/:,'\"`$;&|<>(){}*?!#=", *c) == NULL) {
		c++;
	}
	return *c != '\0' || name[0] == '-' ? nobody : name;
}

/* Until the check has answered, has taken too long, or the broker is gone. */
static int wait_for(struct check *c, int link_fd)
{
	for (;;) {
		uint64_t now = clock_monotonic_ms();
		struct pollfd polls[] = { { .fd = c->answer_fd, .events = POLLIN },
			{ .fd = link_fd, .events = POLLRDHUP } };
		int n = now < c->deadline ? poll(polls, 2, (int)(c->deadline - now)) : 0;
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return n == 0 ? -ETIME : -errno;
		}
		if (n > 0 && polls[0].revents != 0) {
			return check_answer(c);
		}
		if (n > 0 && polls[1].revents != 0) {
			return -ECANCELED;
		}
	}
}

/* The same is done, and takes as long, whether the user exists or not. */
static int check_password(struct logon *l, const struct warrant *w, const struct arguments *a)
{
	bool exists = l->account.name[0] != '\0' && l->account.uid != a->broker_uid;
	const struct pam_who who = {
		.user = exists ? l->account.name : name_to_check(w->user),
		.by = "",
		.from = a->client,
		.tty = a->terminal,
	};
	struct check c = CHECK_INIT;
	int r = check_start(&c, a->session, &who, l->maker, a->proof_fd);
	if (r == 0) {
		r = wait_for(&c, a->link_fd);
	}
	check_stop(&c);
	return r == 0 && !exists ? -EKEYREJECTED : r;
}

static int read_system(struct logon *l, const struct warrant *w, const struct arguments *a)
{
	if (l->maker == a->broker_uid) {
		return -EACCES;
	}
	int r = w->user[0] != '\0' ? account_read(&l->account, w->user, 0)
				   : account_read(&l->account, NULL, l->maker);
	if (r < 0 && (r != -ENOENT || w->user[0] == '\0')) {
		return r == -ENOENT ? -EKEYREVOKED : r; /* who has no name has no login */
	}
	if (r == 0 && l->account.uid == l->maker) {
		return 0;
	}
	/* The broker's word makes nobody an owner; it only keeps out what it has not counted as a
	 * try, and who may not log on is told the same as who does not exist. */
	if (a->owner_said && a->owner == ARGUMENTS_NOBODY) {
		account_done(&l->account);
	} else if (a->owner_said && l->account.uid != a->owner) {
		return -EACCES;
	}
	l->by_password = true;
	r = check_password(l, w, a);
	return r == -EKEYREVOKED && l->account.name[0] == '\0' ? -EKEYREJECTED : r;
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
