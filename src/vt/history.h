/* The lines that have left the top of the screen: a ring with a budget of bytes.
 *
 * A line is kept as its text in UTF-8 with a few bytes at each change of style, whole styles,
 * clusters and links by content: it names no number of the pool, so that the pool's garbage
 * collection need not look here, and it costs about its length. Lines stand in blocks; when the
 * budget is used up the oldest block is emptied and used again. Nothing is allocated before the
 * first line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "vt/cell.h"

struct vt_history;
struct vt_pool;

/* budget: bytes of all blocks together; below one page there is no history (pushes only count). */
int vt_history_new(struct vt_history **ret, size_t budget); /* 0 or -ENOMEM */
struct vt_history *vt_history_free(struct vt_history *h);   /* NULL is fine; returns NULL */
AUTO_DEFINE(struct vt_history, vt_history_free);

/* What a line is besides its cells: wrapped (1), and its enum vt_line_scale above that. */
static inline unsigned vt_history_kind(bool wrapped, unsigned scale)
{
	return (unsigned)wrapped | scale << 1;
}

/* Appends a line of `count` cells. Empty cells of the default style at the end of a line that is
 * not wrapped, and padding cells (VT_CELL_PAD) are not kept; what does not fit into one block is
 * cut off. pool tells what the cells' numbers mean. Without memory or budget the line is dropped,
 * but counted. */
void vt_history_push(struct vt_history *h, const struct vt_pool *pool, const struct vt_cell *cells,
	size_t count, unsigned kind);

/* The same of a line whose bytes are there already, as vt_line_encode() would write them. False:
 * they do not fit into one block, nothing is done. */
bool vt_history_push_code(struct vt_history *h, const uint8_t *bytes, size_t length, unsigned kind);

/* Line i (0 = oldest kept): writes at most `max` cells, returns their number; numbers are interned
 * in pool. i >= count gives 0 cells. */
size_t vt_history_read(const struct vt_history *h, struct vt_pool *pool, size_t i,
	struct vt_cell *cells, size_t max, bool *ret_wrapped);

/* Removes the newest line (a screen that grew has taken it back); total goes down with it. */
void vt_history_pop(struct vt_history *h);

/* The newest line is not continued by what comes next. */
void vt_history_unwrap(struct vt_history *h);

/* Forgets all lines and gives the memory back; total stays. */
void vt_history_clear(struct vt_history *h);

size_t vt_history_count(const struct vt_history *h);   /* lines kept */
uint64_t vt_history_total(const struct vt_history *h); /* lines ever pushed and not popped: a viewer
							  that saw total N has missed total - N */
size_t vt_history_bytes(const struct vt_history *h);   /* allocated now, never above the budget */
bool vt_history_wrapped(const struct vt_history *h, size_t i);	 /* without decoding the line */
unsigned vt_history_scale(const struct vt_history *h, size_t i); /* likewise */
