/* The first words between an X client and its server (X Window System Protocol, 8 Connection
 * Setup): who the client is, by which cookie, and the server's no. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SETUP_SIZE_MAX (12 + 2 * 256)

struct setup {
	uint8_t order; /* 'l' or 'B': little or big end first */
	uint16_t major, minor;
	const uint8_t *name, *data; /* of the authorisation: borrowed */
	size_t name_length, data_length;
	size_t length; /* of all of it */
};

/* What a client sent so far. 1 = *ret, 0 = more is to come, or -EPROTO. */
int setup_parse(struct setup *ret, const void *bytes, size_t length);

/* The same words with the authorisation that stands in *s now. */
void setup_put(struct buf *to, const struct setup *s);

/* The server's refusal, with a reason that the client shows; at most 255 bytes of it. */
void setup_put_refusal(struct buf *to, const struct setup *s, const char *reason);
