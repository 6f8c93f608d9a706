/* SGR (ECMA-48 8.3.117, and what xterm, kitty and VTE added): the pen. */
#include <stdarg.h>
#include <stdio.h>

#include "vt/state.h"

static int channel(int value)
{
	return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* The number of sub-parameters that belong to parameter i. */
static unsigned sub_count(const struct vt_sequence *q, unsigned i)
{
	unsigned n = 0;
	if (q->sub == 0) {
		return 0;
	}
	while (i + n + 1 < q->count && (q->sub >> (i + n + 1) & 1) != 0) {
		n++;
	}
	return n;
}

/* Parameters i to i + 2, which are there. */
static uint32_t rgb(const struct vt_sequence *q, unsigned i)
{
	unsigned red = (unsigned)channel(q->values[i]);
	unsigned green = (unsigned)channel(q->values[i + 1]);
	unsigned blue = (unsigned)channel(q->values[i + 2]);
	return VT_COLOR_RGB | red << 16 | green << 8 | blue;
}

/* 38, 48 or 58 at i with its colour behind, in both forms: `38:5:n`, `38:2:r:g:b`,
 * `38:2:space:r:g:b`, `38;5;n`, `38;2;r;g;b`. Returns the parameters used behind i; *color is
 * untouched by what is malformed. */
static inline unsigned color(const struct vt_sequence *q, unsigned i, uint32_t *ret)
{
	unsigned subs = sub_count(q, i);
	int kind = vt_sequence_value(q, i + 1, 0);
	if (subs > 0) {
		if (kind == 5 && subs >= 2 && vt_sequence_value(q, i + 2, 0) <= 255) {
			*ret = VT_COLOR_INDEXED | (uint32_t)vt_sequence_value(q, i + 2, 0);
		} else if (kind == 2 && subs >= 4) {
			*ret = rgb(q, subs >= 5 ? i + 3 : i + 2);
		}
		return subs;
	}
	if (kind == 5) {
		if (i + 2 < q->count && vt_sequence_value(q, i + 2, 0) <= 255) {
			*ret = VT_COLOR_INDEXED | (uint32_t)vt_sequence_value(q, i + 2, 0);
		}
		return 2;
	}
	if (kind == 2) {
		if (i + 4 < q->count) {
			*ret = rgb(q, i + 2);
		}
		return 4;
	}
	return 1;
}

static void underline(const struct vt_sequence *q, unsigned i, struct vt_style *pen)
{
	int value = sub_count(q, i) > 0 ? vt_sequence_value(q, i + 1, 1) : 1;
	if (value <= VT_UNDERLINE_DASHED) {
		pen->underline = (uint16_t)value;
	}
}

static void reset(struct vt_style *pen)
{
	*pen = (struct vt_style){
		.attributes = pen->attributes & VT_PROTECTED,
		.link = pen->link,
	};
}

/* 1 to 9, 21 to 29, 53, 55: which attributes they set and clear. */
static const struct {
	uint16_t set;
	uint16_t clear;
} simple[] = {
	[1] = { VT_BOLD, 0 },
	[2] = { VT_DIM, 0 },
	[3] = { VT_ITALIC, 0 },
	[5] = { VT_BLINK, 0 },
	[6] = { VT_BLINK, 0 },
	[7] = { VT_INVERSE, 0 },
	[8] = { VT_INVISIBLE, 0 },
	[9] = { VT_STRIKE, 0 },
	[22] = { 0, VT_BOLD | VT_DIM },
	[23] = { 0, VT_ITALIC },
	[25] = { 0, VT_BLINK },
	[27] = { 0, VT_INVERSE },
	[28] = { 0, VT_INVISIBLE },
	[29] = { 0, VT_STRIKE },
	[53] = { VT_OVERLINE, 0 },
	[55] = { 0, VT_OVERLINE },
};

/* One parameter that is no colour of several; returns the parameters used behind it. */
static unsigned one(const struct vt_sequence *q, unsigned i, struct vt_style *pen)
{
	unsigned value = (unsigned)vt_sequence_value(q, i, 0);
	switch (value) {
	case 0:
		reset(pen);
		break;
	case 4:
		underline(q, i, pen);
		break;
	case 21:
		pen->underline = VT_UNDERLINE_DOUBLE;
		break;
	case 24:
		pen->underline = VT_UNDERLINE_NONE;
		break;
	case 38:
		return color(q, i, &pen->foreground);
	case 39:
		pen->foreground = VT_COLOR_DEFAULT;
		break;
	case 48:
		return color(q, i, &pen->background);
	case 49:
		pen->background = VT_COLOR_DEFAULT;
		break;
	case 58:
		return color(q, i, &pen->underline_color);
	case 59:
		pen->underline_color = VT_COLOR_DEFAULT;
		break;
	default:
		if (value >= 30 && value <= 37) {
			pen->foreground = VT_COLOR_INDEXED | (value - 30);
		} else if (value >= 40 && value <= 47) {
			pen->background = VT_COLOR_INDEXED | (value - 40);
		} else if (value >= 90 && value <= 97) {
			pen->foreground = VT_COLOR_INDEXED | (value - 90 + 8);
		} else if (value >= 100 && value <= 107) {
			pen->background = VT_COLOR_INDEXED | (value - 100 + 8);
		} else if (value < sizeof(simple) / sizeof(simple[0])) {
			pen->attributes = (uint16_t)((pen->attributes & ~simple[value].clear) |
						     simple[value].set);
		}
		break;
	}
	return sub_count(q, i);
}

void vt_sgr(struct vt_screen *s, const struct vt_sequence *q)
{
	struct vt_style *pen = &s->modes.pen;
	if (q->count == 1 && q->values[0] <= 0 && pen->link == 0 &&
		(pen->attributes & VT_PROTECTED) ==
			0) { /* every second one: what it makes is known */
		*pen = (struct vt_style){ 0 };
		s->pen_style = 0;
		s->pen_known = true;
		s->blank_style = 0;
		s->blank_known = true;
		return;
	}
	for (unsigned i = 0; i < q->count; i++) {
		i += one(q, i, pen);
	}
	vt_pen_changed(s);
}

struct text {
	char *at;
	size_t left;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(t->at, t->left, format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < t->left) {
		t->at += n;
		t->left -= (size_t)n;
	}
}

static void add_color(struct text *t, unsigned base, uint32_t c)
{
	unsigned value = VT_COLOR_VALUE(c);
	if (VT_COLOR_KIND(c) == VT_COLOR_INDEXED) {
		if (value < 8 && base != 58) {
			add(t, ";%u", base - 8 + value);
		} else if (value < 16 && base != 58) {
			add(t, ";%u", base - 8 + 60 + value - 8);
		} else {
			add(t, ";%u:5:%u", base, value);
		}
	} else if (VT_COLOR_KIND(c) == VT_COLOR_RGB) {
		add(t, ";%u:2::%u:%u:%u", base, value >> 16, value >> 8 & 255, value & 255);
	}
}

size_t vt_sgr_describe(const struct vt_style *style, char *text, size_t size)
{
	static const struct {
		uint16_t attribute;
		uint8_t number;
	} names[] = {
		{ VT_BOLD, 1 },
		{ VT_DIM, 2 },
		{ VT_ITALIC, 3 },
		{ VT_BLINK, 5 },
		{ VT_INVERSE, 7 },
		{ VT_INVISIBLE, 8 },
		{ VT_STRIKE, 9 },
		{ VT_OVERLINE, 53 },
	};
	struct text t = { .at = text, .left = size };
	add(&t, "0");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((style->attributes & names[i].attribute) != 0) {
			add(&t, ";%u", names[i].number);
		}
	}
	if (style->underline == VT_UNDERLINE_SINGLE) {
		add(&t, ";4");
	} else if (style->underline != VT_UNDERLINE_NONE) {
		add(&t, ";4:%u", style->underline);
	}
	add_color(&t, 38, style->foreground);
	add_color(&t, 48, style->background);
	add_color(&t, 58, style->underline_color);
	return size - t.left;
}
