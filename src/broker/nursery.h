/* Where processes come from that must not be confined as the broker is: a process that was forked
 * before, holds nothing of the broker's but one socket, and forks one that does the work it was
 * made for whenever it gets a descriptor. It never reads what a client has said, and ends with the
 * broker. One a process: there is nothing to choose. */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

/* Starts it. `work` never returns; what is open there is standard error and its descriptor. 0 or
 * -errno. */
int nursery_open(void (*work)(int fd));

/* A new process that works with a copy of `fd` (borrowed), at which its end shows; it is no child
 * of ours. 0; -ENOTCONN: nothing was opened, or it has ended; or -errno. */
int nursery_start(pid_t *ret, int fd);

/* The loop ends with -EPIPE when the nursery has ended. Without one nothing happens. 0 or -errno.
 */
int nursery_watch(sd_event *event);

void nursery_close(void); /* it ends; what it has started does not */
