/* The inside of a screen, for the files that make it up. Nobody else includes it.
 *
 * Rows and columns are 0-based; a range [from, end) leaves its end out, margins are inclusive.
 */
#pragma once

#include "vt/grid.h"
#include "vt/history.h"
#include "vt/modes.h"
#include "vt/parser.h"
#include "vt/pool.h"
#include "vt/screen.h"
#include "vt/width.h"

/* The character printed last, which the next code point may join. */
struct vt_join {
	bool valid;   /* nothing but text and SGR has come since */
	uint16_t row; /* where it stands */
	uint16_t column;
	uint32_t point;	      /* its last code point */
	vt_grapheme grapheme; /* 0 = not computed yet: that of `point` alone */
};

struct vt_screen {
	struct vt_parser parser;
	struct vt_modes modes;
	struct vt_pool pool;
	struct vt_grid grids[2]; /* enum vt_buffer */
	struct vt_grid *grid;	 /* the active one; always allocated */
	struct vt_history *history;
	unsigned rows;
	unsigned columns;
	struct vt_cursor cursor;
	uint64_t changes;
	bool answer;
	bool plain;	/* ASCII prints as itself: see vt_charset_changed() */
	bool pen_known; /* pen_style is that of modes.pen */
	bool blank_known;
	bool scaled; /* a line of the active buffer may be scaled: see line_scale.c */
	uint8_t scaled_age;
	uint16_t pen_style;
	uint16_t blank_style; /* of erased cells: the pen's background only */
	struct vt_join join;
	uint32_t last_glyph; /* for REP; 0 = none */
	struct vt_screen_events events;
	void *user;
};

/* screen.c */
void vt_screen_listen(
	struct vt_screen *s);	      /* tells the parser whom to call, after `scaled` changed */
void vt_collect(struct vt_screen *s); /* collects the pool if that is due; numbers in cells stay */
uint16_t vt_pen_find(struct vt_screen *s);
/* The number of the pen's style. */
static inline uint16_t vt_pen(struct vt_screen *s)
{
	return s->pen_known ? s->pen_style : vt_pen_find(s);
}
uint16_t vt_blank(struct vt_screen *s);
static inline void vt_pen_changed(struct vt_screen *s)
{
	s->pen_known = false;
	s->blank_known = false;
}
static inline struct vt_line *vt_line_at(const struct vt_screen *s, unsigned y)
{
	return vt_grid_line(s->grid, y);
}
/* The active buffer's row y, marked as changed now; any of its cells may change. */
static inline struct vt_line *vt_touch(struct vt_screen *s, unsigned y)
{
	struct vt_line *line = vt_line_at(s, y);
	line->changed = s->changes;
	line->draft_next = 0;
	return line;
}
static inline unsigned vt_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}
static inline unsigned vt_max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* print.c: text at the cursor */
void vt_print_ascii(void *screen, const uint8_t *bytes, size_t length);
void vt_print_text(void *screen, const uint32_t *points, size_t count);
/* print_utf8.c: see vt_parser_events */
const uint8_t *vt_print_utf8(void *screen, const uint8_t *b, const uint8_t *end);
void vt_print_repeat(struct vt_screen *s, unsigned times);

/* charset.c */
void vt_charset_changed(struct vt_screen *s);
uint32_t vt_charset_map(struct vt_screen *s, uint32_t point); /* uses up a single shift */
void vt_charset_designate(struct vt_screen *s, unsigned which, uint8_t final);
void vt_charset_shift(struct vt_screen *s, unsigned gl);
void vt_charset_single(struct vt_screen *s, unsigned which);

/* cursor.c */
void vt_cursor_to(struct vt_screen *s, unsigned row, unsigned column); /* absolute, cut to size */
void vt_cursor_address(
	struct vt_screen *s, unsigned row, unsigned column); /* as CUP: DECOM counts */
void vt_cursor_home(struct vt_screen *s);
void vt_cursor_up(struct vt_screen *s, unsigned n);
void vt_cursor_down(struct vt_screen *s, unsigned n);
void vt_cursor_forward(struct vt_screen *s, unsigned n);
void vt_cursor_back(struct vt_screen *s, unsigned n);
void vt_cursor_return(struct vt_screen *s);
void vt_cursor_index(struct vt_screen *s);
void vt_cursor_reverse_index(struct vt_screen *s);
void vt_cursor_tab(struct vt_screen *s, unsigned n);
void vt_cursor_tab_back(struct vt_screen *s, unsigned n);
void vt_cursor_save(struct vt_screen *s);
void vt_cursor_restore(struct vt_screen *s);
/* Whether it is within the left and right margin. */
static inline bool vt_cursor_in_columns(const struct vt_screen *s)
{
	return s->cursor.column >= s->modes.left && s->cursor.column <= s->modes.right;
}
/* The columns of row y: half of them where it is scaled. */
unsigned vt_line_scale_columns(const struct vt_screen *s, unsigned y);
static inline unsigned vt_columns_at(const struct vt_screen *s, unsigned y)
{
	return s->scaled ? vt_line_scale_columns(s, y) : s->columns;
}
/* The first column behind where text may go; cursor_margin: where no line is scaled. */
static inline unsigned vt_cursor_margin(const struct vt_screen *s)
{
	return s->cursor.column <= s->modes.right ? s->modes.right + 1u : s->columns;
}
static inline unsigned vt_cursor_limit(const struct vt_screen *s)
{
	unsigned limit = vt_cursor_margin(s);
	return s->scaled ? vt_min(limit, vt_line_scale_columns(s, s->cursor.row)) : limit;
}

