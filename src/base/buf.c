#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_SIZE 256

void buf_init(struct buf *b, size_t max)
{
	*b = BUF_INIT(max);
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
	b->length = 0;
	b->failed = false;
}

static int buf_fail(struct buf *b, int error)
{
	b->failed = true;
	return error;
}

int buf_reserve(struct buf *b, size_t extra)
{
	if (extra > b->max || b->length > b->max - extra) {
		return buf_fail(b, -ENOBUFS);
	}
	size_t need = b->length + extra;
	if (need <= b->size) {
		return 0;
	}
	size_t size = b->size == 0 ? BUF_FIRST_SIZE : b->size;
	while (size < need) {
		size *= 2;
	}
	if (size > b->max) {
		size = b->max;
	}
	uint8_t *data = realloc(b->data, size);
	if (data == NULL) {
		return buf_fail(b, -ENOMEM);
	}
	b->data = data;
	b->size = size;
	return 0;
}

int buf_put(struct buf *b, const void *data, size_t length)
{
	if (length == 0) {
		return 0;
	}
	int r = buf_reserve(b, length);
	if (r < 0) {
		return r;
	}
	memcpy(b->data + b->length, data, length);
	b->length += length;
	return 0;
}

int buf_put_byte(struct buf *b, uint8_t byte)
{
	return buf_put(b, &byte, 1);
}

int buf_put_text(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0) {
		return buf_fail(b, -EINVAL);
	}
	int r = buf_reserve(
		b, (size_t)length + 1); /* vsnprintf ends with a NUL that we do not keep */
	if (r < 0) {
		return r;
	}
	va_start(arguments, format);
	(void)vsnprintf((char *)b->data + b->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	b->length += (size_t)length;
	return 0;
}

void buf_consume(struct buf *b, size_t length)
{
	b->length -= length;
	if (length > 0 && b->length > 0) {
		memmove(b->data, b->data + length, b->length);
	}
}

void buf_trim(struct buf *b)
{
	if (b->length == 0) {
		free(b->data);
		b->data = NULL;
		b->size = 0;
		return;
	}
	uint8_t *data = realloc(b->data, b->length);
	if (data != NULL) {
		b->data = data;
		b->size = b->length;
	}
}
