/* A set of byte strings, each with a number from 1 on that stays its own until a collection finds
 * it unused. Bounded; nothing is allocated before the first one.
 *
 * Collection is the owner's: vt_intern_unmark(), vt_intern_mark() for each number in use,
 * vt_intern_sweep(). It never happens inside vt_intern_put(), so numbers in hand stay valid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_intern_entry {
	uint8_t *data;	 /* of a free one too, to be used again; NULL = none */
	uint32_t length; /* of data */
	uint32_t hash;
	uint32_t next; /* in the same bucket, or the next free one; 0 = end */
	bool used;
	bool marked;
};

struct vt_intern {
	struct vt_intern_entry *entries; /* [0] is not used */
	uint32_t *buckets;		 /* first entry of each, 0 = none; as many as `size` */
	uint32_t size;			 /* entries allocated, a power of two */
	uint32_t used;			 /* entries [1..used] have been given out at some time */
	uint32_t live;
	uint32_t free;	  /* first free one */
	uint32_t limit;	  /* more live ones than this: a collection is due */
	uint32_t refused; /* puts for which there was no room since the last collection */
	uint32_t max;	  /* numbers never go beyond this */
	uint64_t seed;	  /* of the hash */
	size_t bytes;	  /* allocated */
	size_t extra;	  /* bytes behind each one's data, the first of them zero at first, for the
			     owner to use */
};

void vt_intern_init(struct vt_intern *t, uint32_t max, size_t extra);
void vt_intern_done(struct vt_intern *t);

/* The number of these bytes (length >= 1), entering them if need be; 0 = full or no memory. */
uint32_t vt_intern_put(struct vt_intern *t, const void *data, size_t length);

/* The bytes of a number, or NULL. */
static inline const void *vt_intern_get(
	const struct vt_intern *t, uint32_t number, size_t *ret_length)
{
	if (number == 0 || number > t->used || !t->entries[number].used) {
		return NULL;
	}
	*ret_length = t->entries[number].length;
	return t->entries[number].data;
}

#define VT_INTERN_LIMIT 1024 /* a collection looks at each cell: not for a handful of colours */
static inline bool vt_intern_collection_due(const struct vt_intern *t)
{
	return t->live > t->limit || t->refused > VT_INTERN_LIMIT;
}
void vt_intern_unmark(struct vt_intern *t);
static inline void vt_intern_mark(struct vt_intern *t, uint32_t number)
{
	if (number <= t->used) {
		t->entries[number].marked = true; /* of [0] too: harmless, and no branch */
	}
}
void vt_intern_sweep(struct vt_intern *t);
void vt_intern_trim(struct vt_intern *t); /* frees what sweeps have kept for use again */
