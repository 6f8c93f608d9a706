/* The session's terminal device: master and slave of one pty, and what was typed but not taken yet.
 *
 * Always holds: nothing here blocks; typed bytes are kept in order and none is dropped (who types
 * must ask pty_has_room() first). The slave stays open here, so that the device never hangs up
 * while the session lives, whatever its programs close. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "protocol/cable.h"

struct pty {
	int master; /* -1 = none */
	int slave;
	uint64_t device; /* st_rdev of the slave */
	char path[32];
	struct buf input;
	size_t input_done; /* bytes of `input` that the device has taken already */
	struct cable_size size;
};

#define PTY_INIT ((struct pty){ .master = -1, .slave = -1 })

bool pty_size_good(const struct cable_size *size); /* 1-4096 each way */

/* 0 or -errno. The size must be good. */
int pty_open(struct pty *ret, const struct cable_size *size);
void pty_done(struct pty *p);

/* The kernel tells the programs (SIGWINCH). 0 or -errno. */
int pty_resize(struct pty *p, const struct cable_size *size);

/* Whether a frame of input may still be typed. */
bool pty_has_room(const struct pty *p);

/* Typed bytes, behind those that wait. 0, or -ENOBUFS / -ENOMEM with nothing taken. */
int pty_type(struct pty *p, const void *bytes, size_t length);

bool pty_flush(struct pty *p); /* true when nothing waits any more */
size_t pty_waiting(const struct pty *p);

/* What programs have written: as much as is there, up to size. Bytes, or -EAGAIN, or -errno. */
ssize_t pty_read(struct pty *p, uint8_t *bytes, size_t size);

/* The same with one read alone: what the device gives at once, a page at most. */
ssize_t pty_read_once(struct pty *p, uint8_t *bytes, size_t size);
