/* The commands that expect something: one row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "script.h"
#include "vt/history.h"

#define TEXT_MAX 8192

static const struct vt_modes *modes(const struct script *s)
{
	return vt_screen_modes(s->screen);
}

static const char *word(const struct script_line *l, size_t i)
{
	return i < l->count ? l->words[i].text : "";
}

static bool has_word(const struct script_line *l, const char *text)
{
	for (size_t i = 1; i < l->count; i++) {
		if (!l->words[i].quoted && strcmp(l->words[i].text, text) == 0) {
			return true;
		}
	}
	return false;
}

static void expect(struct script *s, const char *what, unsigned is, unsigned should)
{
	if (is != should) {
		script_fail(s, "%s is %u, should be %u", what, is, should);
	}
}

static void expect_text(struct script *s, const char *what, const char *is, const char *should)
{
	is = is != NULL ? is : "";
	if (strcmp(is, should) != 0) {
		script_fail(s, "%s is \"%s\", should be \"%s\"", what, is, should);
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

static void check_row_of(struct script *s, const struct script_line *l, enum vt_buffer which)
{
	char text[TEXT_MAX];
	struct vt_row row = vt_screen_row(s->screen, which, script_number(s, l, 1));
	compare_row_text(s->screen, row.cells, row.used, text, sizeof(text));
	expect_text(s, "the row", text, word(l, 2));
	expect(s, "wrapped", row.wrapped, has_word(l, "wrapped"));
}

static void check_row(struct script *s, const struct script_line *l)
{
	check_row_of(s, l, vt_screen_active(s->screen));
}

static void check_primary_row(struct script *s, const struct script_line *l)
{
	check_row_of(s, l, VT_PRIMARY);
}

static const char *const scales[] = { "single", "wide", "top", "bottom" };

static void check_scale(struct script *s, const struct script_line *l)
{
	enum vt_line_scale scale = vt_screen_line_scale(
		s->screen, vt_screen_active(s->screen), script_number(s, l, 1));
	expect_text(s, "the scale", scales[scale], word(l, 2));
}

static void check_history_scale(struct script *s, const struct script_line *l)
{
	enum vt_line_scale scale = vt_screen_history_scale(s->screen, script_number(s, l, 1));
	expect_text(s, "the scale", scales[scale], word(l, 2));
}

static void check_history(struct script *s, const struct script_line *l)
{
	expect(s, "lines of history", (unsigned)vt_history_count(vt_screen_history(s->screen)),
		script_number(s, l, 1));
}

static void check_history_row(struct script *s, const struct script_line *l)
{
	struct vt_cell cells[VT_SIZE_MAX];
	char text[TEXT_MAX];
	bool wrapped = false;
	size_t n = vt_screen_history_line(s->screen, script_number(s, l, 1), cells, &wrapped);
	compare_row_text(s->screen, cells, (unsigned)n, text, sizeof(text));
	expect_text(s, "the line", text, word(l, 2));
	expect(s, "wrapped", wrapped, has_word(l, "wrapped"));
}

/* --- looks ------------------------------------------------------------------------------------ */

static uint32_t color(const char *text)
{
	if (strcmp(text, "default") == 0) {
		return VT_COLOR_DEFAULT;
	}
	return text[0] == '#' ? VT_COLOR_RGB | (uint32_t)strtoul(text + 1, NULL, 16)
			      : VT_COLOR_INDEXED | (uint32_t)strtoul(text, NULL, 10);
}

static bool attribute(const char *text, struct vt_style *style)
{
	static const char *const names[] = { "bold", "dim", "italic", "blink", "inverse",
		"invisible", "strike", "overline", "protected" };
	static const char *const underlines[] = { "underline=none", "underline=single",
		"underline=double", "underline=curly", "underline=dotted", "underline=dashed" };
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			style->attributes |= (uint16_t)(1U << i);
			return true;
		}
	}
	for (unsigned i = 0; i < sizeof(underlines) / sizeof(underlines[0]); i++) {
		if (strcmp(text, underlines[i]) == 0) {
			style->underline = (uint16_t)i;
			return true;
		}
	}
	return false;
}

