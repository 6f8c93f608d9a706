#include "door/tty/keys.h"

#include <errno.h>

static void tell(struct keys *k, struct plug *p, const struct detach_key *detach, bool on)
{
	struct cable_listen wish = { .on = on, .detach_key = detach->key };
	plug_put_listen(p, &wish);
	k->owed++;
	k->state = on ? KEYS_ASKED : KEYS_BACK;
	k->until = 0;
}

/* Whether the time that the host has for an answer is over. It begins when keys_tick() comes again:
 * `now` was taken before the word was sent. */
static bool is_late(struct keys *k, uint64_t now)
{
	if (k->until == 0) {
		k->until = now + CABLE_ANSWER_MS;
	}
	return now >= k->until;
}

void keys_seen(struct keys *k, uint64_t now)
{
	k->state = KEYS_SEEN;
	k->until = now + KEYS_LOOK_MS;
}

bool keys_on_word(struct keys *k, struct plug *p)
{
	int word = plug_word(p);
	if (word == -EAGAIN) {
		return false;
	}
	if (word <= 0) { /* the host has let go of the terminal */
		*k = KEYS_INIT;
		return false;
	}
	if (word == CABLE_WORD_DETACHED) {
		return true;
	}
	k->owed -= k->owed > 0;
	if (k->owed > 0) {
		return false; /* a later one counts */
	}
	if (k->state == KEYS_ASKED && word == CABLE_WORD_LISTENS) {
		k->state = KEYS_THEIRS;
	} else if (k->state == KEYS_ASKED) {
		k->state = KEYS_OURS;
		p->listens = false; /* not asked again */
	} else if (k->state == KEYS_BACK) {
		k->state = KEYS_OURS;
	}
	return false;
}

void keys_tick(struct keys *k, struct plug *p, const struct rawtty *tty,
	const struct detach_key *detach, uint64_t now)
{
	switch (k->state) {
	case KEYS_OURS:
		if (plug_may_listen(p) && k->owed == 0 && detach_key_rests(detach, now) &&
			rawtty_is_ours(tty)) {
			tell(k, p, detach, true);
		}
		break;
	case KEYS_THEIRS:
		break;
	case KEYS_SEEN:
		if (now >= k->until && rawtty_has_input(tty)) {
			tell(k, p, detach, true);
		} else if (now >= k->until) {
			k->state = KEYS_THEIRS;
		}
		break;
	case KEYS_ASKED:
		if (is_late(k, now)) {
			tell(k, p, detach, false);
		}
		break;
	case KEYS_BACK: /* it hangs, or its program takes no input */
		if (is_late(k, now)) {
			k->state = KEYS_OURS;
		}
		break;
	}
}
