#include "vt/pool.h"

#include <string.h>

#include "vt/modes.h"

static const struct vt_style default_style;

void vt_pool_init(struct vt_pool *p)
{
	memset(p->recent, 0, sizeof(p->recent));
	vt_intern_init(&p->styles, VT_POOL_STYLES, sizeof(struct vt_style_code));
	vt_intern_init(&p->clusters, VT_POOL_CLUSTERS, 0);
	vt_intern_init(&p->links, VT_POOL_LINKS, 0);
}

void vt_pool_done(struct vt_pool *p)
{
	vt_intern_done(&p->styles);
	vt_intern_done(&p->clusters);
	vt_intern_done(&p->links);
}

static struct vt_recent_style *recent_place(struct vt_pool *p, const struct vt_style *style)
{
	uint32_t mix = style->foreground * 0x9e3779b1u ^ style->background * 0x85ebca6bu ^
		       (uint32_t)style->attributes * 0xc2b2ae35u ^ style->link * 0x27d4eb2fu ^
		       (uint32_t)style->underline << 27;
	return &p->recent[mix >> 26];
}

_Static_assert(VT_POOL_RECENT == 1 << (32 - 26), "the place is the top bits");

bool vt_pool_style_recent(struct vt_pool *p, const struct vt_style *style, uint16_t *ret)
{
	const struct vt_recent_style *recent = recent_place(p, style);
	if (vt_style_equal(style, &default_style)) {
		*ret = 0;
		return true;
	}
	if (recent->id == 0 || !vt_style_equal(&recent->style, style)) {
		return false;
	}
	*ret = (uint16_t)recent->id;
	return true;
}

uint16_t vt_pool_style_put(struct vt_pool *p, const struct vt_style *style)
{
	uint16_t id;
	if (vt_pool_style_recent(p, style, &id)) {
		return id;
	}
	struct vt_recent_style *recent = recent_place(p, style);
	recent->style = *style;
	recent->id = vt_intern_put(&p->styles, style, sizeof(*style));
	return (uint16_t)recent->id;
}

const struct vt_style *vt_pool_style(const struct vt_pool *p, uint16_t id)
{
	size_t length;
	const struct vt_style *style = vt_intern_get(&p->styles, id, &length);
	return style != NULL ? style : &default_style;
}

struct vt_style_code *vt_pool_style_code(const struct vt_pool *p, uint16_t id)
{
	if (id == 0 || id > p->styles.used || !p->styles.entries[id].used) {
		return NULL;
	}
	return (struct vt_style_code *)(void *)(p->styles.entries[id].data +
						sizeof(struct vt_style));
}

uint32_t vt_pool_cluster_put(struct vt_pool *p, const uint32_t *points, size_t count)
{
	uint32_t number = vt_intern_put(&p->clusters, points, count * sizeof(*points));
	return number == 0 ? VT_EMPTY : VT_CLUSTER | number;
}

size_t vt_pool_points(
	const struct vt_pool *p, uint32_t glyph, uint32_t *ret_own, const uint32_t **ret)
{
	if (glyph == VT_EMPTY) {
		return 0;
	}
	if ((glyph & VT_CLUSTER) == 0) {
		*ret_own = glyph;
		*ret = ret_own;
		return 1;
	}
	size_t length;
	const uint32_t *points = vt_intern_get(&p->clusters, glyph & ~VT_CLUSTER, &length);
	if (points == NULL) {
		return 0;
	}
	*ret = points;
	return length / sizeof(*points);
}

uint32_t vt_pool_link_put(
	struct vt_pool *p, const char *uri, size_t uri_length, const char *id, size_t id_length)
{
	char both[VT_LINK_MAX + VT_LINK_ID_MAX + 2];
	if (uri_length == 0 || uri_length > VT_LINK_MAX || id_length > VT_LINK_ID_MAX) {
		return 0;
	}
	memcpy(both, uri, uri_length);
	both[uri_length] = '\0';
	if (id_length > 0) {
		memcpy(both + uri_length + 1, id, id_length);
	}
	both[uri_length + 1 + id_length] = '\0';
	return vt_intern_put(&p->links, both, uri_length + id_length + 2);
}

bool vt_pool_link(
	const struct vt_pool *p, uint32_t number, const char **ret_uri, const char **ret_id)
{
	size_t length;
	const char *both = vt_intern_get(&p->links, number, &length);
	if (both == NULL) {
		return false;
	}
	*ret_uri = both;
	*ret_id = both + strlen(both) + 1;
	return true;
}

bool vt_pool_collection_due(const struct vt_pool *p)
{
	return vt_intern_collection_due(&p->styles) || vt_intern_collection_due(&p->clusters) ||
	       vt_intern_collection_due(&p->links);
}

void vt_pool_collect_begin(struct vt_pool *p)
{
	vt_intern_unmark(&p->styles);
	vt_intern_unmark(&p->clusters);
	vt_intern_unmark(&p->links);
}

void vt_pool_mark_style(struct vt_pool *p, uint16_t id)
{
	if (id != 0) {
		vt_intern_mark(&p->styles, id);
	}
}

void vt_pool_mark_glyph(struct vt_pool *p, uint32_t glyph)
{
	if ((glyph & VT_CLUSTER) != 0) {
		vt_intern_mark(&p->clusters, glyph & ~VT_CLUSTER);
	}
}

void vt_pool_mark_link(struct vt_pool *p, uint32_t number)
{
	if (number != 0) {
		vt_intern_mark(&p->links, number);
	}
}

void vt_pool_mark_cells(struct vt_pool *p, const struct vt_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		vt_pool_mark_style(p, cells[i].style);
		vt_pool_mark_glyph(p, cells[i].glyph);
	}
}

void vt_pool_collect_end(struct vt_pool *p)
{
	vt_intern_sweep(&p->styles);
	memset(p->recent, 0, sizeof(p->recent));
	for (uint32_t i = 1; i <= p->styles.used; i++) {
		vt_pool_mark_link(p, vt_pool_style(p, (uint16_t)i)->link);
	}
	vt_intern_sweep(&p->clusters);
	vt_intern_sweep(&p->links);
}

void vt_pool_trim(struct vt_pool *p)
{
	vt_intern_trim(&p->styles);
	vt_intern_trim(&p->clusters);
	vt_intern_trim(&p->links);
}
