#include "host/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

/* A picture of the largest screen fits; raw output is cut long before. */
#define WAITING_MAX ((size_t)512 * 1024 * 1024)
/* Output goes in small frames, because a cut waits for the end of the one that was begun, and in
 * many of them at once. */
#define OUTPUT_FRAME ((size_t)4096)
#define FRAMES_AT_ONCE 16
#define ASK_EVERY_MS 100 /* whether the terminal is still lent: less than a door waits for it */

void outlet_init(struct outlet *o, int fd)
{
	*o = (struct outlet){
		.fd = fd, .terminal = -1, .lease = -1, .waiting = BUF_INIT(WAITING_MAX)
	};
}

static void let_go(struct outlet *o)
{
	auto_close(&o->terminal); /* before the lease, whose end says that it is done */
	auto_close(&o->lease);
	o->terminal = -1;
	o->lease = -1;
}

void outlet_done(struct outlet *o)
{
	buf_done(&o->waiting);
	let_go(o);
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

/* n bytes of what waits were taken: follows the frames, so that a cut finds their borders. */
static void advance(struct outlet *o, size_t n)
{
	o->sent += n;
	if (outlet_is_lent(o)) {
		o->head += n;
		n = 0;
	}
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

/* Whether the door has not taken its terminal back. It waits for us to let go, but not for long:
 * who was stopped for longer must not write on over what the terminal shows by now. (Between this
 * look and the write there is still room for a stop, a microsecond wide.) */
static bool still_lent(struct outlet *o)
{
	uint64_t now = clock_monotonic_ms();
	if (now - o->asked >= ASK_EVERY_MS) {
		struct pollfd lease = { .fd = o->lease, .events = POLLRDHUP };
		if (poll(&lease, 1, 0) != 0) {
			return false;
		}
		o->asked = now;
	}
	return true;
}

/* -errno: -EAGAIN when it takes nothing now. */
static ssize_t write_terminal(struct outlet *o, const struct iovec *iov, size_t count)
{
	if (!still_lent(o)) {
		return -EPIPE;
	}
	ssize_t n = writev(o->terminal, iov, (int)count);
	return n > 0 ? n : n < 0 && errno != EINTR ? -errno : -EAGAIN;
}

/* Bytes that were taken, 0 when it is full or broken. */
static size_t give(struct outlet *o, const struct iovec *iov, size_t count)
{
	ssize_t n = outlet_is_lent(o) ? write_terminal(o, iov, count)
				      : fd_send_now(o->fd, iov, count, NULL, 0);
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

/* Keeps a frame of which the socket has taken the first `taken` bytes. */
static int keep(struct outlet *o, const struct cable_header *header, const uint8_t *payload,
	size_t length, size_t taken)
{
	compact(o);
	int r = buf_reserve(&o->waiting, sizeof(*header) + length - taken);
	if (r < 0) {
		if (taken > 0) { /* the frame cannot be finished: the stream has lost its place */
			o->broken = true;
		}
		return r;
	}
	if (taken < sizeof(*header)) {
		(void)buf_put(
			&o->waiting, (const uint8_t *)header + taken, sizeof(*header) - taken);
		(void)buf_put(&o->waiting, payload, length);
	} else {
		size_t done = taken - sizeof(*header);
		(void)buf_put(&o->waiting, payload + done, length - done);
	}
	if (taken > 0) {
		o->front_left = outlet_waiting(o);
	}
	return 0;
}

/* As much as goes into FRAMES_AT_ONCE, the common case straight from where it lies, without a copy.
 * *ret_step = the bytes that were taken care of. */
static int put_some(struct outlet *o, enum cable_type type, const uint8_t *payload, size_t length,
	size_t *ret_step)
{
	struct cable_header headers[FRAMES_AT_ONCE];
	struct iovec iov[2 * FRAMES_AT_ONCE];
	size_t frame = type == CABLE_OUTPUT ? OUTPUT_FRAME : CABLE_PAYLOAD_MAX;
	size_t count = 0;
	size_t step = 0;
	do {
		size_t part = length - step < frame ? length - step : frame;
		headers[count] = cable_header_for(type, part);
		iov[2 * count] = (struct iovec){ &headers[count], sizeof(headers[0]) };
		iov[2 * count + 1] = (struct iovec){ (void *)(payload + step), part };
		step += part;
		count++;
	} while (step < length && count < FRAMES_AT_ONCE);
	size_t taken = outlet_waiting(o) == 0 && !o->full ? give(o, iov, 2 * count) : 0;
	o->sent += taken;
	int r = 0;
	for (size_t i = 0; i < count && r == 0 && !o->broken; i++) {
		size_t part = iov[2 * i + 1].iov_len;
		size_t whole = sizeof(headers[0]) + part;
		size_t of_this = taken < whole ? taken : whole;
		if (of_this < whole) {
			r = keep(o, &headers[i], iov[2 * i + 1].iov_base, part, of_this);
		}
		taken -= of_this;
	}
	*ret_step = step;
	return r;
}

static int put_bare(struct outlet *o, const uint8_t *bytes, size_t length)
{
	struct iovec iov = { (void *)bytes, length };
	size_t taken = outlet_waiting(o) == 0 && !o->full && !o->broken ? give(o, &iov, 1) : 0;
	o->sent += taken;
	if (o->broken || taken == length) {
		return 0;
	}
	compact(o);
	return buf_put(&o->waiting, bytes + taken, length - taken);
}

int outlet_put(struct outlet *o, enum cable_type type, const void *payload, size_t length)
{
	const uint8_t *bytes = payload;
	int r = 0;
	if (outlet_is_lent(o)) {
		return type == CABLE_OUTPUT ? put_bare(o, bytes, length) : -EBUSY;
	}
	do {
		size_t step;
		if (o->broken) {
			return 0;
		}
		r = put_some(o, type, bytes, length, &step);
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

int outlet_put_screen(struct outlet *o)
{
	int pair[2];
	if (outlet_waiting(o) > 0 || o->broken) {
		return -EBUSY;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int lease = pair[0];
	AUTO_FD int theirs = pair[1];
	struct cable_header header = cable_header_for(CABLE_SCREEN, 0);
	struct iovec iov = { &header, sizeof(header) };
	ssize_t n = fd_send_now(
		o->fd, &iov, 1, &theirs, 1); /* so little goes whole or not at all */
	if (n < 0) {
		return (int)n;
	}
	o->sent += (size_t)n;
	return TAKE_FD(lease);
}

/* An own description, whose flags are nobody else's: else we could be made to wait. */
static int open_anew(int terminal)
{
	char path[32];
	unsigned theirs = 0;
	unsigned ours = 0;
	if (ioctl(terminal, TIOCGDEV, &theirs) < 0) {
		return -errno;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", terminal);
	AUTO_FD int own = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0 || ioctl(own, TIOCGDEV, &ours) < 0) {
		return -errno;
	}
	return ours == theirs ? TAKE_FD(own)
			      : -ENOTTY; /* a device's name may mean another by now */
}

int outlet_lend(struct outlet *o, int terminal, int lease)
{
	AUTO_FD int their_terminal = terminal;
	AUTO_FD int their_lease = lease;
	int own = outlet_waiting(o) > 0 ? -EBUSY : open_anew(their_terminal);
	if (own < 0) {
		return own;
	}
	o->terminal = own;
	o->lease = TAKE_FD(their_lease);
	o->asked = 0;
	o->full = false;
	return 0;
}

void outlet_return(struct outlet *o)
{
	if (outlet_is_lent(o)) {
		AUTO(buf_done) struct buf rest = o->waiting;
		buf_consume(&rest, o->head);
		o->waiting = BUF_INIT(WAITING_MAX);
		let_go(o);
		forget_all(o);
		o->broken = false; /* that was the terminal; the cable may still take something */
		if (rest.length > 0) {
			(void)outlet_put(o, CABLE_OUTPUT, rest.data, rest.length);
		}
	}
}

void outlet_say(struct outlet *o, enum cable_word word)
{
	struct iovec iov = { .iov_base = (char[]){ (char)word }, .iov_len = 1 };
	if (o->lease >= 0) {
		(void)fd_send_now(o->lease, &iov, 1, NULL, 0);
	}
}

void outlet_abandon(struct outlet *o)
{
	let_go(o);
	forget_all(o);
	o->broken = true;
}
