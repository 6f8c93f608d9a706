/* Reads a peer's bytes without ever leaving them. Once a read fails every later one fails too, so
 * that a long row of reads can be checked once at its end with reader_done(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *data;
	size_t length; /* bytes left */
	bool failed;
};

static inline struct reader reader_over(const void *data, size_t length)
{
	return (struct reader){ .data = data, .length = length };
}

/* The next `length` bytes, borrowed from the source, or NULL. */
const uint8_t *reader_bytes(struct reader *r, size_t length);

uint8_t reader_u8(struct reader *r);   /* 0 when failed */
uint16_t reader_u16(struct reader *r); /* host byte order: all our peers are on this machine */
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

/* A NUL-ended text of at most max - 1 bytes, borrowed from the source; NULL when failed. */
const char *reader_text(struct reader *r, size_t max);

/* True when nothing failed and nothing is left over. */
bool reader_done(const struct reader *r);
