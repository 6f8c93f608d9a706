/* The session's own folder, sessions/ID below the runtime folder: `link`, where a broker finds the
 * leader, and `run/`, which is the host's. Made once, removed with all that lies in it. */
#pragma once

#include <stdint.h>

struct folder {
	int sessions_fd; /* the folder above; -1 = not made */
	int fd;
	int run_fd;
	int listen_fd; /* `link`, listening */
	char name[12]; /* the id in digits */
};

#define FOLDER_INIT ((struct folder){ .sessions_fd = -1, .fd = -1, .run_fd = -1, .listen_fd = -1 })

/* 0, -EEXIST (a session of this id lives, or has left its folder), or -errno; nothing is left over.
 */
int folder_make(struct folder *ret, int runtime_fd, uint32_t session);

/* Removes and closes everything; a folder that was never made is fine. */
void folder_remove(struct folder *f);
