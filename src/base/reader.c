#include "base/reader.h"

#include <string.h>

const uint8_t *reader_bytes(struct reader *r, size_t length)
{
	if (r->failed || length > r->length) {
		r->failed = true;
		return NULL;
	}
	const uint8_t *bytes = r->data;
	r->data += length;
	r->length -= length;
	return bytes;
}

static void reader_copy(struct reader *r, void *to, size_t length)
{
	const uint8_t *bytes = reader_bytes(r, length);
	if (bytes == NULL) {
		memset(to, 0, length);
	} else {
		memcpy(to, bytes, length);
	}
}

uint8_t reader_u8(struct reader *r)
{
	uint8_t value;
	reader_copy(r, &value, sizeof(value));
	return value;
}

uint16_t reader_u16(struct reader *r)
{
	uint16_t value;
	reader_copy(r, &value, sizeof(value));
	return value;
}

uint32_t reader_u32(struct reader *r)
{
	uint32_t value;
	reader_copy(r, &value, sizeof(value));
	return value;
}

uint64_t reader_u64(struct reader *r)
{
	uint64_t value;
	reader_copy(r, &value, sizeof(value));
	return value;
}

const char *reader_text(struct reader *r, size_t max)
{
	if (r->failed || r->length == 0) {
		r->failed = true;
		return NULL;
	}
	size_t limit = r->length < max ? r->length : max;
	const uint8_t *end = memchr(r->data, '\0', limit);
	if (end == NULL) {
		r->failed = true;
		return NULL;
	}
	return (const char *)reader_bytes(r, (size_t)(end - r->data) + 1);
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->length == 0;
}
