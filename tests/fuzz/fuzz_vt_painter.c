/* Property: whatever a program writes, cut anywhere, painted into a terminal that is in any state,
 * gives the same screen; and both stay the same from there on. Then reset brings all modes back,
 * and updates show the same text.
 *
 * Input: rows, columns, place of the cut (2 bytes), place of a change of size (2 bytes), new rows,
 * new columns, flags, then the program's bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD || size > 65536) {
		return 0;
	}
	const uint8_t *bytes = data + HEAD;
	size_t length = size - HEAD;
	size_t cut = ((size_t)data[2] << 8 | data[3]) % (length + 1);
	size_t resize = ((size_t)data[4] << 8 | data[5]) % (length + 1);
	unsigned flags = data[8];
	size_t junk_length;
	const uint8_t *junk = replay_junk(&junk_length);
	const struct replay_step steps[] = {
		{ .bytes = bytes, .length = resize },
		{ .resize = true, .rows = 1 + data[6] % 30, .columns = 1 + data[7] % 90 },
		{ .bytes = bytes + resize, .length = length - resize },
	};
	const struct replay_step whole = { .bytes = bytes, .length = length };
	bool resizes = (flags & 1) != 0;
	struct replay r = {
		.rows = 1 + data[0] % 30,
		.columns = 1 + data[1] % 90,
		.steps = resizes ? steps : &whole,
		.count = resizes ? 3 : 1,
		.junk = junk,
		.junk_length = (flags & 2) != 0 ? junk_length : 0,
	};
	size_t step = resizes && cut >= resize ? 2 : 0;
	size_t offset = step == 2 ? cut - resize : cut;
	char why[700];
	if (!replay_cut(&r, step, offset, why, sizeof(why)) ||
		!replay_reset(&r, why, sizeof(why)) ||
		((flags & 4) != 0 && !replay_update(&r, 1 + length / 7, why, sizeof(why)))) {
		fprintf(stderr, "%ux%u, cut at %zu of %zu: %s\n", r.rows, r.columns, cut, length,
			why);
		abort();
	}
	return 0;
}
