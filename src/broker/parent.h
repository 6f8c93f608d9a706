/* The broker's side of the link to termservd, which starts leaders for it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct broker;
struct link_spawn;
struct parent;

/* Takes `fd` on success. When termservd goes, the loop ends: the next server starts a broker of its
 * own. 0 or -errno. */
int parent_new(struct parent **ret, struct broker *b, int fd);
struct parent *parent_free(struct parent *p);

/* Asks for a leader: descriptors are borrowed; the request's header is filled in but for its
 * serial. The answer goes to create_spawned(). 0, -EAGAIN, or -errno. */
int parent_spawn(struct parent *p, const struct link_spawn *request, int link_fd, int proof_fd);

/* Ends the server. 0 or -errno. */
int parent_stop(struct parent *p);
