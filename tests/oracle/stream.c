#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLIES (64 * 1024)

static uint8_t replies[REPLIES];
static size_t replied;

void stream_reply(const void *bytes, size_t length)
{
	if (length <= REPLIES - replied) {
		memcpy(replies + replied, bytes, length);
		replied += length;
	}
}

void stream_hex(const char *name, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	printf("%s ", name);
	for (size_t i = 0; i < length; i++) {
		printf("%02x", p[i]);
	}
	printf("\n");
}

void stream_points(const uint32_t *points, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%s%x", i > 0 ? "+" : "", points[i]);
	}
	printf("%s", count == 0 ? "-" : "");
}

void stream_look(struct stream_cell *cell, const char *name, bool on)
{
	size_t length = strlen(cell->looks);
	if (on) {
		(void)snprintf(cell->looks + length, sizeof(cell->looks) - length, "%s%s",
			length > 0 ? "," : "", name);
	}
}

static const char *or_default(const char *color)
{
	return color[0] == '\0' ? "default" : color;
}

void stream_cell(unsigned y, unsigned x, const struct stream_cell *cell)
{
	bool space = cell->count == 0 || (cell->count == 1 && cell->points[0] == ' ');
	bool bare = cell->looks[0] == '\0' && cell->foreground[0] == '\0' &&
		    cell->background[0] == '\0' && strcmp(cell->underline, "none") == 0;
	if (space && bare && cell->width == 1) {
		return;
	}
	printf("cell %u %u %u ", y, x, cell->width);
	stream_points(cell->points, space ? 0 : cell->count);
	printf(" %s %s %s %s %s\n", cell->looks[0] == '\0' ? "-" : cell->looks,
		or_default(cell->foreground), or_default(cell->background), cell->underline,
		or_default(cell->underline_color));
}

static void fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(2);
}

static uint8_t *bytes_of(size_t length)
{
	uint8_t *bytes = malloc(length + 1);
	if (bytes == NULL || fread(bytes, 1, length, stdin) != length) {
		fail("the input ends within an order");
	}
	return bytes;
}

int stream_run(const struct stream_emulator *e)
{
	char order[16];
	void *emulator = NULL;
	while (scanf("%15s", order) == 1) {
		unsigned a = 0;
		unsigned b = 0;
		bool starts = strcmp(order, "stream") == 0;
		bool feeds = strcmp(order, "feed") == 0;
		bool asks = strcmp(order, "ask") == 0;
		if ((emulator == NULL) != starts) {
			fail("an order outside of a stream");
		}
		if (feeds || asks) {
			if (scanf("%u", &a) != 1 || getchar() != '\n') {
				fail("a bad order");
			}
			uint8_t *bytes = bytes_of(a);
			replied = 0;
			e->feed(emulator, bytes, a);
			free(bytes);
			if (asks) {
				stream_hex("reply", replies, replied);
			}
		} else if (starts || strcmp(order, "resize") == 0) {
			if (scanf("%u %u", &a, &b) != 2) {
				fail("a bad order");
			}
			if (starts) {
				emulator = e->start(a, b);
			} else {
				e->resize(emulator, a, b);
			}
		} else if (strcmp(order, "dump") == 0) {
			e->dump(emulator);
			printf(".\n");
		} else if (strcmp(order, "end") == 0) {
			e->end(emulator);
			emulator = NULL;
		} else {
			fail("an unknown order");
		}
	}
	return 0;
}
