/* OSC: titles, colours, hyperlinks. Others (7, 52, 133, 1337 and so on) concern the real terminal
 * and are passed over, but for a clipboard query, which gets an empty answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt/state.h"

/* What is left of the payload. */
struct text {
	const uint8_t *at;
	size_t left;
};

/* Takes the field before the next `separator` (or all that is left). */
static struct text field(struct text *t, char separator)
{
	const uint8_t *end = t->left > 0 ? memchr(t->at, separator, t->left) : NULL;
	struct text f = { t->at, end != NULL ? (size_t)(end - t->at) : t->left };
	size_t used = end != NULL ? f.left + 1 : f.left;
	t->at += used;
	t->left -= used;
	return f;
}

static bool is(struct text t, const char *word)
{
	return t.left == strlen(word) && memcmp(t.at, word, t.left) == 0;
}

/* A decimal number up to 65535; -1 = none. */
static int number(struct text t)
{
	int value = 0;
	if (t.left == 0 || t.left > 5) {
		return -1;
	}
	for (size_t i = 0; i < t.left; i++) {
		if (t.at[i] < '0' || t.at[i] > '9') {
			return -1;
		}
		value = value * 10 + (t.at[i] - '0');
	}
	return value > 65535 ? -1 : value;
}

/* --- colours --- */

/* One to four hexadecimal digits; -1 = none. */
static int hex(struct text t)
{
	int value = 0;
	if (t.left == 0 || t.left > 4) {
		return -1;
	}
	for (size_t i = 0; i < t.left; i++) {
		uint8_t c = t.at[i] | 0x20;
		if (c >= '0' && c <= '9') {
			value = value << 4 | (c - '0');
		} else if (c >= 'a' && c <= 'f') {
			value = value << 4 | (c - 'a' + 10);
		} else {
			return -1;
		}
	}
	return value;
}

/* XParseColor's numeric forms: rgb:R/G/B with one to four digits each, scaled; #RGB to
 * #RRRRGGGGBBBB, whose leading digits count. False: not one of them (a colour's name, say). */
static bool color_parse(struct text t, uint32_t *ret)
{
	uint32_t color = 0;
	if (t.left > 4 && memcmp(t.at, "rgb:", 4) == 0) {
		struct text rest = { t.at + 4, t.left - 4 };
		for (unsigned i = 0; i < 3; i++) {
			struct text f = field(&rest, '/');
			int value = hex(f);
			if (value < 0) {
				return false;
			}
			int full = (1 << 4 * f.left) - 1;
			color = color << 8 | (uint32_t)((value * 255 + full / 2) / full);
		}
		*ret = VT_COLOR_RGB | color;
		return rest.left == 0;
	}
	if (t.left < 4 || t.left > 13 || t.at[0] != '#' || (t.left - 1) % 3 != 0) {
		return false;
	}
	size_t digits = (t.left - 1) / 3;
	for (unsigned i = 0; i < 3; i++) {
		int value = hex((struct text){ t.at + 1 + i * digits, digits });
		if (value < 0) {
			return false;
		}
		uint32_t high = digits == 1 ? (uint32_t)value << 4
					    : (uint32_t)value >> (4 * digits - 8);
		color = color << 8 | high;
	}
	*ret = VT_COLOR_RGB | color;
	return true;
}

static void reply_color(struct vt_screen *s, const char *what, uint32_t rgb, bool bell)
{
	unsigned red = rgb >> 16 & 255;
	unsigned green = rgb >> 8 & 255;
	unsigned blue = rgb & 255;
	vt_reply(s, "\033]%s;rgb:%02x%02x/%02x%02x/%02x%02x%s", what, red, red, green, green, blue,
		blue, bell ? "\a" : "\033\\");
}

static uint32_t *indexed(struct vt_screen *s, bool create)
{
	struct vt_palette *p = &s->modes.palette;
	if (p->indexed == NULL && create) {
		p->indexed = calloc(256, sizeof(*p->indexed));
	}
	return p->indexed;
}

