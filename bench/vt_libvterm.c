/* Debian's libvterm: a screen without history (its owner would keep the lines that leave it). */
#include "vt_model.h"

#include <vterm.h>

static int keep_line(int columns, const VTermScreenCell *cells, void *user)
{
	(void)columns;
	(void)cells;
	(void)user;
	return 1;
}

struct model *model_new(unsigned rows, unsigned columns)
{
	static const VTermScreenCallbacks callbacks = { .sb_pushline = keep_line };
	VTerm *terminal = vterm_new((int)rows, (int)columns);
	if (terminal != NULL) {
		VTermScreen *screen = vterm_obtain_screen(terminal);
		vterm_set_utf8(terminal, 1);
		vterm_screen_set_callbacks(screen, &callbacks, NULL);
		vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_SCROLL);
		vterm_screen_enable_altscreen(screen, 1);
		vterm_screen_reset(screen, 1);
	}
	return (struct model *)terminal;
}

void model_feed(struct model *m, const char *bytes, size_t length)
{
	VTerm *terminal = (VTerm *)m;
	(void)vterm_input_write(terminal, bytes, length);
	vterm_screen_flush_damage(vterm_obtain_screen(terminal));
}

void model_free(struct model *m)
{
	vterm_free((VTerm *)m);
}
