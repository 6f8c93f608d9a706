/* SGR: the shorter of "what changes" and "all anew". */
#include "vt/painter_brush.h"

struct sgr {
	char text[160]; /* 8 attributes, an underline and three colours with room to spare */
	size_t length;
};

/* Repaints of coloured history are made of little else: no printf(). */
static void put_number(struct sgr *s, unsigned number)
{
	char digits[10];
	size_t n = 0;
	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0) {
		s->text[s->length++] = digits[--n];
	}
}

static void add(struct sgr *s, unsigned number)
{
	if (s->length > 0) {
		s->text[s->length++] = ';';
	}
	put_number(s, number);
}

/* A part of the parameter before it; the colons are as many as stand there. */
static void add_part(struct sgr *s, const char *colons, unsigned number)
{
	while (*colons != '\0') {
		s->text[s->length++] = *colons++;
	}
	put_number(s, number);
}

static const struct attribute_row {
	uint16_t bit;
	uint8_t on, off;
} attributes[] = {
	{ VT_BOLD, 1, 22 },
	{ VT_DIM, 2, 22 },
	{ VT_ITALIC, 3, 23 },
	{ VT_BLINK, 5, 25 },
	{ VT_INVERSE, 7, 27 },
	{ VT_INVISIBLE, 8, 28 },
	{ VT_STRIKE, 9, 29 },
	{ VT_OVERLINE, 53, 55 },
};

static void add_attributes(struct sgr *s, uint16_t from, uint16_t to)
{
	uint16_t gone = from & (uint16_t)~to;
	if ((gone & (VT_BOLD | VT_DIM)) != 0) {
		add(s, 22); /* ends both */
		from &= (uint16_t) ~(VT_BOLD | VT_DIM);
		gone &= (uint16_t) ~(VT_BOLD | VT_DIM);
	}
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const struct attribute_row *row = &attributes[i];
		if ((gone & row->bit) != 0) {
			add(s, row->off);
		} else if ((to & (uint16_t)~from & row->bit) != 0) {
			add(s, row->on);
		}
	}
}

/* base: 30 or 40. */
static void add_color(struct sgr *s, unsigned base, uint32_t color)
{
	uint32_t value = VT_COLOR_VALUE(color);
	if (color == VT_COLOR_DEFAULT) {
		add(s, base + 9);
	} else if (VT_COLOR_KIND(color) == VT_COLOR_RGB) {
		add(s, base + 8);
		add(s, 2);
		add(s, value >> 16);
		add(s, value >> 8 & 0xff);
		add(s, value & 0xff);
	} else if (value < 8) {
		add(s, base + value);
	} else if (value < 16) {
		add(s, base + 60 + value - 8);
	} else {
		add(s, base + 8);
		add(s, 5);
		add(s, value & 0xff);
	}
}

/* With colons: a terminal that does not know 58 then passes over the whole of it. */
static void add_underline_color(struct sgr *s, uint32_t color)
{
	uint32_t value = VT_COLOR_VALUE(color);
	if (color == VT_COLOR_DEFAULT) {
		add(s, 59);
	} else if (VT_COLOR_KIND(color) == VT_COLOR_RGB) {
		add(s, 58);
		add_part(s, ":", 2);
		add_part(s, "::", value >> 16);
		add_part(s, ":", value >> 8 & 0xff);
		add_part(s, ":", value & 0xff);
	} else {
		add(s, 58);
		add_part(s, ":", 5);
		add_part(s, ":", value & 0xff);
	}
}

static void add_changes(struct sgr *s, const struct vt_style *from, const struct vt_style *to)
{
	add_attributes(s, from->attributes, to->attributes);
	if (from->underline != to->underline) {
		if (to->underline == VT_UNDERLINE_NONE) {
			add(s, 24);
		} else if (to->underline == VT_UNDERLINE_SINGLE) {
			add(s, 4);
		} else {
			add(s, 4);
			add_part(s, ":", to->underline);
		}
	}
	if (from->foreground != to->foreground) {
		add_color(s, 30, to->foreground);
	}
	if (from->background != to->background) {
		add_color(s, 40, to->background);
	}
	if (from->underline_color != to->underline_color) {
		add_underline_color(s, to->underline_color);
	}
}

void vt_paint_sgr(struct buf *out, const struct vt_style *from, const struct vt_style *to)
{
	struct sgr changes = { .length = 0 };
	add_changes(&changes, from, to);
	if (changes.length == 0) {
		return;
	}
	struct sgr anew = { .length = 0 };
	add(&anew, 0);
	add_changes(&anew, &(struct vt_style){ 0 }, to);
	const struct sgr *shorter = changes.length <= anew.length ? &changes : &anew;
	if (shorter == &anew && anew.length == 1) {
		(void)buf_put_text(out, "\033[m");
		return;
	}
	(void)buf_put_text(out, "\033[");
	(void)buf_put(out, shorter->text, shorter->length);
	(void)buf_put_byte(out, 'm');
}
