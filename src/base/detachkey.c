#include "base/detachkey.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MODIFIERS_LOCKS (64 | 128) /* caps lock and num lock: of no meaning here */
#define MODIFIER_CTRL 4
#define EVENT_PRESS 1

void detach_key_init(struct detach_key *d, int key)
{
	*d = (struct detach_key){ .key = key };
	if (key >= 0) {
		d->letter = tolower(key | 0x40);
	}
}

static void forget(struct detach_key *d)
{
	memset(d->pressed, 0, sizeof(d->pressed));
}

/* True at the third press in time. */
static bool press(struct detach_key *d, uint64_t now_ms)
{
	memmove(d->pressed, d->pressed + 1, sizeof(d->pressed) - sizeof(d->pressed[0]));
	d->pressed[DETACH_KEY_PRESSES - 1] = now_ms + 1; /* 0 stands for none */
	if (d->pressed[0] == 0 || now_ms + 1 - d->pressed[0] > DETACH_KEY_TIME_MS) {
		return false;
	}
	forget(d);
	return true;
}

static bool is_ctrl_alone(long modifiers)
{
	return modifiers >= 1 && ((modifiers - 1) & ~MODIFIERS_LOCKS) == MODIFIER_CTRL;
}

/* `CSI letter ; modifiers [: event] [; text] u`, letter with alternates behind colons (kitty), or
 * `CSI 27 ; modifiers ; letter ~` (xterm's modifyOtherKeys). */
static bool is_press(const struct detach_key *d, uint8_t final)
{
	if (d->length >= sizeof(d->sequence)) {
		return false;
	}
	char *rest;
	long first = strtol(d->sequence, &rest, 10);
	rest += strcspn(rest, ";");
	if (*rest != ';' || !isdigit((unsigned char)d->sequence[0])) {
		return false;
	}
	long modifiers = strtol(rest + 1, &rest, 10);
	if (!is_ctrl_alone(modifiers)) {
		return false;
	}
	if (final == 'u') {
		long event = *rest == ':' ? strtol(rest + 1, NULL, 10) : EVENT_PRESS;
		return first == d->letter && event == EVENT_PRESS;
	}
	return final == '~' && first == 27 && *rest == ';' &&
	       strtol(rest + 1, NULL, 10) == d->letter;
}

static bool take_csi(struct detach_key *d, uint8_t byte, uint64_t now_ms)
{
	if (byte >= 0x20 && byte < 0x40) {
		if (d->length < sizeof(d->sequence) - 1) {
			d->sequence[d->length] = (char)byte;
			d->sequence[d->length + 1] = '\0';
			d->length++;
		} else {
			d->length = sizeof(d->sequence);
		}
		return false;
	}
	d->state = DETACH_GROUND;
	return byte >= 0x40 && byte < 0x7f && is_press(d, byte) && press(d, now_ms);
}

/* Any other key between the presses starts the count anew; reports of mouse, focus or released keys
 * do not. */
static bool take(struct detach_key *d, uint8_t byte, uint64_t now_ms)
{
	if (byte == d->key) {
		d->state = DETACH_GROUND;
		return press(d, now_ms);
	}
	if (byte == 0x1b) {
		d->state = DETACH_ESCAPE;
		return false;
	}
	if (d->state == DETACH_CSI) {
		return take_csi(d, byte, now_ms);
	}
	if (d->state == DETACH_ESCAPE && byte == '[') {
		d->state = DETACH_CSI;
		d->length = 0;
		d->sequence[0] = '\0';
		return false;
	}
	d->state = DETACH_GROUND;
	forget(d);
	return false;
}

bool detach_key_rests(const struct detach_key *d, uint64_t now_ms)
{
	uint64_t last = d->pressed[DETACH_KEY_PRESSES - 1];
	return d->state == DETACH_GROUND && (last == 0 || now_ms + 1 - last > DETACH_KEY_TIME_MS);
}

bool detach_key_feed(struct detach_key *d, const uint8_t *bytes, size_t length, uint64_t now_ms,
	size_t *ret_used)
{
	if (d->key < 0) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (take(d, bytes[i], now_ms)) {
			*ret_used = i + 1;
			return true;
		}
	}
	return false;
}
