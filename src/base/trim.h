/* Memory that only what is over needed, given back by a process that rests. */
#pragma once

#include <poll.h>

/* poll(). Where it would wait without an end and nothing happens for two seconds, it unmaps the
 * pages of program and libraries that are as their files have them, empties the unused stack, gives
 * free heap back, and sleeps on. What is used again comes from the page cache, all of it in a tenth
 * of a millisecond. For the main thread of a process without others. */
int trim_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
