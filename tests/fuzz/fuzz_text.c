/* text_encode() makes any text harmless, keeps to its buffer, and tells the length as snprintf()
 * does; what it gives is left as it is by a second run.
 *
 * Input: size of the buffer, then the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef size_t encoder(char *to, size_t size, const char *from);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Said in another way than the encoder says it: ranges of which no code point may come out. */
static bool is_hostile(uint32_t c, bool lines)
{
	if (lines && (c == '\n' || c == '\t')) {
		return false;
	}
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfe00 && c <= 0xfe0f) ||
	       (c >= 0xd800 && c <= 0xdfff) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0xe0000 && c <= 0xe0fff);
}

static void check_harmless(const char *text, bool lines)
{
	size_t length = strlen(text);
	while (length > 0) {
		uint32_t point = 0;
		size_t n = text_decode(text, length, &point);
		if (n == 0) {
			fail("what comes out is no UTF-8");
		}
		if (is_hostile(point, lines)) {
			fail("a hostile character comes out");
		}
		text += n;
		length -= n;
	}
}

static void check(encoder *encode, bool lines, const char *from, size_t size)
{
	size_t whole = encode(NULL, 0, from);
	AUTO(free) char *all = malloc(whole + 1);
	AUTO(free) char *again = malloc(whole + 1);
	AUTO(free) char *cut = malloc(size);
	if (all == NULL || again == NULL || cut == NULL) {
		abort();
	}
	if (encode(all, whole + 1, from) != whole || strlen(all) != whole) {
		fail("the length is not the one that was told");
	}
	check_harmless(all, lines);
	if (encode(again, whole + 1, all) != whole || strcmp(all, again) != 0) {
		fail("a second run changes what the first one gave");
	}
	if (encode(cut, size, from) != whole) {
		fail("the length depends on the buffer");
	}
	check_harmless(cut, lines);
	size_t length = strlen(cut);
	if (length >= size || strncmp(cut, all, length) != 0 ||
		(length < whole && size - length > 4)) {
		fail("the text is not cut where it has to be");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 65536) {
		return 0;
	}
	AUTO(free) char *from = malloc(size);
	if (from == NULL) {
		abort();
	}
	memcpy(from, data + 1, size - 1);
	from[size - 1] = '\0';
	check(text_encode, false, from, 1 + data[0]);
	check(text_encode_lines, true, from, 1 + data[0]);
	return 0;
}
