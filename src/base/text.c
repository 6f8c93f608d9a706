#include "base/text.h"

#include <errno.h>
#include <string.h>

#define TERMINAL_NAME_MAX 32

size_t text_decode(const char *text, size_t length, uint32_t *ret_code_point)
{
	if (length == 0) {
		return 0;
	}
	const uint8_t *s = (const uint8_t *)text;
	size_t need = s[0] < 0x80   ? 1
		      : s[0] < 0xc2 ? 0
		      : s[0] < 0xe0 ? 2
		      : s[0] < 0xf0 ? 3
		      : s[0] < 0xf5 ? 4
				    : 0;
	if (need == 0 || need > length) {
		return 0;
	}
	static const uint8_t lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = s[0] & lead_mask[need];
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		return 0;
	}
	*ret_code_point = code;
	return need;
}

struct range {
	uint32_t first, last;
};

/* Characters that move, hide, reorder or forge what a reader sees. Sorted. */
static const struct range hostile[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* combining grapheme joiner */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors and vowel separator */
	{ 0x200b, 0x200f },   /* zero width, direction marks */
	{ 0x2028, 0x202e },   /* separators, embeddings, overrides */
	{ 0x2060, 0x206f },   /* word joiner, isolates, deprecated controls */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xd800, 0xdfff },   /* surrogates */
	{ 0xfdd0, 0xfdef },   /* noncharacters */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth filler */
	{ 0xfff0, 0xfffb },   /* unassigned, interlinear annotation */
	{ 0xfffe, 0xffff },   /* noncharacters */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, supplementary variation selectors */
};

static bool is_hostile(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe) {
		return true;
	}
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		if (code <= hostile[i].last) {
			return code >= hostile[i].first;
		}
	}
	return false;
}

static size_t encode(char *to, size_t size, const char *from, bool lines)
{
	size_t length = strlen(from);
	size_t needed = 0;
	size_t written = 0;
	bool cut = size == 0;
	while (length > 0) {
		uint32_t code = 0;
		size_t n = text_decode(from, length, &code);
		bool keep = n > 0 &&
			    (!is_hostile(code) || (lines && (code == '\n' || code == '\t')));
		size_t out = keep ? n : 1;
		if (!cut && written + out < size) {
			memcpy(to + written, keep ? from : "?", out);
			written += out;
		} else {
			cut = true;
		}
		needed += out;
		from += n > 0 ? n : 1;
		length -= n > 0 ? n : 1;
	}
	if (size > 0) {
		to[written] = '\0';
	}
	return needed;
}

size_t text_encode(char *to, size_t size, const char *from)
{
	return encode(to, size, from, false);
}

size_t text_encode_lines(char *to, size_t size, const char *from)
{
	return encode(to, size, from, true);
}

int text_to_u32(const char *text, uint32_t *ret)
{
	if (!text_is_digits(text)) {
		return -EINVAL;
	}
	uint64_t value = 0;
	for (; *text != '\0'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX) {
			return -ERANGE;
		}
	}
	*ret = (uint32_t)value;
	return 0;
}

bool text_is_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool text_is_terminal_name(const char *name, bool given)
{
	static const char allowed[] =
		"#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t length = strlen(name);
	return length >= 1 && length <= TERMINAL_NAME_MAX &&
	       strspn(name, given ? allowed : allowed + 1) == length && !text_is_digits(name) &&
	       name[0] != '-' && name[0] != '.';
}
