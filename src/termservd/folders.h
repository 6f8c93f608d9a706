/* The folders of a server: which there are, whose they are, and what dead sessions have left in
 * them. In user mode all is in the runtime folder and the user's. In system mode:
 *
 *   runtime/            root, 0755      control, lock
 *   runtime/broker/     account, 0700   what the broker writes
 *   runtime/sessions/   root, group of the account, 0751
 *   log folder          account, group adm, 0750 */
#pragma once

#include <stdint.h>

#include "termservd/account.h"

struct folders {
	int runtime_fd;
	int state_fd, log_fd; /* -1 in user mode */
};

#define FOLDERS_NONE ((struct folders){ -1, -1, -1 })

/* Opens the runtime folder, which is made where it is missing; in system mode for this account
 * (NULL = user mode). 0 or -errno as runtime_open() and runtime_open_system(). */
int folders_open(struct folders *ret, const char *runtime_path, const struct account *account);

/* Makes and opens the folders that only system mode has. 0 or -errno; *ret_what is then the
 * folder that is wrong. */
int folders_make(struct folders *f, const char *log_path, const struct account *account,
	const char **ret_what);

void folders_close(struct folders *f);

/* Who is told of each session whose leader listens. link_fd, a connection to it, is borrowed. */
struct folders_listener {
	void (*on_living)(void *user, uint32_t session, int link_fd);
	void *user;
};

/* Removes sessions/ID of each session whose leader listens no more: the broker of system mode may
 * not. `session`: only this one; 0 = all. Those whose leader may just be coming up stay. `listener`
 * (NULL = nobody) hears of the others; to connect makes a leader drop its broker, so that it is for
 * the time when there is none. */
void folders_sweep(
	const struct folders *f, uint32_t session, const struct folders_listener *listener);
