#include "broker/operation.h"

#include "broker/broker.h"
#include "broker/call.h"

void operation_init(
	struct operation *o, const struct operation_kind *kind, struct broker *b, uid_t uid)
{
	*o = (struct operation){ .kind = kind, .broker = b, .uid = uid };
	TAILQ_INSERT_TAIL(&b->operations, o, entry);
}

void operation_done(struct operation *o)
{
	o->timer = sd_event_source_disable_unref(o->timer);
	TAILQ_REMOVE(&o->broker->operations, o, entry);
	call_unpark_later(o->broker);
	broker_changed(o->broker);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct operation *o = userdata;
	o->kind->on_time(o);
	return 0;
}

int operation_wait(struct operation *o, unsigned ms)
{
	o->timer = sd_event_source_disable_unref(o->timer);
	return sd_event_add_time_relative(o->broker->event, &o->timer, CLOCK_MONOTONIC,
		(uint64_t)ms * 1000, TIMER_SLACK_USEC, on_timer, o);
}

bool operation_unsettled(const struct broker *b, uid_t uid)
{
	const struct operation *o;
	TAILQ_FOREACH(o, &b->operations, entry)
	{
		if (o->answered && o->uid == uid) {
			return true;
		}
	}
	return false;
}
