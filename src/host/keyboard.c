#include "host/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/session.h"

#define KEYS_CHUNK 4096

void keyboard_listen(struct viewer *v, const struct cable_frame *frame)
{
	struct cable_listen wish;
	memcpy(&wish, frame->payload, sizeof(wish));
	if (!outlet_is_lent(&v->out)) {
		return;
	}
	bool on = wish.on != 0 && !v->keys.detached && !v->out.broken;
	bool is_control = wish.detach_key >= 0 && wish.detach_key < 0x20;
	if (on && !v->keys.listens) {
		detach_key_init(&v->keys.key, is_control ? wish.detach_key : -1);
	}
	v->keys.listens = on;
	outlet_say(&v->out, on ? CABLE_WORD_LISTENS : CABLE_WORD_DEAF);
}

/* While the cable is not read (`paused`) the door may have typed there what comes first. */
bool keyboard_wanted(const struct session *s, const struct viewer *v)
{
	return v->keys.listens && v->state == VIEWER_CURRENT && outlet_is_lent(&v->out) &&
	       !v->out.broken && !v->paused && pty_has_room(&s->pty);
}

/* What its door has sent since the look comes first: keys that it has read itself meanwhile, or
 * that it wants them back. (Between this and the read there is still room for a stop, a microsecond
 * wide.) */
static bool has_news(const struct viewer *v)
{
	struct pollfd cable = { .fd = v->fd, .events = POLLIN | POLLRDHUP };
	return poll(&cable, 1, 0) != 0;
}

void keyboard_read(struct session *s, struct viewer *v, uint64_t looked)
{
	uint8_t bytes[KEYS_CHUNK];
	uint64_t now = clock_monotonic_ms();
	if (!keyboard_wanted(s, v) || (now - looked >= CABLE_FRESH_MS && has_news(v))) {
		return;
	}
	ssize_t n = read(v->out.terminal, bytes, sizeof(bytes));
	if (n <= 0) { /* a terminal that is gone is its door's to notice */
		v->keys.listens = n < 0 && (errno == EAGAIN || errno == EINTR);
		return;
	}
	size_t used = (size_t)n;
	bool detached = detach_key_feed(&v->keys.key, bytes, used, now, &used);
	viewer_hurry(v);
	session_type(s, bytes, used);
	if (detached) {
		v->keys.listens = false;
		v->keys.detached = true;
		outlet_say(&v->out, CABLE_WORD_DETACHED);
	}
}
