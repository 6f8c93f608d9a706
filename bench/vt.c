/* The screen model alone: bench-vt STREAM [MEGABYTES [PIECE]]
 * Feeds one stream into a screen of 80x24 with history, PIECE bytes at a time (4096, what one read
 * of a pty gives, unless told), and prints MB/s. Linked once with each model that vt_model.h stands
 * for. */
#include "streams.h"
#include "tool.h"
#include "vt_model.h"

#define BLOCK (1 << 20)
#define ROWS 24
#define COLUMNS 80

int main(int argc, char **argv)
{
	stream_line *put = argc > 1 ? stream_find(argv[1]) : NULL;
	if (put == NULL) {
		fprintf(stderr, "usage: bench-vt log|redraw|sgr|utf8 [MEGABYTES [PIECE]]\n");
		return 2;
	}
	double bytes = (argc > 2 ? atof(argv[2]) : 200) * 1e6;
	size_t piece = argc > 3 ? (size_t)atol(argv[3]) : 4096;
	char *block = malloc(BLOCK + STREAM_LINE_MAX);
	struct model *model = model_new(ROWS, COLUMNS);
	if (block == NULL || model == NULL || piece == 0) {
		die("bench-vt");
	}
	size_t length = stream_fill(put, block, BLOCK);
	double done = 0;
	double start = now_us();
	while (done < bytes) {
		for (size_t at = 0; at < length; at += piece) {
			model_feed(model, block + at, length - at < piece ? length - at : piece);
		}
		done += (double)length;
	}
	printf("%.1f\n", done / (now_us() - start));
	model_free(model);
	free(block);
	return 0;
}
