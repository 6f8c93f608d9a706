#include "host/outlet.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"

/* A picture of the largest screen fits; raw output is cut long before. */
#define WAITING_MAX ((size_t)512 * 1024 * 1024)

void outlet_init(struct outlet *o, int fd)
{
	*o = (struct outlet){ .fd = fd, .waiting = BUF_INIT(WAITING_MAX) };
}

void outlet_done(struct outlet *o)
{
	buf_done(&o->waiting);
	outlet_init(o, -1);
}

size_t outlet_waiting(const struct outlet *o)
{
	return o->waiting.length - o->head;
}

uint64_t outlet_end(const struct outlet *o)
{
	return o->sent + outlet_waiting(o);
}

void outlet_trim(struct outlet *o)
{
	if (outlet_waiting(o) == 0) {
		buf_done(&o->waiting);
		o->head = 0;
	}
}

static void forget_all(struct outlet *o)
{
	buf_clear(&o->waiting);
	o->head = 0;
	o->front_left = 0;
	o->full = false; /* with nothing to wait for, nobody would ask poll() */
}

/* The socket took n bytes of what waits: follows the frames, so that a cut finds their borders. */
static void advance(struct outlet *o, size_t n)
{
	o->sent += n;
	while (n > 0) {
		if (o->front_left == 0) {
			struct cable_header header;
			memcpy(&header, o->waiting.data + o->head, sizeof(header));
			o->front_left = sizeof(header) + header.length;
		}
		size_t step = n < o->front_left ? n : o->front_left;
		o->front_left -= step;
		o->head += step;
		n -= step;
	}
	if (o->head == o->waiting.length) {
		forget_all(o);
	}
}

/* Bytes that the socket took, 0 when it is full or broken. */
static size_t give(struct outlet *o, const struct iovec *iov, size_t count)
{
	ssize_t n = fd_send(o->fd, iov, count, NULL, 0);
	if (n >= 0) {
		return (size_t)n;
	}
	o->full = n == -EAGAIN;
	if (!o->full) {
		o->broken = true;
		forget_all(o);
	}
	return 0;
}

void outlet_ready(struct outlet *o)
{
	o->full = false;
	(void)outlet_flush(o);
}

bool outlet_flush(struct outlet *o)
{
	while (!o->broken && outlet_waiting(o) > 0) {
		if (o->full) {
			return false;
		}
		struct iovec iov = { o->waiting.data + o->head, outlet_waiting(o) };
		size_t n = give(o, &iov, 1);
		if (n == 0) {
			return o->broken;
		}
		advance(o, n);
	}
	return true;
}

/* Moves what waits to the front when that saves more than it costs. */
static void compact(struct outlet *o)
{
	if (o->head > 0 && o->head >= outlet_waiting(o)) {
		buf_consume(&o->waiting, o->head);
		o->head = 0;
	}
}

static int put_one(struct outlet *o, enum cable_type type, const uint8_t *payload, size_t length)
{
	struct cable_header header = cable_header_for(type, length);
	size_t taken = 0;
	if (outlet_waiting(o) == 0) {
		/* The common case: straight from where it lies, without a copy. */
		struct iovec iov[2] = { { &header, sizeof(header) }, { (void *)payload, length } };
		taken = give(o, iov, 2);
		o->sent += taken;
		if (o->broken || taken == sizeof(header) + length) {
			return 0;
		}
	}
	compact(o);
	int r = buf_reserve(&o->waiting, sizeof(header) + length - taken);
	if (r < 0) {
		if (taken > 0) { /* the frame cannot be finished: the stream has lost its place */
			o->broken = true;
		}
		return r;
	}
	if (taken < sizeof(header)) {
		(void)buf_put(&o->waiting, (uint8_t *)&header + taken, sizeof(header) - taken);
		(void)buf_put(&o->waiting, payload, length);
	} else {
		size_t done = taken - sizeof(header);
		(void)buf_put(&o->waiting, payload + done, length - done);
	}
	if (taken > 0) {
		o->front_left = outlet_waiting(o);
	}
	return 0;
}

int outlet_put(struct outlet *o, enum cable_type type, const void *payload, size_t length)
{
	const uint8_t *bytes = payload;
	int r = 0;
	do {
		if (o->broken) {
			return 0;
		}
		size_t step = length < CABLE_PAYLOAD_MAX ? length : CABLE_PAYLOAD_MAX;
		r = put_one(o, type, bytes, step);
		bytes += step;
		length -= step;
	} while (r == 0 && length > 0);
	return r;
}

bool outlet_cut(struct outlet *o, uint64_t floor)
{
	size_t keep = o->front_left;
	if (floor > o->sent + keep) {
		keep = (size_t)(floor - o->sent);
	}
	if (keep >= outlet_waiting(o)) {
		return false;
	}
	o->waiting.length = o->head + keep;
	if (keep == 0) {
		forget_all(o);
	}
	return true;
}
