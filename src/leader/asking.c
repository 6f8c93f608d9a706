#include "leader/asking.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "leader/guard.h"

#define FIRST_PAUSE_MS 1000 /* after a wrong password; then twice as long each time */

bool asking_is_busy(const struct asking *a)
{
	return a->warrant_fd >= 0;
}

int asking_fd(const struct asking *a)
{
	return a->check.answer_fd;
}

uint64_t asking_time(const struct asking *a)
{
	return !asking_is_busy(a) ? UINT64_MAX : a->begin_at != 0 ? a->begin_at : a->check.deadline;
}

static void leave(struct asking *a)
{
	check_stop(&a->check);
	auto_close(&a->warrant_fd);
	a->warrant_fd = -1;
	a->begin_at = 0;
}

void asking_stop(struct asking *a)
{
	leave(a);
	a->grant = (struct grant){ 0 };
}

static int start_check(struct asking *a, const struct asking_about *about)
{
	a->begin_at = 0;
	const struct pam_who who = {
		.user = about->user, .by = "", .from = a->from, .tty = about->tty
	};
	int r = about->user[0] == '\0'
			? -EKEYREVOKED
			: check_start(&a->check, about->session.id, &who, a->maker, a->warrant_fd);
	return r < 0 ? r : ASKING_WAIT;
}

static int end(struct asking *a, int result)
{
	if (result == 0) {
		a->grant = grant_of(&a->warrant, a->maker, clock_monotonic_ms());
	}
	leave(a);
	return result;
}

int asking_begin(struct asking *a, const struct asking_about *about, int warrant_fd,
	bool free_of_password, const char *from)
{
	AUTO_FD int fd = warrant_fd;
	AUTO_FD int spec_fd = -1;
	if (asking_is_busy(a)) {
		return -EBUSY;
	}
	a->grant = (struct grant){ 0 };
	link_set_text(a->from, from);
	int r = guard_maker(&a->maker, fd);
	if (r == 0) {
		r = guard_warrant(&a->warrant, &spec_fd, fd, 0);
	}
	if (r < 0) { /* who has not written it before he gave it away has written nothing */
		return r == -EAGAIN || r == -ETIME ? -EPROTO : r;
	}
	r = spec_fd >= 0 ? -EPROTO
			 : grant_judge(&about->session, &a->warrant, a->maker, free_of_password);
	a->warrant_fd = TAKE_FD(fd);
	if (r != GRANT_PASSWORD) {
		return end(a, r);
	}
	uint64_t now = clock_monotonic_ms();
	if (a->next_check_at > now) {
		a->begin_at = a->next_check_at;
		return ASKING_WAIT;
	}
	r = start_check(a, about);
	return r == ASKING_WAIT ? r : end(a, r);
}

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

int asking_go_on(struct asking *a, const struct asking_about *about, uint64_t now)
{
	if (a->begin_at != 0) {
		int r = now >= a->begin_at ? start_check(a, about) : ASKING_WAIT;
		return r == ASKING_WAIT ? r : end(a, r);
	}
	int result = -ETIME;
	if (fd_wait_readable(a->check.answer_fd, 0) == 1) {
		result = check_answer(&a->check);
	} else if (now < a->check.deadline) {
		return ASKING_WAIT;
	}
	count(a, result, now);
	/* While the password was typed the session may have gone elsewhere: is it still the one? */
	if (result == 0 && grant_judge(&about->session, &a->warrant, a->maker, false) < 0) {
		result = -EACCES;
	}
	return end(a, result);
}
