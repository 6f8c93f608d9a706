#include "broker/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/guest.h"
#include "broker/leader_link.h"
#include "broker/names.h"
#include "broker/operation.h"
#include "broker/restore.h"
#include "broker/stop.h"
#include "config/server_config.h"

int session_new(struct session **ret, struct broker *b, uint32_t id)
{
	struct session *after;
	TAILQ_FOREACH_REVERSE(after, &b->sessions, session_list, entry)
	{
		if (after->id == id) {
			return -EEXIST;
		}
		if (after->id < id) {
			break;
		}
	}
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return -ENOMEM;
	}
	s->broker = b;
	s->id = id;
	s->info.uid = b->mode == POLICY_SYSTEM_MODE ? SESSION_NOBODY : b->owner;
	if (after != NULL) {
		TAILQ_INSERT_AFTER(&b->sessions, after, s, entry);
	} else {
		TAILQ_INSERT_HEAD(&b->sessions, s, entry);
	}
	b->session_count++;
	if (id > b->last_id) {
		b->last_id = id;
	}
	*ret = s;
	return 0;
}

struct session *session_free(struct session *s)
{
	if (s == NULL) {
		return NULL;
	}
	struct broker *b = s->broker;
	restore_settled(s);
	TAILQ_REMOVE(&b->sessions, s, entry);
	b->session_count--;
	s->link = leader_link_free(s->link);
	s->guest = names_cancel(s->guest);
	s->relink_timer = sd_event_source_disable_unref(s->relink_timer);
	if (s->known) {
		broker_changed(b);
	}
	free(s);
	stop_session_gone(b);
	return NULL;
}

void session_over(struct session *s, int error, const char *why)
{
	log_info("session %u is over: %s", s->id, why);
	s->over = true;
	s->error = error;
	s->link = leader_link_free(s->link);
	authorise_session_gone(s);
	if (s->operation != NULL) {
		s->operation->kind->on_session_gone(s->operation, s, why);
	}
	(void)session_free(s);
}

struct session *session_find(const struct broker *b, uint32_t id)
{
	struct session *s;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		if (s->id == id) {
			return s->known ? s : NULL;
		}
	}
	return NULL;
}

struct session *session_on(const struct broker *b, const char *terminal)
{
	/* In the middle of a swap two sessions may name one terminal: the later one has it. */
	struct session *found = NULL;
	struct session *s;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		if (session_is_active(s) && strcasecmp(s->info.terminal, terminal) == 0 &&
			(found == NULL || s->info.connected > found->info.connected)) {
			found = s;
		}
	}
	return found;
}

struct session *session_by_tty(const struct broker *b, uint64_t tty_device)
{
	struct session *s;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		if (s->known && tty_device != 0 && s->info.tty_device == tty_device) {
			return s;
		}
	}
	return NULL;
}

bool session_is_active(const struct session *s)
{
	return s->known && s->info.terminal[0] != '\0';
}

bool session_is_ending(const struct session *s)
{
	return s->known && s->info.state == SESSION_RESET;
}

size_t session_count_of(const struct broker *b, uid_t uid)
{
	size_t count = 0;
	const struct session *s;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		count += s->info.uid == uid;
	}
	return count;
}

unsigned session_limit(const struct broker *b)
{
	if (b->config->single_session) {
		return 1;
	}
	unsigned most = b->config->sessions_per_user;
	return most < LIMIT_SESSIONS_PER_UID ? most : LIMIT_SESSIONS_PER_UID;
}

/* Would a person see that the two are different? Input times and weights change all the time. */
static bool looks_different(const struct link_info *a, const struct link_info *b)
{
	return a->state != b->state || a->rows != b->rows || a->columns != b->columns ||
	       a->program != b->program || strcmp(a->terminal, b->terminal) != 0 ||
	       strcmp(a->client, b->client) != 0 || strcmp(a->term, b->term) != 0 ||
	       strcmp(a->command, b->command) != 0 || strcmp(a->title, b->title) != 0;
}

static void count_change(struct session *s, const struct link_info *info)
{
	bool was = s->info.terminal[0] != '\0';
	bool is = info->terminal[0] != '\0';
	s->broker->disconnected += was && !is;
	s->broker->reconnected += !was && is && s->info.connected != 0;
}

int session_update(struct session *s, const struct link_info *info)
{
	struct broker *b = s->broker;
	if (info->session != s->id || info->state > SESSION_INIT ||
		(info->terminal[0] != '\0' && !text_is_terminal_name(info->terminal, true))) {
		return -EPROTO;
	}
	/* In user mode nobody else's session can be here, and none ever changes its owner; a leader
	 * that says so is not believed. */
	bool other = b->mode == POLICY_USER_MODE ? info->uid != b->owner
						 : s->known && info->uid != s->info.uid;
	if (other || info->uid == SESSION_NOBODY) {
		return -EPROTO;
	}
	bool first = !s->known;
	bool changed = first || looks_different(&s->info, info);
	if (!first) {
		count_change(s, info);
	}
	const struct link_info before = s->info;
	s->info = *info;
	s->known = true;
	timelimit_told(s, first ? NULL : &before);
	if (!first && before.terminal[0] != '\0' && info->terminal[0] == '\0') {
		guest_left(s);
	}
	s->relinks = 0;
	restore_settled(s);
	if (changed) {
		broker_changed(b);
	}
	if (s->operation != NULL) {
		s->operation->kind->on_info(s->operation, s);
	}
	return 0;
}

int session_send(
	struct session *s, const struct link_simple *packet, const int *fds, size_t fd_count)
{
	return s->link != NULL ? leader_link_send(s->link, packet, fds, fd_count) : -ENOTCONN;
}
