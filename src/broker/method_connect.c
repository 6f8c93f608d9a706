#include "broker/method.h"

#include <strings.h>

#include "base/log.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/connect.h"
#include "broker/params.h"
#include "broker/resolve.h"
#include "broker/session.h"
#include "broker/terminal.h"

/* Nothing to do: the session is there already. */
static void reply_unchanged(struct call *call, const struct session *s, const struct terminal *t)
{
	call_reply(call,
		json_pack("{s:I, s:s, s:s, s:n, s:b}", "session", (json_int_t)s->id, "terminal",
			t->name, "formerTerminal", t->name, "displacedSession", "unchanged", 1));
}

/* Both ends are known: rights, locks, and off it goes. */
static void connect_to(struct call *call, struct session *s, struct terminal *t)
{
	struct session *shown = NULL;
	enum error_code code = resolve_decide_displace(call, t, &shown);
	link_set_text(call->audit.terminal, t->name);
	link_set_text(call->audit.former, s->info.terminal);
	link_set_text(call->audit.client, t->client);
	if (code != ERROR_NONE) {
		call_fail(call, code, "You may not put a session on terminal %s.", t->name);
		return;
	}
	if (!resolve_session_free(&call, s) || !resolve_terminal_free(&call, t)) {
		return;
	}
	if (shown == s) {
		reply_unchanged(call, s, t);
		return;
	}
	call->audit.displaced = shown != NULL ? shown->id : 0;
	if (shown != NULL && shown->operation != NULL && !resolve_session_free(&call, shown)) {
		return;
	}
	struct terminal *former = session_is_active(s)
					  ? terminal_find(call->broker, s->info.terminal)
					  : NULL;
	if (former != NULL && !resolve_terminal_free(&call, former)) {
		return;
	}
	connect_start(call, s, t, shown);
}

void method_connect(struct call *call)
{
	struct params p = params_of(call);
	const char *session = params_text(&p, "session");
	const char *destination = params_text(&p, "destination");
	const char *secret = params_text(&p, "secret");
	/* Every session that can be found in user mode is the caller's own: the warrant is not
	 * needed and not read; its descriptor is closed with the call. */
	(void)params_fd(&p, "warrant");
	(void)params_flag(&p, "password");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
		return;
	}
	if (session == NULL && destination == NULL) {
		call_fail(call, ERROR_INVALID_PARAMETER,
			"Neither a session nor a destination was given.");
		return;
	}
	struct session *s;
	struct terminal *t;
	if (!resolve_session(&call, session, RIGHT_CONNECT, &s) ||
		!resolve_destination(&call, destination, secret, &t)) {
		return;
	}
	connect_to(call, s, t);
}
