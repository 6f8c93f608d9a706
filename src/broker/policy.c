#include "broker/policy.h"

#include <stddef.h>

#include "base/cleanup.h"

/* How the caller stands to what is asked for. */
enum relation {
	RELATION_OTHER,
	RELATION_OWNER,
	RELATION_GUEST, /* owner, but granted nothing beyond LOGON where it came in */
};

/* What somebody has by how he stands to it, whatever the configuration grants. */
struct grant {
	enum policy_mode mode;
	enum policy_subject subject;
	enum relation relation;
	unsigned rights;
};

/* What is neither in here nor granted by the configuration is denied. */
static const struct grant grants[] = {
	{ POLICY_USER_MODE, POLICY_SERVER, RELATION_OTHER, RIGHT_QUERY },
	{ POLICY_USER_MODE, POLICY_SERVER, RELATION_OWNER, RIGHT_QUERY | RIGHT_LOGON | RIGHT_STOP },
	{ POLICY_USER_MODE, POLICY_SESSION, RELATION_OWNER, RIGHTS_OWN | RIGHT_MESSAGE },
	{ POLICY_USER_MODE, POLICY_TERMINAL, RELATION_OWNER,
		RIGHT_QUERY | RIGHT_LOGON | RIGHT_DISCONNECT },
	{ POLICY_SYSTEM_MODE, POLICY_SERVER, RELATION_OTHER, RIGHT_QUERY },
	{ POLICY_SYSTEM_MODE, POLICY_SESSION, RELATION_OWNER, RIGHTS_OWN },
	{ POLICY_SYSTEM_MODE, POLICY_SESSION, RELATION_GUEST, RIGHTS_OWN_GUEST },
	{ POLICY_SYSTEM_MODE, POLICY_TERMINAL, RELATION_OWNER,
		RIGHT_QUERY | RIGHT_LOGON | RIGHT_DISCONNECT },
	{ POLICY_SYSTEM_MODE, POLICY_TERMINAL, RELATION_GUEST,
		RIGHT_QUERY | RIGHT_LOGON | RIGHT_DISCONNECT },
};

static bool is_root(const struct policy_question *q)
{
	return q->mode == POLICY_SYSTEM_MODE && q->caller == 0;
}

static bool is_administrator(const struct policy_question *q)
{
	return q->mode == POLICY_SYSTEM_MODE && (q->administrator || q->caller == 0);
}

static enum relation relation_of(const struct policy_question *q)
{
	if (q->mode == POLICY_USER_MODE) {
		/* The caller must own the object and the server: in user mode nobody else has
		 * business here, whatever a record claims about an object's owner. */
		bool own = q->subject == POLICY_SERVER || q->owner == q->caller;
		return own && q->caller == q->server_owner ? RELATION_OWNER : RELATION_OTHER;
	}
	if (q->subject == POLICY_SERVER) {
		return RELATION_OTHER;
	}
	if (q->owner == q->caller) {
		bool guest = (q->allow & ~RIGHTS_GUEST) == 0 && !is_administrator(q);
		return guest ? RELATION_GUEST : RELATION_OWNER;
	}
	return RELATION_OTHER;
}

static unsigned granted_by_relation(const struct policy_question *q)
{
	enum relation relation = relation_of(q);
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
		const struct grant *g = &grants[i];
		if (g->mode == q->mode && g->subject == q->subject && g->relation == relation) {
			return g->rights;
		}
	}
	return 0;
}

/* What the configuration grants on this kind of thing. */
static unsigned granted_by_policy(const struct policy_question *q)
{
	static const unsigned meaningful[] = {
		[POLICY_SERVER] = RIGHT_QUERY | RIGHT_LOGON | RIGHT_STOP,
		[POLICY_SESSION] = RIGHTS_FULL,
		[POLICY_TERMINAL] = RIGHTS_FULL,
	};
	if (q->mode != POLICY_SYSTEM_MODE || (size_t)q->subject >= ARRAY_SIZE(meaningful)) {
		return 0;
	}
	unsigned rights = q->allow & RIGHTS_FULL;
	if (is_administrator(q)) {
		rights |= RIGHTS_FULL | RIGHT_STOP;
	}
	return rights & meaningful[q->subject];
}

