#include "leader/grant.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define CONSOLE "console" /* what the session ID 0 stands for */

/* Whether the word by which a person named a session means this one. */
static bool means(const struct grant_session *s, const char *word, uid_t maker)
{
	uint32_t number;
	if (word[0] == '\0') { /* the one that the maker sits in */
		return maker == s->owner;
	}
	if (text_to_u32(word, &number) < 0) {
		return strcasecmp(word, s->terminal) == 0;
	}
	return number != 0 ? number == s->id : strcasecmp(CONSOLE, s->terminal) == 0;
}

int grant_judge(
	const struct grant_session *s, const struct warrant *w, uid_t maker, bool free_of_password)
{
	if (w->use != WARRANT_CONNECT || (s->system && maker == s->broker) ||
		!means(s, w->session, maker) ||
		(w->destination == WARRANT_NAMED && w->terminal[0] == '\0')) {
		return -EACCES;
	}
	if (maker == s->owner) {
		return 0;
	}
	if (!s->system) {
		return -EACCES;
	}
	return maker == 0 && free_of_password ? 0 : GRANT_PASSWORD;
}

struct grant grant_of(const struct warrant *w, uid_t maker, uint64_t now)
{
	struct grant g = { .until = now + WARRANT_GRANT_MS,
		.maker = maker,
		.named = w->destination == WARRANT_NAMED };
	link_set_text(g.terminal, w->terminal);
	return g;
}

int grant_use(struct grant *g, const struct grant_session *s, uid_t cable_maker,
	const char *terminal, uint64_t now)
{
	struct grant granted = *g;
	*g = (struct grant){ 0 };
	if (s->system && cable_maker == s->broker) {
		return -EACCES;
	}
	if (cable_maker == s->owner) {
		return 0;
	}
	if (!s->system || now >= granted.until) {
		return -EACCES;
	}
	bool good = granted.named ? strcasecmp(granted.terminal, terminal) == 0
				  : granted.maker == cable_maker;
	return good ? 0 : -EACCES;
}
