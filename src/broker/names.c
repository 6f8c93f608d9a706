/* The two ends of one SEQPACKET pair: a request a packet, an answer a packet, one at a time: what
 * waits, waits here, where it can be given up. */
#include "broker/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "broker/limits.h"
#include "broker/nursery.h"
#include "config/server_config.h"

#define CACHE_SIZE 1024
#define CACHE_MS 60000
#define QUESTIONS_MAX 1024
#define ROOM_SIZE 65536 /* for an entry of the user database */
#define RESTART_MS 1000 /* between two processes, where the first one has died */
#define REAP_MS 100	/* a process that was killed is gone by then, or hangs in the kernel */

enum what { WHAT_UID, WHAT_USER, WHAT_USER_NUMBER, WHAT_GROUP_NUMBER };

struct request {
	uint32_t serial;
	uint32_t what;
	uint32_t uid;		    /* WHAT_UID */
	char name[NAMES_TEXT_SIZE]; /* all others */
};

struct reply {
	uint32_t serial;
	uint32_t what; /* as asked */
	int32_t error;
	uint32_t uid; /* or the gid */
	uint32_t group_count;
	char name[NAMES_TEXT_SIZE];
	uint32_t groups[NAMES_GROUPS_MAX]; /* only as many as there are are sent */
};

#define REPLY_SIZE(count) (offsetof(struct reply, groups) + (count) * sizeof(uint32_t))

struct names_question {
	struct names *names;
	struct request request;
	names_callback *done;
	void *user;
	sd_event_source *timer;
	TAILQ_ENTRY(names_question) entry;
};

TAILQ_HEAD(names_question_list, names_question);

struct cached {
	bool used;
	uid_t uid;
	uint64_t heard; /* monotonic ms */
	char name[NAMES_TEXT_SIZE];
};

struct names {
	sd_event *event;
	int fd;		  /* -1 = there is no process at the moment */
	int pidfd;	  /* of that process */
	uint64_t started; /* monotonic ms */
	const struct config_names *source_of_numbers;
	unsigned hang_ms;
	sd_event_source *source;
	sd_event_source *hang;
	uint32_t last_serial;
	uint32_t serving; /* what the process works at; 0 = nothing */
	struct names_question_list questions;
	size_t question_count;
	struct cached cache[CACHE_SIZE];
	struct reply reply; /* the one that is being read */
};

/* --- the process --------------------------------------------------------------------------------
 */

static int find_entry(const struct request *q, struct passwd *entry, char *room)
{
	struct passwd *found = NULL;
	int r = q->what == WHAT_USER ? getpwnam_r(q->name, entry, room, ROOM_SIZE, &found)
				     : getpwuid_r(q->uid, entry, room, ROOM_SIZE, &found);
	if (found == NULL) {
		return r == 0 || r == ESRCH || r == EPERM || r == EBADF ? -ENOENT : -r;
	}
	return strlen(entry->pw_name) < NAMES_TEXT_SIZE ? 0 : -E2BIG;
}

static void find_user(const struct request *q, struct reply *ret)
{
	static char room[ROOM_SIZE];
	static gid_t groups[NAMES_GROUPS_MAX];
	struct passwd entry;
	ret->error = find_entry(q, &entry, room);
	if (ret->error < 0) {
		return;
	}
	ret->uid = entry.pw_uid;
	memcpy(ret->name, entry.pw_name, strlen(entry.pw_name));
	if (q->what == WHAT_UID) {
		return;
	}
	int count = NAMES_GROUPS_MAX;
	if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0) {
		ret->error = -E2BIG;
		return;
	}
	ret->group_count = (uint32_t)count;
	for (int i = 0; i < count; i++) {
		ret->groups[i] = groups[i];
	}
}

