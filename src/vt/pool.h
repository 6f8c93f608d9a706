/* What the cells of one screen name by number: styles, clusters and hyperlinks, each kept once.
 * Number 0 is always the plain one: default style, no cluster, no link.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vt/cell.h"
#include "vt/intern.h"

#define VT_POOL_STYLES 65535
#define VT_POOL_CLUSTERS 32768
#define VT_POOL_LINKS 4096

/* How history writes a style, kept with it (line_code.c). */
struct vt_style_code {
	uint8_t length; /* 0 = not known, or it has a link and is not kept */
	uint8_t bytes[15];
};

/* The styles asked for last, so that a program's few colours are found at once. */
#define VT_POOL_RECENT 64
struct vt_recent_style {
	struct vt_style style;
	uint32_t id; /* 0 = empty */
};

struct vt_pool {
	struct vt_intern styles;
	struct vt_intern clusters;
	struct vt_intern links;
	struct vt_recent_style recent[VT_POOL_RECENT];
};

void vt_pool_init(struct vt_pool *p);
void vt_pool_done(struct vt_pool *p);

/* Where a style stands if it was asked for a short while ago. */
static inline struct vt_recent_style *vt_pool_recent_place(
	struct vt_pool *p, const struct vt_style *style)
{
	uint32_t mix = style->foreground * 0x9e3779b1u ^ style->background * 0x85ebca6bu ^
		       (uint32_t)style->attributes * 0xc2b2ae35u ^ style->link * 0x27d4eb2fu ^
		       (uint32_t)style->underline << 27;
	return &p->recent[mix >> 26];
}

_Static_assert(VT_POOL_RECENT == 1 << (32 - 26), "the place is the top bits");

/* The number of a style that was asked for a short while ago (of the default style too). */
static inline bool vt_pool_style_recent(
	struct vt_pool *p, const struct vt_style *style, uint16_t *ret)
{
	static const struct vt_style plain;
	if (vt_style_equal(style, &plain)) {
		*ret = 0;
		return true;
	}
	const struct vt_recent_style *recent = vt_pool_recent_place(p, style);
	if (recent->id == 0 || !vt_style_equal(&recent->style, style)) {
		return false;
	}
	*ret = (uint16_t)recent->id;
	return true;
}

/* The number of a style; 0 (the default style) also when the pool is full or memory is short. */
uint16_t vt_pool_style_put(struct vt_pool *p, const struct vt_style *style);
/* The same of one that is not among the recent ones, and not the default style. */
uint16_t vt_pool_style_enter(struct vt_pool *p, const struct vt_style *style);
/* Never NULL. */
static inline const struct vt_style *vt_pool_style(const struct vt_pool *p, uint16_t id)
{
	static const struct vt_style plain;
	size_t length;
	const struct vt_style *style = vt_intern_get(&p->styles, id, &length);
	return style != NULL ? style : &plain;
}

/* NULL: unknown */
static inline struct vt_style_code *vt_pool_style_code(const struct vt_pool *p, uint16_t id)
{
	if (id == 0 || id > p->styles.used || !p->styles.entries[id].used) {
		return NULL;
	}
	return (struct vt_style_code *)(void *)(p->styles.entries[id].data +
						sizeof(struct vt_style));
}

/* The glyph of 2..VT_CLUSTER_LENGTH code points; VT_EMPTY when there is no room. */
uint32_t vt_pool_cluster_put(struct vt_pool *p, const uint32_t *points, size_t count);
/* The code points of any glyph: those of its cluster, or itself in *ret_own; 0 for VT_EMPTY. */
size_t vt_pool_points(
	const struct vt_pool *p, uint32_t glyph, uint32_t *ret_own, const uint32_t **ret);

/* uri and id without NUL; 0 when there is no room. */
uint32_t vt_pool_link_put(
	struct vt_pool *p, const char *uri, size_t uri_length, const char *id, size_t id_length);
/* NUL-ended strings; false for an unknown number. */
bool vt_pool_link(
	const struct vt_pool *p, uint32_t number, const char **ret_uri, const char **ret_id);

/* Collection in three steps: begin, mark what is in use, end. Links are marked by their styles. */
static inline bool vt_pool_collection_due(const struct vt_pool *p)
{
	return vt_intern_collection_due(&p->styles) || vt_intern_collection_due(&p->clusters) ||
	       vt_intern_collection_due(&p->links);
}
void vt_pool_collect_begin(struct vt_pool *p);
void vt_pool_mark_cells(struct vt_pool *p, const struct vt_cell *cells, size_t count);
void vt_pool_mark_glyph(struct vt_pool *p, uint32_t glyph);
void vt_pool_mark_style(struct vt_pool *p, uint16_t id);
void vt_pool_mark_link(struct vt_pool *p, uint32_t number);
void vt_pool_collect_end(struct vt_pool *p);
void vt_pool_trim(struct vt_pool *p); /* after a collection: frees what is kept for use again */
