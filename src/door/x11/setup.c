#include "door/x11/setup.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"

#define FIELD_MAX 256
#define REASON_MAX 255

static size_t padded(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

static uint16_t read_u16(struct reader *r, uint8_t order)
{
	unsigned first = reader_u8(r);
	unsigned second = reader_u8(r);
	return (uint16_t)(order == 'B' ? first << 8 | second : second << 8 | first);
}

static void put_u16(struct buf *to, uint8_t order, size_t value)
{
	uint8_t high = (uint8_t)(value >> 8);
	uint8_t low = (uint8_t)value;
	(void)buf_put_byte(to, order == 'B' ? high : low);
	(void)buf_put_byte(to, order == 'B' ? low : high);
}

static void put_padded(struct buf *to, const void *bytes, size_t length)
{
	static const uint8_t zeros[3];
	(void)buf_put(to, bytes, length);
	(void)buf_put(to, zeros, padded(length) - length);
}

int setup_parse(struct setup *ret, const void *bytes, size_t length)
{
	struct reader r = reader_over(bytes, length);
	struct setup s = { .order = reader_u8(&r) };
	if (length > 0 && s.order != 'l' && s.order != 'B') {
		return -EPROTO;
	}
	(void)reader_u8(&r);
	s.major = read_u16(&r, s.order);
	s.minor = read_u16(&r, s.order);
	s.name_length = read_u16(&r, s.order);
	s.data_length = read_u16(&r, s.order);
	(void)read_u16(&r, s.order);
	if (s.name_length > FIELD_MAX || s.data_length > FIELD_MAX) {
		return -EPROTO;
	}
	s.name = reader_bytes(&r, padded(s.name_length));
	s.data = reader_bytes(&r, padded(s.data_length));
	if (r.failed) {
		return 0;
	}
	s.length = length - r.length;
	*ret = s;
	return 1;
}

void setup_put(struct buf *to, const struct setup *s)
{
	(void)buf_put_byte(to, s->order);
	(void)buf_put_byte(to, 0);
	put_u16(to, s->order, s->major);
	put_u16(to, s->order, s->minor);
	put_u16(to, s->order, s->name_length);
	put_u16(to, s->order, s->data_length);
	put_u16(to, s->order, 0);
	put_padded(to, s->name, s->name_length);
	put_padded(to, s->data, s->data_length);
}

void setup_put_refusal(struct buf *to, const struct setup *s, const char *reason)
{
	size_t length = strnlen(reason, REASON_MAX);
	(void)buf_put_byte(to, 0);
	(void)buf_put_byte(to, (uint8_t)length);
	put_u16(to, s->order, s->major);
	put_u16(to, s->order, s->minor);
	put_u16(to, s->order, padded(length) / 4);
	put_padded(to, reason, length);
}
