/* Where a server lives: the choice of the runtime folder, its safe opening, and the programs that
 * lie beside this one. Never /tmp; a folder that is not ours alone is refused, never repaired. */
#pragma once

#include <stdbool.h>

/* The runtime folder of user mode as an absolute path without a slash at its end (owned by the
 * caller, free()). In this order: `option` (NULL = not given), $TERMSERV_RUNTIME_DIR,
 * $XDG_RUNTIME_DIR/termserv and /run/user/UID/termserv where the folder above is ours and 0700,
 * /run/termserv-user-0 for root, ~/.cache/termserv/run-HOSTNAME. Makes nothing. 0, -EINVAL (an
 * empty option), -ENOENT (no home folder), or -errno. */
int runtime_path(char **ret, const char *option);

#define RUNTIME_SYSTEM_PATH "/run/termserv" /* of the server of all users */

/* `given` as an absolute path without slashes at its end (owned by the caller). 0, -EINVAL (empty),
 * or -errno. */
int runtime_absolute(char **ret, const char *given);

/* Opens the folder as a directory descriptor. With `create` it and missing folders above it are
 * made first, 0700. The last part must be a real folder, owned by us, without any bit for group
 * and others. fd, -ELOOP (a symbolic link), -ENOTDIR (no folder), -EPERM (another user's),
 * -EKEYREJECTED (group or others may enter), or -errno of the system call. */
int runtime_open(const char *path, bool create);

/* The same for a server of all users: the folder is root's, and others may enter it but not write
 * there; -EKEYREVOKED when they may. What is missing is made 0755, less the umask. */
int runtime_open_system(const char *path, bool create);

/* Says what one of runtime_open()'s errors means, to stand behind the folder's path in a
 * sentence: "belongs to another user". Static text. */
const char *runtime_problem(int error);

/* The path of the program `name` in the folder of this program (owned by the caller). 0 or -errno.
 */
int runtime_sibling(char **ret, const char *name);
