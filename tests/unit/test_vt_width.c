/* The generated tables against the library that they were made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "base/cleanup.h"
#include "vt/width.h"

static void widths_of_well_known_characters(void **state)
{
	static const struct {
		uint32_t point;
		unsigned width;
	} rows[] = {
		{ 'a', 1 },
		{ 0xa0, 1 },
		{ 0xad, 1 },
		{ 0xe4, 1 },
		{ 0x301, 0 },
		{ 0x5d0, 1 },
		{ 0x93e, 1 },
		{ 0x94d, 0 },
		{ 0x1100, 2 },
		{ 0x1161, 0 },
		{ 0x200b, 0 },
		{ 0x200d, 0 },
		{ 0x2026, 1 },
		{ 0x2500, 1 },
		{ 0x231a, 2 },
		{ 0x2764, 1 },
		{ 0x3000, 2 },
		{ 0x4e2d, 2 },
		{ 0xac00, 2 },
		{ 0xe0b0, 1 },
		{ 0xfe0f, 0 },
		{ 0xff21, 2 },
		{ 0xff71, 1 },
		{ 0xfffd, 1 },
		{ 0x1f1e6, 1 },
		{ 0x1f600, 2 },
		{ 0x1f3fb, 2 },
		{ 0x20000, 2 },
		{ 0x2fffd, 2 },
		{ 0x378, 1 },
		{ 0xe0100, 0 },
		{ 0xf0000, 1 },
		{ 0x110000, 1 },
		{ 0xffffffff, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(vt_width(rows[i].point), rows[i].width);
	}
}

static void wide_and_narrow_are_those_of_utf8proc(void **state)
{
	for (int32_t point = 0xa0; point < 0x110000; point++) {
		utf8proc_category_t category = utf8proc_category(point);
		if (category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CS ||
			category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_CF) {
			continue; /* width_gen.c decides these itself */
		}
		int bound = utf8proc_get_property(point)->boundclass;
		if (bound == UTF8PROC_BOUNDCLASS_V || bound == UTF8PROC_BOUNDCLASS_T ||
			bound == UTF8PROC_BOUNDCLASS_PREPEND) {
			continue;
		}
		assert_int_equal(vt_width((uint32_t)point), utf8proc_charwidth(point));
	}
}

/* One or more of each break class, and what emoji are made of. */
static const int32_t samples[] = {
	'a',
	0x200b,
	0x301,
	0x200d,
	0xfe0f,
	0x903,
	0x600,
	0x1f1e9,
	0x1f1ea,
	0x1100,
	0x1161,
	0x11a8,
	0xac00,
	0xac01,
	0x2764,
	0x1f468,
	0x1f3fd,
	0x4e2d,
	0x915,
	0x94d,
};

static void grapheme_breaks_are_those_of_utf8proc(void **state)
{
	size_t n = ARRAY_SIZE(samples);
	for (size_t number = 0; number < n * n * n * n; number++) {
		int32_t points[4] = { samples[number % n], samples[number / n % n],
			samples[number / n / n % n], samples[number / n / n / n] };
		int32_t theirs = 0;
		vt_grapheme ours = 0;
		assert_true(vt_grapheme_next(&ours, (uint32_t)points[0]));
		for (unsigned i = 1; i < 4; i++) {
			bool breaks = utf8proc_grapheme_break_stateful(
				points[i - 1], points[i], &theirs);
			assert_int_equal(vt_grapheme_next(&ours, (uint32_t)points[i]), breaks);
		}
	}
}

static void what_is_known_of_many_holds_for_each(void **state)
{
	const struct vt_widths widths = vt_widths();
	for (uint32_t point = 0; point < 0x10000; point++) {
		unsigned two = point < 0x800 ? widths.two[point >> 6] : 0;
		unsigned width = two != 0 ? two : widths.three[point >> 6];
		if (width != 0) {
			assert_true(point >= 0x80 && (two != 0) == (point < 0x800));
			assert_int_equal(width, vt_width_alone(&widths, point));
		}
	}
	assert_int_equal(widths.two[0x400 >> 6], 1);
	assert_int_equal(widths.three[0x4e00 >> 6], 2);
	for (uint32_t point = VT_LATIN_FIRST; point <= VT_CYRILLIC_LAST; point++) {
		if (point <= VT_LATIN_LAST || point >= VT_GREEK_FIRST) {
			assert_int_equal(vt_width_alone(&widths, point), 1);
		}
	}
}

static void what_stands_alone_breaks_unless_anything_may_join(void **state)
{
	const struct vt_widths widths = vt_widths();
	for (uint32_t point = 0x20; point < 0x20000; point++) {
		unsigned width = vt_width_alone(&widths, point);
		if (width == 0) {
			continue;
		}
		assert_int_equal(width, vt_width(point));
		for (size_t i = 0; i < ARRAY_SIZE(samples) * ARRAY_SIZE(samples); i++) {
			vt_grapheme before = 0;
			(void)vt_grapheme_next(&before, (uint32_t)samples[i / ARRAY_SIZE(samples)]);
			(void)vt_grapheme_next(&before, (uint32_t)samples[i % ARRAY_SIZE(samples)]);
			bool any = vt_grapheme_joins_any(before);
			assert_true(any || vt_grapheme_next(&before, point));
		}
	}
	vt_grapheme plain = 0;
	(void)vt_grapheme_next(&plain, 'a');
	assert_false(vt_grapheme_joins_any(plain));
}

static void clusters_widen_as_terminals_do(void **state)
{
	static const struct {
		uint32_t base;
		unsigned width;
		uint32_t point;
		unsigned joined;
	} rows[] = {
		{ 0x2764, 1, 0xfe0f, 2 },
		{ 0x2764, 1, 0xfe0e, 1 },
		{ 'a', 1, 0xfe0f, 1 },
		{ '1', 1, 0xfe0f, 2 },
		{ 'e', 1, 0x301, 1 },
		{ 0x1f1e9, 1, 0x1f1ea, 2 },
		{ 0x915, 1, 0x93f, 2 },
		{ 0x915, 1, 0x94d, 1 },
		{ 0x1f468, 2, 0x1f3fd, 2 },
		{ 0x1f468, 2, 0x200d, 2 },
		{ 0x1f468, 2, 0x1f469, 2 },
		{ 0x1100, 2, 0x1161, 2 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(vt_width_joined(rows[i].base, rows[i].width, rows[i].point),
			rows[i].joined);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths_of_well_known_characters),
		cmocka_unit_test(wide_and_narrow_are_those_of_utf8proc),
		cmocka_unit_test(grapheme_breaks_are_those_of_utf8proc),
		cmocka_unit_test(what_is_known_of_many_holds_for_each),
		cmocka_unit_test(what_stands_alone_breaks_unless_anything_may_join),
		cmocka_unit_test(clusters_widen_as_terminals_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
