/* The files are read over and over until all names in them are known: the names that one round
 * misses are asked for one after the other, and the last round counts. So the parser needs to know
 * nothing of waiting, and a file that changes meanwhile is read as it is in the end. */
#include "broker/configuration.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/control.h"
#include "broker/limits.h"
#include "broker/names.h"
#include "config/server_config.h"

#define NAMES_MAX 8192 /* in all files together */
#define AGAIN_MS 1000  /* at start, after a question without an answer */

/* A user's or a group's number, once it is known. */
struct heard {
	char name[CONFIG_NAME_SIZE];
	bool group;
	bool known;
	int error; /* 0, -ENOENT, or what the name service says */
	uint32_t number;
};

/* One reading under way. */
struct reading {
	struct broker *broker;
	struct names *names; /* a process of its own: nobody else waits for it */
	struct names_question *question;
	sd_event_source *step; /* what comes next, from the loop */
	struct heard *heard;
	size_t count;
	size_t asked;  /* index of the one that is asked for */
	bool at_asked; /* that one was sought last */
};

static struct reading *reading_free(struct reading *r)
{
	if (r == NULL) {
		return NULL;
	}
	(void)sd_event_source_disable_unref(r->step);
	r->question = names_cancel(r->question);
	r->names = names_free(r->names);
	free(r->heard);
	free(r);
	return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* -EAGAIN: it has to be asked for. */
static int find(struct reading *r, const char *name, bool group, uint32_t *ret)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct heard *h = &r->heard[i];
		if (h->group == group && strcmp(h->name, name) == 0) {
			r->at_asked = i == r->asked;
			if (h->known && h->error == 0) {
				*ret = h->number;
			}
			return h->known || h->error < 0 ? h->error : -EAGAIN;
		}
	}
	r->at_asked = false;
	if (r->count >= NAMES_MAX || strlen(name) >= CONFIG_NAME_SIZE) {
		return -E2BIG;
	}
	struct heard *more = realloc(r->heard, (r->count + 1) * sizeof(*more));
	if (more == NULL) {
		return -ENOMEM;
	}
	r->heard = more;
	r->heard[r->count] = (struct heard){ .group = group };
	memcpy(r->heard[r->count].name, name, strlen(name));
	r->count++;
	return -EAGAIN;
}

static int find_user(void *context, const char *name, uint32_t *ret)
{
	return find(context, name, false, ret);
}

static int find_group(void *context, const char *name, uint32_t *ret)
{
	return find(context, name, true, ret);
}

/* --- files ------------------------------------------------------------------------------------ */

static void say_mistake(void *user, const char *file, unsigned line, const char *text)
{
	if (line > 0) {
		log_error("%s:%u: %s", file, line, text);
	} else {
		log_error("%s: %s", file, text);
	}
}

/* The lines that need the name that was asked for. */
static void say_unanswered(void *user, const char *file, unsigned line, const char *text)
{
	struct reading *r = user;
	if (r->at_asked) {
		r->at_asked = false;
		log_warning("%s:%u: %s", file, line, text);
	}
}

static int read_files(struct reading *r, struct server_config **ret, server_config_report *report,
	size_t *ret_mistakes)
{
	const struct config_names names = { .user = find_user, .group = find_group, .context = r };
	return server_config_load(ret, r->broker->config_path, &names, report, r, ret_mistakes);
}

static struct heard *next_unknown(struct reading *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (!r->heard[i].known) {
			return &r->heard[i];
		}
	}
	return NULL;
}

/* --- the steps -------------------------------------------------------------------------------- */

static void keep_old(struct broker *b, const char *why)
{
	b->reading = reading_free(b->reading);
	log_warning("the configuration stays as it was: %s", why);
}

static void fail(struct broker *b, int error)
{
	if (b->configured) {
		keep_old(b, strerror(-error));
		return;
	}
	log_error("the configuration cannot be read: %s", strerror(-error));
	b->reading = reading_free(b->reading);
	(void)sd_event_exit(b->event, EXIT_FAILURE);
}

/* The commands do not know by which file a server serves. */
static void say_unheard(const struct broker *b, const struct server_config *c)
{
	char place[512];
	if (c->users.file != 0 && strcmp(b->config_path, SERVER_CONFIG_PATH) != 0) {
		log_warning("%s: [terminal] and [session] are read by the commands, from %s and "
			    "its drop-ins alone: here they set nothing",
			server_config_place_text(c, &c->users, place, sizeof(place)),
			SERVER_CONFIG_PATH);
	}
}

