#include "protocol/cable.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct cable_header) == 8, "wire size");
_Static_assert(sizeof(struct cable_hello) == 92, "wire size");
_Static_assert(sizeof(struct cable_bye) == 272, "wire size");
_Static_assert(sizeof(struct cable_listen) == 8, "wire size");

struct shape {
	uint32_t least, most; /* of the payload */
	uint32_t text,
		text_size; /* a text inside a struct that must end there; text_size 0 = none */
};

static const struct shape shapes[] = {
	[CABLE_HELLO] = { sizeof(struct cable_hello), sizeof(struct cable_hello),
		offsetof(struct cable_hello, term), CABLE_TERM_SIZE },
	[CABLE_CLIENT] = { 0, CABLE_CLIENT_MAX, 0, 0 },
	[CABLE_INPUT] = { 1, CABLE_PAYLOAD_MAX, 0, 0 },
	[CABLE_SIZE] = { sizeof(struct cable_size), sizeof(struct cable_size), 0, 0 },
	[CABLE_BYE] = { sizeof(struct cable_bye), sizeof(struct cable_bye),
		offsetof(struct cable_bye, text), sizeof(((struct cable_bye *)0)->text) },
	[CABLE_WELCOME] = { sizeof(struct cable_welcome), sizeof(struct cable_welcome), 0, 0 },
	[CABLE_SCREEN] = { 0, 0, 0, 0 },
	[CABLE_OUTPUT] = { 1, CABLE_PAYLOAD_MAX, 0, 0 },
	[CABLE_LISTEN] = { sizeof(struct cable_listen), sizeof(struct cable_listen), 0, 0 },
};

int cable_parse(const struct buf *in, struct cable_frame *ret)
{
	struct cable_header header;
	if (in->length < sizeof(header)) {
		return 0;
	}
	memcpy(&header, in->data, sizeof(header));
	if (header.type < CABLE_HELLO || header.type > CABLE_LISTEN || header.zero[0] != 0 ||
		header.zero[1] != 0 || header.zero[2] != 0) {
		return -EPROTO;
	}
	const struct shape *shape = &shapes[header.type];
	if (header.length < shape->least || header.length > shape->most) {
		return -EPROTO;
	}
	if (in->length < sizeof(header) + header.length) {
		return 0;
	}
	const uint8_t *payload = in->data + sizeof(header);
	if (shape->text_size > 0 && memchr(payload + shape->text, '\0', shape->text_size) == NULL) {
		return -EPROTO;
	}
	if (header.type == CABLE_CLIENT && header.length > 0 &&
		payload[header.length - 1] != '\0') {
		return -EPROTO;
	}
	*ret = (struct cable_frame){
		.type = (enum cable_type)header.type,
		.payload = payload,
		.length = header.length,
	};
	return 1;
}

void cable_next(struct buf *in, const struct cable_frame *frame)
{
	buf_consume(in, sizeof(struct cable_header) + frame->length);
}

struct cable_header cable_header_for(enum cable_type type, size_t length)
{
	return (struct cable_header){ .type = (uint8_t)type, .length = (uint32_t)length };
}

int cable_put(struct buf *out, enum cable_type type, const void *payload, size_t length)
{
	if (length > CABLE_PAYLOAD_MAX) {
		return -EMSGSIZE;
	}
	struct cable_header header = cable_header_for(type, length);
	int r = buf_reserve(out, sizeof(header) + length);
	if (r < 0) {
		return r;
	}
	(void)buf_put(out, &header, sizeof(header));
	return buf_put(out, payload, length);
}
