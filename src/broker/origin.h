/* Where a process came in from: was it an ssh server that let it in, or a session? Read from /proc,
 * from the process up to the first one; nothing that the process says about itself is asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct origin {
	char name[32]; /* of the program, as the kernel keeps it */
	pid_t parent;  /* 0 = none */
	uid_t uid;     /* the real one */
};

/* Reads the lines Name, PPid and Uid of /proc/PID/status (proc_pid_status(5)). 0 or -EINVAL. */
int origin_parse(struct origin *ret, const char *status);

/* Does the process descend from an ssh server (sshd, sshd-session ...) that runs as root? `proc_fd`
 * is the folder /proc. False also where that cannot be known. */
bool origin_is_ssh(int proc_fd, pid_t pid);

/* Does it descend from this process, and did no ssh server let it in since? */
bool origin_is_below(int proc_fd, pid_t pid, pid_t ancestor);
