#include "broker/idfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#define ID_FILE "last-id"
#define ID_WIDTH 11 /* ten digits and a newline: always rewritten in place */

int idfile_read(int runtime_fd, uint32_t *ret)
{
	char text[64];
	ssize_t n = fd_read_file_at(runtime_fd, ID_FILE, text, sizeof(text));
	if (n == -ENOENT || n == 0) {
		*ret = 0;
		return 0;
	}
	if (n < 0) {
		return n == -EFBIG ? -EINVAL : (int)n;
	}
	if (strlen(text) != (size_t)n) {
		return -EINVAL;
	}
	text[strcspn(text, "\n")] = '\0';
	uint32_t id;
	if (text_to_u32(text, &id) < 0) {
		return -EINVAL;
	}
	*ret = id;
	return 0;
}

static int write_id(int runtime_fd, uint32_t id)
{
	AUTO_FD int fd = openat(runtime_fd, ID_FILE,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0) {
		return -errno;
	}
	char text[ID_WIDTH + 1];
	(void)snprintf(text, sizeof(text), "%010u\n", id);
	ssize_t n = pwrite(fd, text, ID_WIDTH, 0);
	if (n != ID_WIDTH) {
		return n < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

int idfile_next(int runtime_fd, uint32_t at_least, uint32_t *ret)
{
	uint32_t last = 0;
	int r = idfile_read(runtime_fd, &last);
	if (r < 0 && r != -EINVAL) {
		return r;
	}
	/* A file without a number (cut short by a full disk) is mended from what the sessions say.
	 */
	uint32_t id = last > at_least ? last : at_least;
	if (id == UINT32_MAX) {
		return -ERANGE;
	}
	r = write_id(runtime_fd, id + 1);
	if (r < 0) {
		return r;
	}
	*ret = id + 1;
	return 0;
}
