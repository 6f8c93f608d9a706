/* spec_parse() takes any bytes; what it accepts is written and read again as the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "protocol/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static size_t compare_texts(char **a, char **b)
{
	size_t count = 0;
	for (; a[count] != NULL && b[count] != NULL; count++) {
		if (strcmp(a[count], b[count]) != 0) {
			fail("a text is another one");
		}
	}
	if (a[count] != b[count]) {
		fail("the counts differ");
	}
	return count;
}

static void write_and_read(const struct spec *s)
{
	struct spec again;
	AUTO_FD int fd = spec_write(s);
	if (fd < 0 || spec_read(&again, fd) < 0) {
		fail("what was parsed cannot be written and read");
	}
	if (strcmp(s->directory, again.directory) != 0 || strcmp(s->term, again.term) != 0 ||
		compare_texts(s->arguments, again.arguments) != s->header.argument_count ||
		compare_texts(s->environment, again.environment) != s->header.environment_count) {
		fail("what was written is read as something else");
	}
	spec_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec s;
	if (size == 0 || size > SPEC_SIZE_MAX) {
		return 0;
	}
	AUTO(free) char *bytes = malloc(size);
	if (bytes == NULL) {
		abort();
	}
	memcpy(bytes, data, size);
	if (spec_parse(&s, bytes, size) == 0) {
		write_and_read(&s);
		spec_done(&s);
	}
	return 0;
}
