/* One screen model under measure; vt_termserv.c and vt_libvterm.c are two. */
#pragma once

#include <stddef.h>

struct model;

/* A screen with a session's history, or with what the model has in its place; NULL: no memory. */
struct model *model_new(unsigned rows, unsigned columns);
void model_feed(struct model *m, const char *bytes, size_t length);
void model_free(struct model *m);
