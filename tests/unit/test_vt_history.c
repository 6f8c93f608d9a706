#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "vt/history.h"
#include "vt/modes.h"
#include "vt/pool.h"

#define BUDGET (1024 * 1024)

struct fixture {
	struct vt_pool pool;
	struct vt_history *history;
};

static int setup_budget(struct fixture *f, size_t budget)
{
	vt_pool_init(&f->pool);
	return vt_history_new(&f->history, budget);
}

static void teardown(struct fixture *f)
{
	(void)vt_history_free(f->history);
	vt_pool_done(&f->pool);
}

static size_t cells_of(struct vt_cell *cells, const char *text, uint16_t style)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		cells[i] = (struct vt_cell){
			.glyph = (uint8_t)text[i], .style = style, .width = 1
		};
	}
	return n;
}

static void push_text(struct fixture *f, const char *text, bool wrapped)
{
	struct vt_cell cells[256];
	vt_history_push(f->history, &f->pool, cells, cells_of(cells, text, 0), wrapped);
}

static void assert_line(struct fixture *f, size_t i, const char *text, bool wrapped)
{
	struct vt_cell cells[256];
	struct vt_cell expected[256];
	bool was;
	size_t n = vt_history_read(f->history, &f->pool, i, cells, ARRAY_SIZE(cells), &was);
	assert_int_equal(n, cells_of(expected, text, 0));
	assert_memory_equal(cells, expected, n * sizeof(*cells));
	assert_int_equal(was, wrapped);
	assert_int_equal(vt_history_wrapped(f->history, i), wrapped);
}

static void nothing_is_allocated_before_the_first_line(void **state)
{
	struct fixture f;
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	assert_int_equal(vt_history_bytes(f.history), 0);
	assert_int_equal(vt_history_count(f.history), 0);
	assert_int_equal(vt_history_total(f.history), 0);
	push_text(&f, "x", false);
	assert_true(vt_history_bytes(f.history) > 0);
	vt_history_clear(f.history);
	assert_int_equal(vt_history_bytes(f.history), 0);
	assert_int_equal(vt_history_count(f.history), 0);
	assert_int_equal(vt_history_total(f.history), 1);
	push_text(&f, "y", false);
	assert_line(&f, 0, "y", false);
	teardown(&f);
}

static void lines_come_back_as_they_went(void **state)
{
	struct fixture f;
	char text[100];
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "line %u %.*s", i, (int)(i % 60),
			"................"
			"...................................................");
		push_text(&f, text, i % 3 == 0);
	}
	assert_int_equal(vt_history_count(f.history), 5000);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "line %u %.*s", i, (int)(i % 60),
			"................"
			"...................................................");
		assert_line(&f, i, text, i % 3 == 0);
	}
	bool wrapped = true;
	assert_int_equal(vt_history_read(f.history, &f.pool, 5000, NULL, 0, &wrapped), 0);
	assert_false(wrapped);
	teardown(&f);
}

/* Every kind of cell, with every kind of style. */
static size_t colorful(struct vt_pool *p, struct vt_cell *cells)
{
	static const struct vt_style styles[] = {
		{ .foreground = VT_COLOR_INDEXED | 1 },
		{ .background = VT_COLOR_INDEXED | 255, .attributes = VT_BOLD },
		{ .foreground = VT_COLOR_RGB | 0x010203, .background = VT_COLOR_RGB | 0xffffff },
		{ .underline = VT_UNDERLINE_CURLY, .underline_color = VT_COLOR_RGB | 0x00ff00 },
		{ .underline = VT_UNDERLINE_SINGLE, .underline_color = VT_COLOR_INDEXED | 0 },
		{ .attributes = VT_BOLD | VT_PROTECTED | VT_OVERLINE | VT_STRIKE },
	};
	static const uint32_t family[] = { 0x1f468, 0x200d, 0x1f469 };
	static const uint32_t accent[] = { 'e', 0x301 };
	static const uint32_t heart[] = { 0x2764, 0xfe0f };
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(styles); i++) {
		uint16_t style = vt_pool_style_put(p, &styles[i]);
		n += cells_of(cells + n, "abc ", style);
		cells[n++] = (struct vt_cell){ .glyph = 0x4e2d, .style = style, .width = 2 };
		cells[n++] = (struct vt_cell){ .style = style };
		cells[n++] = (struct vt_cell){ .style = style, .width = 1 };
		cells[n++] = (struct vt_cell){ .style = style, .width = 1 };
		cells[n++] = (struct vt_cell){ .style = style, .width = 2 };
		cells[n - 1].glyph = vt_pool_cluster_put(p, heart, 2);
		cells[n++] = (struct vt_cell){ .style = style };
	}
	cells[n++] = (struct vt_cell){ .glyph = vt_pool_cluster_put(p, family, 3), .width = 2 };
	cells[n++] = (struct vt_cell){ 0 };
	for (unsigned i = 0; i < 10; i++) {
		cells[n++] = (struct vt_cell){ .glyph = vt_pool_cluster_put(p, accent, 2),
			.width = 1 };
	}
	for (unsigned i = 0; i < 20; i++) {
		cells[n++] = (struct vt_cell){ .glyph = 0x2500, .width = 1 };
	}
	for (unsigned i = 0; i < 5; i++) {
		cells[n++] = (struct vt_cell){ .glyph = 0xac00, .width = 2 };
		cells[n++] = (struct vt_cell){ 0 };
	}
	cells[n++] = (struct vt_cell){ .glyph = 0x10ffff, .width = 1 };
	return n;
}

