/* From the words of a request to the objects that they mean, in the caller's eyes: what the caller
 * may not see does not exist. Each function that fails has answered the call, and the call is gone.
 */
#pragma once

#include <stdbool.h>

#include "broker/policy.h"

struct call;
struct session;
struct terminal;

/* The session that `text` means: digits = an ID, 0 = the session on the console; else the name of
 * the terminal that an active session is on; NULL = the session that the caller sits in. The caller
 * needs `right` on it; whether RIGHT_CONNECT also takes a password is left to
 * resolve_ask_connect(). False: answered with 5, 5023, 7001, 7022, 7041 or 7042. */
bool resolve_session(struct call **call, const char *text, enum right right, struct session **ret);

/* The terminal that shall show a session: `name`, else the one that has `secret`, else the one that
 * shows the caller's session. False: answered with 5, 5023, 7001 or 7022. */
bool resolve_destination(
	struct call **call, const char *name, const char *secret, struct terminal **ret);

/* May this caller have the session shown on this terminal, as far as the session is concerned? The
 * whole question, with the console's rules; proven = its leader has accepted the caller's warrant
 * for it. ERROR_LOGON_FAILURE = with the owner's password. What the terminal shows now is
 * resolve_decide_displace(). */
struct policy_answer resolve_ask_connect(
	const struct call *call, const struct session *s, const struct terminal *t, bool proven);

/* The session on the console, if `text` means that (0, in a server of all users); else NULL. */
struct session *resolve_console(const struct call *call, const char *text);

/* May this caller see it (QUERY)? */
bool resolve_sees_session(const struct call *call, const struct session *s);
bool resolve_sees_terminal(const struct call *call, const struct terminal *t);

/* "Session 5 cannot be ...": why something with the console is refused (7041, 7042). Static text.
 */
const char *resolve_console_text(enum error_code code);

/* The rights to put something else on this terminal: DISCONNECT on what it shows (*ret_shown, may
 * be NULL), LOGON where it shows nothing. */
enum error_code resolve_decide_displace(
	const struct call *call, const struct terminal *t, struct session **ret_shown);

/* Fills the record of the call with what is known of the session. */
void resolve_note(struct call *call, const struct session *s);

/* False: answered with 7024, because another operation holds it or the session is ending. */
bool resolve_session_free(struct call **call, const struct session *s);
bool resolve_terminal_free(struct call **call, const struct terminal *t);
