/* The one host of this leader: its start, and how its end reads. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leader/login.h"

struct host {
	pid_t pid;   /* our child until it is reaped; 0 = none */
	int link_fd; /* -1 = none */
};

#define HOST_INIT ((struct host){ .link_fd = -1 })

/* Starts `termserv-host ID` with its end of a new link as descriptor 3 and nothing else of ours, as
 * the owner's process, with the login's environment (borrowed); log_fd (borrowed, -1 = none) is its
 * standard error. 0 or -errno. */
int host_start(struct host *ret, uint32_t session, const struct login *login, int log_fd);

/* The same in user mode, where all processes are one user's: a fork of us goes on as the host, and
 * shares with us what the dynamic linker has written. argv is main()'s own. 0 or -errno. */
int host_fork(struct host *ret, uint32_t session, char **argv);

/* Hands it the session: LINK_START_ flags, the spec and the folder (borrowed). 0 or -errno. */
int host_give(const struct host *h, uint32_t session, uint32_t flags, int spec_fd, int run_fd);

/* "the host was ended by signal 9 (Killed)": how a wait status reads. */
void host_end_text(char *text, size_t size, int wait_status);
