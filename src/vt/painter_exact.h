/* The exact screen. Private to the painter. */
#pragma once

#include "vt/painter_brush.h"

void vt_paint_exact(struct vt_brush *b);
