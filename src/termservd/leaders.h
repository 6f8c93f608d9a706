/* Starting leaders and reaping them while we live. They are not ours to end. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct leader_start {
	const char *path;
	uint32_t session;
	int runtime_fd, link_fd, proof_fd; /* borrowed */
	uid_t broker_uid;		   /* whom the leader shall believe to be the broker */
};

/* 0 or -errno, also of the leader's exec. */
int leaders_start(sd_event *event, const struct leader_start *start);
