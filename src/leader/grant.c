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

void grants_add(struct grants *g, const struct warrant *w, uid_t maker, uint64_t now)
{
	struct grant *place = &g->of[0];
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct grant *one = &g->of[i];
		if (one->until != 0 && one->maker == maker) {
			place = one;
			break;
		}
		place = one->until < place->until ? one : place;
	}
	*place = (struct grant){ .until = now + WARRANT_GRANT_MS,
		.maker = maker,
		.named = w->destination == WARRANT_NAMED };
	link_set_text(place->terminal, w->terminal);
}

static bool allows(const struct grant *g, uid_t cable_maker, const char *terminal, uint64_t now)
{
	return now < g->until &&
	       (g->named ? strcasecmp(g->terminal, terminal) == 0 : g->maker == cable_maker);
}

int grants_use(struct grants *g, const struct grant_session *s, uid_t cable_maker,
	const char *terminal, uint64_t now)
{
	bool granted = false;
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		granted = granted || allows(&g->of[i], cable_maker, terminal, now);
	}
	*g = (struct grants){ 0 };
	if (s->system && cable_maker == s->broker) {
		return -EACCES;
	}
	return cable_maker == s->owner || (s->system && granted) ? 0 : -EACCES;
}
