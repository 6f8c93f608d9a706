/* The session's own folder, sessions/ID below the runtime folder: `link`, where a broker finds the
 * leader, and `run/`, which is the host's. Made once, removed with all that lies in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct folder {
	int sessions_fd; /* the folder above; -1 = not made */
	int fd;
	int run_fd;
	int listen_fd; /* `link`, listening */
	char name[12]; /* the id in digits */
};

#define FOLDER_INIT ((struct folder){ .sessions_fd = -1, .fd = -1, .run_fd = -1, .listen_fd = -1 })

/* Whom the folder is for. In user mode all of it is ours alone. In system mode the broker's group
 * (that of `sessions`, which termservd has made) may pass through and connect, everybody may pass
 * through, and `run` is the owner's. */
struct folder_rights {
	bool system;
	uid_t owner;
};

/* 0, -EEXIST (a session of this id lives, or has left its folder), -EPERM (`sessions` is not as
 * system mode needs it), or -errno; nothing is left over. */
int folder_make(struct folder *ret, int runtime_fd, uint32_t session, struct folder_rights rights);

/* Removes and closes everything; a folder that was never made is fine. */
void folder_remove(struct folder *f);