static void find(const struct config_names *source, const struct request *q, struct reply *ret)
{
	memset(ret, 0, REPLY_SIZE(0));
	ret->serial = q->serial;
	ret->what = q->what;
	ret->uid = q->what == WHAT_UID ? q->uid : (uint32_t)-1;
	switch (q->what) {
	case WHAT_USER_NUMBER:
		ret->error = source->user(source->context, q->name, &ret->uid);
		break;
	case WHAT_GROUP_NUMBER:
		ret->error = source->group(source->context, q->name, &ret->uid);
		break;
	default:
		find_user(q, ret);
		break;
	}
}

/* The whole of the helper. Descriptors of the broker are gone before the first name is asked. */
static _Noreturn void serve(int fd, const struct config_names *source)
{
	static struct reply reply;
	struct request q;
	sigset_t none;
	(void)prctl(PR_SET_NAME, "termserv-names");
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, 3) < 0 || close_range(4, ~0u, 0) < 0) {
		_exit(EXIT_FAILURE);
	}
	for (;;) {
		ssize_t n = recv(3, &q, sizeof(q), 0);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n != (ssize_t)sizeof(q) || q.name[NAMES_TEXT_SIZE - 1] != '\0') {
			_exit(n == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		find(source, &q, &reply);
		if (send(3, &reply, REPLY_SIZE(reply.group_count), MSG_NOSIGNAL) < 0) {
			_exit(EXIT_FAILURE);
		}
	}
}

void names_serve(int fd)
{
	serve(fd, config_names_system());
}

/* --- questions ----------------------------------------------------------------------------------
 */

static struct names_question *question_free(struct names_question *q)
{
	TAILQ_REMOVE(&q->names->questions, q, entry);
	q->names->question_count--;
	(void)sd_event_source_disable_unref(q->timer);
	free(q);
	return NULL;
}

static void answer(struct names_question *q, const struct names_answer *a)
{
	names_callback *done = q->done;
	void *user = q->user;
	(void)question_free(q);
	done(user, a);
}

static void fail_all(struct names *n, int error)
{
	const struct names_answer a = { .error = error, .uid = (uid_t)-1 };
	/* Whoever hears this may ask anew: that is not this round's business. */
	for (size_t i = n->question_count; i > 0 && !TAILQ_EMPTY(&n->questions); i--) {
		answer(TAILQ_FIRST(&n->questions), &a);
	}
}

struct names_question *names_cancel(struct names_question *q)
{
	return q != NULL ? question_free(q) : NULL;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct names_answer late = { .error = -ETIMEDOUT, .uid = (uid_t)-1 };
	answer(userdata, &late);
	return 0;
}

/* --- what was heard -----------------------------------------------------------------------------
 */

static const struct cached *cached_of(const struct names *n, uid_t uid)
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		if (n->cache[i].used && n->cache[i].uid == uid) {
			return &n->cache[i];
		}
	}
	return NULL;
}

const char *names_of(const struct names *n, uid_t uid)
{
	const struct cached *c = cached_of(n, uid);
	return c != NULL && c->name[0] != '\0' ? c->name : NULL;
}

bool names_knows(const struct names *n, uid_t uid)
{
	const struct cached *c = cached_of(n, uid);
	return c != NULL && clock_monotonic_ms() - c->heard < CACHE_MS;
}

/* In the place of what was said about this uid before, else of what is oldest. */
static void keep(struct names *n, uid_t uid, const char *name)
{
	struct cached *place = &n->cache[0];
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		struct cached *c = &n->cache[i];
		if (c->used && c->uid == uid) {
			place = c;
			break;
		}
		if (place->used && (!c->used || c->heard < place->heard)) {
			place = c;
		}
	}
	*place = (struct cached){ .used = true, .uid = uid, .heard = clock_monotonic_ms() };
	memcpy(place->name, name, strlen(name));
}

/* --- the link to the process --------------------------------------------------------------------
 */

/* One that hangs in the kernel (a user database on a file system that is gone) is not waited for.
 */
