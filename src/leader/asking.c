#include "leader/asking.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "leader/guard.h"

#define FIRST_PAUSE_MS 1000 /* after a wrong password; then twice as long each time */
#define WAIT 1		    /* not decided yet */

struct asker {
	uint32_t serial;
	int warrant_fd; /* open while he is asked, or he believes that nobody asks */
	struct warrant warrant;
	uid_t maker;
	char from[LINK_SHORT_SIZE];
	uint64_t begin_at; /* clock_monotonic_ms(): when he is asked for the password; 0 = he was */
	struct check check;
	SLIST_ENTRY(asker) entry;
};

static void free_asker(struct asker *one)
{
	check_stop(&one->check);
	auto_close(&one->warrant_fd);
	free(one);
}

static void leave(struct asking *a, struct asker *one)
{
	SLIST_REMOVE(&a->askers, one, asker, entry);
	a->count--;
	free_asker(one);
}

/* The rest before the next one. Where nobody has answered nothing was tried. */
static void count(struct asking *a, int result, uint64_t now)
{
	if (result == 0) {
		a->failures = 0;
	} else if (result != -ETIME) {
		unsigned pause = FIRST_PAUSE_MS << (a->failures < 5 ? a->failures : 5);
		a->next_check_at = now +
				   (pause < WARRANT_REST_MAX_MS ? pause : WARRANT_REST_MAX_MS);
		a->failures++;
	}
}

/* One who is not waited for any more. His check may have been given a password by now: who ends it
 * early, as a broker can, shall not try faster for it. */
static void give_up(struct asking *a, struct asker *one)
{
	if (one->begin_at == 0) {
		count(a, -EIO, clock_monotonic_ms());
	}
	leave(a, one);
}

void asking_stop(struct asking *a)
{
	while (!SLIST_EMPTY(&a->askers)) {
		give_up(a, SLIST_FIRST(&a->askers));
	}
	a->grants = (struct grants){ 0 };
}

size_t asking_fds(const struct asking *a, int ret[static ASKING_MAX])
{
	size_t count = 0;
	const struct asker *one;
	SLIST_FOREACH(one, &a->askers, entry)
	{
		if (one->check.answer_fd >= 0) {
			ret[count++] = one->check.answer_fd;
		}
	}
	return count;
}

uint64_t asking_time(const struct asking *a)
{
	uint64_t time = UINT64_MAX;
	const struct asker *one;
	SLIST_FOREACH(one, &a->askers, entry)
	{
		uint64_t his = one->begin_at != 0 ? one->begin_at : one->check.deadline;
		time = his < time ? his : time;
	}
	return time;
}

static int start_check(struct asker *one, const struct asking_about *about)
{
	one->begin_at = 0;
	const struct pam_who who = {
		.user = about->user, .by = "", .from = one->from, .tty = about->tty
	};
	int r = check_start(&one->check, about->session.id, &who, one->maker, one->warrant_fd);
	return r < 0 ? r : WAIT;
}

static bool has_place(const struct asking *a, uid_t maker)
{
	const struct asker *one;
	SLIST_FOREACH(one, &a->askers, entry)
	{
		if (one->maker == maker) {
			return false;
		}
	}
	return a->count < ASKING_MAX;
}

/* One who needs the password: he is asked for it, at once or after a rest. WAIT or -errno. */
static int add(struct asking *a, const struct asking_about *about, struct asker *found, int *fd)
{
	if (about->user[0] == '\0') {
		return -EKEYREVOKED;
	}
	if (!has_place(a, found->maker)) {
		return -EBUSY;
	}
	struct asker *one = malloc(sizeof(*one));
	if (one == NULL) {
		return -ENOMEM;
	}
	*one = *found;
	one->warrant_fd = TAKE_FD(*fd);
	int r = WAIT;
	if (a->next_check_at > clock_monotonic_ms()) {
		one->begin_at = a->next_check_at;
	} else {
		r = start_check(one, about);
	}
	if (r < 0) {
		free_asker(one);
		return r;
	}
	SLIST_INSERT_HEAD(&a->askers, one, entry);
	a->count++;
	return WAIT;
}

bool asking_begin(struct asking *a, const struct asking_about *about, int warrant_fd,
	const struct asking_question *q, struct asking_answer *ret)
{
	AUTO_FD int fd = warrant_fd;
	AUTO_FD int spec_fd = -1;
	struct asker one = { .serial = q->serial, .maker = (uid_t)-1, .check = CHECK_INIT };
	link_set_text(one.from, q->from);
	int r = guard_maker(&one.maker, fd);
	if (r == 0) {
		r = guard_warrant(&one.warrant, &spec_fd, fd, 0);
		/* who has not written it before he gave it away has written nothing */
		r = r == -EAGAIN || r == -ETIME || spec_fd >= 0 ? -EPROTO : r;
	}
	if (r == 0) {
		r = grant_judge(&about->session, &one.warrant, one.maker, q->free_of_password);
	}
	if (r == GRANT_PASSWORD) {
		r = add(a, about, &one, &fd);
	} else if (r == 0) {
		grants_add(&a->grants, &one.warrant, one.maker, clock_monotonic_ms());
	}
	*ret = (struct asking_answer){ .serial = q->serial, .result = r, .maker = one.maker };
	return r != WAIT;
}

/* WAIT, 0 = it may be granted, or why not. */
static int go_on(
	struct asking *a, struct asker *one, const struct asking_about *about, uint64_t now)
{
	if (one->begin_at != 0) {
		return now >= one->begin_at ? start_check(one, about) : WAIT;
	}
	int result = -EIO; /* a check that takes too long may have been given a password */
	if (fd_wait_readable(one->check.answer_fd, 0) == 1) {
		result = check_answer(&one->check);
	} else if (now < one->check.deadline) {
		return WAIT;
	}
	count(a, result, now);
	/* While the password was typed the session may have gone elsewhere: is it still the one? */
	bool gone = result == 0 &&
		    grant_judge(&about->session, &one->warrant, one->maker, false) < 0;
	return gone ? -EACCES : result;
}

bool asking_next(
	struct asking *a, const struct asking_about *about, uint64_t now, struct asking_answer *ret)
{
	struct asker *one;
	SLIST_FOREACH(one, &a->askers, entry)
	{
		int r = go_on(a, one, about, now);
		if (r == WAIT) {
			continue;
		}
		if (r == 0) {
			grants_add(&a->grants, &one->warrant, one->maker, now);
		}
		*ret = (struct asking_answer){ one->serial, r, one->maker };
		leave(a, one);
		return true;
	}
	return false;
}

bool asking_cancel(struct asking *a, int error, struct asking_answer *ret)
{
	struct asker *one = SLIST_FIRST(&a->askers);
	if (one == NULL) {
		return false;
	}
	*ret = (struct asking_answer){ one->serial, error, one->maker };
	give_up(a, one);
	return true;
}
