#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/attempts.h"
#include "broker/auditlog.h"
#include "broker/authorise.h"
#include "broker/call.h"
#include "broker/configuration.h"
#include "broker/control.h"
#include "broker/create.h"
#include "broker/hook.h"
#include "broker/idfile.h"
#include "broker/names.h"
#include "broker/operation.h"
#include "broker/parent.h"
#include "broker/restore.h"
#include "broker/session.h"
#include "broker/stop.h"
#include "broker/terminal.h"
#include "broker/timelimit.h"
#include "broker/watch.h"
#include "config/server_config.h"

static int read_path(char **ret, int fd)
{
	char link[64];
	char path[PATH_MAX];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0) {
		return -errno;
	}
	path[n] = '\0';
	char *copy = strdup(path);
	if (copy == NULL) {
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

/* A file that holds no number is no reason to refuse service: the folder of sessions tells the
 * highest ID that matters. */
static int read_last_id(struct broker *b)
{
	int r = idfile_read(b->state_fd, &b->last_id);
	if (r == -EINVAL) {
		log_error("%s/last-id holds no number; going on from the sessions that live",
			b->runtime_path);
		return 0;
	}
	return r;
}

static void init_lists(struct broker *b)
{
	TAILQ_INIT(&b->sessions);
	TAILQ_INIT(&b->terminals);
	TAILQ_INIT(&b->connections);
	TAILQ_INIT(&b->operations);
	TAILQ_INIT(&b->inquiries);
	TAILQ_INIT(&b->lookups);
	TAILQ_INIT(&b->watchers);
	TAILQ_INIT(&b->parked);
}

/* Each folder is a descriptor of its own, so that none of them is closed twice. */
static int set_folders(struct broker *b, const struct broker_setup *setup)
{
	b->runtime_fd = setup->runtime_fd;
	b->state_fd = setup->state_fd >= 0 ? setup->state_fd
					   : fcntl(setup->runtime_fd, F_DUPFD_CLOEXEC, 3);
	b->log_fd = setup->log_fd >= 0 ? setup->log_fd
				       : fcntl(setup->runtime_fd, F_DUPFD_CLOEXEC, 3);
	if (b->state_fd < 0 || b->log_fd < 0) {
		return -errno;
	}
	if (setup->config_path != NULL) {
		b->config_path = strdup(setup->config_path);
		if (b->config_path == NULL) {
			return -ENOMEM;
		}
	}
	return read_path(&b->runtime_path, setup->runtime_fd);
}

/* What the setup brought stays its bringer's: broker_free() must not close it. */
static void leave_folders(struct broker *b, const struct broker_setup *setup)
{
	b->runtime_fd = -1;
	b->state_fd = b->state_fd == setup->state_fd ? -1 : b->state_fd;
	b->log_fd = b->log_fd == setup->log_fd ? -1 : b->log_fd;
}

int broker_new(struct broker **ret, const struct broker_setup *setup)
{
	struct broker *b = calloc(1, sizeof(*b));
	if (b == NULL) {
		return -ENOMEM;
	}
	init_lists(b);
	b->limits = *setup->limits;
	hook_limits(&b->limits);
	b->mode = setup->mode;
	b->owner = geteuid();
	b->journal = JOURNAL_INIT(JOURNAL_SOCKET);
	/* An answer to the broker before us must not look like one to us. */
	b->last_ticket = clock_now();
	b->last_serial = (uint32_t)clock_now();
	b->names_source = setup->names_source;
	if (b->mode == POLICY_USER_MODE) {
		/* The only time that a name service is asked. */
		const struct passwd *entry = getpwuid(b->owner);
		b->owner_name = entry != NULL ? strdup(entry->pw_name) : NULL;
	}
	int r = set_folders(b, setup);
	if (r >= 0) {
		r = read_last_id(b);
	}
	if (r >= 0) {
		r = configuration_init(b);
	}
	if (r >= 0) {
		r = sd_event_new(&b->event);
	}
	if (r >= 0 && b->mode == POLICY_SYSTEM_MODE) {
		r = names_new(&b->names, b->event, b->names_source, NAMES_HANG_MS);
	}
	if (r >= 0) {
		r = attempts_new(&b->attempts);
	}
	if (r >= 0) {
		r = auditlog_new(&b->auditlog, b->log_fd, AUDITLOG_MAX);
	}
	if (r < 0) {
		leave_folders(b, setup);
		(void)broker_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

/* What operations, parked calls and doors hold goes without a word: their callers see the
 * connection close and ask the next broker. */
static void free_calls(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->parked)) {
		(void)call_free(TAILQ_FIRST(&b->parked));
	}
	authorise_free_all(b);
	create_free_lookups(b);
	watch_free_all(b);
	b->stop = stop_free(b->stop);
	while (!TAILQ_EMPTY(&b->connections)) {
		(void)connection_free(TAILQ_FIRST(&b->connections));
	}
	while (!TAILQ_EMPTY(&b->terminals)) {
		(void)terminal_free(TAILQ_FIRST(&b->terminals));
	}
}

static void free_sessions(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->sessions)) {
		struct session *s = TAILQ_FIRST(&b->sessions);
		if (s->operation != NULL) {
			s->operation->kind->on_session_gone(s->operation, s, "the server ends");
		}
		(void)session_free(s);
	}
}

struct broker *broker_free(struct broker *b)
{
	if (b == NULL) {
		return NULL;
	}
	b->control = control_free(b->control);
	free_calls(b);
	free_sessions(b);
	free_calls(b);
	b->attempts = attempts_free(b->attempts);
	b->parent = parent_free(b->parent);
	b->watch_timer = sd_event_source_disable_unref(b->watch_timer);
	b->unpark = sd_event_source_disable_unref(b->unpark);
	timelimit_done(b);
	b->restore_timer = sd_event_source_disable_unref(b->restore_timer);
	configuration_done(b);
	b->names = names_free(b->names);
	(void)sd_event_unref(b->event);
	b->auditlog = auditlog_free(b->auditlog);
	journal_done(&b->journal);
	auto_close(&b->runtime_fd);
	auto_close(&b->state_fd);
	auto_close(&b->log_fd);
	b->config = server_config_free(b->config);
	free(b->config_path);
	free(b->runtime_path);
	free(b->owner_name);
	free(b);
	return NULL;
}

int broker_start(struct broker *b, int control_fd, int parent_fd)
{
	AUTO_FD int control = control_fd;
	AUTO_FD int parent = parent_fd;
	int r = parent_new(&b->parent, b, parent);
	if (r < 0) {
		return r;
	}
	(void)TAKE_FD(parent);
	r = control_new(&b->control, b, control);
	if (r < 0) {
		return r;
	}
	(void)TAKE_FD(control);
	r = configuration_load(b);
	return r < 0 ? r : restore_start(b);
}

void broker_serve(struct broker *b)
{
	if (b->configured && b->restored) {
		control_listen(b);
	}
}

uint32_t broker_serial(struct broker *b)
{
	if (++b->last_serial == 0) {
		b->last_serial = 1;
	}
	return b->last_serial;
}

void broker_changed(struct broker *b)
{
	watch_changed(b);
	timelimit_look(b);
}

const char *broker_user_name(const struct broker *b, uid_t uid)
{
	if (b->mode == POLICY_USER_MODE) {
		return uid == b->owner ? b->owner_name : NULL;
	}
	const char *name = names_of(b->names, uid);
	const struct session *s;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		if (name == NULL && s->known && s->info.uid == uid && s->info.user[0] != '\0') {
			name = s->info.user;
		}
	}
	return name;
}