static void end_process(int pidfd)
{
	siginfo_t info;
	(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	if (fd_wait_readable(pidfd, REAP_MS) == 0) {
		log_warning("a process that asks for names cannot be ended");
	}
	/* A nursery's child is not ours to reap. */
	(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
}

static void lose(struct names *n)
{
	n->source = sd_event_source_disable_unref(n->source);
	n->hang = sd_event_source_disable_unref(n->hang);
	n->serving = 0;
	auto_close(&n->fd);
	n->fd = -1;
	if (n->pidfd >= 0) {
		end_process(n->pidfd);
		(void)close(TAKE_FD(n->pidfd));
	}
}

static int on_hang(sd_event_source *source, uint64_t usec, void *userdata);

/* Lets the process work at what waits longest. If it is gone, or there is no memory, its socket or
 * the clock will say so. */
static void serve_next(struct names *n)
{
	const struct names_question *q = TAILQ_FIRST(&n->questions);
	if (n->serving != 0 || n->fd < 0 || q == NULL) {
		return;
	}
	n->serving = q->request.serial;
	n->hang = sd_event_source_disable_unref(n->hang);
	int r = sd_event_add_time_relative(n->event, &n->hang, CLOCK_MONOTONIC,
		(uint64_t)n->hang_ms * 1000, TIMER_SLACK_USEC, on_hang, n);
	if (r < 0) {
		log_error("no memory for a clock: a name service that hangs is waited for");
	}
	(void)send(n->fd, &q->request, sizeof(q->request), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static struct names_question *question_of(const struct names *n, uint32_t serial)
{
	struct names_question *q;
	TAILQ_FOREACH(q, &n->questions, entry)
	{
		if (q->request.serial == serial) {
			return q;
		}
	}
	return NULL;
}

static void on_reply(struct names *n, const struct reply *r)
{
	bool kept = r->what == WHAT_UID || r->what == WHAT_USER;
	bool none = r->error == -ENOENT && r->uid != (uint32_t)-1;
	if (kept && (r->error == 0 || none)) {
		keep(n, r->uid, none ? "" : r->name);
	}
	struct names_question *q = question_of(n, r->serial);
	const struct names_answer a = {
		.error = r->error,
		.uid = r->uid,
		.name = r->name,
		.groups = r->groups,
		.group_count = r->group_count,
	};
	if (r->serial == n->serving) {
		n->serving = 0;
		n->hang = sd_event_source_disable_unref(n->hang);
	}
	if (q != NULL) {
		answer(q, &a);
	}
	serve_next(n);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct names *n = userdata;
	struct reply *r = &n->reply;
	ssize_t size = recv(fd, r, sizeof(*r), MSG_DONTWAIT);
	if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	bool good = size >= (ssize_t)REPLY_SIZE(0) && r->group_count <= NAMES_GROUPS_MAX &&
		    (size_t)size == REPLY_SIZE(r->group_count) &&
		    memchr(r->name, '\0', sizeof(r->name)) != NULL;
	if (good) {
		on_reply(n, r);
		return 0;
	}
	log_error("the process that asks for names is gone; the next question starts another");
	lose(n);
	fail_all(n, -EPIPE);
	return 0;
}

/* Whoever is confined cannot fork one that is not. */
static int start_process(struct names *n, int fd)
{
	pid_t pid = 0;
	int r = n->source_of_numbers == config_names_system() ? nursery_start(&pid, fd) : -ENOTCONN;
	if (r == -ENOTCONN) {
		pid = fork();
		r = pid < 0 ? -errno : 0;
	}
	if (r == 0 && pid == 0) {
		serve(fd, n->source_of_numbers);
	}
	if (r >= 0) {
		n->pidfd = pidfd_open(pid, 0);
		r = n->pidfd < 0 ? -errno : 0; /* without its socket it ends */
	}
	return r;
}

static int start(struct names *n)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		return -errno;
	}
	AUTO_FD int ours = fds[0];
	AUTO_FD int theirs = fds[1];
	int r = sd_event_add_io(n->event, &n->source, ours, EPOLLIN, on_readable, n);
	if (r < 0) {
		return r;
	}
	n->started = clock_monotonic_ms();
	r = start_process(n, theirs);
	if (r < 0) {
		n->source = sd_event_source_disable_unref(n->source);
		return r;
	}
	n->fd = TAKE_FD(ours);
	return 0;
}

static int on_hang(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct names_answer late = { .error = -ETIMEDOUT, .uid = (uid_t)-1 };
	struct names *n = userdata;
	struct names_question *q = question_of(n, n->serving);
	log_warning(
		"the name service does not answer: the next question is asked by another process");
	lose(n);
	int r = start(n);
	if (q != NULL) {
		answer(q, &late);
	}
	if (r < 0) {
		fail_all(n, r);
	}
	serve_next(n);
	return 0;
}

int names_new(
	struct names **ret, sd_event *event, const struct config_names *source, unsigned hang_ms)
{
	struct names *n = calloc(1, sizeof(*n));
	if (n == NULL) {
		return -ENOMEM;
	}
	TAILQ_INIT(&n->questions);
	n->event = event;
	n->source_of_numbers = source != NULL ? source : config_names_system();
	n->hang_ms = hang_ms;
	n->fd = -1;
	n->pidfd = -1;
	int r = start(n);
	if (r < 0) {
		(void)names_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

struct names *names_free(struct names *n)
{
	if (n == NULL) {
		return NULL;
	}
	while (!TAILQ_EMPTY(&n->questions)) {
		(void)question_free(TAILQ_FIRST(&n->questions));
	}
	lose(n);
	free(n);
	return NULL;
}

static int ask(struct names_question **ret, struct names *n, const struct request *request,
	unsigned wait_ms, names_callback *done, void *user)
{
	if (n->question_count >= QUESTIONS_MAX) {
		return -EBUSY;
	}
	if (n->fd < 0) {
		int r = clock_monotonic_ms() - n->started < RESTART_MS ? -EBUSY : start(n);
		if (r < 0) {
			return r;
		}
	}
	AUTO(free) struct names_question *q = calloc(1, sizeof(*q));
	if (q == NULL) {
		return -ENOMEM;
	}
	int r = sd_event_add_time_relative(n->event, &q->timer, CLOCK_MONOTONIC,
		(uint64_t)wait_ms * 1000, TIMER_SLACK_USEC, on_time, q);
	if (r < 0) {
		return r;
	}
	n->last_serial += n->last_serial == UINT32_MAX ? 2 : 1; /* never 0 */
	q->names = n;
	q->request = *request;
	q->request.serial = n->last_serial;
	q->done = done;
	q->user = user;
	TAILQ_INSERT_TAIL(&n->questions, q, entry);
	n->question_count++;
	*ret = TAKE_PTR(q);
	serve_next(n);
	return 0;
}

int names_ask_uid(struct names_question **ret, struct names *n, uid_t uid, unsigned wait_ms,
	names_callback *done, void *user)
{
	struct request request = { .what = WHAT_UID, .uid = uid };
	return ask(ret, n, &request, wait_ms, done, user);
}

static int ask_by_name(struct names_question **ret, struct names *n, enum what what,
	const char *name, unsigned wait_ms, names_callback *done, void *user)
{
	struct request request = { .what = what, .uid = (uint32_t)-1 };
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof(request.name)) {
		return -E2BIG;
	}
	memcpy(request.name, name, length);
	return ask(ret, n, &request, wait_ms, done, user);
}

int names_ask_user(struct names_question **ret, struct names *n, const char *name, unsigned wait_ms,
	names_callback *done, void *user)
{
	return ask_by_name(ret, n, WHAT_USER, name, wait_ms, done, user);
}

int names_ask_number(struct names_question **ret, struct names *n, const char *name, bool group,
	unsigned wait_ms, names_callback *done, void *user)
{
	enum what what = group ? WHAT_GROUP_NUMBER : WHAT_USER_NUMBER;
	return ask_by_name(ret, n, what, name, wait_ms, done, user);
}