/* The words from `first` on as a look; the link is checked at once. */
static void check_look(struct script *s, const struct script_line *l, size_t first,
	const struct vt_style *is, unsigned *ret_width)
{
	struct vt_style should = { 0 };
	const char *link = "";
	for (size_t i = first; i < l->count; i++) {
		const char *text = word(l, i);
		if (strncmp(text, "fg=", 3) == 0) {
			should.foreground = color(text + 3);
		} else if (strncmp(text, "bg=", 3) == 0) {
			should.background = color(text + 3);
		} else if (strncmp(text, "ul=", 3) == 0) {
			should.underline_color = color(text + 3);
		} else if (strncmp(text, "link=", 5) == 0) {
			link = text + 5;
		} else if (strncmp(text, "width=", 6) == 0 && ret_width != NULL) {
			*ret_width = (unsigned)strtoul(text + 6, NULL, 10);
		} else if (!attribute(text, &should)) {
			script_fail(s, "unknown look '%s'", text);
		}
	}
	expect_text(s, "the link", vt_screen_link(s->screen, is->link).uri, link);
	expect(s, "attributes", is->attributes, should.attributes);
	expect(s, "underline", is->underline, should.underline);
	expect(s, "text colour", is->foreground, should.foreground);
	expect(s, "background", is->background, should.background);
	expect(s, "underline colour", is->underline_color, should.underline_color);
}

static void check_cell(struct script *s, const struct script_line *l)
{
	struct vt_row row = vt_screen_row(
		s->screen, vt_screen_active(s->screen), script_number(s, l, 1));
	unsigned x = script_number(s, l, 2);
	struct vt_cell cell = x < row.used ? row.cells[x] : (struct vt_cell){ .width = 1 };
	unsigned width = 1;
	check_look(s, l, 4, vt_screen_style(s->screen, cell.style), &width);
	expect(s, "width", cell.width, width);
	if (l->count > 3 && !l->words[3].quoted) {
		expect(s, "the glyph", cell.glyph, VT_EMPTY);
		return;
	}
	char text[128];
	compare_row_text(s->screen, &cell, 1, text, sizeof(text));
	if (cell.glyph == ' ') {
		(void)snprintf(text, sizeof(text), " ");
	}
	expect_text(s, "the cell", text, word(l, 3));
}

static void check_pen(struct script *s, const struct script_line *l)
{
	check_look(s, l, 1, &modes(s)->pen, NULL);
}

/* --- cursors ---------------------------------------------------------------------------------- */

static void check_place(
	struct script *s, const struct script_line *l, const struct vt_cursor *cursor)
{
	expect(s, "row", cursor->row, script_number(s, l, 1));
	expect(s, "column", cursor->column, script_number(s, l, 2));
	expect(s, "pending", cursor->pending_wrap, has_word(l, "pending"));
}

static void check_cursor(struct script *s, const struct script_line *l)
{
	struct vt_cursor cursor = vt_screen_cursor(s->screen);
	check_place(s, l, &cursor);
}

static void check_saved(struct script *s, const struct script_line *l)
{
	const struct vt_saved_cursor *saved = &modes(s)->saved[vt_screen_active(s->screen)];
	bool none = has_word(l, "none");
	expect(s, "a saved cursor", saved->saved, !none);
	if (!none) {
		check_place(s, l, &saved->cursor);
		expect(s, "origin", saved->origin, has_word(l, "origin"));
	}
}

/* --- modes ------------------------------------------------------------------------------------ */

static void check_mode(struct script *s, const struct script_line *l)
{
	const char *number = word(l, 1);
	bool is_private = number[0] == '?';
	const struct vt_mode_row *row = vt_mode_find(
		is_private, (unsigned)strtoul(number + is_private, NULL, 10));
	if (row == NULL) {
		script_fail(s, "unknown mode '%s'", number);
		return;
	}
	expect(s, row->name, vt_mode_is_set(modes(s), row), strcmp(word(l, 2), "on") == 0);
}

static void check_mouse(struct script *s, const struct script_line *l)
{
	expect(s, "mouse mode", modes(s)->mouse, script_number(s, l, 1));
}

static void check_encoding(struct script *s, const struct script_line *l)
{
	expect(s, "mouse encoding", modes(s)->mouse_encoding, script_number(s, l, 1));
}

static void check_shape(struct script *s, const struct script_line *l)
{
	expect(s, "cursor shape", modes(s)->cursor_shape, script_number(s, l, 1));
}

static void check_buffer(struct script *s, const struct script_line *l)
{
	expect(s, "the alternate buffer", modes(s)->alternate,
		strcmp(word(l, 1), "alternate") == 0);
}

static void check_margins(struct script *s, const struct script_line *l)
{
	const struct vt_modes *m = modes(s);
	const uint16_t are[] = { m->top, m->bottom, m->left, m->right };
	static const char *const names[] = { "top", "bottom", "left", "right" };
	for (unsigned i = 0; i < 4; i++) {
		expect(s, names[i], are[i], script_number(s, l, 1 + i));
	}
}

