/* The control link's wire: Varlink messages (NUL-ended JSON) over a stream socket, descriptors with
 * a message's first byte. One connection object for both sides; it never blocks except in
 * varlink_call(). */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fd.h"

#define VARLINK_REQUEST_MAX (64 * 1024)	     /* what a server accepts */
#define VARLINK_REPLY_MAX (16 * 1024 * 1024) /* what a client accepts */
#define VARLINK_QUEUE_MAX (16 * 1024 * 1024) /* unsent bytes before a peer is dropped */
#define VARLINK_DEPTH_MAX 32		     /* nesting of JSON */

#define CONTROL_INTERFACE "io.termserv.Control"

struct varlink;

/* Takes the connected stream socket `fd` (closed by varlink_free()) and makes it non-blocking.
 * `receive_max` caps one incoming message. 0 or -errno. */
int varlink_new(struct varlink **ret, int fd, size_t receive_max);
struct varlink *varlink_free(struct varlink *v); /* NULL is fine; returns NULL */
int varlink_fd(const struct varlink *v);	 /* to poll */
short varlink_events(const struct varlink *v);	 /* POLLIN and/or POLLOUT: what to poll for */

/* Reads what is there. 1 = something came, 0 = the peer is gone, -EAGAIN, or -errno (-EPROTO: drop
 * it). */
int varlink_read(struct varlink *v);

/* The next whole message: 1 and an object owned by the caller, its descriptors in `set`; 0 = none
 * yet; -EPROTO = not JSON, not an object, a repeated key, too deep, or a descriptor that is not at
 * a message's first byte. */
int varlink_next(struct varlink *v, json_t **ret, struct fd_set_received *set);

/* Queues one message (the reference is consumed, also on failure) and sends what can be sent. fds
 * are duplicated. 0, -ENOBUFS (the peer does not read: drop it), or -errno. */
int varlink_send(struct varlink *v, json_t *message, const int *fds, size_t fd_count);
int varlink_flush(struct varlink *v); /* 0 = all sent, 1 = some is left, or -errno */

/* Server side: the three answers. `parameters` is consumed; NULL = {}. */
int varlink_reply(struct varlink *v, json_t *parameters, bool continues);
int varlink_reply_error(struct varlink *v, const char *error, json_t *parameters);

/* Client side. Sends a call. `method` with its interface; `parameters` is consumed. NULL is not {}:
 * what could not be made must not become a call without arguments; -EINVAL. */
int varlink_send_call(struct varlink *v, const char *method, json_t *parameters, bool more,
	const int *fds, size_t fd_count);

/* Sends a call and waits for its single answer, at most timeout_ms. 0 = *ret_parameters is the
 * answer's (owned by the caller); 1 = an error: *ret_error its full name (owned by the caller,
 * free()), *ret_parameters its fields; -ETIMEDOUT, -ECONNRESET (the server went away), or -errno.
 */
int varlink_call(struct varlink *v, const char *method, json_t *parameters, const int *fds,
	size_t fd_count, int timeout_ms, json_t **ret_parameters, char **ret_error);

/* Waits for one message, at most timeout_ms. 1 = a message; 0 = the peer is gone; -ETIMEDOUT, or
 * -errno. */
int varlink_wait(struct varlink *v, int timeout_ms, json_t **ret);

static inline void auto_varlink_free(struct varlink **v)
{
	(void)varlink_free(*v);
}

static inline void auto_json(json_t **j)
{
	json_decref(*j);
}
