/* One record an operation, granted or refused: who (uid, login uid, process, session), what,
 * session, owner, terminal, displaced session, right, how authorised, result. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "broker/policy.h"
#include "protocol/error.h"
#include "protocol/link.h"

struct call;

/* What a method found out about its objects, filled in as it goes; 0 and "" = not known. */
struct audit {
	uint32_t session;
	uid_t owner;
	uint32_t displaced;
	enum policy_by by; /* what the last decision rested on */
	char terminal[LINK_NAME_SIZE];
	char former[LINK_NAME_SIZE];
	char client[LINK_SHORT_SIZE]; /* where the terminal's user sits */
};

void audit_write(const struct call *call, enum error_code result);

/* The record as one line. For tests. */
void audit_format(
	char *text, size_t size, const struct call *call, uid_t login_uid, enum error_code result);
