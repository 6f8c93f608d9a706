/* Who is asking: told by the kernel about the process that made the connection, never by its
 * environment or its messages. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The gid and the supplementary groups: all of them, or a denial to one of them could be missed.
 * Shared by a connection and its calls. */
struct caller_groups {
	unsigned references;
	size_t count;
	uint32_t ids[];
};

struct caller {
	uid_t uid;
	struct caller_groups *groups;
	pid_t pid;
	int pidfd; /* holds the process's number; -1 = the process is not known */
};

/* The process that connected the socket `fd`. 0 or -errno. */
int caller_from_socket(struct caller *ret, int fd);
void caller_done(struct caller *c);

struct caller_groups *caller_groups_ref(struct caller_groups *g);   /* returns g */
struct caller_groups *caller_groups_unref(struct caller_groups *g); /* NULL is fine; returns NULL */

/* The caller's controlling tty as it is now; 0 = none, the process is gone, or not to be known. */
dev_t caller_tty(const struct caller *c);

/* The audit login uid; (uid_t)-1 = none. */
uid_t caller_login_uid(const struct caller *c);

/* Reads the controlling tty out of a line of /proc/PID/stat (proc_pid_stat(5)); 0 = none. 0 or
 * -EINVAL. */
int caller_parse_stat(const char *line, dev_t *ret);
