#include "broker/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/caller.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "config/server_config.h"

/* What was made for him and never shown: nothing runs in it, nobody will miss it. */
static void end_unused(const struct login *l)
{
	struct broker *b = l->terminal->broker;
	struct session *s = session_find(b, l->session);
	if (s == NULL || s->info.connected != 0 || s->operation != NULL || session_is_active(s)) {
		return;
	}
	struct link_simple packet = link_make(LINK_LOGOFF, broker_serial(b));
	packet.reason = LINK_REASON_OWN_LOGOFF;
	int r = session_send(s, &packet, NULL, 0);
	log_debug("session %u was made for a logon and is not used%s", s->id,
		r < 0 ? ", and cannot be told" : "");
}

struct login *login_free(struct login *l)
{
	if (l == NULL) {
		return NULL;
	}
	l->timer = sd_event_source_disable_unref(l->timer);
	l->terminal->login = NULL;
	end_unused(l);
	(void)caller_groups_unref(l->groups);
	free(l);
	return NULL;
}

static int start_timer(struct login *l);

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct login *l = userdata;
	/* What he has asked for is under way: it decides. */
	if (l->terminal->operation == NULL || start_timer(l) < 0) {
		(void)login_free(l);
	}
	return 0;
}

static int start_timer(struct login *l)
{
	struct broker *b = l->terminal->broker;
	l->timer = sd_event_source_disable_unref(l->timer);
	return sd_event_add_time_relative(b->event, &l->timer, CLOCK_MONOTONIC,
		(uint64_t)b->limits.login_ms * 1000, TIMER_SLACK_USEC, on_time, l);
}

int login_set(struct terminal *t, uint32_t session, uid_t uid, struct caller_groups *groups)
{
	t->login = login_free(t->login);
	struct login *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		return -ENOMEM;
	}
	l->terminal = t;
	l->uid = uid;
	l->session = session;
	int r = start_timer(l);
	if (r < 0) {
		free(l);
		return r;
	}
	l->groups = groups != NULL ? caller_groups_ref(groups) : NULL;
	t->login = l;
	return 0;
}

bool login_act(struct call *call, const struct terminal *t)
{
	const struct login *l = t->login;
	if (l == NULL || call->acting || t->uid != call->uid) {
		return false;
	}
	call->acting = true;
	call->door_uid = call->uid;
	call->door_groups = call->groups;
	call->uid = l->uid;
	call->groups = l->groups != NULL ? caller_groups_ref(l->groups) : NULL;
	return true;
}

void login_act_no_more(struct call *call)
{
	if (!call->acting) {
		return;
	}
	(void)caller_groups_unref(call->groups);
	call->acting = false;
	call->uid = call->door_uid;
	call->groups = TAKE_PTR(call->door_groups);
}

bool login_made(const struct terminal *t, const struct session *s)
{
	return t->login != NULL && t->login->session == s->id && s->info.connected == 0;
}

struct caller_groups *login_groups(const uint32_t *ids, size_t count)
{
	struct caller_groups *g = calloc(1, sizeof(*g) + count * sizeof(g->ids[0]));
	if (g != NULL) {
		g->references = 1;
		g->count = count;
		memcpy(g->ids, ids, count * sizeof(g->ids[0]));
	}
	return g;
}

bool login_allowed(const struct call *call, const char *listener, uid_t uid,
	const struct caller_groups *groups)
{
	/* The same question as his own call would ask. */
	struct call his = *call;
	his.uid = uid;
	his.groups = (struct caller_groups *)groups;
	return call_decide(&his, (struct policy_question){
					 .right = RIGHT_LOGON,
					 .subject = POLICY_SERVER,
					 .listener = listener,
				 }) == ERROR_NONE;
}
