/* Blocks of memory straight from the kernel, so that what is given back is given back. Each holds
 * encoded lines from its front and their index from its back: the offset of each line, with its
 * kind in the three top bits. The oldest block is reused as the newest when the budget is used up,
 * so that a flood touches no new memory.
 */
#include "vt/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vt/line_code.h"

#define PAGE 4096
#define BLOCK_MAX (16 * PAGE)
#define BLOCKS_WANTED 16 /* at least: so much of the history goes at once when it is full */
#define KIND_SHIFT 29
#define WRAPPED (1u << KIND_SHIFT)
#define OFFSET (WRAPPED - 1)

struct block {
	uint8_t *data;
	uint64_t first; /* number of its first line, as total counts */
	uint32_t count; /* lines */
	uint32_t used;	/* bytes of lines */
};

struct vt_history {
	size_t block_size;
	size_t max;	      /* blocks allowed */
	struct block *blocks; /* oldest first; none is empty */
	size_t count;
	size_t size; /* of the array */
	uint64_t total;
};

int vt_history_new(struct vt_history **ret, size_t budget)
{
	struct vt_history *h = calloc(1, sizeof(*h));
	if (h == NULL) {
		return -ENOMEM;
	}
	size_t size = budget / BLOCKS_WANTED / PAGE * PAGE;
	h->block_size = size < PAGE ? PAGE : size > BLOCK_MAX ? BLOCK_MAX : size;
	h->max = budget / (h->block_size + sizeof(struct block));
	*ret = h;
	return 0;
}

struct vt_history *vt_history_free(struct vt_history *h)
{
	if (h != NULL) {
		vt_history_clear(h);
		free(h);
	}
	return NULL;
}

void vt_history_clear(struct vt_history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		(void)munmap(h->blocks[i].data, h->block_size);
	}
	free(h->blocks);
	h->blocks = NULL;
	h->count = 0;
	h->size = 0;
}

static uint32_t *index_of(const struct vt_history *h, const struct block *b, size_t line)
{
	return (uint32_t *)(void *)(b->data + h->block_size) - 1 - line;
}

/* Bytes between the lines and the index, less the index entry that a new line needs. */
static size_t room(const struct vt_history *h, const struct block *b)
{
	size_t taken = b->used + (b->count + 1) * sizeof(uint32_t);
	return taken < h->block_size ? h->block_size - taken : 0;
}

static bool array_grow(struct vt_history *h)
{
	if (h->count < h->size) {
		return true;
	}
	size_t size = h->size == 0 ? 4 : h->size * 2;
	size = size > h->max ? h->max : size;
	struct block *blocks = realloc(h->blocks, size * sizeof(*blocks));
	if (blocks == NULL) {
		return false;
	}
	h->blocks = blocks;
	h->size = size;
	return true;
}

