/* termserv-host: one session. Started by its leader with a link as descriptor 3, it owns the pty,
 * the screen model and the viewers, and ends with the session's first program.
 *
 * In user mode the leader becomes its host by a mere fork: then this file has no part in it. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "host/loop.h"

#define USAGE 2

int main(int argc, char **argv)
{
	uint32_t id;
	if (argc != 2 || text_to_u32(argv[1], &id) < 0 ||
		fcntl(HOST_LINK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		dprintf(STDERR_FILENO,
			"termserv-host is started by termserv-leader; it is of no use by hand.\n");
		return USAGE;
	}
	return host_run(id);
}