/* OSC 4 ; index ; colour or ? ; ... */
static void set_indexed(struct vt_screen *s, struct text t, bool bell)
{
	while (t.left > 0) {
		int index = number(field(&t, ';'));
		struct text value = field(&t, ';');
		uint32_t color;
		if (index < 0 || index > 255) {
			continue;
		}
		uint32_t *colors = indexed(s, false);
		if (is(value, "?")) {
			char what[16];
			bool changed = colors != NULL && colors[index] != VT_COLOR_DEFAULT;
			snprintf(what, sizeof(what), "4;%d", index);
			reply_color(s, what,
				changed ? colors[index] : vt_palette_initial((unsigned)index),
				bell);
		} else if (color_parse(value, &color)) {
			colors = indexed(s, true);
			if (colors != NULL) {
				colors[index] = color;
			}
		}
	}
}

/* OSC 104 ; index ; ... or all of them */
static void reset_indexed(struct vt_screen *s, struct text t)
{
	uint32_t *colors = indexed(s, false);
	if (t.left == 0) {
		free(colors);
		s->modes.palette.indexed = NULL;
		return;
	}
	while (t.left > 0) {
		int index = number(field(&t, ';'));
		if (colors != NULL && index >= 0 && index <= 255) {
			colors[index] = VT_COLOR_DEFAULT;
		}
	}
}

static const char *const dynamic_names[] = { "10", "11", "12" };

static uint32_t *dynamic(struct vt_screen *s, unsigned which, uint32_t *ret_initial)
{
	struct vt_palette *p = &s->modes.palette;
	switch (which) {
	case 0:
		*ret_initial = VT_FOREGROUND_INITIAL;
		return &p->foreground;
	case 1:
		*ret_initial = VT_BACKGROUND_INITIAL;
		return &p->background;
	default:
		*ret_initial = VT_CURSOR_INITIAL;
		return &p->cursor;
	}
}

/* OSC 10 (11, 12) ; colour or ? ; the same for the next one ... */
static void set_dynamic(struct vt_screen *s, unsigned which, struct text t, bool bell)
{
	for (; which <= 2 && t.left > 0; which++) {
		struct text value = field(&t, ';');
		uint32_t initial;
		uint32_t *color = dynamic(s, which, &initial);
		if (is(value, "?")) {
			reply_color(s, dynamic_names[which],
				*color != VT_COLOR_DEFAULT ? *color : initial, bell);
		} else {
			(void)color_parse(value, color);
		}
	}
}

/* --- hyperlinks --- */

static bool is_printable(struct text t)
{
	for (size_t i = 0; i < t.left; i++) {
		if (t.at[i] < 0x20 || t.at[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

/* OSC 8 ; key=value:key=value ; URI. An empty URI ends the link, and so does one that cannot be
 * kept. */
static void set_link(struct vt_screen *s, struct text t)
{
	struct text parameters = field(&t, ';');
	struct text id = { NULL, 0 };
	while (parameters.left > 0) {
		struct text p = field(&parameters, ':');
		if (p.left >= 3 && memcmp(p.at, "id=", 3) == 0) {
			id = (struct text){ p.at + 3, p.left - 3 };
		}
	}
	id.left = id.left > VT_LINK_ID_MAX ? VT_LINK_ID_MAX : id.left;
	if (!is_printable(id)) {
		id.left = 0;
	}
	s->modes.pen.link = 0;
	vt_pen_changed(s);
	if (is_printable(t)) {
		vt_collect(s);
		s->modes.pen.link = vt_pool_link_put(
			&s->pool, (const char *)t.at, t.left, (const char *)id.at, id.left);
	}
}

void vt_osc(void *screen, const uint8_t *payload, size_t length, bool bell)
{
	struct vt_screen *s = screen;
	struct text t = { payload, length };
	int what = number(field(&t, ';'));
	s->join.valid = false;
	switch (what) {
	case 0:
		vt_title_set(s, 3, t.at, t.left);
		break;
	case 1:
		vt_title_set(s, 1, t.at, t.left);
		break;
	case 2:
		vt_title_set(s, 2, t.at, t.left);
		break;
	case 4:
		set_indexed(s, t, bell);
		break;
	case 8:
		set_link(s, t);
		break;
	case 10:
	case 11:
	case 12:
		set_dynamic(s, (unsigned)what - 10, t, bell);
		break;
	case 52:
		(void)field(&t, ';');
		if (is(t, "?")) {
			vt_reply(s, "\033]52;c;%s", bell ? "\a" : "\033\\");
		}
		break;
	case 104:
		reset_indexed(s, t);
		break;
	case 110:
	case 111:
	case 112: {
		uint32_t initial;
		*dynamic(s, (unsigned)what - 110, &initial) = VT_COLOR_DEFAULT;
		break;
	}
	default:
		break;
	}
}