unsigned policy_rights(const struct policy_question *q, unsigned *ret_own)
{
	unsigned own = granted_by_relation(q);
	unsigned rights = own | granted_by_policy(q);
	/* A denial wins over every grant; only root can always put things right. Questions about
	 * the server itself answer everybody. */
	if (q->mode == POLICY_SYSTEM_MODE && !is_root(q)) {
		unsigned kept = q->subject == POLICY_SERVER ? RIGHT_QUERY : 0;
		rights &= ~(q->deny & ~kept);
	}
	/* The end of a logon: LOGON was the right for it. */
	if (q->mode == POLICY_SYSTEM_MODE && q->subject == POLICY_SESSION && q->first_terminal) {
		rights |= RIGHT_QUERY | RIGHT_CONNECT;
		own |= RIGHT_QUERY | RIGHT_CONNECT;
	}
	if (ret_own != NULL) {
		*ret_own = own & rights;
	}
	return rights;
}

/* NT's rules: the console's session stays there, and nobody else's work comes to it. */
static enum error_code console_rules(const struct policy_question *q)
{
	if (q->mode != POLICY_SYSTEM_MODE || q->console_relaxed || q->subject != POLICY_SESSION) {
		return ERROR_NONE;
	}
	switch (q->right) {
	case RIGHT_CONNECT:
		if (q->caller_at_console || q->at_console) {
			return ERROR_CONSOLE_DISCONNECT;
		}
		if (!q->destination_is_console || q->first_terminal) {
			return ERROR_NONE;
		}
		return q->disconnected ? ERROR_CONSOLE_RECONNECT : ERROR_CONSOLE_DISCONNECT;
	case RIGHT_DISCONNECT:
		return q->at_console ? ERROR_CONSOLE_DISCONNECT : ERROR_NONE;
	case RIGHT_LOGOFF:
		return q->at_console && !q->caller_in_session ? ERROR_ACCESS_DENIED : ERROR_NONE;
	default:
		return ERROR_NONE;
	}
}

/* To be shown what is another user's takes his word, not an administrator's. */
static struct policy_answer ask_password(const struct policy_question *q)
{
	if (is_root(q) && q->root_needs_no_password) {
		return (struct policy_answer){ ERROR_NONE, POLICY_BY_POLICY };
	}
	return (struct policy_answer){ q->proven ? ERROR_NONE : ERROR_LOGON_FAILURE,
		POLICY_BY_PASSWORD };
}

struct policy_answer policy_ask(const struct policy_question *q)
{
	unsigned own = 0;
	unsigned rights = policy_rights(q, &own);
	unsigned wanted = (unsigned)q->right;
	if (q->subject != POLICY_SERVER && (!q->exists || (rights & RIGHT_QUERY) == 0)) {
		return (struct policy_answer){ ERROR_SESSION_NOT_FOUND, POLICY_BY_NONE };
	}
	bool one_bit = wanted != 0 && (wanted & (wanted - 1)) == 0;
	if (!one_bit || (rights & wanted) != wanted) {
		return (struct policy_answer){ ERROR_ACCESS_DENIED, POLICY_BY_NONE };
	}
	enum error_code code = console_rules(q);
	if (code != ERROR_NONE) {
		return (struct policy_answer){ code, POLICY_BY_NONE };
	}
	bool shows = q->mode == POLICY_SYSTEM_MODE && q->subject == POLICY_SESSION &&
		     q->right == RIGHT_CONNECT && q->owner != q->caller;
	if (shows) {
		/* Who has just logged the owner on gave his password with the logon. */
		return q->first_terminal ? (struct policy_answer){ ERROR_NONE, POLICY_BY_PASSWORD }
					 : ask_password(q);
	}
	return (struct policy_answer){ ERROR_NONE,
		(own & wanted) != 0 ? POLICY_BY_OWN : POLICY_BY_POLICY };
}

enum error_code policy_decide(const struct policy_question *question)
{
	return policy_ask(question).code;
}

const char *policy_by_text(enum policy_by by)
{
	static const char *const texts[] = {
		[POLICY_BY_NONE] = "none",
		[POLICY_BY_OWN] = "own",
		[POLICY_BY_PASSWORD] = "password",
		[POLICY_BY_POLICY] = "policy",
	};
	return (size_t)by < ARRAY_SIZE(texts) ? texts[by] : "none";
}

const char *policy_right_text(enum right right)
{
	return right_text(right);
}
