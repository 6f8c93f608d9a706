/* LINK_INFO: the whole truth about the session, as its host knows it. */
#pragma once

#include <stdint.h>

#include "host/session.h"

/* Sends it, or leaves it due when the leader's socket is full. */
void report_send(struct session *s, uint64_t now);
