#include "broker/watch.h"

#include <stdbool.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/listing.h"

static void send_list(struct call *call)
{
	const char *filter = json_string_value(json_object_get(call->parameters, "filter"));
	(void)call_continue(call, listing_answer(call, filter));
}

static int on_watch_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *b = userdata;
	b->watch_timer = sd_event_source_disable_unref(b->watch_timer);
	bool again = false;
	struct call *call;
	TAILQ_FOREACH(call, &b->watchers, entry)
	{
		/* Who reads slowly gets the latest list later, not every list. */
		if (call_is_congested(call)) {
			again = true;
		} else {
			send_list(call);
		}
	}
	if (again) {
		watch_changed(b);
	}
	return 0;
}

void watch_changed(struct broker *b)
{
	if (TAILQ_EMPTY(&b->watchers) || b->watch_timer != NULL) {
		return;
	}
	if (sd_event_add_time_relative(b->event, &b->watch_timer, CLOCK_MONOTONIC,
		    (uint64_t)b->limits.watch_ms * 1000, TIMER_SLACK_USEC, on_watch_time, b) < 0) {
		log_error("no memory to tell the watchers of a change");
	}
}

static void on_gone(struct call *call)
{
	TAILQ_REMOVE(&call->broker->watchers, call, entry);
	call->broker->watcher_count--;
	(void)call_free(call);
}

static size_t count_of(const struct broker *b, uid_t uid)
{
	size_t count = 0;
	const struct call *call;
	TAILQ_FOREACH(call, &b->watchers, entry)
	{
		count += call->uid == uid;
	}
	return count;
}

void watch_add(struct call *call)
{
	struct broker *b = call->broker;
	if (count_of(b, call->uid) >= LIMIT_WATCHERS_PER_UID) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS, "You watch this server %d times already.",
			LIMIT_WATCHERS_PER_UID);
		return;
	}
	if (b->watcher_count >= LIMIT_WATCHERS) {
		call_fail(call, ERROR_TOO_MANY_SESSIONS, "%d callers watch this server already.",
			LIMIT_WATCHERS);
		return;
	}
	if (call->connection == NULL) {
		(void)call_free(call);
		return;
	}
	call->on_gone = on_gone;
	TAILQ_INSERT_TAIL(&b->watchers, call, entry);
	b->watcher_count++;
	send_list(call);
}

void watch_free_all(struct broker *b)
{
	while (!TAILQ_EMPTY(&b->watchers)) {
		on_gone(TAILQ_FIRST(&b->watchers));
	}
}
