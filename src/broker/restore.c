/* The proof that a session lives is that somebody listens on its socket. A folder alone proves
 * nothing, but a young one may belong to a leader that is just coming up: it is looked at again. */
#include "broker/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/leader_link.h"
#include "broker/operation.h"
#include "broker/session.h"

#define SESSIONS_FOLDER "sessions"
#define LINK_SOCKET "link"
#define YOUNG_SECONDS 10
#define LOOKS 5 /* a leader that the former broker asked for may make its folder only now */
#define RELINKS_MAX 5
#define REMOVE_DEPTH 4
#define ID_TEXT_SIZE 16

/* A connection to the leader that listens in sessions/ID. fd, -ECONNREFUSED or -ENOENT (nobody
 * does), -EACCES (somebody else does), or -errno. */
static int reach_leader(const struct broker *b, int sessions_fd, const char *id)
{
	AUTO_FD int folder = dir_open_at(sessions_fd, id);
	if (folder < 0) {
		return folder;
	}
	AUTO_FD int fd = fd_connect_at(folder, LINK_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);
	if (fd < 0) {
		return fd;
	}
	struct ucred peer;
	int r = fd_peer(fd, &peer);
	if (r < 0) {
		return r;
	}
	uid_t leaders = b->mode == POLICY_SYSTEM_MODE ? 0 : b->owner;
	return peer.uid == leaders ? TAKE_FD(fd) : -EACCES;
}

static int link_session(struct session *s, int fd)
{
	AUTO_FD int owned = fd;
	int r = leader_link_new(&s->link, s, owned);
	if (r == 0) {
		(void)TAKE_FD(owned);
	}
	return r;
}

static bool is_young(int sessions_fd, const char *id)
{
	struct stat st;
	if (fstatat(sessions_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return false;
	}
	int64_t age = (int64_t)(clock_now() / 1000000) - st.st_mtim.tv_sec;
	return age >= 0 && age < YOUNG_SECONDS;
}

/* One folder of the walk. True when it must be looked at again. */
static bool restore_session(struct broker *b, int sessions_fd, const char *name, uint32_t id)
{
	struct session *s = NULL;
	int r = session_new(&s, b, id);
	if (r < 0) {
		return false; /* known already, or no memory: the next broker tries again */
	}
	int fd = reach_leader(b, sessions_fd, name);
	r = fd < 0 ? fd : link_session(s, fd);
	if (r == 0) {
		s->restoring = true;
		b->restoring++;
		return false;
	}
	(void)session_free(s);
	bool dead = r == -ECONNREFUSED || r == -ENOENT;
	if (r == -EAGAIN || (dead && is_young(sessions_fd, name))) {
		return true;
	}
	if (dead) {
		log_warning("session %u ended while nobody looked: removing what it left", id);
		dir_remove_at(sessions_fd, name, REMOVE_DEPTH);
	} else {
		log_warning("the leader of session %u cannot be reached: %s", id, strerror(-r));
	}
	return false;
}

static void settle(struct broker *b)
{
	b->restored = true;
	broker_serve(b);
}

static int on_look_again(sd_event_source *source, uint64_t usec, void *userdata);

static int walk(struct broker *b)
{
	/* In system mode termservd has made it, and nobody but root writes there. */
	if (b->mode == POLICY_USER_MODE && mkdirat(b->runtime_fd, SESSIONS_FOLDER, 0700) < 0 &&
		errno != EEXIST) {
		return -errno;
	}
	int fd = dir_open_at(b->runtime_fd, SESSIONS_FOLDER);
	if (fd < 0) {
		return fd;
	}
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		auto_close(&fd);
		return -ENOMEM;
	}
	bool again = false;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		uint32_t id;
		char canonical[ID_TEXT_SIZE];
		if (text_to_u32(e->d_name, &id) < 0 || id == 0) {
			continue;
		}
		(void)snprintf(canonical, sizeof(canonical), "%u", id);
		if (strcmp(canonical, e->d_name) == 0) {
			again |= restore_session(b, fd, e->d_name, id);
		}
	}
	(void)closedir(dir);
	return again ? 1 : 0;
}

