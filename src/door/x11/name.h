/* The name of an X display, as DISPLAY holds it (X(7), DISPLAY NAMES), taken apart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct name {
	bool local;	 /* a socket on this machine, else TCP */
	char path[108];	 /* local: the socket's own path; empty = the number says it */
	char host[256];	 /* TCP: a name or a numeric address, without brackets */
	uint32_t number; /* 0 where a path is given */
};

/* `:N[.S]`, `unix:N[.S]`, `unix:/path`, `/path`, `host:N[.S]`, `[address]:N[.S]`. 0 or -EINVAL. */
int name_parse(struct name *ret, const char *text);
