/* Our own model, as a session's host has it. */
#include "vt_model.h"

#include "protocol/spec.h"
#include "vt/screen.h"

struct model *model_new(unsigned rows, unsigned columns)
{
	struct vt_screen *screen = NULL;
	(void)vt_screen_new(&screen, rows, columns, SPEC_HISTORY_DEFAULT, NULL, NULL);
	return (struct model *)screen;
}

void model_feed(struct model *m, const char *bytes, size_t length)
{
	vt_screen_feed((struct vt_screen *)m, bytes, length);
}

void model_free(struct model *m)
{
	(void)vt_screen_free((struct vt_screen *)m);
}