static void every_kind_of_cell_comes_back(void **state)
{
	struct fixture f;
	struct vt_cell cells[256];
	struct vt_cell back[256];
	bool wrapped;
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	size_t n = colorful(&f.pool, cells);
	vt_history_push(f.history, &f.pool, cells, n, true);
	assert_int_equal(
		vt_history_read(f.history, &f.pool, 0, back, ARRAY_SIZE(back), &wrapped), n);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(&back[i], &cells[i], sizeof(cells[i]));
	}
	assert_true(wrapped);
	teardown(&f);
}

static void a_line_survives_the_collection_of_the_pool(void **state)
{
	struct fixture f;
	struct vt_cell cells[256];
	struct vt_cell back[256];
	bool wrapped;
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	struct vt_style linked = { .attributes = VT_ITALIC };
	linked.link = vt_pool_link_put(&f.pool, "http://example.org/", 19, "7", 1);
	uint16_t id = vt_pool_style_put(&f.pool, &linked);
	size_t n = cells_of(cells, "link ", id);
	n += cells_of(cells + n, "plain ", 0);
	n += cells_of(cells + n, "link", id);
	n += colorful(&f.pool, cells + n);
	vt_history_push(f.history, &f.pool, cells, n, false);
	vt_pool_collect_begin(&f.pool);
	vt_pool_collect_end(&f.pool);
	assert_int_equal(f.pool.styles.live + f.pool.clusters.live + f.pool.links.live, 0);
	assert_int_equal(
		vt_history_read(f.history, &f.pool, 0, back, ARRAY_SIZE(back), &wrapped), n);
	for (size_t i = 0; i < 15; i++) {
		const struct vt_style *style = vt_pool_style(&f.pool, back[i].style);
		const char *uri = "";
		const char *link_id = "";
		bool is_linked = vt_pool_link(&f.pool, style->link, &uri, &link_id);
		assert_int_equal(is_linked, cells[i].style == id);
		if (is_linked) {
			assert_string_equal(uri, "http://example.org/");
			assert_string_equal(link_id, "7");
			assert_int_equal(style->attributes, VT_ITALIC);
		}
	}
	teardown(&f);
}

static void the_budget_holds_and_the_newest_lines_stay(void **state)
{
	static const size_t budgets[] = { 4096, 5000, 65536, 300000 };
	char text[100];
	for (size_t b = 0; b < ARRAY_SIZE(budgets); b++) {
		struct fixture f;
		assert_int_equal(setup_budget(&f, budgets[b]), 0);
		for (unsigned i = 0; i < 20000; i++) {
			snprintf(text, sizeof(text), "a line of text with the number %u", i);
			push_text(&f, text, false);
			assert_true(vt_history_bytes(f.history) <= budgets[b]);
		}
		size_t count = vt_history_count(f.history);
		assert_int_equal(vt_history_total(f.history), 20000);
		assert_true(budgets[b] < 65536 || count >= budgets[b] / 60);
		for (size_t i = 0; i < count; i++) {
			snprintf(text, sizeof(text), "a line of text with the number %zu",
				20000 - count + i);
			assert_line(&f, i, text, false);
		}
		teardown(&f);
	}
}

