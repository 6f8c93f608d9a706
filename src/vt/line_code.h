/* The form in which history keeps a line: bytes that name nothing outside themselves.
 *
 * Printable ASCII and the lead bytes of UTF-8 stand for one cell of that code point, of its own
 * width, in the style of the moment (at first the default one). Control bytes: see line_code.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vt/cell.h"
#include "vt/pool.h"

/* Writes cells to out, at most `size` bytes. Returns the bytes used; *ret_count = the cells that
 * found room (all, or those before the first that did not). */
size_t vt_line_encode(uint8_t *out, size_t size, const struct vt_pool *pool,
	const struct vt_cell *cells, size_t count, size_t *ret_count);

/* One character of so many cells, for who writes a line bit by bit. Returns its bytes. */
#define VT_LINE_CHARACTER_MAX (3 + VT_CLUSTER_LENGTH * 4)
size_t vt_line_code_character(
	uint8_t *out, const struct vt_pool *pool, uint32_t glyph, unsigned width);

/* The way back: at most `max` cells, returns their number. */
size_t vt_line_decode(const uint8_t *bytes, size_t length, struct vt_pool *pool,
	struct vt_cell *cells, size_t max);
