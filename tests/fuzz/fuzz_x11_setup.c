/* An X client's first words may be any bytes; what is understood is written as the same, and is the
 * same however it is cut. A display's name may be any text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "door/x11/name.h"
#include "door/x11/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_name(const uint8_t *data, size_t size)
{
	struct name n;
	AUTO(free) char *text = malloc(size + 1);
	if (text == NULL) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (name_parse(&n, text) == 0 &&
		(n.local ? n.host[0] != '\0' : n.host[0] == '\0' || n.path[0] != '\0')) {
		fail("a display that is in two places, or in none");
	}
}

static void check_setup(const uint8_t *data, size_t size)
{
	struct setup s;
	struct setup again;
	if (setup_parse(&s, data, size) != 1) {
		return;
	}
	AUTO(buf_done) struct buf b = BUF_INIT(SETUP_SIZE_MAX);
	setup_put(&b, &s);
	if (b.failed || b.length != s.length || setup_parse(&again, b.data, b.length) != 1 ||
		again.name_length != s.name_length || again.data_length != s.data_length ||
		memcmp(again.name, s.name, s.name_length) != 0 ||
		memcmp(again.data, s.data, s.data_length) != 0) {
		fail("what was put is not what was read");
	}
	for (size_t cut = 0; cut < s.length; cut++) {
		if (setup_parse(&again, data, cut) != 0) {
			fail("a part is taken for the whole");
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_name(data, size);
	check_setup(data, size);
	return 0;
}
