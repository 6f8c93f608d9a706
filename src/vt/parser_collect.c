/* What the parser keeps between two calls: the payload of a string, and the raw bytes of the
 * sequence that is open. Both lie in one buffer each, grown as needed, never beyond their caps.
 */
#include "vt/parser_state.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

/* Makes room for `need` bytes (at most `max`). */
static bool grow(uint8_t **data, size_t *size, size_t need, size_t max)
{
	if (need <= *size) {
		return true;
	}
	size_t bigger = *size == 0 ? FIRST_SIZE : *size;
	while (bigger < need) {
		bigger *= 2;
	}
	if (bigger > max) {
		bigger = max;
	}
	uint8_t *moved = realloc(*data, bigger);
	if (moved == NULL) {
		return false;
	}
	*data = moved;
	*size = bigger;
	return true;
}

void parser_string_put(struct vt_parser *p, const uint8_t *bytes, size_t length)
{
	if (p->state == STATE_IGNORED || p->string_bad) {
		return;
	}
	if (length > VT_STRING_MAX - p->string_length ||
		!grow(&p->string, &p->string_size, p->string_length + length, VT_STRING_MAX)) {
		p->string_bad = true;
		return;
	}
	memcpy(p->string + p->string_length, bytes, length);
	p->string_length += length;
}

static void append(struct vt_parser *p, const uint8_t *from, const uint8_t *to)
{
	size_t length = (size_t)(to - from);
	if (length == 0 || p->pending_long) {
		return;
	}
	if (length > VT_PARSER_PENDING_MAX - p->pending_length ||
		!grow(&p->pending, &p->pending_size, p->pending_length + length,
			VT_PARSER_PENDING_MAX)) {
		p->pending_long = true;
		return;
	}
	memcpy(p->pending + p->pending_length, from, length);
	p->pending_length += length;
}

void parser_open(struct vt_parser *p, const uint8_t *at)
{
	p->open = at;
	p->pending_length = 0;
	p->pending_long = false;
}

void parser_skip(struct vt_parser *p, const uint8_t *at)
{
	append(p, p->open, at);
	p->open = at + 1;
}

void parser_keep_last(struct vt_parser *p)
{
	/* Only ever an ESC; of a sequence that was too long its last byte was not kept. */
	if (p->pending_long || p->pending_length == 0) {
		p->pending_long = !grow(&p->pending, &p->pending_size, 1, VT_PARSER_PENDING_MAX);
	}
	if (!p->pending_long) {
		p->pending[0] = BYTE_ESC;
		p->pending_length = 1;
	}
}

void parser_keep(struct vt_parser *p, const uint8_t *end)
{
	if (vt_parser_ground(p)) {
		p->pending_length = 0;
		p->pending_long = false;
		return;
	}
	append(p, p->open, end);
}

int vt_parser_pending(const struct vt_parser *p, const uint8_t **ret, size_t *ret_length)
{
	if (p->pending_long) {
		return 1;
	}
	*ret = p->pending;
	*ret_length = p->pending_length;
	return 0;
}

void vt_parser_trim(struct vt_parser *p)
{
	if (p->state != STATE_OSC && p->state != STATE_DCS) {
		free(p->string);
		p->string = NULL;
		p->string_length = 0;
		p->string_size = 0;
	}
	if (vt_parser_ground(p)) {
		free(p->pending);
		p->pending = NULL;
		p->pending_size = 0;
	}
}

size_t vt_parser_bytes(const struct vt_parser *p)
{
	return p->string_size + p->pending_size;
}