static uint8_t *block_map(struct vt_history *h)
{
	if (h->count == h->max || !array_grow(h)) {
		return NULL;
	}
	void *data = mmap(
		NULL, h->block_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return data == MAP_FAILED ? NULL : data;
}

/* An empty block at the end: new memory, or else the oldest block's. */
static struct block *block_add(struct vt_history *h)
{
	uint8_t *data = block_map(h);
	if (data == NULL) {
		if (h->count == 0) {
			return NULL;
		}
		data = h->blocks[0].data;
		h->count--;
		memmove(h->blocks, h->blocks + 1, h->count * sizeof(*h->blocks));
	}
	struct block *b = &h->blocks[h->count++];
	*b = (struct block){ .data = data, .first = h->total };
	return b;
}

/* The last block goes (it is empty). */
static void block_drop(struct vt_history *h)
{
	(void)munmap(h->blocks[--h->count].data, h->block_size);
}

/* The bytes of one more line stand behind the others. */
static inline void line_add(struct vt_history *h, struct block *b, size_t length, unsigned kind)
{
	*index_of(h, b, b->count) = b->used | kind << KIND_SHIFT;
	b->count++;
	b->used += (uint32_t)length;
	h->total++;
}

static bool is_blank(const struct vt_cell *c)
{
	return c->glyph == VT_EMPTY && c->width != 0 &&
	       (c->style == 0 || (c->flags & VT_CELL_PAD) != 0);
}

void vt_history_push(struct vt_history *h, const struct vt_pool *pool, const struct vt_cell *cells,
	size_t count, unsigned kind)
{
	if ((kind & 1) != 0) { /* what is blank at its end stands before the next line's text */
		count -= count > 0 && (cells[count - 1].flags & VT_CELL_PAD) != 0;
	} else {
		while (count > 0 && is_blank(&cells[count - 1])) {
			count--;
		}
	}
	struct block *b = h->count > 0 ? &h->blocks[h->count - 1] : NULL;
	size_t used = 0;
	size_t taken = 0;
	if (b != NULL && room(h, b) > 0) {
		used = vt_line_encode(b->data + b->used, room(h, b), pool, cells, count, &taken);
	}
	if (b == NULL || room(h, b) == 0 || taken < count) {
		b = block_add(h);
		if (b == NULL) {
			h->total++;
			return;
		}
		used = vt_line_encode(b->data, room(h, b), pool, cells, count, &taken);
	}
	line_add(h, b, used, kind);
}

bool vt_history_push_code(struct vt_history *h, const uint8_t *bytes, size_t length, unsigned kind)
{
	struct block *b = h->count > 0 ? &h->blocks[h->count - 1] : NULL;
	if (length >= h->block_size - sizeof(uint32_t)) {
		return false;
	}
	if (b == NULL || room(h, b) <= length) {
		b = block_add(h);
		if (b == NULL) {
			h->total++;
			return true;
		}
	}
	memcpy(b->data + b->used, bytes, length);
	line_add(h, b, length, kind);
	return true;
}

void vt_history_pop(struct vt_history *h)
{
	if (h->count == 0) {
		return;
	}
	struct block *b = &h->blocks[h->count - 1];
	b->count--;
	b->used = *index_of(h, b, b->count) & OFFSET;
	h->total--;
	if (b->count == 0) {
		block_drop(h);
	}
}

void vt_history_unwrap(struct vt_history *h)
{
	if (h->count > 0) {
		const struct block *b = &h->blocks[h->count - 1];
		*index_of(h, b, b->count - 1) &= ~WRAPPED;
	}
}

/* The block that holds line i, and the line's place in it; NULL = no such line. */
static const struct block *find(const struct vt_history *h, size_t i, size_t *ret_line)
{
	if (i >= vt_history_count(h)) {
		return NULL;
	}
	uint64_t number = h->blocks[0].first + i;
	size_t low = 0;
	size_t high = h->count - 1;
	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (h->blocks[middle].first <= number) {
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	*ret_line = (size_t)(number - h->blocks[low].first);
	return &h->blocks[low];
}

size_t vt_history_read(const struct vt_history *h, struct vt_pool *pool, size_t i,
	struct vt_cell *cells, size_t max, bool *ret_wrapped)
{
	size_t line;
	const struct block *b = find(h, i, &line);
	if (b == NULL) {
		*ret_wrapped = false;
		return 0;
	}
	uint32_t entry = *index_of(h, b, line);
	uint32_t from = entry & OFFSET;
	uint32_t to = line + 1 < b->count ? *index_of(h, b, line + 1) & OFFSET : b->used;
	*ret_wrapped = (entry & WRAPPED) != 0;
	return vt_line_decode(b->data + from, to - from, pool, cells, max);
}

bool vt_history_wrapped(const struct vt_history *h, size_t i)
{
	size_t line;
	const struct block *b = find(h, i, &line);
	return b != NULL && (*index_of(h, b, line) & WRAPPED) != 0;
}

unsigned vt_history_scale(const struct vt_history *h, size_t i)
{
	size_t line;
	const struct block *b = find(h, i, &line);
	return b != NULL ? *index_of(h, b, line) >> (KIND_SHIFT + 1) : 0;
}

size_t vt_history_count(const struct vt_history *h)
{
	return h->count == 0 ? 0 : (size_t)(h->total - h->blocks[0].first);
}

uint64_t vt_history_total(const struct vt_history *h)
{
	return h->total;
}

size_t vt_history_bytes(const struct vt_history *h)
{
	return h->count * h->block_size + h->size * sizeof(struct block);
}