/* The sources of these two timers float: they go with the event loop. */
static int look_again_later(struct broker *b)
{
	return sd_event_add_time_relative(b->event, NULL, CLOCK_MONOTONIC,
		(uint64_t)b->limits.again_ms * 1000, TIMER_SLACK_USEC, on_look_again, b);
}

static int on_look_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *b = userdata;
	if (walk(b) > 0 || ++b->looks < LOOKS) {
		(void)look_again_later(b);
	}
	return 0;
}

static int on_restore_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *b = userdata;
	b->restore_timer = sd_event_source_disable_unref(b->restore_timer);
	log_warning("%zu leaders have not answered yet; serving without them", b->restoring);
	settle(b);
	return 0;
}

int restore_start(struct broker *b)
{
	bool others = b->last_id > 0; /* there was a broker before this one */
	int r = walk(b);
	if (r > 0 || (r == 0 && others)) {
		r = look_again_later(b);
	}
	if (r < 0) {
		return r;
	}
	log_info("taking over %zu sessions", b->restoring);
	if (b->restoring == 0) {
		settle(b);
		return 0;
	}
	return sd_event_add_time_relative(b->event, &b->restore_timer, CLOCK_MONOTONIC,
		(uint64_t)b->limits.restore_ms * 1000, TIMER_SLACK_USEC, on_restore_time, b);
}

void restore_settled(struct session *s)
{
	struct broker *b = s->broker;
	if (!s->restoring) {
		return;
	}
	s->restoring = false;
	if (--b->restoring == 0 && b->restore_timer != NULL) {
		b->restore_timer = sd_event_source_disable_unref(b->restore_timer);
		settle(b);
	}
}

static int reach_again(struct session *s)
{
	struct broker *b = s->broker;
	AUTO_FD int sessions_fd = dir_open_at(b->runtime_fd, SESSIONS_FOLDER);
	if (sessions_fd < 0) {
		return sessions_fd;
	}
	char id[ID_TEXT_SIZE];
	(void)snprintf(id, sizeof(id), "%u", s->id);
	int fd = reach_leader(b, sessions_fd, id);
	int r = fd < 0 ? fd : link_session(s, fd);
	if (r == -ECONNREFUSED) {
		dir_remove_at(sessions_fd, id, REMOVE_DEPTH);
	}
	return r;
}

/* 0 = linked; 1 = try later; negative = gone for good. */
static int relink(struct session *s)
{
	if (++s->relinks > RELINKS_MAX) {
		return -ECONNREFUSED;
	}
	int r = reach_again(s);
	return r == 0 || r == -ECONNREFUSED || r == -ENOENT || r == -EACCES ? r : 1;
}

static int on_relink_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *s = userdata;
	s->relink_timer = sd_event_source_disable_unref(s->relink_timer);
	restore_lost(s, -EAGAIN);
	return 0;
}

static int relink_later(struct session *s)
{
	return sd_event_add_time_relative(s->broker->event, &s->relink_timer, CLOCK_MONOTONIC,
		(uint64_t)s->broker->limits.relink_ms * 1000, TIMER_SLACK_USEC, on_relink_time, s);
}

void restore_lost(struct session *s, int error)
{
	s->link = leader_link_free(s->link);
	/* The first attempt is made at once: mostly the leader is dead, and the list must say so.
	 */
	bool now = s->relinks == 0 || error == -EAGAIN;
	int r = now ? relink(s) : 1;
	if (r > 0) {
		r = relink_later(s);
	} else if (r == 0) {
		log_warning("session %u: the link to its leader broke and was renewed", s->id);
	}
	if (r < 0) {
		session_over(s, 0, "its leader is gone");
	} else if (s->operation != NULL) {
		s->operation->kind->on_session_gone(
			s->operation, s, "the link to its leader broke");
	}
}
