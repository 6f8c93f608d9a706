#include "vt/pool.h"

#include <string.h>

#include "vt/modes.h"

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

uint16_t vt_pool_style_enter(struct vt_pool *p, const struct vt_style *style)
{
	struct vt_recent_style *recent = vt_pool_recent_place(p, style);
	recent->style = *style;
	recent->id = vt_intern_put(&p->styles, style, sizeof(*style));
	return (uint16_t)recent->id;
}

uint16_t vt_pool_style_put(struct vt_pool *p, const struct vt_style *style)
{
	uint16_t id;
	return vt_pool_style_recent(p, style, &id) ? id : vt_pool_style_enter(p, style);
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
	for (uint32_t i = 1; p->links.live > 0 && i <= p->styles.used; i++) {
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
