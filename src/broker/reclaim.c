/* ASK -> the host answers, the limit is over, or the session leaves by itself: done. The question
 * is a LINK_UNPLUG of no terminal at all, which a host that lives refuses. */
#include "broker/reclaim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/operation.h"
#include "broker/session.h"
#include "protocol/link.h"

struct reclaim {
	struct operation operation; /* first */
	struct session *session;
	uint32_t serial;
};

static void finish(struct reclaim *r)
{
	r->session->operation = NULL;
	operation_done(&r->operation);
	free(r);
}

void reclaim_push_out(struct session *s)
{
	struct link_simple packet = link_make(LINK_UNPLUG, broker_serial(s->broker));
	packet.reason = LINK_REASON_OWN_DISCONNECT;
	link_set_text(packet.terminal, s->info.terminal);
	int r = session_send(s, &packet, NULL, 0);
	log_warning("session %u has not left terminal %s by itself%s", s->id, s->info.terminal,
		r < 0 ? " and cannot be told" : "");
}

/* Done before the leader speaks: what it says then is nobody's business but the tables'. */
static void take(struct reclaim *r)
{
	struct session *s = r->session;
	finish(r);
	reclaim_push_out(s);
}

static void on_packet(struct operation *o, struct session *s, const struct link_simple *packet)
{
	struct reclaim *r = (struct reclaim *)o;
	if (packet->header.type != LINK_UNPLUGGED || packet->header.serial != r->serial) {
		return;
	}
	if (packet->error == -ENOTCONN) {
		finish(r);
	} else {
		take(r); /* the leader cannot even ask */
	}
}

static void on_info(struct operation *o, struct session *s)
{
	if (!session_is_active(s)) {
		finish((struct reclaim *)o);
	}
}

static void on_session_gone(struct operation *o, struct session *s, const char *why)
{
	finish((struct reclaim *)o);
}

static void on_terminal_gone(struct operation *o, struct terminal *t)
{
}

static void on_time(struct operation *o)
{
	take((struct reclaim *)o);
}

static const struct operation_kind reclaim_kind = {
	.name = "disconnect",
	.on_packet = on_packet,
	.on_info = on_info,
	.on_session_gone = on_session_gone,
	.on_terminal_gone = on_terminal_gone,
	.on_time = on_time,
};

void reclaim_start(struct session *s)
{
	struct broker *b = s->broker;
	struct reclaim *r = s->operation == NULL ? calloc(1, sizeof(*r)) : NULL;
	if (r == NULL) {
		return; /* the door tries again */
	}
	struct link_simple packet = link_make(LINK_UNPLUG, broker_serial(b));
	operation_init(&r->operation, &reclaim_kind, b, b->owner);
	r->session = s;
	r->serial = packet.header.serial;
	s->operation = &r->operation;
	int result = operation_wait(&r->operation, b->limits.unplug_ms);
	if (result >= 0) {
		result = session_send(s, &packet, NULL, 0);
	}
	if (result < 0) {
		log_warning("session %u cannot be asked whether it is on terminal %s: %s", s->id,
			s->info.terminal, strerror(-result));
		finish(r);
	}
}
