/* Who is asking: told by the kernel about the process that made the connection, never by its
 * environment or its messages. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct caller {
	uid_t uid;
	pid_t pid;
	int pidfd; /* holds the process's number; -1 = the process is not known */
};

/* The process that connected the socket `fd`. 0 or -errno. */
int caller_from_socket(struct caller *ret, int fd);
void caller_done(struct caller *c);

/* The caller's controlling tty as it is now; 0 = none, the process is gone, or not to be known. */
dev_t caller_tty(const struct caller *c);

/* The audit login uid; (uid_t)-1 = none. */
uid_t caller_login_uid(const struct caller *c);

/* Reads the controlling tty out of a line of /proc/PID/stat (proc_pid_stat(5)); 0 = none. 0 or
 * -EINVAL. */
int caller_parse_stat(const char *line, dev_t *ret);
