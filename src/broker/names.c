/* The two ends of one SEQPACKET pair: a request a packet, an answer a packet, in order. */
#include "broker/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/limits.h"

#define CACHE_SIZE 1024
#define CACHE_MS 60000
#define QUESTIONS_MAX 1024
#define ROOM_SIZE 65536 /* for an entry of the user database */
#define RESTART_MS 1000 /* between two processes */

struct request {
	uint32_t serial;
	uint32_t uid;
	char name[NAMES_TEXT_SIZE]; /* empty: by uid */
};

struct reply {
	uint32_t serial;
	int32_t error;
	uint32_t uid;
	uint32_t group_count;
	char name[NAMES_TEXT_SIZE];
	uint32_t groups[NAMES_GROUPS_MAX]; /* only as many as there are are sent */
};

#define REPLY_SIZE(count) (offsetof(struct reply, groups) + (count) * sizeof(uint32_t))

struct names_question {
	struct names *names;
	uint32_t serial;
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
	int fd; /* -1 = there is no process at the moment */
	pid_t pid;
	uint64_t started; /* monotonic ms */
	sd_event_source *source;
	uint32_t last_serial;
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
	int r = q->name[0] != '\0' ? getpwnam_r(q->name, entry, room, ROOM_SIZE, &found)
				   : getpwuid_r(q->uid, entry, room, ROOM_SIZE, &found);
	if (found == NULL) {
		return r == 0 || r == ESRCH || r == EPERM || r == EBADF ? -ENOENT : -r;
	}
	return strlen(entry->pw_name) < NAMES_TEXT_SIZE ? 0 : -E2BIG;
}

static void find(const struct request *q, struct reply *ret)
{
	static char room[ROOM_SIZE];
	static gid_t groups[NAMES_GROUPS_MAX];
	struct passwd entry;
	memset(ret, 0, REPLY_SIZE(0));
	ret->serial = q->serial;
	ret->uid = q->name[0] == '\0' ? q->uid : (uint32_t)-1;
	ret->error = find_entry(q, &entry, room);
	if (ret->error < 0) {
		return;
	}
	ret->uid = entry.pw_uid;
	memcpy(ret->name, entry.pw_name, strlen(entry.pw_name));
	if (q->name[0] == '\0') {
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

/* The whole of the helper. Descriptors of the broker are gone before the first name is asked. */
static _Noreturn void serve(int fd)
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
		find(&q, &reply);
		if (send(3, &reply, REPLY_SIZE(reply.group_count), MSG_NOSIGNAL) < 0) {
			_exit(EXIT_FAILURE);
		}
	}
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

static void lose(struct names *n)
{
	n->source = sd_event_source_disable_unref(n->source);
	auto_close(&n->fd);
	n->fd = -1;
	if (n->pid > 0) {
		(void)kill(n->pid, SIGKILL);
		(void)waitpid(n->pid, NULL, 0);
		n->pid = 0;
	}
}

static void on_reply(struct names *n, const struct reply *r)
{
	bool none = r->error == -ENOENT && r->uid != (uint32_t)-1;
	if (r->error == 0 || none) {
		keep(n, r->uid, none ? "" : r->name);
	}
	const struct names_answer a = {
		.error = r->error,
		.uid = r->uid,
		.name = r->name,
		.groups = r->groups,
		.group_count = r->group_count,
	};
	struct names_question *q;
	TAILQ_FOREACH(q, &n->questions, entry)
	{
		if (q->serial == r->serial) {
			answer(q, &a);
			return;
		}
	}
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
	n->pid = fork();
	if (n->pid < 0) {
		r = -errno;
		n->pid = 0;
		n->source = sd_event_source_disable_unref(n->source);
		return r;
	}
	if (n->pid == 0) {
		serve(theirs);
	}
	n->fd = TAKE_FD(ours);
	return 0;
}

int names_new(struct names **ret, sd_event *event)
{
	struct names *n = calloc(1, sizeof(*n));
	if (n == NULL) {
		return -ENOMEM;
	}
	TAILQ_INIT(&n->questions);
	n->event = event;
	n->fd = -1;
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

static int ask(struct names_question **ret, struct names *n, struct request *request,
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
	request->serial = ++n->last_serial;
	if (send(n->fd, request, sizeof(*request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		r = errno == EAGAIN ? -EBUSY : -errno;
		(void)sd_event_source_disable_unref(q->timer);
		return r;
	}
	q->names = n;
	q->serial = request->serial;
	q->done = done;
	q->user = user;
	TAILQ_INSERT_TAIL(&n->questions, q, entry);
	n->question_count++;
	*ret = TAKE_PTR(q);
	return 0;
}

int names_ask_uid(struct names_question **ret, struct names *n, uid_t uid, unsigned wait_ms,
	names_callback *done, void *user)
{
	struct request request = { .uid = uid };
	return ask(ret, n, &request, wait_ms, done, user);
}

int names_ask_user(struct names_question **ret, struct names *n, const char *name, unsigned wait_ms,
	names_callback *done, void *user)
{
	struct request request = { .uid = (uint32_t)-1 };
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof(request.name)) {
		return -E2BIG;
	}
	memcpy(request.name, name, length);
	return ask(ret, n, &request, wait_ms, done, user);
}
