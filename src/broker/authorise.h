/* Whether a caller may have a session that rights alone do not give him: the session's leader is
 * shown his warrant (LINK_WARRANT) and says yes or no. The broker sees no password and decides
 * nothing here; it counts failures, answers them late, and never waits.
 *
 * What always holds: while the leader is asked no session and no terminal is locked, so that
 * somebody who does not answer blocks nobody. Whatever was looked at before is looked at again
 * afterwards: the call's method runs anew, with call->granted set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "broker/attempts.h"
#include "protocol/error.h"
#include "protocol/link.h"

struct broker;
struct call;
struct session;
struct terminal;

struct authorise_question {
	bool password;	   /* the owner's password decides: a counted try */
	bool free;	   /* root by configuration: no password */
	const char *place; /* a fixed terminal's door asks for who stands there; or NULL */
	const struct terminal *asking; /* the terminal that S shall come to */
};

/* Shows the call's warrant (its parameter `warrant`) to the leader of `s`. Takes the call: it is
 * answered with 5, 1326, 7024, 7040 or 7064, or its method runs again. */
void authorise_ask(struct call *call, struct session *s, const struct authorise_question *q);

/* The leader of `s` has answered, or has gone. */
void authorise_answered(struct session *s, const struct link_simple *packet);
void authorise_session_gone(struct session *s);

/* Begins a counted try for somebody who gives a password. False: the call is taken, because one is
 * under way (7024) or nothing is tried any more (1326, after the delay). After true comes
 * authorise_passed() or authorise_refuse(). */
bool authorise_begin(struct call **call, struct attempt *ret, const char *place, uid_t victim);
void authorise_passed(struct broker *b, const struct attempt *t);

/* Takes the call; it is answered when its time has come. `wrong`: the password was, which counts.
 */
void authorise_refuse(struct call *call, const struct attempt *t, bool wrong, enum error_code code,
	const char *text);

/* Every wrong password, unknown name and missing right reads like this. */
#define AUTHORISE_WRONG_TEXT "Logon failure: unknown user name or bad password."

void authorise_free_all(struct broker *b); /* unanswered */