static void check_tabs(struct script *s, const struct script_line *l)
{
	for (unsigned x = 1; x < vt_screen_columns(s->screen); x++) {
		bool should = false;
		for (size_t i = 1; i < l->count; i++) {
			should |= script_number(s, l, i) == x;
		}
		if (vt_tabs_get(modes(s), x) != should) {
			script_fail(s, "column %u has %s tab stop", x, should ? "no" : "a");
		}
	}
}

static void check_charsets(struct script *s, const struct script_line *l)
{
	const struct vt_charsets *c = &modes(s)->charsets;
	char names[5] = "";
	for (unsigned i = 0; i < 4; i++) {
		names[i] = "B0A"[c->g[i]];
	}
	expect_text(s, "character sets", names, word(l, 1));
	expect(s, "GL", c->gl, script_number(s, l, 2));
	expect(s, "GR", c->gr, script_number(s, l, 3));
	expect(s, "single shift", c->single, script_number(s, l, 4));
}

static void check_kitty(struct script *s, const struct script_line *l)
{
	const struct vt_kitty *k = &modes(s)->kitty[vt_screen_active(s->screen)];
	expect(s, "depth of the keyboard stack", k->depth, (unsigned)l->count - 1);
	for (unsigned i = 0; i < k->depth && i + 1 < l->count; i++) {
		expect(s, "flags", k->flags[i], script_number(s, l, i + 1));
	}
}

static void check_keys(struct script *s, const struct script_line *l)
{
	const uint8_t *values = strcmp(word(l, 0), "modify") == 0 ? modes(s)->modify_keys
								  : modes(s)->format_keys;
	expect(s, "value", values[script_number(s, l, 1) % VT_MODIFY_KEYS], script_number(s, l, 2));
}

static void check_title(struct script *s, const struct script_line *l)
{
	bool icon = strcmp(word(l, 0), "icon") == 0;
	expect_text(
		s, word(l, 0), icon ? modes(s)->titles.icon : modes(s)->titles.title, word(l, 1));
}

static void check_titles(struct script *s, const struct script_line *l)
{
	expect(s, "depth of the title stack", modes(s)->titles.depth, script_number(s, l, 1));
}

static void check_palette(struct script *s, const struct script_line *l)
{
	const struct vt_palette *p = &modes(s)->palette;
	const char *which = word(l, 1);
	uint32_t is = strcmp(which, "text") == 0     ? p->foreground
		      : strcmp(which, "ground") == 0 ? p->background
		      : strcmp(which, "cursor") == 0 ? p->cursor
		      : p->indexed != NULL	     ? p->indexed[script_number(s, l, 1) & 0xff]
						     : VT_COLOR_DEFAULT;
	expect(s, "colour", is, color(word(l, 2)));
}

static void check_reply(struct script *s, const struct script_line *l)
{
	const struct script_word *w = &l->words[1];
	if (l->count < 2 || s->replies.length != w->length ||
		(w->length > 0 && memcmp(s->replies.data, w->text, w->length) != 0)) {
		script_fail(s, "the answer is \"%.*s\", should be \"%s\"", (int)s->replies.length,
			s->replies.length > 0 ? (const char *)s->replies.data : "", word(l, 1));
	}
	buf_clear(&s->replies);
}

static void check_bells(struct script *s, const struct script_line *l)
{
	expect(s, "bells", s->bells, script_number(s, l, 1));
}

static void check_ground(struct script *s, const struct script_line *l)
{
	expect(s, "ground state", vt_screen_ground(s->screen), strcmp(word(l, 1), "yes") == 0);
}

static const struct {
	const char *name;
	void (*check)(struct script *s, const struct script_line *l);
} checks[] = {
	{ "bells", check_bells },
	{ "buffer", check_buffer },
	{ "cell", check_cell },
	{ "charsets", check_charsets },
	{ "cursor", check_cursor },
	{ "encoding", check_encoding },
	{ "format", check_keys },
	{ "ground", check_ground },
	{ "history", check_history },
	{ "history-row", check_history_row },
	{ "history-scale", check_history_scale },
	{ "icon", check_title },
	{ "kitty", check_kitty },
	{ "margins", check_margins },
	{ "mode", check_mode },
	{ "modify", check_keys },
	{ "mouse", check_mouse },
	{ "palette", check_palette },
	{ "pen", check_pen },
	{ "primary-row", check_primary_row },
	{ "reply", check_reply },
	{ "row", check_row },
	{ "saved", check_saved },
	{ "scale", check_scale },
	{ "shape", check_shape },
	{ "tabs", check_tabs },
	{ "title", check_title },
	{ "titles", check_titles },
};

bool script_check(struct script *s, const struct script_line *l)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].name, word(l, 0)) == 0) {
			checks[i].check(s, l);
			return true;
		}
	}
	return false;
}