/* All names are known. */
static void take_over(struct reading *r)
{
	struct broker *b = r->broker;
	AUTO(server_config_free) struct server_config *fresh = NULL;
	size_t mistakes = 0;
	int result = read_files(r, &fresh, say_mistake, &mistakes);
	if (result < 0) {
		fail(b, result);
		return;
	}
	if (mistakes > 0 && b->configured) {
		keep_old(b, "the new one has mistakes");
		return;
	}
	say_unheard(b, fresh);
	b->config = server_config_free(b->config);
	b->config = TAKE_PTR(fresh);
	b->reading = reading_free(b->reading);
	if (b->configured) {
		log_info("the configuration was read again");
	}
	b->configured = true;
	broker_changed(b); /* who may see what */
	broker_serve(b);
}

static int step_after(struct reading *r, unsigned ms);

/* It was asked for, and is there or not. All else (too late, its process has died, no memory, a
 * service that is down) says nothing about the name. */
static bool is_final(int error)
{
	return error == 0 || error == -ENOENT || error == -ESRCH || error == -E2BIG ||
	       error == -ERANGE || error == -ENAMETOOLONG;
}

static void on_number(void *user, const struct names_answer *answer)
{
	struct reading *r = user;
	struct heard *h = &r->heard[r->asked];
	r->question = NULL;
	h->error = answer->error;
	h->number = answer->uid;
	h->known = is_final(answer->error);
	int result = step_after(r, h->known || r->broker->configured ? 0 : AGAIN_MS);
	if (result < 0) {
		/* What is under way cannot be freed here: `names` is calling. */
		log_error("cannot go on with the configuration: %s", strerror(-result));
		if (!r->broker->configured) {
			(void)sd_event_exit(r->broker->event, EXIT_FAILURE);
		}
	}
}

static int ask(struct reading *r, struct heard *h)
{
	const struct broker *b = r->broker;
	unsigned limit = b->limits.lookup_ms;
	int result = 0;
	if (r->names == NULL) {
		result = names_new(&r->names, b->event, b->names_source, limit);
	}
	if (result >= 0) {
		r->asked = (size_t)(h - r->heard);
		result = names_ask_number(
			&r->question, r->names, h->name, h->group, limit, on_number, r);
	}
	if (result == -E2BIG) { /* nothing can have this name */
		h->known = true;
		h->error = -ENOENT;
		result = step_after(r, 0);
	}
	return result;
}

/* By file and line, where the name stands in one. */
static void say_lines(struct reading *r)
{
	AUTO(server_config_free) struct server_config *trial = NULL;
	size_t mistakes = 0;
	r->at_asked = false;
	(void)read_files(r, &trial, say_unanswered, &mistakes);
}

/* A name that could not be asked for: who serves already, does not wait for it. */
static bool gives_up(struct reading *r, const struct heard *h)
{
	if (h->error == 0) {
		return false;
	}
	log_warning("%s %s in the configuration cannot be looked up: %s",
		h->group ? "the group" : "the user", h->name, strerror(-h->error));
	say_lines(r);
	if (r->broker->configured) {
		keep_old(r->broker, "the name service does not answer");
		return true;
	}
	r->names = names_free(r->names); /* the next one may do better */
	return false;
}

static void go_on(struct reading *r)
{
	struct heard *h = next_unknown(r);
	if (h == NULL) {
		AUTO(server_config_free) struct server_config *trial = NULL;
		size_t mistakes = 0;
		int result = read_files(r, &trial, NULL, &mistakes);
		if (result < 0) {
			fail(r->broker, result);
			return;
		}
		h = next_unknown(r);
	}
	if (h == NULL) {
		take_over(r);
		return;
	}
	if (!gives_up(r, h)) {
		int result = ask(r, next_unknown(r)); /* where it is now */
		if (result < 0) {
			fail(r->broker, result);
		}
	}
}

static int on_step(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct reading *r = userdata;
	r->step = sd_event_source_disable_unref(r->step);
	go_on(r);
	return 0;
}

static int step_after(struct reading *r, unsigned ms)
{
	return sd_event_add_time_relative(r->broker->event, &r->step, CLOCK_MONOTONIC,
		(uint64_t)ms * 1000, TIMER_SLACK_USEC, on_step, r);
}

int configuration_load(struct broker *b)
{
	configuration_done(b);
	if (b->config_path == NULL) {
		return 0;
	}
	struct reading *r = calloc(1, sizeof(*r));
	if (r == NULL) {
		return -ENOMEM;
	}
	r->broker = b;
	b->reading = r;
	int result = step_after(r, 0);
	if (result < 0) {
		configuration_done(b);
	}
	return result;
}

void configuration_done(struct broker *b)
{
	b->reading = reading_free(b->reading);
}

int configuration_init(struct broker *b)
{
	int r = server_config_new(&b->config, NULL);
	if (r < 0) {
		return r;
	}
	b->configured = b->config_path == NULL;
	if (b->mode != POLICY_SYSTEM_MODE) {
		b->config->sessions_per_user = LIMIT_SESSIONS_PER_UID; /* all are one user's */
	}
	return 0;
}
