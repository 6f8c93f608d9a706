/* The files of a configuration: which there are, what is in one, and who could have written it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* A file and its drop-ins, in the order in which they count. */
struct config_files {
	char **paths;
	size_t count;
	bool more;    /* there are more drop-ins than fit; the last ones are left out */
	char *unread; /* a folder of drop-ins that cannot be read; NULL = none */
	int error;    /* -errno, why */
};

/* `path` itself, whether or not it is there, and after it the folder of path +
 * "termserv.conf.d/" + "*.conf", sorted by bytes. A folder that is not there is none. 0 or -ENOMEM.
 */
int config_files_list(struct config_files *ret, const char *path);
void config_files_done(struct config_files *f);

/* The whole text of a regular file, at most CONFIG_FILE_MAX bytes, NUL-ended, the caller's; and
 * (ret_info may be NULL) what the kernel says of it. 0, -ENOENT, -EFBIG, -EINVAL (no regular file,
 * or a NUL in it), or -errno. */
int config_read_file(char **ret, const char *path, struct stat *ret_info);

/* Written by root or by us, and by nobody else. */
bool config_file_is_safe(const struct stat *info);
