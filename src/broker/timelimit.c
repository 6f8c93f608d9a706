#include "broker/timelimit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/audit.h"
#include "broker/broker.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"
#include "protocol/link.h"

#define AGAIN_MS 1000  /* the session is busy with something else */
#define ACTED_MS 15000 /* for what was done to show: then it is done again */

/* --- the judgement ---------------------------------------------------------------------------- */

static void sooner(uint64_t *next, uint64_t time)
{
	if (*next == 0 || time < *next) {
		*next = time;
	}
}

/* One limit with its warning, counted from `since`. */
static enum timelimit_step judge(uint64_t since, uint64_t limit, uint64_t warning, bool warned,
	enum timelimit_step warn, enum timelimit_step over, uint64_t now, uint64_t *next)
{
	if (limit == 0) {
		return TIMELIMIT_NOTHING;
	}
	uint64_t end = since + limit;
	uint64_t before = warning < limit / 2 ? warning : limit / 2;
	if (now >= end) {
		return over;
	}
	sooner(next, end);
	if (warned || warn == TIMELIMIT_NOTHING) {
		return TIMELIMIT_NOTHING;
	}
	if (now >= end - before) {
		return warn;
	}
	sooner(next, end - before);
	return TIMELIMIT_NOTHING;
}

enum timelimit_step timelimit_judge(const struct timelimit *t, const struct timelimit_facts *f,
	uint64_t now, uint64_t *ret_next)
{
	*ret_next = 0;
	if (!f->on_terminal) {
		return judge(t->disconnected, f->disconnected_ms, 0, false, TIMELIMIT_NOTHING,
			TIMELIMIT_DISCONNECTED, now, ret_next);
	}
	enum timelimit_step active = judge(t->connected, f->active_ms, f->warning_ms,
		t->warned_active, TIMELIMIT_WARN_ACTIVE, TIMELIMIT_ACTIVE, now, ret_next);
	enum timelimit_step idle = judge(t->input, f->idle_ms, f->warning_ms, t->warned_idle,
		TIMELIMIT_WARN_IDLE, TIMELIMIT_IDLE, now, ret_next);
	/* The end before a warning. */
	return active == TIMELIMIT_ACTIVE || idle == TIMELIMIT_NOTHING ? active
	       : idle == TIMELIMIT_IDLE || active == TIMELIMIT_NOTHING ? idle
								       : active;
}

/* --- what is done ----------------------------------------------------------------------------- */

static const char *event_of(enum timelimit_step step)
{
	return step == TIMELIMIT_ACTIVE ? "ActiveLimit"
	       : step == TIMELIMIT_IDLE ? "IdleLimit"
					: "DisconnectedLimit";
}

static unsigned reason_of(enum timelimit_step step)
{
	bool idle = step == TIMELIMIT_IDLE || step == TIMELIMIT_WARN_IDLE;
	return idle ? LINK_REASON_IDLE_LIMIT : LINK_REASON_ACTIVE_LIMIT;
}

static const char *minutes(char text[static 32], unsigned count)
{
	(void)snprintf(text, 32, "%u minute%s", count, count == 1 ? "" : "s");
	return text;
}

/* "Session 5 will be disconnected in 2 minutes: ..." */
static void warn(struct session *s, enum timelimit_step step, const struct listener_config *l)
{
	bool idle = step == TIMELIMIT_WARN_IDLE;
	unsigned limit = idle ? l->idle_minutes : l->active_minutes;
	unsigned left = limit / 2 < TIMELIMIT_WARNING_MINUTES ? (limit + 1) / 2
							      : TIMELIMIT_WARNING_MINUTES;
	char in[32];
	struct link_simple packet = link_make(LINK_NOTICE, 0);
	packet.reason = reason_of(step);
	/* Short enough for a row of 80 columns. */
	(void)snprintf(packet.text, sizeof(packet.text), "Session %u will be %s in %s%s.", s->id,
		l->limit_action == LIMIT_ENDS ? "ended" : "disconnected", minutes(in, left),
		idle ? " unless you press a key" : ": its time on a terminal is over");
	if (session_send(s, &packet, NULL, 0) == 0) {
		*(idle ? &s->timelimit.warned_idle : &s->timelimit.warned_active) = true;
	}
}

/* On a terminal: takes it off, or ends it. On none: ends it. */
static void act(struct session *s, enum timelimit_step step, const struct listener_config *l)
{
	bool gone = step == TIMELIMIT_DISCONNECTED;
	bool end = gone || l->limit_action == LIMIT_ENDS;
	unsigned limit = gone			  ? l->disconnected_minutes
			 : step == TIMELIMIT_IDLE ? l->idle_minutes
						  : l->active_minutes;
	char so_long[32];
	struct link_simple packet = link_make(
		end ? LINK_LOGOFF : LINK_UNPLUG, broker_serial(s->broker));
	link_set_text(packet.terminal, s->info.terminal);
	packet.reason = gone ? LINK_REASON_ADMIN_LOGOFF : reason_of(step);
	(void)snprintf(packet.text, sizeof(packet.text), "Session %u was %s: %s %s.", s->id,
		end ? "ended" : "disconnected",
		gone			 ? "it was on no terminal for"
		: step == TIMELIMIT_IDLE ? "nothing was typed for"
					 : "it was on a terminal for",
		minutes(so_long, limit));
	if (session_send(s, &packet, NULL, 0) < 0) {
		return;
	}
	s->timelimit.acted = clock_monotonic_ms();
	log_info("%s", packet.text);
	audit_write_own(s->broker, s, event_of(step));
}

