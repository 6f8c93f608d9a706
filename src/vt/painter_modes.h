/* Modes as bytes. Private to the painter. */
#pragma once

#include "vt/painter_brush.h"

/* A list of mode numbers in one sequence, `final` 'h', 'l', 's' or 'r'. */
#define VT_MODE_LIST_MAX 16 /* numbers in one sequence: terminals cap their parameters */
struct vt_mode_list {
	struct buf *out;
	bool is_private;
	char final;
	unsigned count;
};
void vt_mode_list_add(struct vt_mode_list *list, unsigned number);
void vt_mode_list_end(struct vt_mode_list *list);

/* The owner's preferences among the modes: brought back by XTRESTORE where begin was written. */
bool vt_paint_is_preference(unsigned number);

/* What the brush must not meet while it paints; set last. */
bool vt_paint_is_late(enum vt_mode mode);

uint64_t vt_paint_initial_bits(void); /* vt_modes.bits after power on */

/* Sets and resets the private modes in which `from` and `to` differ, of those `among`. */
void vt_paint_toggle(struct buf *out, uint64_t from, uint64_t to, uint64_t among);

/* The terminal has initial modes in all of these. */
void vt_paint_xtsave(struct buf *out, const struct vt_modes *m);
void vt_paint_titles(struct buf *out, const struct vt_modes *m);
void vt_paint_palette(struct buf *out, const struct vt_modes *m);
void vt_paint_keys(struct buf *out, const struct vt_modes *m);
void vt_paint_kitty(struct buf *out, const struct vt_kitty *kitty);
void vt_paint_early_modes(struct buf *out, const struct vt_modes *m);
void vt_paint_late_modes(struct buf *out, const struct vt_modes *m);
void vt_paint_cursor_shape(struct buf *out, const struct vt_modes *m);
void vt_paint_charsets(struct buf *out, const struct vt_charsets *c); /* without `single` */
void vt_paint_single_shift(struct buf *out, const struct vt_charsets *c);