static void without_a_budget_lines_are_only_counted(void **state)
{
	struct fixture f;
	assert_int_equal(setup_budget(&f, 0), 0);
	push_text(&f, "x", false);
	vt_history_unwrap(f.history);
	vt_history_pop(f.history);
	assert_int_equal(vt_history_count(f.history), 0);
	assert_int_equal(vt_history_total(f.history), 1);
	assert_int_equal(vt_history_bytes(f.history), 0);
	teardown(&f);
}

static void ten_thousand_lines_weigh_less_than_a_megabyte(void **state)
{
	struct fixture f;
	assert_int_equal(setup_budget(&f, 16 * BUDGET), 0);
	for (unsigned i = 0; i < 10000; i++) {
		push_text(&f,
			"Nov 22 11:04:57 host kernel: usb 1-1: new high-speed device number 4 "
			"using x",
			false);
	}
	assert_int_equal(vt_history_count(f.history), 10000);
	assert_true(vt_history_bytes(f.history) < 1000 * 1000);
	teardown(&f);
}

static void pop_takes_the_newest_line_back(void **state)
{
	struct fixture f;
	char text[100];
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		push_text(&f, text, true);
	}
	for (unsigned i = 3000; i > 0; i--) {
		snprintf(text, sizeof(text), "number %u", i - 1);
		assert_line(&f, i - 1, text, true);
		vt_history_pop(f.history);
		assert_int_equal(vt_history_count(f.history), i - 1);
	}
	vt_history_pop(f.history);
	push_text(&f, "again", true);
	vt_history_unwrap(f.history);
	assert_line(&f, 0, "again", false);
	teardown(&f);
}

static void blanks_behind_the_text_are_not_kept(void **state)
{
	struct fixture f;
	struct vt_cell cells[16];
	struct vt_cell back[16];
	bool wrapped;
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	size_t n = cells_of(cells, "abc", 0);
	for (; n < 10; n++) {
		cells[n] = (struct vt_cell){ .width = 1 };
	}
	vt_history_push(f.history, &f.pool, cells, n, false);
	assert_int_equal(vt_history_read(f.history, &f.pool, 0, back, 16, &wrapped), 3);
	cells[3].flags = VT_CELL_PAD;
	vt_history_push(f.history, &f.pool, cells, 4, true);
	assert_int_equal(vt_history_read(f.history, &f.pool, 1, back, 16, &wrapped), 3);
	vt_history_push(f.history, &f.pool, NULL, 0, false);
	assert_int_equal(vt_history_read(f.history, &f.pool, 2, back, 16, &wrapped), 0);
	assert_int_equal(vt_history_count(f.history), 3);
	teardown(&f);
}

static void a_line_too_large_for_a_block_is_cut(void **state)
{
	static struct vt_cell cells[VT_SIZE_MAX];
	static struct vt_cell back[VT_SIZE_MAX];
	struct fixture f;
	bool wrapped;
	assert_int_equal(setup_budget(&f, 16 * 4096), 0);
	uint32_t points[VT_CLUSTER_LENGTH];
	for (unsigned i = 0; i < VT_SIZE_MAX; i++) {
		for (unsigned k = 0; k < VT_CLUSTER_LENGTH; k++) {
			points[k] = 0x1f600 + (i >> k & 15);
		}
		cells[i] = (struct vt_cell){
			.glyph = vt_pool_cluster_put(&f.pool, points, VT_CLUSTER_LENGTH),
			.width = 1,
		};
	}
	vt_history_push(f.history, &f.pool, cells, VT_SIZE_MAX, false);
	size_t n = vt_history_read(f.history, &f.pool, 0, back, VT_SIZE_MAX, &wrapped);
	assert_true(n > 20 && n < VT_SIZE_MAX);
	assert_memory_equal(back, cells, n * sizeof(*cells));
	push_text(&f, "next", false);
	assert_line(&f, 1, "next", false);
	teardown(&f);
}

