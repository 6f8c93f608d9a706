/* libvterm as a dump program (stream.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vterm.h>

#include "stream.h"

#define HISTORY 4096
#define COLUMNS 512

struct line {
	int count;
	uint32_t points[COLUMNS][VTERM_MAX_CHARS_PER_CELL];
};

struct emulator {
	VTerm *vt;
	VTermScreen *screen;
	int rows, columns;
	bool alternate;
	char title[1024];
	struct line *history[HISTORY];
	int lines;
};

static void on_output(const char *bytes, size_t length, void *user)
{
	stream_reply(bytes, length);
}

static int on_property(VTermProp property, VTermValue *value, void *user)
{
	struct emulator *e = user;
	if (property == VTERM_PROP_ALTSCREEN) {
		e->alternate = value->boolean != 0;
	} else if (property == VTERM_PROP_TITLE) {
		(void)snprintf(e->title, sizeof(e->title), "%s", value->string);
	}
	return 1;
}

static int on_line(int columns, const VTermScreenCell *cells, void *user)
{
	struct emulator *e = user;
	struct line *line = calloc(1, sizeof(*line));
	if (line == NULL || e->lines == HISTORY || columns > COLUMNS) {
		abort();
	}
	line->count = columns;
	for (int x = 0; x < columns; x++) {
		memcpy(line->points[x], cells[x].chars, sizeof(line->points[x]));
	}
	e->history[e->lines++] = line;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_property,
	.sb_pushline = on_line };

static void *start(unsigned rows, unsigned columns)
{
	struct emulator *e = calloc(1, sizeof(*e));
	if (e == NULL) {
		abort();
	}
	e->rows = (int)rows;
	e->columns = (int)columns;
	e->vt = vterm_new(e->rows, e->columns);
	vterm_set_utf8(e->vt, 1);
	vterm_output_set_callback(e->vt, on_output, e);
	e->screen = vterm_obtain_screen(e->vt);
	vterm_screen_enable_altscreen(e->screen, 1);
	vterm_screen_set_callbacks(e->screen, &callbacks, e);
	vterm_screen_reset(e->screen, 1);
	(void)vterm_input_write(e->vt, "\033[?12l", 6); /* blinks when it is switched on */
	return e;
}

static void feed(void *emulator, const uint8_t *bytes, size_t length)
{
	struct emulator *e = emulator;
	(void)vterm_input_write(e->vt, (const char *)bytes, length);
}

static void resize(void *emulator, unsigned rows, unsigned columns)
{
	struct emulator *e = emulator;
	e->rows = (int)rows;
	e->columns = (int)columns;
	vterm_set_size(e->vt, e->rows, e->columns);
}

static void end(void *emulator)
{
	struct emulator *e = emulator;
	for (int i = 0; i < e->lines; i++) {
		free(e->history[i]);
	}
	vterm_free(e->vt);
	free(e);
}

static void put_color(char out[16], const VTermColor *color)
{
	if ((color->type & VTERM_COLOR_DEFAULT_MASK) != 0) {
		return;
	}
	if (VTERM_COLOR_IS_INDEXED(color)) {
		(void)snprintf(out, 16, "%u", color->indexed.idx);
	} else {
		(void)snprintf(out, 16, "#%02x%02x%02x", color->rgb.red, color->rgb.green,
			color->rgb.blue);
	}
}

static size_t length_of(const uint32_t *points)
{
	size_t n = 0;
	while (n < VTERM_MAX_CHARS_PER_CELL && points[n] != 0 && points[n] != (uint32_t)-1) {
		n++;
	}
	return n;
}

/* The right half of a wide character has all bits set. */
static void dump_cell(struct emulator *e, int y, int x)
{
	static const char *const underlines[] = { "none", "single", "double", "curly" };
	VTermScreenCell cell;
	if (!vterm_screen_get_cell(e->screen, (VTermPos){ y, x }, &cell)) {
		abort();
	}
	bool half = cell.chars[0] == (uint32_t)-1;
	struct stream_cell out = { .width = half ? 0 : (unsigned)cell.width,
		.underline = underlines[cell.attrs.underline] };
	out.count = length_of(cell.chars);
	memcpy(out.points, cell.chars, out.count * sizeof(*cell.chars));
	stream_look(&out, "bold", cell.attrs.bold);
	stream_look(&out, "italic", cell.attrs.italic);
	stream_look(&out, "blink", cell.attrs.blink);
	stream_look(&out, "inverse", cell.attrs.reverse);
	stream_look(&out, "strike", cell.attrs.strike);
	put_color(out.foreground, &cell.fg);
	put_color(out.background, &cell.bg);
	stream_cell((unsigned)y, (unsigned)x, &out);
}

static void dump(void *emulator)
{
	struct emulator *e = emulator;
	vterm_screen_flush_damage(e->screen);
	for (int y = 0; y < e->rows; y++) {
		for (int x = 0; x < e->columns; x++) {
			dump_cell(e, y, x);
		}
	}
	VTermPos at;
	vterm_state_get_cursorpos(vterm_obtain_state(e->vt), &at);
	printf("cursor %d %d\n", at.row, at.col);
	stream_hex("title", e->title, strlen(e->title));
	printf("alternate %d\n", e->alternate);
	for (int i = 0; i < e->lines; i++) {
		printf("history %d", i);
		for (int x = 0; x < e->history[i]->count; x++) {
			printf(" ");
			stream_points(
				e->history[i]->points[x], length_of(e->history[i]->points[x]));
		}
		printf("\n");
	}
}

int main(void)
{
	return stream_run(&(struct stream_emulator){ start, feed, resize, dump, end });
}
