/* One record an operation, granted or refused: who (uid, login uid, process, session), what,
 * session, owner, terminal, displaced session, right, how authorised, result. It goes to audit.log
 * and, where there is one, to the system's journal. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/policy.h"
#include "protocol/error.h"
#include "protocol/link.h"

#define AUDIT_FAILURES_MANY 3 /* wrong passwords from which on a record is a warning */

struct broker;
struct call;
struct session;

/* What a method found out about its objects, filled in as it goes; 0, NULL and "" = not known. */
struct audit {
	uint32_t session;
	uid_t owner;
	uint32_t displaced;
	enum policy_by by; /* what the last decision rested on */
	unsigned failures; /* wrong passwords of this caller, the one of this call among them */
	const char *error; /* the sentence of a refusal, while it is recorded; borrowed */
	char terminal[LINK_NAME_SIZE];
	char former[LINK_NAME_SIZE];
	char client[LINK_SHORT_SIZE]; /* where the terminal's user sits */
};

/* Writes the record of this call. */
void audit_write(const struct call *call, enum error_code result);

/* Writes the record of what the server did to a session by itself: `event` names it ("IdleLimit").
 */
void audit_write_own(struct broker *b, const struct session *s, const char *event);

/* The record as an object: what is not known is not in it, and no text in it holds a control
 * character. A new reference, or NULL without memory. */
json_t *audit_record(const struct call *call, uid_t login_uid, enum error_code result);

/* A session was taken over without its owner's password, or passwords are being guessed. */
bool audit_is_warning(const struct call *call, enum error_code result);
