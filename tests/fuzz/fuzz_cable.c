/* cable_parse() gives the same frames however the bytes arrive, and only well-formed ones.
 *
 * Input: size of the pieces, then the bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "protocol/cable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned frames;
	uint64_t hash;
	bool broken;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_frame(const struct cable_frame *f)
{
	struct cable_hello hello;
	struct cable_bye bye;
	if (f->length > CABLE_PAYLOAD_MAX || f->type < CABLE_HELLO || f->type > CABLE_LISTEN) {
		fail("a frame that does not exist");
	}
	if (f->type == CABLE_HELLO) {
		memcpy(&hello, f->payload, sizeof(hello));
		if (f->length != sizeof(hello) ||
			strnlen(hello.term, CABLE_TERM_SIZE) == CABLE_TERM_SIZE) {
			fail("a HELLO that is not whole");
		}
	}
	if (f->type == CABLE_BYE) {
		memcpy(&bye, f->payload, sizeof(bye));
		if (f->length != sizeof(bye) ||
			strnlen(bye.text, sizeof(bye.text)) == sizeof(bye.text)) {
			fail("a BYE that is not whole");
		}
	}
	if (f->type == CABLE_CLIENT && f->length > 0 && f->payload[f->length - 1] != '\0') {
		fail("a CLIENT whose last text does not end");
	}
}

static void take_frames(struct buf *in, struct seen *seen)
{
	struct cable_frame frame;
	int r;
	while ((r = cable_parse(in, &frame)) == 1) {
		check_frame(&frame);
		seen->frames++;
		seen->hash = seen->hash * 31 + frame.type;
		for (size_t i = 0; i < frame.length; i++) {
			seen->hash = (seen->hash ^ frame.payload[i]) * UINT64_C(1099511628211);
		}
		cable_next(in, &frame);
	}
	if (r < 0 && r != -EPROTO) {
		fail("a result that the header does not name");
	}
	seen->broken = r < 0;
}

static struct seen arrive(const uint8_t *data, size_t size, size_t piece)
{
	AUTO(buf_done) struct buf in = BUF_INIT(CABLE_PAYLOAD_MAX * 4);
	struct seen seen = { 0 };
	while (size > 0 && !seen.broken) {
		size_t n = size < piece ? size : piece;
		if (buf_put(&in, data, n) < 0) {
			break;
		}
		take_frames(&in, &seen);
		data += n;
		size -= n;
	}
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > CABLE_PAYLOAD_MAX) {
		return 0;
	}
	struct seen whole = arrive(data + 1, size - 1, size);
	struct seen pieces = arrive(data + 1, size - 1, 1 + data[0] % 137);
	if (whole.frames != pieces.frames || whole.hash != pieces.hash ||
		whole.broken != pieces.broken) {
		fail("the frames depend on how the bytes arrive");
	}
	return 0;
}
