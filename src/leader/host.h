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

/* Starts `termserv-host ID` with its end of a new link as descriptor 3 and nothing else of ours.
 * With a login (borrowed) it is the owner's process, with that environment, and log_fd (borrowed,
 * -1 = none) is its standard error; NULL: a process like us. 0 or -errno. */
int host_start(struct host *ret, uint32_t session, const struct login *login, int log_fd);

/* Hands it the session: LINK_START_ flags, the spec and the folder (borrowed). 0 or -errno. */
int host_give(const struct host *h, uint32_t session, uint32_t flags, int spec_fd, int run_fd);

/* "the host was ended by signal 9 (Killed)": how a wait status reads. */
void host_end_text(char *text, size_t size, int wait_status);
