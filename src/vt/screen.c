/* A screen as its owner sees it: made, fed, looked at, freed. What the bytes do is in the other
 * files.
 */
#include "vt/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vt/state.h"

static const struct vt_parser_events parser_events = {
	.ascii = vt_print_ascii,
	.text = vt_print_text,
	.utf8 = vt_print_utf8,
	.execute = vt_control,
	.csi = vt_csi,
	.esc = vt_escape,
	.osc = vt_osc,
	.dcs = vt_reply_dcs,
};

/* While a line may be scaled. */
static const struct vt_parser_events scaled_events = {
	.ascii = vt_print_ascii,
	.text = vt_print_text,
	.utf8 = vt_print_utf8,
	.execute = vt_line_scale_control,
	.csi = vt_line_scale_csi,
	.esc = vt_line_scale_escape,
	.osc = vt_osc,
	.dcs = vt_reply_dcs,
};

void vt_screen_listen(struct vt_screen *s)
{
	s->parser.events = s->scaled ? &scaled_events : &parser_events;
}

static unsigned clamp_size(unsigned n)
{
	return n < 1 ? 1 : vt_min(n, VT_SIZE_MAX);
}

int vt_screen_new(struct vt_screen **ret, unsigned rows, unsigned columns, size_t history_budget,
	const struct vt_screen_events *events, void *user)
{
	struct vt_screen *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return -ENOMEM;
	}
	s->rows = clamp_size(rows);
	s->columns = clamp_size(columns);
	s->grid = &s->grids[VT_PRIMARY];
	s->events = events != NULL ? *events : (struct vt_screen_events){ 0 };
	s->user = user;
	vt_pool_init(&s->pool);
	vt_parser_init(&s->parser, &parser_events, s);
	vt_modes_init(&s->modes, s->rows, s->columns);
	vt_charset_changed(s);
	if (!vt_grid_init(s->grid, s->rows, s->columns) ||
		vt_history_new(&s->history, history_budget) < 0) {
		(void)vt_screen_free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct vt_screen *vt_screen_free(struct vt_screen *s)
{
	if (s != NULL) {
		vt_grid_done(&s->grids[VT_PRIMARY]);
		vt_grid_done(&s->grids[VT_ALTERNATE]);
		(void)vt_history_free(s->history);
		vt_modes_done(&s->modes);
		vt_parser_done(&s->parser);
		vt_pool_done(&s->pool);
		free(s);
	}
	return NULL;
}

void vt_screen_feed(struct vt_screen *s, const void *bytes, size_t length)
{
	s->changes++;
	vt_parser_feed(&s->parser, bytes, length);
}

void vt_screen_answer(struct vt_screen *s, bool on)
{
	s->answer = on;
}

void vt_screen_clear_history(struct vt_screen *s)
{
	vt_history_clear(s->history);
}

static void mark_grid(struct vt_screen *s, const struct vt_grid *g)
{
	for (unsigned y = 0; g->lines != NULL && y < g->rows; y++) {
		vt_pool_mark_cells(&s->pool, g->lines[y].cells, g->lines[y].used);
	}
}

static void collect(struct vt_screen *s)
{
	vt_pool_collect_begin(&s->pool);
	mark_grid(s, &s->grids[VT_PRIMARY]);
	mark_grid(s, &s->grids[VT_ALTERNATE]);
	vt_pool_mark_glyph(&s->pool, s->last_glyph);
	vt_pool_mark_link(&s->pool, s->modes.pen.link);
	if (s->pen_known) {
		vt_pool_mark_style(&s->pool, s->pen_style);
	}
	if (s->blank_known) {
		vt_pool_mark_style(&s->pool, s->blank_style);
	}
	vt_pool_collect_end(&s->pool);
}

void vt_collect(struct vt_screen *s)
{
	if (vt_pool_collection_due(&s->pool)) {
		collect(s);
	}
}

uint16_t vt_pen_find(struct vt_screen *s)
{
	if (!vt_pool_style_recent(&s->pool, &s->modes.pen, &s->pen_style)) {
		if (vt_intern_collection_due(&s->pool.styles)) {
			collect(s);
		}
		s->pen_style = vt_pool_style_enter(&s->pool, &s->modes.pen);
	}
	s->pen_known = true;
	return s->pen_style;
}

uint16_t vt_blank(struct vt_screen *s)
{
	if (!s->blank_known) {
		struct vt_style blank = { .background = s->modes.pen.background };
		s->blank_style = vt_pool_style_put(&s->pool, &blank);
		s->blank_known = true;
	}
	return s->blank_style;
}

void vt_screen_trim(struct vt_screen *s)
{
	if (s->grid != &s->grids[VT_ALTERNATE]) {
		vt_grid_done(&s->grids[VT_ALTERNATE]);
	}
	vt_grid_trim(&s->grids[VT_PRIMARY]);
	vt_grid_trim(&s->grids[VT_ALTERNATE]);
	vt_parser_trim(&s->parser);
	collect(s);
	vt_pool_trim(&s->pool);
}

bool vt_screen_ground(const struct vt_screen *s)
{
	return vt_parser_ground(&s->parser);
}

_Static_assert(VT_PENDING_MAX == VT_PARSER_PENDING_MAX, "one cap");

int vt_screen_pending(const struct vt_screen *s, const uint8_t **ret, size_t *ret_length)
{
	return vt_parser_pending(&s->parser, ret, ret_length) == 0 ? 0 : VT_PENDING_TOO_LONG;
}

unsigned vt_screen_rows(const struct vt_screen *s)
{
	return s->rows;
}

unsigned vt_screen_columns(const struct vt_screen *s)
{
	return s->columns;
}

enum vt_buffer vt_screen_active(const struct vt_screen *s)
{
	return s->modes.alternate ? VT_ALTERNATE : VT_PRIMARY;
}

struct vt_row vt_screen_row(const struct vt_screen *s, enum vt_buffer which, unsigned y)
{
	const struct vt_grid *g = &s->grids[which];
	if (g->lines == NULL || y >= g->rows) {
		return (struct vt_row){ 0 };
	}
	const struct vt_line *line = vt_grid_line(g, y);
	return (struct vt_row){
		.cells = line->used > 0 ? line->cells : NULL,
		.used = line->used,
		.wrapped = line->wrapped,
		.changed = vt_grid_changed(g, y),
	};
}

uint64_t vt_screen_changes(const struct vt_screen *s)
{
	return s->changes;
}

struct vt_cursor vt_screen_cursor(const struct vt_screen *s)
{
	return s->cursor;
}

bool vt_screen_joins(const struct vt_screen *s)
{
	return s->join.valid && s->join.row == s->cursor.row &&
	       vt_modes_get(&s->modes, VT_MODE_GRAPHEME);
}

const struct vt_modes *vt_screen_modes(const struct vt_screen *s)
{
	return &s->modes;
}

const struct vt_style *vt_screen_style(const struct vt_screen *s, uint16_t id)
{
	return vt_pool_style(&s->pool, id);
}

size_t vt_screen_cluster(const struct vt_screen *s, uint32_t glyph, const uint32_t **ret)
{
	uint32_t own;
	const uint32_t *points;
	if ((glyph & VT_CLUSTER) == 0) {
		return 0;
	}
	size_t count = vt_pool_points(&s->pool, glyph, &own, &points);
	if (count > 0) {
		*ret = points;
	}
	return count;
}

struct vt_link vt_screen_link(const struct vt_screen *s, uint32_t id)
{
	struct vt_link link = { .uri = "", .id = "" };
	(void)vt_pool_link(&s->pool, id, &link.uri, &link.id);
	return link;
}

uint32_t vt_screen_last_glyph(const struct vt_screen *s)
{
	return s->last_glyph;
}

const struct vt_history *vt_screen_history(const struct vt_screen *s)
{
	return s->history;
}

size_t vt_screen_history_line(
	struct vt_screen *s, size_t i, struct vt_cell *cells, bool *ret_wrapped)
{
	vt_collect(s);
	return vt_history_read(s->history, &s->pool, i, cells, VT_SIZE_MAX, ret_wrapped);
}

enum vt_line_scale vt_screen_history_scale(const struct vt_screen *s, size_t i)
{
	return (enum vt_line_scale)vt_history_scale(s->history, i);
}

struct vt_memory vt_screen_memory(const struct vt_screen *s)
{
	const struct vt_palette *palette = &s->modes.palette;
	return (struct vt_memory){
		.grid = vt_grid_bytes(&s->grids[VT_PRIMARY]) +
			vt_grid_bytes(&s->grids[VT_ALTERNATE]),
		.history = vt_history_bytes(s->history),
		.styles = s->pool.styles.bytes,
		.clusters = s->pool.clusters.bytes,
		.links = s->pool.links.bytes,
		.other = sizeof(*s) + vt_parser_bytes(&s->parser) +
			 (palette->indexed != NULL ? 256 * sizeof(uint32_t) : 0) +
			 vt_title_bytes(s),
	};
}
