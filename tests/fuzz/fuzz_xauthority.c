/* authority_find() takes any bytes; a cookie that it finds stands in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door/x11/authority.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authority_keys keys = { 0 };
	struct authority found;
	authority_add_key(&keys, AUTHORITY_LOCAL, "here", 4);
	authority_add_key(&keys, AUTHORITY_INTERNET, "\177\0\0\2", 4);
	memset(&found, 0, sizeof(found));
	if (size > AUTHORITY_FILE_MAX) {
		return 0;
	}
	bool is = authority_find(&found, data, size, &keys, 10);
	if (is != (found.length > 0) || found.length > sizeof(found.data)) {
		fail("a cookie without a size");
	}
	if (is && memmem(data, size, found.data, found.length) == NULL) {
		fail("a cookie from nowhere");
	}
	return 0;
}
