/* Runs of plain bytes, many at a time. SSE2 where the machine has it, else words of eight bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How many of the bytes from b, before end, are printable ASCII (0x20..0x7e). */
static inline size_t vt_scan_ascii(const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;
#ifdef __SSE2__
	const __m128i low = _mm_set1_epi8(0x1f);
	const __m128i high = _mm_set1_epi8(0x7f);
	while (end - b >= 16) { /* signed: bytes from 0x80 on are below low */
		__m128i v = _mm_loadu_si128((const __m128i *)b);
		__m128i good = _mm_and_si128(_mm_cmpgt_epi8(v, low), _mm_cmplt_epi8(v, high));
		unsigned bad = ~(unsigned)_mm_movemask_epi8(good) & 0xffff;
		if (bad != 0) {
			return (size_t)(b - start) + (size_t)__builtin_ctz(bad);
		}
		b += 16;
	}
#else
	const uint64_t ones = UINT64_C(0x0101010101010101);
	while (end - b >= 8) { /* high bit set in the sum or in v: not printable */
		uint64_t v;
		memcpy(&v, b, sizeof(v));
		uint64_t below = (v & ones * 0x7f) + ones * 0x60; /* bit 7: at least 0x20 */
		uint64_t above = (v & ones * 0x7f) + ones;	  /* bit 7: 0x7f */
		if (((~below | above | v) & ones * 0x80) != 0) {
			break;
		}
		b += 8;
	}
#endif
	while (b < end && *b >= 0x20 && *b < 0x7f) {
		b++;
	}
	return (size_t)(b - start);
}
