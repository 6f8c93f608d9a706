/* The file `last-id` in the runtime folder: an ID is written there before it is used, so that none
 * is ever used twice, whoever dies when. Once the file is there, no full disk can stop it. */
#pragma once

#include <stdint.h>

/* The last ID given. *ret = 0 when there is no file yet. 0, -EINVAL (no number in it), or -errno.
 */
int idfile_read(int runtime_fd, uint32_t *ret);

/* The next ID, above both `at_least` and what the file says, already written down. 0, -ERANGE (all
 * IDs are used up), -ENOSPC, or -errno; then nothing was given. */
int idfile_next(int runtime_fd, uint32_t at_least, uint32_t *ret);