/* edit.c: all in the active buffer; style of what becomes empty: vt_blank() */
void vt_edit_scroll(struct vt_screen *s, int n); /* the region; up = positive, into history */
void vt_edit_erase(struct vt_screen *s, unsigned row, unsigned from, unsigned end, bool selective);
void vt_edit_erase_rows(struct vt_screen *s, unsigned from, unsigned end, bool selective);
void vt_edit_insert_cells(struct vt_screen *s, unsigned row, unsigned column, unsigned n);
void vt_edit_delete_cells(struct vt_screen *s, unsigned row, unsigned column, unsigned n);
void vt_edit_lines(struct vt_screen *s, int n);			   /* IL: n < 0, DL: n > 0 */
void vt_edit_columns(struct vt_screen *s, unsigned column, int n); /* DECIC, SR: n < 0 */
void vt_edit_alignment(struct vt_screen *s);

/* rectangle.c: DECCRA, DECFRA, DECERA, DECSERA; DECCARA, DECRARA; DECSACE */
void vt_rectangle(struct vt_screen *s, const struct vt_sequence *q);
void vt_rectangle_attributes(struct vt_screen *s, const struct vt_sequence *q);
void vt_rectangle_extent(struct vt_screen *s, const struct vt_sequence *q);

/* line_scale.c: ESC # 3 to 6 on the cursor's row; back to single for rows [from, end); look finds
 * out whether any line is scaled, after the lines have changed otherwise */
void vt_line_scale_set(struct vt_screen *s, uint8_t final);
void vt_line_scale_reset(struct vt_screen *s, unsigned from, unsigned end);
void vt_line_scale_look(struct vt_screen *s);
void vt_line_scale_control(void *screen, uint8_t control);
void vt_line_scale_escape(void *screen, const struct vt_sequence *q);
void vt_line_scale_csi(void *screen, const struct vt_sequence *q);

/* control.c, csi.c */
void vt_control(void *screen, uint8_t control);
void vt_escape(void *screen, const struct vt_sequence *q);
void vt_csi(void *screen, const struct vt_sequence *q);

/* switch.c: modes that do something when they change */
void vt_switch_mode(struct vt_screen *s, const struct vt_mode_row *row, bool on);
void vt_switch_buffer(struct vt_screen *s, enum vt_buffer which);
void vt_switch_save(struct vt_screen *s, const struct vt_mode_row *row);    /* XTSAVE */
void vt_switch_restore(struct vt_screen *s, const struct vt_mode_row *row); /* XTRESTORE */
void vt_switch_reset(struct vt_screen *s);				    /* RIS */
void vt_switch_soft_reset(struct vt_screen *s);				    /* DECSTR */

/* sgr.c */
void vt_sgr(struct vt_screen *s, const struct vt_sequence *q);
size_t vt_sgr_describe(const struct vt_style *style, char *text, size_t size); /* "0;1;38:5:1" */

/* osc.c */
void vt_osc(void *screen, const uint8_t *payload, size_t length, bool bell);

/* title.c: both bounded, cleaned of controls; each tells the events what changed */
void vt_title_set(struct vt_screen *s, unsigned kinds, const uint8_t *text, size_t length);
void vt_title_push(struct vt_screen *s, unsigned kinds);
void vt_title_pop(struct vt_screen *s, unsigned kinds);
size_t vt_title_bytes(const struct vt_screen *s); /* allocated for titles */

/* reply.c */
void vt_reply(struct vt_screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_reply_attributes(struct vt_screen *s, const struct vt_sequence *q);
void vt_reply_status(struct vt_screen *s, const struct vt_sequence *q);
void vt_reply_mode(struct vt_screen *s, const struct vt_sequence *q);
void vt_reply_window(struct vt_screen *s, unsigned what);
void vt_reply_version(struct vt_screen *s);
void vt_reply_resized(struct vt_screen *s);
void vt_reply_dcs(void *screen, const struct vt_sequence *q, const uint8_t *payload, size_t length);
