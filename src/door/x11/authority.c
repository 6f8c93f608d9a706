#include "door/x11/authority.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reader.h"
#include "protocol/x11.h"

struct field {
	const uint8_t *bytes;
	size_t length;
};

struct entry {
	unsigned family;
	struct field address, number, name, data;
};

void authority_add_key(
	struct authority_keys *k, enum authority_family family, const void *address, size_t length)
{
	if (k->count < AUTHORITY_KEYS_MAX && length <= sizeof(k->list[0].address)) {
		struct authority_key *to = &k->list[k->count++];
		to->family = family;
		to->length = length;
		memcpy(to->address, address, length);
	}
}

static unsigned read_big_endian(struct reader *r)
{
	unsigned high = reader_u8(r);
	return high << 8 | reader_u8(r);
}

static struct field read_field(struct reader *r)
{
	size_t length = read_big_endian(r);
	return (struct field){ reader_bytes(r, length), length };
}

static bool equals(const struct field *f, const void *bytes, size_t length)
{
	return f->length == length && memcmp(f->bytes, bytes, length) == 0;
}

static bool fits(const struct entry *e, const struct authority_keys *keys, const char *number)
{
	if (!equals(&e->name, X11_COOKIE_NAME, strlen(X11_COOKIE_NAME)) || e->data.length == 0 ||
		e->data.length > sizeof(((struct authority *)0)->data) ||
		(e->number.length > 0 && !equals(&e->number, number, strlen(number)))) {
		return false;
	}
	bool found = e->family == AUTHORITY_WILD;
	for (size_t i = 0; i < keys->count && !found; i++) {
		const struct authority_key *k = &keys->list[i];
		found = e->family == (unsigned)k->family &&
			equals(&e->address, k->address, k->length);
	}
	return found;
}

bool authority_find(struct authority *ret, const void *bytes, size_t length,
	const struct authority_keys *keys, uint32_t number)
{
	char digits[12];
	struct reader r = reader_over(bytes, length);
	(void)snprintf(digits, sizeof(digits), "%u", number);
	while (r.length > 0) {
		struct entry e = { .family = read_big_endian(&r) };
		e.address = read_field(&r);
		e.number = read_field(&r);
		e.name = read_field(&r);
		e.data = read_field(&r);
		if (r.failed) {
			return false;
		}
		if (fits(&e, keys, digits)) {
			ret->length = e.data.length;
			memcpy(ret->data, e.data.bytes, e.data.length);
			return true;
		}
	}
	return false;
}

bool authority_read(
	struct authority *ret, const char *path, const struct authority_keys *keys, uint32_t number)
{
	AUTO(free) char *standard = NULL;
	const char *home = getenv("HOME");
	if (path[0] == '\0') {
		if (home == NULL || asprintf(&standard, "%s/.Xauthority", home) < 0) {
			return false;
		}
		path = standard;
	}
	/* The person's own file may well be a link; what it leads to is opened without following.
	 */
	AUTO(free) char *real = path[0] == '/' ? realpath(path, NULL) : NULL;
	AUTO(free) char *bytes = malloc(AUTHORITY_FILE_MAX);
	if (real == NULL || bytes == NULL) {
		return false;
	}
	ssize_t n = fd_read_file_at(AT_FDCWD, real, bytes, AUTHORITY_FILE_MAX);
	return n > 0 && authority_find(ret, bytes, (size_t)n, keys, number);
}
