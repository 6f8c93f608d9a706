#include <stdio.h>
#include <string.h>

#include "compare_parts.h"

static bool same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static void number(struct comparison *c, const char *what, unsigned of, unsigned other)
{
	if (of != other) {
		compare_differs(c, "%s is %u, should be %u", what, other, of);
	}
}

static void text(struct comparison *c, const char *what, const char *of, const char *other)
{
	if (!same_text(of, other)) {
		compare_differs(c, "%s is '%s', should be '%s'", what, other != NULL ? other : "",
			of != NULL ? of : "");
	}
}

static void compare_bits(struct comparison *c, const struct vt_modes *a, const struct vt_modes *b)
{
	size_t count;
	const struct vt_mode_row *rows = vt_mode_table(&count);
	uint64_t initial = 0;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].kind != VT_KIND_BIT) {
			continue;
		}
		initial |= (uint64_t)rows[i].initial << rows[i].value;
		if (vt_modes_get(a, rows[i].value) != vt_modes_get(b, rows[i].value)) {
			compare_differs(c, "mode %s%u is %s, should be %s",
				rows[i].is_private ? "?" : "", rows[i].number,
				vt_modes_get(b, rows[i].value) ? "on" : "off",
				vt_modes_get(a, rows[i].value) ? "on" : "off");
		}
	}
	/* What was never saved is brought back as after power on. */
	uint64_t saved_a = (a->xtsave.bits & a->xtsave.known) | (initial & ~a->xtsave.known);
	uint64_t saved_b = (b->xtsave.bits & b->xtsave.known) | (initial & ~b->xtsave.known);
	if (saved_a != saved_b) {
		compare_differs(c, "saved modes are %jx, should be %jx", (uintmax_t)saved_b,
			(uintmax_t)saved_a);
	}
	number(c, "saved mouse mode", a->xtsave.mouse_known ? a->xtsave.mouse : 0,
		b->xtsave.mouse_known ? b->xtsave.mouse : 0);
	number(c, "saved mouse encoding", a->xtsave.encoding_known ? a->xtsave.mouse_encoding : 0,
		b->xtsave.encoding_known ? b->xtsave.mouse_encoding : 0);
}

static void compare_charsets(struct comparison *c, const char *what, const struct vt_charsets *a,
	const struct vt_charsets *b)
{
	if (memcmp(a->g, b->g, sizeof(a->g)) != 0 || a->gl != b->gl || a->gr != b->gr ||
		a->single != b->single) {
		compare_differs(c,
			"%scharsets are %u%u%u%u gl %u gr %u single %u, should be %u%u%u%u gl %u "
			"gr %u "
			"single %u",
			what, b->g[0], b->g[1], b->g[2], b->g[3], b->gl, b->gr, b->single, a->g[0],
			a->g[1], a->g[2], a->g[3], a->gl, a->gr, a->single);
	}
}

static void compare_saved(
	struct comparison *c, struct vt_screen *of, struct vt_screen *other, unsigned which)
{
	const struct vt_saved_cursor *a = &vt_screen_modes(of)->saved[which];
	const struct vt_saved_cursor *b = &vt_screen_modes(other)->saved[which];
	if (a->saved != b->saved) {
		compare_differs(c, "buffer %u has %s saved cursor", which, b->saved ? "a" : "no");
	}
	if (!a->saved) {
		return;
	}
	if (a->cursor.row != b->cursor.row || a->cursor.column != b->cursor.column ||
		a->cursor.pending_wrap != b->cursor.pending_wrap) {
		compare_differs(c, "saved cursor %u is %u,%u%s, should be %u,%u%s", which,
			b->cursor.row, b->cursor.column, b->cursor.pending_wrap ? " pending" : "",
			a->cursor.row, a->cursor.column, a->cursor.pending_wrap ? " pending" : "");
	}
	number(c, "saved origin mode", a->origin, b->origin);
	compare_charsets(c, "saved ", &a->charsets, &b->charsets);
	if (!compare_style(of, &a->pen, other, &b->pen)) {
		compare_differs(c, "the saved pen of buffer %u differs", which);
	}
}

