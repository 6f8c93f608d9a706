/* The painter's property: what a program wrote, cut anywhere and painted into another terminal that
 * was in whatever state, gives the same screen; and both stay the same from there on. For scripts
 * and the fuzzer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step of a session: bytes, or another size. */
struct replay_step {
	bool resize;
	unsigned rows, columns;
	const uint8_t *bytes;
	size_t length;
};

struct replay {
	unsigned rows, columns;
	const struct replay_step *steps;
	size_t count;
	/* What the second terminal went through before. */
	const uint8_t *junk;
	size_t junk_length;
};

#define REPLAY_HISTORY (256 * 1024) /* budget of the first model; the second one has more */

/* Cuts before byte `offset` of step `step` (step == count: behind everything), paints, compares;
 * then feeds both the rest up to the next change of size and compares again, replies included.
 * False: *why tells the difference. */
bool replay_cut(const struct replay *r, size_t step, size_t offset, char *why, size_t size);

/* After all steps vt_paint_reset() brings all modes back to those of a terminal just switched on.
 * False: *why. */
bool replay_reset(const struct replay *r, char *why, size_t size);

/* Follows all steps with vt_paint_update(), byte by byte in pieces of `piece`, on a terminal of the
 * same size; its text must be the screen's after each. False: *why. */
bool replay_update(const struct replay *r, size_t piece, char *why, size_t size);

/* A hostile history for the second terminal: all that lasts, and an unfinished string. */
const uint8_t *replay_junk(size_t *ret_length);
