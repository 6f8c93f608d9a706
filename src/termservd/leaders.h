/* Starting leaders and reaping them while we live. They are not ours to end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "protocol/link.h"
#include "termservd/folders.h"

struct leader_start {
	const char *path;
	const struct link_spawn *spawn; /* the broker's request; its texts are only data */
	const struct folders *folders;	/* must outlive the loop */
	int link_fd, proof_fd;		/* borrowed */
	uid_t broker_uid;		/* whom the leader shall believe to be the broker */
	bool system;
};

/* 0 or -errno, also of the leader's exec. When it ends without having cleaned up after itself, that
 * is done here (in system mode, where the broker may not). */
int leaders_start(sd_event *event, const struct leader_start *start);

/* System mode, before there is a broker: cleans up after the leaders that have ended, and will
 * after those of a server before us, which are not our children. `folders` must outlive the loop.
 */
void leaders_adopt(sd_event *event, const struct folders *folders);