/* Cells of letters that history writes in different ways, in runs as text has them. */
static size_t letters(struct vt_cell *cells, size_t most, uint32_t *seed, const uint16_t styles[4])
{
	static const struct {
		uint32_t first, count;
		unsigned width;
	} kinds[] = {
		{ ' ', 95, 1 },
		{ 'a', 26, 1 },
		{ 0xe0, 32, 1 },    /* two bytes in UTF-8 */
		{ 0x410, 64, 1 },   /* the same */
		{ 0x2500, 100, 1 }, /* three */
		{ 0x2500, 1, 1 },   /* and again and again */
		{ 0x4e00, 500, 2 }, /* three, wide */
		{ 0x4e00, 1, 2 },
		{ 0xac00, 500, 2 }, /* with the top bit of a word */
		{ 0x1f600, 20, 2 }, /* four */
		{ VT_EMPTY, 1, 1 },
	};
	size_t n = 0;
	while (n + 2 <= most) {
		*seed = *seed * 1664525u + 1013904223u;
		uint32_t random = *seed >> 8;
		size_t kind = random % ARRAY_SIZE(kinds);
		uint16_t style = styles[random >> 4 & (random >> 6 & 1 ? 3 : 0)];
		for (size_t run = random >> 9 & 15; run > 0 && n + 2 <= most; run--) {
			*seed = *seed * 1664525u + 1013904223u;
			cells[n++] = (struct vt_cell){
				.glyph = kinds[kind].first + (*seed >> 8) % kinds[kind].count,
				.style = style,
				.width = (uint8_t)kinds[kind].width,
			};
			if (kinds[kind].width == 2) {
				cells[n++] = (struct vt_cell){ .style = style };
			}
		}
	}
	cells[n++] = (struct vt_cell){ .glyph = '.', .width = 1 };
	return n;
}

static void any_mixture_of_letters_comes_back(void **state)
{
	struct fixture f;
	struct vt_cell cells[400];
	struct vt_cell back[400];
	uint32_t seed = 1;
	bool wrapped;
	assert_int_equal(setup_budget(&f, 64 * 1024), 0); /* small blocks: lines meet their ends */
	const struct vt_style red = { .foreground = VT_COLOR_INDEXED | 1 };
	const struct vt_style bold = { .attributes = VT_BOLD, .background = VT_COLOR_RGB | 5 };
	const uint16_t styles[] = { 0, vt_pool_style_put(&f.pool, &red),
		vt_pool_style_put(&f.pool, &bold), 0 };
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = letters(cells, 2 + i % (ARRAY_SIZE(cells) - 3), &seed, styles);
		vt_history_push(f.history, &f.pool, cells, n, i % 2 == 0);
		size_t newest = vt_history_count(f.history) - 1;
		assert_int_equal(vt_history_read(f.history, &f.pool, newest, back, ARRAY_SIZE(back),
					 &wrapped),
			n);
		for (size_t x = 0; x < n; x++) {
			assert_memory_equal(&back[x], &cells[x], sizeof(cells[x]));
		}
		assert_int_equal(wrapped, i % 2 == 0);
	}
	teardown(&f);
}

static void a_line_comes_back_with_its_scale(void **state)
{
	struct fixture f;
	struct vt_cell cells[16];
	assert_int_equal(setup_budget(&f, BUDGET), 0);
	for (unsigned i = 0; i < 8; i++) {
		size_t n = cells_of(cells, "scaled", 0);
		vt_history_push(f.history, &f.pool, cells, n, vt_history_kind(i % 2 != 0, i / 2));
	}
	for (unsigned i = 0; i < 8; i++) {
		assert_line(&f, i, "scaled", i % 2 != 0);
		assert_int_equal(vt_history_scale(f.history, i), i / 2);
	}
	assert_int_equal(vt_history_scale(f.history, 8), 0);
	vt_history_unwrap(f.history);
	assert_line(&f, 7, "scaled", false);
	assert_int_equal(vt_history_scale(f.history, 7), 3);
	vt_history_pop(f.history);
	assert_int_equal(vt_history_count(f.history), 7);
	assert_int_equal(vt_history_scale(f.history, 6), 3);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_allocated_before_the_first_line),
		cmocka_unit_test(lines_come_back_as_they_went),
		cmocka_unit_test(every_kind_of_cell_comes_back),
		cmocka_unit_test(any_mixture_of_letters_comes_back),
		cmocka_unit_test(a_line_survives_the_collection_of_the_pool),
		cmocka_unit_test(the_budget_holds_and_the_newest_lines_stay),
		cmocka_unit_test(without_a_budget_lines_are_only_counted),
		cmocka_unit_test(ten_thousand_lines_weigh_less_than_a_megabyte),
		cmocka_unit_test(pop_takes_the_newest_line_back),
		cmocka_unit_test(blanks_behind_the_text_are_not_kept),
		cmocka_unit_test(a_line_too_large_for_a_block_is_cut),
		cmocka_unit_test(a_line_comes_back_with_its_scale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
