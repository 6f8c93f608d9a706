#include "broker/policy.h"

#include <stddef.h>

/* How the caller stands to what is asked for. */
enum relation {
	RELATION_OTHER,
	RELATION_OWNER,
};

struct grant {
	enum policy_mode mode;
	enum policy_subject subject;
	enum relation relation;
	unsigned rights;
};

/* What is not in here is denied. */
static const struct grant grants[] = {
	{ POLICY_USER_MODE, POLICY_SERVER, RELATION_OTHER, RIGHT_QUERY },
	{ POLICY_USER_MODE, POLICY_SERVER, RELATION_OWNER, RIGHT_QUERY | RIGHT_LOGON | RIGHT_STOP },
	{ POLICY_USER_MODE, POLICY_SESSION, RELATION_OWNER,
		RIGHT_QUERY | RIGHT_SET | RIGHT_RESET | RIGHT_VIRTUAL | RIGHT_LOGOFF |
			RIGHT_MESSAGE | RIGHT_CONNECT | RIGHT_DISCONNECT },
	{ POLICY_USER_MODE, POLICY_TERMINAL, RELATION_OWNER,
		RIGHT_QUERY | RIGHT_LOGON | RIGHT_DISCONNECT },
};

static enum relation relation_of(const struct policy_question *q)
{
	/* The caller must own the object and the server: in user mode nobody else has business
	 * here, whatever a record claims about an object's owner. */
	if (q->caller != q->server_owner) {
		return RELATION_OTHER;
	}
	return q->subject == POLICY_SERVER || q->owner == q->caller ? RELATION_OWNER
								    : RELATION_OTHER;
}

static unsigned rights_of(const struct policy_question *q)
{
	enum relation relation = relation_of(q);
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		const struct grant *g = &grants[i];
		if (g->mode == q->mode && g->subject == q->subject && g->relation == relation) {
			return g->rights;
		}
	}
	return 0;
}

enum error_code policy_decide(const struct policy_question *question)
{
	unsigned rights = rights_of(question);
	unsigned wanted = (unsigned)question->right;
	if (question->subject != POLICY_SERVER &&
		(!question->exists || (rights & RIGHT_QUERY) == 0)) {
		return ERROR_SESSION_NOT_FOUND;
	}
	bool one_bit = wanted != 0 && (wanted & (wanted - 1)) == 0;
	return one_bit && (rights & wanted) == wanted ? ERROR_NONE : ERROR_ACCESS_DENIED;
}

const char *policy_right_text(enum right right)
{
	static const struct {
		enum right right;
		const char *text;
	} texts[] = {
		{ RIGHT_QUERY, "QUERY" },
		{ RIGHT_SET, "SET" },
		{ RIGHT_RESET, "RESET" },
		{ RIGHT_VIRTUAL, "VIRTUAL" },
		{ RIGHT_SHADOW, "SHADOW" },
		{ RIGHT_LOGON, "LOGON" },
		{ RIGHT_LOGOFF, "LOGOFF" },
		{ RIGHT_MESSAGE, "MESSAGE" },
		{ RIGHT_CONNECT, "CONNECT" },
		{ RIGHT_DISCONNECT, "DISCONNECT" },
		{ RIGHT_STOP, "STOP" },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].right == right) {
			return texts[i].text;
		}
	}
	return "NONE";
}
