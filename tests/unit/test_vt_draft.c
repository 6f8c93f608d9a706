/* History is the same whether it comes from a row's draft or from its cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "vt/draft.h"
#include "vt/line_code.h"
#include "vt/screen.h"
#include "vt/state.h"

#define COLUMNS 24
#define BUDGET (1024 * 1024)

static struct vt_screen *screen_of(const char *text)
{
	struct vt_screen *s = NULL;
	assert_int_equal(vt_screen_new(&s, 2, COLUMNS, BUDGET, NULL, NULL), 0);
	vt_screen_feed(s, "\r\n\n\n", 4); /* the rows have come in at the bottom */
	vt_screen_feed(s, text, strlen(text));
	return s;
}

static bool has_draft(const char *text)
{
	struct vt_screen *s = screen_of(text);
	bool has = vt_draft_whole(vt_line_at(s, s->cursor.row)) != NULL;
	(void)vt_screen_free(s);
	return has;
}

static void plain_text_has_a_draft_and_what_else_happens_drops_it(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool has;
	} rows[] = {
		{ "text", true },
		{ "text and more", true },
		{ "gr\xc3\xb6\xc3\x9f"
		  "e, \xd0\xbc\xd0\xb8\xd1\x80, text",
			true },
		{ "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80 and text", true },
		{ "cafe\xcc\x81 au lait", true },
		{ "cafe\xcc\x81\xcc\xa7 au lait", true },
		{ "\033[31mtext", false },
		{ "text\033[31mtext", false },
		{ "text\rmore", false },
		{ "text\b-", false },
		{ "text\033[K", false },
		{ "text\033[2P", false },
		{ "text\033[3@", false },
		{ "text\033[3D\xcc\x81", false },
		{ "text\ttext", false },
		{ "text\033[4h\rmore", false },
		{ "text\033[1J", false },
		{ "text\033#8", false },
		{ "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\xe2\x94"
		  "\x80"
		  "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80",
			false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (has_draft(rows[i].text) != rows[i].has) {
			fail_msg("row %zu", i);
		}
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void feed_something(struct vt_screen *s, uint32_t *seed)
{
	static const char *const pieces[] = { "\r\n", "a", "word ", "a longer text ", "\xc3\xa9",
		"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xd0\xbc\xd0\xb8\xd1\x80 ",
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2",
		"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 ", "\xcc\x81", "\xcc\xa7", "\xf0\x9f\x98\x80",
		"\xef\xb8\x8f", "\xe2\x80\x8d", "\xe2\x94\x80\xe2\x94\x80", "\xff", "\xe0\x80\x80",
		"\xed\xa0\x80", "\t", "\b", "\r", "\033[31m", "\033[m", "\033[1;48;2;1;2;3m",
		"\033[K", "\033[2P", "\033[2@", "\033[3X", "\033[5G", "\033[3b", "\033[4h",
		"\033[4l", "\033[?7l", "\033[?7h", "\033[?2027h", "\033[?2027l", "\033(0", "\033(B",
		"\033#6", "\033#5", "\033]8;;http://a/\033\\", "\033]8;;\033\\", "\033M", "\033[A",
		"\033[B", "\033[?69h\033[3;9s", "\033[?69l", "\0337", "\0338", "\033[2;2r",
		"\033[r", "\033[?1049h", "\033[?1049l", "\r\n", "\r\n", "\r\n" };
	/* Text is the rule, and the rest the exception. */
	uint32_t count = sizeof(pieces) / sizeof(pieces[0]);
	uint32_t i = next_random(seed) % (next_random(seed) % 16 > 0 ? 16 : count);
	vt_screen_feed(s, pieces[i], strlen(pieces[i]));
}

/* Reads what the draft stands for; it must be the row. */
static void assert_draft(struct vt_screen *s, const struct vt_line *line)
{
	static struct vt_cell cells[VT_SIZE_MAX];
	const struct vt_draft *d = vt_draft_whole(line);
	if (d == NULL) {
		return;
	}
	size_t n = vt_line_decode(d->bytes, d->length, &s->pool, cells, VT_SIZE_MAX);
	assert_int_equal(n, line->used);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(&cells[i], &line->cells[i], sizeof(*cells));
	}
}

static void a_draft_says_what_the_cells_say(void **state)
{
	(void)state;
	unsigned drafts = 0;
	for (uint32_t round = 0; round < 300; round++) {
		struct vt_screen *s = NULL;
		uint32_t seed = round;
		assert_int_equal(vt_screen_new(&s, 1 + round % 4, COLUMNS, BUDGET, NULL, NULL), 0);
		for (unsigned i = 0; i < 400; i++) {
			feed_something(s, &seed);
			for (unsigned y = 0; y < s->rows; y++) {
				const struct vt_line *line = vt_line_at(s, y);
				drafts += line->used > 0 && vt_draft_whole(line) != NULL;
				assert_draft(s, line);
			}
		}
		(void)vt_screen_free(s);
	}
	assert_true(drafts > 2000);
}

static void a_draft_grows_and_ends_at_its_limit(void **state)
{
	(void)state;
	struct vt_screen *s = NULL;
	assert_int_equal(vt_screen_new(&s, 2, VT_SIZE_MAX, BUDGET, NULL, NULL), 0);
	vt_screen_feed(s, "\r\n\n\n", 4);
	for (unsigned i = 0; i < VT_SIZE_MAX / 2; i++) {
		vt_screen_feed(s, "e\xcc\x81", 3);
		assert_draft(s, vt_line_at(s, 1));
	}
	assert_null(vt_draft_whole(vt_line_at(s, 1)));
	vt_screen_trim(s);
	assert_null(vt_line_at(s, 1)->draft);
	(void)vt_screen_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_has_a_draft_and_what_else_happens_drops_it),
		cmocka_unit_test(a_draft_says_what_the_cells_say),
		cmocka_unit_test(a_draft_grows_and_ends_at_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