static void compare_kitty(struct comparison *c, const struct vt_kitty *a, const struct vt_kitty *b)
{
	number(c, "depth of a keyboard stack", a->depth, b->depth);
	for (unsigned i = 0; i < a->depth && c->why[0] == '\0'; i++) {
		number(c, "keyboard flags", a->flags[i], b->flags[i]);
	}
}

static void compare_titles(
	struct comparison *c, const struct vt_titles *a, const struct vt_titles *b)
{
	text(c, "title", a->title, b->title);
	text(c, "icon name", a->icon, b->icon);
	number(c, "depth of the title stack", a->depth, b->depth);
	for (unsigned i = 0; i < a->depth && c->why[0] == '\0'; i++) {
		const struct vt_title_entry *x = &a->stack[i];
		const struct vt_title_entry *y = &b->stack[i];
		number(c, "kinds of a pushed title", x->kinds, y->kinds);
		if ((x->kinds & 2) != 0) {
			text(c, "pushed title", x->title, y->title);
		}
		if ((x->kinds & 1) != 0) {
			text(c, "pushed icon name", x->icon, y->icon);
		}
	}
}

static void compare_palette(
	struct comparison *c, const struct vt_palette *a, const struct vt_palette *b)
{
	number(c, "text colour", a->foreground, b->foreground);
	number(c, "background colour", a->background, b->background);
	number(c, "cursor colour", a->cursor, b->cursor);
	for (unsigned i = 0; i < 256 && c->why[0] == '\0'; i++) {
		number(c, "palette colour", a->indexed != NULL ? a->indexed[i] : VT_COLOR_DEFAULT,
			b->indexed != NULL ? b->indexed[i] : VT_COLOR_DEFAULT);
	}
}

void compare_modes(struct comparison *c, struct vt_screen *of, struct vt_screen *other)
{
	const struct vt_modes *a = vt_screen_modes(of);
	const struct vt_modes *b = vt_screen_modes(other);
	compare_bits(c, a, b);
	number(c, "mouse mode", a->mouse, b->mouse);
	number(c, "mouse encoding", a->mouse_encoding, b->mouse_encoding);
	number(c, "cursor shape", a->cursor_shape, b->cursor_shape);
	number(c, "extent of attribute changes", a->attribute_extent, b->attribute_extent);
	number(c, "alternate buffer", a->alternate, b->alternate);
	number(c, "mode that showed the alternate buffer", a->alternate_by, b->alternate_by);
	number(c, "top margin", a->top, b->top);
	number(c, "bottom margin", a->bottom, b->bottom);
	number(c, "left margin", a->left, b->left);
	number(c, "right margin", a->right, b->right);
	compare_charsets(c, "", &a->charsets, &b->charsets);
	for (unsigned which = 0; which < 2; which++) {
		compare_saved(c, of, other, which);
		compare_kitty(c, &a->kitty[which], &b->kitty[which]);
	}
	for (unsigned i = 0; i < VT_MODIFY_KEYS; i++) {
		number(c, "modify-keys resource", a->modify_keys[i], b->modify_keys[i]);
		number(c, "format-keys resource", a->format_keys[i], b->format_keys[i]);
	}
	if (!compare_style(of, &a->pen, other, &b->pen)) {
		compare_differs(c,
			"pen is fg %x bg %x attributes %x, should be fg %x bg %x attributes %x",
			b->pen.foreground, b->pen.background, b->pen.attributes, a->pen.foreground,
			a->pen.background, a->pen.attributes);
	}
	compare_titles(c, &a->titles, &b->titles);
	compare_palette(c, &a->palette, &b->palette);
	for (unsigned x = 1; x < vt_screen_columns(of); x++) {
		if (vt_tabs_get(a, x) != vt_tabs_get(b, x)) {
			compare_differs(
				c, "column %u has %s tab stop", x, vt_tabs_get(b, x) ? "a" : "no");
		}
	}
}
