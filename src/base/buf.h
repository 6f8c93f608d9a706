/* A growable run of bytes with a hard cap: what one peer can make us hold is decided at buf_init().
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* NULL until the first byte */
	size_t length; /* bytes in use, from data */
	size_t size;   /* bytes allocated */
	size_t max;    /* never holds more than this */
	bool failed;   /* a put was refused (cap or memory); stays until buf_clear() */
};

#define BUF_INIT(cap) ((struct buf){ .max = (cap) })

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; b may be used again */
void buf_clear(struct buf *b); /* forgets the bytes and `failed`, keeps the memory */

/* All puts: 0, or -ENOBUFS (cap) / -ENOMEM with nothing written and `failed` set, so that a long
 * row of puts can be checked once at its end. */
int buf_put(struct buf *b, const void *data, size_t length);
int buf_put_byte(struct buf *b, uint8_t byte);
int buf_put_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `extra` more bytes behind length; the caller fills them and raises length. */
int buf_reserve(struct buf *b, size_t extra);

void buf_consume(struct buf *b, size_t length); /* drops the first bytes; length <= b->length */
void buf_trim(struct buf *b);			/* gives unused memory back */

/* For AUTO(buf_done): an embedded buffer that goes with its block. */
static inline void auto_buf_done(struct buf *b)
{
	buf_done(b);
}
