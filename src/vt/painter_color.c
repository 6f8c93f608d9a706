/* What a terminal with fewer colours or attributes shows of a style: the nearest of its colours,
 * never a colour that it would take for another. */
#include "vt/painter_brush.h"

#include <limits.h>

/* The distance that the eye sees, weighted by the mean of red ("redmean"): cheap, and close to
 * uniform colour spaces where palettes are this coarse. */
static unsigned distance(uint32_t a, uint32_t b)
{
	int red_mean = (int)((a >> 16 & 0xff) + (b >> 16 & 0xff)) / 2;
	int red = (int)(a >> 16 & 0xff) - (int)(b >> 16 & 0xff);
	int green = (int)(a >> 8 & 0xff) - (int)(b >> 8 & 0xff);
	int blue = (int)(a & 0xff) - (int)(b & 0xff);
	return (unsigned)(((512 + red_mean) * red * red) / 256 + 4 * green * green +
			  ((767 - red_mean) * blue * blue) / 256);
}

static unsigned nearest_in(uint32_t rgb, unsigned first, unsigned count)
{
	unsigned best = first;
	unsigned best_distance = UINT_MAX;
	for (unsigned i = first; i < first + count; i++) {
		unsigned d = distance(rgb, vt_palette_initial(i));
		if (d < best_distance) {
			best = i;
			best_distance = d;
		}
	}
	return best;
}

/* One level of the 6x6x6 cube (0, 95, 135, 175, 215, 255). */
static unsigned cube_level(unsigned value)
{
	return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

static unsigned nearest_256(uint32_t rgb)
{
	unsigned red = rgb >> 16 & 0xff;
	unsigned green = rgb >> 8 & 0xff;
	unsigned blue = rgb & 0xff;
	unsigned cube = 16 + 36 * cube_level(red) + 6 * cube_level(green) + cube_level(blue);
	unsigned mean = (red + green + blue) / 3;
	unsigned grey = 232 + (mean < 8 ? 0 : mean > 238 ? 23 : (mean - 3) / 10);
	return distance(rgb, vt_palette_initial(cube)) <= distance(rgb, vt_palette_initial(grey))
		       ? cube
		       : grey;
}

static uint32_t rgb_of(const struct vt_screen *screen, uint32_t color)
{
	if (VT_COLOR_KIND(color) == VT_COLOR_RGB) {
		return VT_COLOR_VALUE(color);
	}
	unsigned index = VT_COLOR_VALUE(color) & 0xff;
	const struct vt_palette *palette = &vt_screen_modes(screen)->palette;
	if (palette->indexed != NULL && palette->indexed[index] != VT_COLOR_DEFAULT) {
		return VT_COLOR_VALUE(palette->indexed[index]);
	}
	return vt_palette_initial(index);
}

static uint32_t reduce_color(const struct vt_screen *screen, uint32_t colours, uint32_t color)
{
	if (color == VT_COLOR_DEFAULT || colours > 256) {
		return color;
	}
	if (VT_COLOR_KIND(color) == VT_COLOR_INDEXED && VT_COLOR_VALUE(color) < colours) {
		return color;
	}
	uint32_t rgb = rgb_of(screen, color);
	if (colours == 256) {
		return VT_COLOR_INDEXED | nearest_256(rgb);
	}
	if (VT_COLOR_KIND(color) == VT_COLOR_INDEXED && VT_COLOR_VALUE(color) < 16) {
		return color; /* bright: the caller makes it bold */
	}
	return VT_COLOR_INDEXED | nearest_in(rgb, 0, 16);
}

static bool is_bright_index(uint32_t color)
{
	return VT_COLOR_KIND(color) == VT_COLOR_INDEXED && VT_COLOR_VALUE(color) >= 8 &&
	       VT_COLOR_VALUE(color) < 16;
}

/* Eight colours: a bright text is bold, as these terminals show it; a bright ground is its base. */
static void reduce_to_eight(struct vt_style *s)
{
	if (is_bright_index(s->foreground)) {
		s->foreground -= 8;
		s->attributes |= VT_BOLD;
	}
	if (is_bright_index(s->background)) {
		s->background -= 8;
	}
}

/* No colours: a light ground is shown as inverse, so that bars and selections stay visible. */
static void reduce_to_none(const struct vt_screen *screen, struct vt_style *s)
{
	if (s->background != VT_COLOR_DEFAULT) {
		uint32_t rgb = rgb_of(screen, s->background);
		if (distance(rgb, 0xffffff) < distance(rgb, 0)) {
			s->attributes ^= VT_INVERSE;
		}
	}
	s->foreground = VT_COLOR_DEFAULT;
	s->background = VT_COLOR_DEFAULT;
	s->underline_color = VT_COLOR_DEFAULT;
}

struct vt_style vt_paint_reduce(const struct vt_screen *screen,
	const struct vt_paint_target *target, const struct vt_style *style)
{
	struct vt_style s = *style;
	if (target->class == VT_PAINT_PLAIN) {
		s.link = 0;
		s.attributes &= (uint16_t) ~(VT_PROTECTED | VT_STRIKE | VT_INVISIBLE);
	}
	if (target->class == VT_PAINT_PLAIN || target->colours < 256) {
		/* Terminals of this age do not know sub-parameters: some take 4:2 for a green
		 * ground. */
		s.attributes &= (uint16_t)~VT_OVERLINE;
		s.underline_color = VT_COLOR_DEFAULT;
		if (s.underline != VT_UNDERLINE_NONE) {
			s.underline = VT_UNDERLINE_SINGLE;
		}
	}
	if (target->colours < 8) {
		reduce_to_none(screen, &s);
		return s;
	}
	s.foreground = reduce_color(screen, target->colours, s.foreground);
	s.background = reduce_color(screen, target->colours, s.background);
	s.underline_color = reduce_color(screen, target->colours, s.underline_color);
	if (target->colours < 16) {
		reduce_to_eight(&s);
	}
	return s;
}
