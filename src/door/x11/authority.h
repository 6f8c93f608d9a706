/* Cookies of X displays: the file of Xau(3), entries of which are a family (u16, big-endian) and
 * four counted fields: address, number, name, data. The file is somebody's bytes: nothing in it is
 * believed unchecked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTHORITY_FILE_MAX (256 * 1024)
#define AUTHORITY_KEYS_MAX 8

enum authority_family {
	AUTHORITY_INTERNET = 0,
	AUTHORITY_INTERNET6 = 6,
	AUTHORITY_LOCAL = 256,
	AUTHORITY_WILD = 65535,
};

struct authority_key {
	enum authority_family family;
	size_t length;
	uint8_t address[256];
};

/* Under which of them a display's cookie may lie. */
struct authority_keys {
	struct authority_key list[AUTHORITY_KEYS_MAX];
	size_t count;
};

struct authority {
	size_t length; /* 0 = there is no cookie */
	uint8_t data[256];
};

void authority_add_key(struct authority_keys *k, enum authority_family family, const void *address,
	size_t length); /* one too long or too many is left out */

/* The first MIT-MAGIC-COOKIE-1 that fits. False: none; an entry that is cut ends the search. */
bool authority_find(struct authority *ret, const void *bytes, size_t length,
	const struct authority_keys *keys, uint32_t number);

/* The same from a file; `path` empty: ~/.Xauthority. */
bool authority_read(struct authority *ret, const char *path, const struct authority_keys *keys,
	uint32_t number);
