#include "vt/intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define USUAL 20 /* bytes */
#define FIRST_SIZE 16
#define FIRST_LIMIT VT_INTERN_LIMIT

/* Seeded by the kernel's random bytes of this process, so that no program can choose styles or
 * links that all fall into one bucket. */
static uint64_t random_seed(void)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random != NULL) {
		memcpy(&seed, random, sizeof(seed));
	}
	return seed;
}

void vt_intern_init(struct vt_intern *t, uint32_t max, size_t extra)
{
	*t = (struct vt_intern){
		.max = max,
		.limit = FIRST_LIMIT < max ? FIRST_LIMIT : max,
		.seed = random_seed(),
		.extra = extra,
	};
}

void vt_intern_done(struct vt_intern *t)
{
	for (uint32_t i = 1; t->entries != NULL && i <= t->used; i++) {
		free(t->entries[i].data);
	}
	free(t->entries);
	free(t->buckets);
	vt_intern_init(t, t->max, t->extra);
}

static inline uint32_t hash_of(uint64_t h, const uint8_t *data, size_t length)
{
	uint64_t word;
	for (; length >= sizeof(word); length -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, data, length);
	h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
	return (uint32_t)(h ^ h >> 32);
}

static void enter_bucket(struct vt_intern *t, uint32_t number)
{
	struct vt_intern_entry *e = &t->entries[number];
	uint32_t *bucket = &t->buckets[e->hash & (t->size - 1)];
	e->next = *bucket;
	*bucket = number;
}

static bool grow(struct vt_intern *t)
{
	uint32_t size = t->size == 0 ? FIRST_SIZE : t->size * 2;
	uint32_t *buckets = calloc(size, sizeof(*buckets));
	if (buckets == NULL) {
		return false;
	}
	struct vt_intern_entry *entries = realloc(t->entries, size * sizeof(*entries));
	if (entries == NULL) {
		free(buckets);
		return false;
	}
	if (t->size == 0) {
		entries[0] = (struct vt_intern_entry){ 0 };
	}
	free(t->buckets);
	t->bytes += (size - t->size) * (sizeof(*entries) + sizeof(*buckets));
	t->entries = entries;
	t->buckets = buckets;
	t->size = size;
	for (uint32_t i = 1; i <= t->used; i++) {
		if (entries[i].used) {
			enter_bucket(t, i);
		}
	}
	return true;
}

/* The usual length, that of a style, without a call. */
static inline bool equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	return length == USUAL ? memcmp(a, b, USUAL) == 0 : memcmp(a, b, length) == 0;
}

static uint32_t find(const struct vt_intern *t, uint32_t hash, const void *data, size_t length)
{
	if (t->size == 0) {
		return 0;
	}
	uint32_t number = t->buckets[hash & (t->size - 1)];
	while (number != 0) {
		const struct vt_intern_entry *e = &t->entries[number];
		if (e->hash == hash && e->length == length && equal(e->data, data, length)) {
			return number;
		}
		number = e->next;
	}
	return 0;
}

static void drop_room(struct vt_intern *t, struct vt_intern_entry *e)
{
	if (e->data != NULL) {
		t->bytes -= e->length + t->extra;
		free(e->data);
		e->data = NULL;
	}
}

/* Data for `length` bytes: what a free entry has left is used again where it fits. */
static inline bool take_room(struct vt_intern *t, struct vt_intern_entry *e, size_t length)
{
	if (e->data != NULL && e->length == length) {
		return true;
	}
	uint8_t *data = malloc(length + t->extra);
	if (data == NULL) {
		return false;
	}
	drop_room(t, e);
	e->data = data;
	e->length = (uint32_t)length;
	t->bytes += length + t->extra;
	return true;
}

uint32_t vt_intern_put(struct vt_intern *t, const void *data, size_t length)
{
	bool usual = length == USUAL; /* a style: each step without a call */
	uint32_t hash = usual ? hash_of(t->seed, data, USUAL) : hash_of(t->seed, data, length);
	uint32_t number = find(t, hash, data, length);
	if (number != 0) {
		return number;
	}
	if (t->free == 0 && (t->used == t->max || (t->used + 1 >= t->size && !grow(t)))) {
		t->refused++;
		return 0;
	}
	number = t->free != 0 ? t->free : t->used + 1;
	struct vt_intern_entry *e = &t->entries[number];
	if (t->free == 0) {
		*e = (struct vt_intern_entry){ 0 };
	}
	if (!take_room(t, e, length)) {
		return 0;
	}
	if (t->free != 0) {
		t->free = e->next;
	} else {
		t->used = number;
	}
	if (usual) {
		memcpy(e->data, data, USUAL);
	} else {
		memcpy(e->data, data, length);
	}
	if (t->extra > 0) {
		e->data[length] = 0;
	}
	e->hash = hash;
	e->used = true;
	e->marked = false;
	enter_bucket(t, number);
	t->live++;
	return number;
}

void vt_intern_unmark(struct vt_intern *t)
{
	for (uint32_t i = 1; i <= t->used; i++) {
		t->entries[i].marked = false;
	}
}

/* Forgets free numbers at the end, and gives memory back when most of it is unused. */
static void shrink(struct vt_intern *t)
{
	while (t->used > 0 && !t->entries[t->used].used) {
		drop_room(t, &t->entries[t->used]);
		t->used--;
	}
	uint32_t size = t->size;
	while (size > FIRST_SIZE && t->used < size / 4) {
		size /= 2;
	}
	if (size == t->size) {
		return;
	}
	size_t each = sizeof(*t->entries) + sizeof(*t->buckets);
	struct vt_intern_entry *entries = realloc(t->entries, size * sizeof(*entries));
	uint32_t *buckets = realloc(t->buckets, size * sizeof(*buckets));
	t->entries = entries != NULL ? entries : t->entries;
	t->buckets = buckets != NULL ? buckets : t->buckets;
	t->bytes -= (t->size - size) * each;
	t->size = size;
}

void vt_intern_sweep(struct vt_intern *t)
{
	if (t->size == 0) {
		return;
	}
	for (uint32_t i = 1; i <= t->used; i++) {
		struct vt_intern_entry *e = &t->entries[i];
		if (e->used && !e->marked) {
			e->used = false;
			t->live--;
		}
	}
	shrink(t);
	memset(t->buckets, 0, t->size * sizeof(*t->buckets));
	t->free = 0;
	for (uint32_t i = t->used; i >= 1; i--) { /* so that low numbers are used again first */
		if (t->entries[i].used) {
			enter_bucket(t, i);
		} else {
			t->entries[i].next = t->free;
			t->free = i;
		}
	}
	/* Twice what is in use, so that the cost of a collection is paid by as many new entries; a
	 * reserve stays below max for what is entered between two chances to collect, but a table
	 * that is nearly full of what is in use is not looked through for each new entry. */
	uint32_t limit = t->live < FIRST_LIMIT / 2 ? FIRST_LIMIT : t->live * 2;
	uint32_t top = t->max - t->max / 16;
	limit = limit < top ? limit : top;
	t->limit = limit > t->live + FIRST_LIMIT ? limit : t->live + FIRST_LIMIT;
	t->refused = 0;
}

void vt_intern_trim(struct vt_intern *t)
{
	for (uint32_t i = 1; i <= t->used; i++) {
		if (!t->entries[i].used) {
			drop_room(t, &t->entries[i]);
		}
	}
}
