/* The operation behind CreateSession. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct broker;

/* termservd's answer to the request with this serial: 0 or -errno. */
void create_spawned(struct broker *b, uint32_t serial, int error);
