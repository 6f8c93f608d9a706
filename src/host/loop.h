/* One session's host at work: one poll loop, nothing in it blocks, and without anything to do it
 * sleeps. It listens on nothing; all that it knows of the world comes from its leader and through
 * cables. */
#pragma once

#include <stdint.h>

#define HOST_LINK_FD 3 /* the link to the leader */

/* Serves session `id` until it is over, in a process that has the link, standard descriptors and
 * nothing else. The exit status. */
int host_run(uint32_t id);
