/* Build-time program: prints the width and grapheme-break tables of width.c as C, from the data of
 * utf8proc. Runs on the building machine only; its output is the only thing that programs link.
 *
 * A code point's property is one byte (width_class.h). Two stages:
 * width_pages[point >> 8] names a page, width_cells[page * 256 + (point & 255)] is the byte.
 * Equal pages are stored once. width_two and width_three: see struct vt_widths.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "vt/width_class.h"

#define POINTS 0x110000
#define PAGE 256
#define PAGES (POINTS / PAGE)
#define BLOCK 64 /* code points whose UTF-8 differs in its last byte only */
#define TWO (0x800 / BLOCK)
#define THREE (0x10000 / BLOCK)

static uint8_t page_of[PAGES];
static uint8_t stored[PAGES][PAGE];
static uint8_t two[TWO];
static uint8_t three[THREE];

static unsigned break_class(int32_t point)
{
	switch (utf8proc_get_property(point)->boundclass) {
	case UTF8PROC_BOUNDCLASS_CR:
	case UTF8PROC_BOUNDCLASS_LF:
	case UTF8PROC_BOUNDCLASS_CONTROL:
		return VT_BREAK_CONTROL;
	case UTF8PROC_BOUNDCLASS_EXTEND:
		return VT_BREAK_EXTEND;
	case UTF8PROC_BOUNDCLASS_L:
		return VT_BREAK_L;
	case UTF8PROC_BOUNDCLASS_V:
		return VT_BREAK_V;
	case UTF8PROC_BOUNDCLASS_T:
		return VT_BREAK_T;
	case UTF8PROC_BOUNDCLASS_LV:
		return VT_BREAK_LV;
	case UTF8PROC_BOUNDCLASS_LVT:
		return VT_BREAK_LVT;
	case UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR:
		return VT_BREAK_REGIONAL;
	case UTF8PROC_BOUNDCLASS_SPACINGMARK:
		return VT_BREAK_SPACING;
	case UTF8PROC_BOUNDCLASS_PREPEND:
		return VT_BREAK_PREPEND;
	case UTF8PROC_BOUNDCLASS_ZWJ:
		return VT_BREAK_ZWJ;
	case UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC:
		return VT_BREAK_PICTURE;
	default:
		return VT_BREAK_OTHER;
	}
}

/* Unassigned code points of the blocks that Unicode reserves for wide characters (UAX 11), and of
 * the emoji blocks, so that characters newer than this utf8proc are not cut in half. */
static bool reserved_wide(int32_t point)
{
	static const struct {
		int32_t first, last;
	} blocks[] = {
		{ 0x3400, 0x4dbf },
		{ 0x4e00, 0x9fff },
		{ 0xf900, 0xfaff },
		{ 0x1fa70, 0x1faff },
		{ 0x20000, 0x2fffd },
		{ 0x30000, 0x3fffd },
	};
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (point >= blocks[i].first && point <= blocks[i].last) {
			return true;
		}
	}
	return false;
}

static unsigned width(int32_t point, unsigned class)
{
	const utf8proc_property_t *property = utf8proc_get_property(point);
	switch (property->category) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CS:
		return 0;
	case UTF8PROC_CATEGORY_CO:
		return 1;
	case UTF8PROC_CATEGORY_CN:
		return property->ignorable ? 0 : reserved_wide(point) ? 2 : 1;
	default:
		break;
	}
	if (point == 0xad || property->category == UTF8PROC_CATEGORY_MC ||
		class == VT_BREAK_PREPEND) { /* wcwidth() and terminals give these a cell */
		return 1;
	}
	if (class == VT_BREAK_V || class == VT_BREAK_T) { /* stand in the cells of their L */
		return 0;
	}
	unsigned cells = property->charwidth;
	return cells > 2 ? 2 : cells;
}

static unsigned alone(unsigned cells, unsigned class)
{
	bool is = cells > 0 && (class == VT_BREAK_OTHER || class == VT_BREAK_LV ||
				       class == VT_BREAK_LVT || class == VT_BREAK_PICTURE);
	return is ? VT_ALONE : 0;
}

static unsigned stored_at(uint32_t point)
{
	return stored[page_of[point / PAGE]][point % PAGE];
}

/* The width of all points of this block of 64 if each of them stands alone and it is the same. */
static uint8_t uniform(uint32_t first)
{
	unsigned width = stored_at(first) & VT_WIDTH_MASK;
	for (uint32_t point = first; point < first + BLOCK; point++) {
		unsigned property = stored_at(point);
		if (property < VT_ALONE || (property & VT_WIDTH_MASK) != width) {
			return 0;
		}
	}
	return (uint8_t)width;
}

/* Blocks that UTF-8 gives two bytes, and three; what it gives fewer stays 0. */
static void find_blocks(void)
{
	for (uint32_t i = 0x80 / BLOCK; i < TWO; i++) {
		two[i] = uniform(i * BLOCK);
	}
	for (uint32_t i = TWO; i < THREE; i++) {
		three[i] = uniform(i * BLOCK);
	}
}

static void print_bytes(const char *name, const uint8_t *bytes, size_t count)
{
	printf("static const uint8_t %s[%zu] = {", name, count);
	for (size_t i = 0; i < count; i++) {
		printf("%s%u,", i % 32 == 0 ? "\n\t" : "", bytes[i]);
	}
	printf("\n};\n");
}

int main(void)
{
	unsigned pages = 0;
	for (int32_t page = 0; page < PAGES; page++) {
		uint8_t bytes[PAGE];
		for (int32_t i = 0; i < PAGE; i++) {
			int32_t point = page * PAGE + i;
			unsigned class = break_class(point);
			unsigned cells = width(point, class);
			bytes[i] = (uint8_t)(cells | class << VT_BREAK_SHIFT | alone(cells, class));
		}
		unsigned known = 0;
		while (known < pages && memcmp(stored[known], bytes, PAGE) != 0) {
			known++;
		}
		if (known == pages) {
			if (pages == UINT8_MAX) {
				fprintf(stderr, "width_gen: too many different pages\n");
				return 1;
			}
			memcpy(stored[pages++], bytes, PAGE);
		}
		page_of[page] = (uint8_t)known;
	}
	find_blocks();
	printf("/* Made by width_gen from utf8proc %s, Unicode %s. */\n", utf8proc_version(),
		utf8proc_unicode_version());
	printf("#include <stdint.h>\n\n");
	print_bytes("width_pages", page_of, PAGES);
	print_bytes("width_cells", stored[0], (size_t)pages * PAGE);
	print_bytes("width_two", two, TWO);
	print_bytes("width_three", three, THREE);
	return ferror(stdout) ? 1 : 0;
}