/* --- the sessions ----------------------------------------------------------------------------- */

static bool is_on_console(const struct session *s)
{
	return s->broker->config->has_console && strcasecmp(s->info.terminal, CONFIG_CONSOLE) == 0;
}

static struct timelimit_facts facts_of(const struct session *s, const struct listener_config *l)
{
	uint64_t minute = s->broker->limits.minute_ms;
	return (struct timelimit_facts){
		.on_terminal = session_is_active(s),
		.active_ms = l->active_minutes * minute,
		.idle_ms = l->idle_minutes * minute,
		.disconnected_ms = l->disconnected_minutes * minute,
		.warning_ms = TIMELIMIT_WARNING_MINUTES * minute,
	};
}

static bool is_busy(const struct session *s)
{
	const struct terminal *t = terminal_find(s->broker, s->info.terminal);
	return s->operation != NULL || (t != NULL && t->operation != NULL);
}

/* Does what is due for this session. When to look again, ms; 0 = not. */
static uint64_t look_at(struct session *s, uint64_t now)
{
	if (!s->known || session_is_ending(s) || is_on_console(s)) {
		return 0;
	}
	const struct listener_config *l = server_config_listener(
		s->broker->config, s->info.listener);
	const struct timelimit_facts facts = facts_of(s, l);
	uint64_t next = 0;
	enum timelimit_step step = timelimit_judge(&s->timelimit, &facts, now, &next);
	if (step == TIMELIMIT_NOTHING) {
		return next;
	}
	uint64_t acted = s->timelimit.acted;
	if (acted != 0 && now < acted + ACTED_MS) {
		return acted + ACTED_MS;
	}
	if (is_busy(s)) {
		return now + AGAIN_MS;
	}
	if (step != TIMELIMIT_WARN_ACTIVE && step != TIMELIMIT_WARN_IDLE) {
		act(s, step, l);
		return now + AGAIN_MS;
	}
	warn(s, step, l);
	return timelimit_judge(&s->timelimit, &facts, now, &next) == TIMELIMIT_NOTHING
		       ? next
		       : now + AGAIN_MS;
}

static void look_in(struct broker *b, uint64_t ms);

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *b = userdata;
	uint64_t now = clock_monotonic_ms();
	uint64_t next = 0;
	struct session *s;
	b->timelimit_at = 0;
	TAILQ_FOREACH(s, &b->sessions, entry)
	{
		uint64_t time = look_at(s, now);
		if (time != 0) {
			sooner(&next, time);
		}
	}
	if (next != 0) {
		look_in(b, next > now ? next - now : 0);
	}
	return 0;
}

/* At that time, or before. */
static void look_in(struct broker *b, uint64_t ms)
{
	uint64_t at = clock_monotonic_ms() + ms;
	if (b->timelimit_at != 0 && b->timelimit_at <= at) {
		return;
	}
	b->timelimit_timer = sd_event_source_disable_unref(b->timelimit_timer);
	b->timelimit_at = at;
	if (sd_event_add_time_relative(b->event, &b->timelimit_timer, CLOCK_MONOTONIC, ms * 1000,
		    TIMER_SLACK_USEC, on_time, b) < 0) {
		b->timelimit_at = 0;
		log_error("no memory to look after the time limits");
	}
}

void timelimit_look(struct broker *b)
{
	if (b->config != NULL && b->config->listener_count > 0) {
		look_in(b, 0);
	}
}

/* A moment of the session's (microseconds since 1970, 0 = never) by our own clock. */
static uint64_t moment(uint64_t then, uint64_t now_ms)
{
	uint64_t now = clock_now();
	uint64_t ago = then != 0 && then < now ? (now - then) / 1000 : 0;
	return ago < now_ms ? now_ms - ago : 1;
}

static void take_over(struct timelimit *t, const struct link_info *i, uint64_t now)
{
	uint64_t input = i->last_input > i->connected ? i->last_input : i->connected;
	*t = (struct timelimit){
		.connected = moment(i->connected, now),
		.input = moment(input, now),
		.disconnected = moment(i->disconnected != 0 ? i->disconnected : i->created, now),
	};
}

void timelimit_told(struct session *s, const struct link_info *before)
{
	struct timelimit *t = &s->timelimit;
	const struct link_info *i = &s->info;
	uint64_t now = clock_monotonic_ms();
	if (before == NULL) {
		take_over(t, i, now);
		timelimit_look(s->broker);
		return;
	}
	if (i->connected != before->connected) {
		*t = (struct timelimit){ now, now, now, false, false, 0 };
	} else if (i->disconnected != before->disconnected) {
		t->disconnected = now;
		t->acted = 0;
	} else if (i->last_input != before->last_input) {
		t->input = now; /* looked at when its time would have come */
		t->warned_idle = false;
		return;
	} else {
		return;
	}
	timelimit_look(s->broker);
}

void timelimit_done(struct broker *b)
{
	b->timelimit_timer = sd_event_source_disable_unref(b->timelimit_timer);
}
