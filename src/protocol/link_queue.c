#include "protocol/link_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void link_queue_done(struct link_queue *q)
{
	free(q->waiting);
	*q = LINK_QUEUE_INIT;
}

int link_queue_flush(struct link_queue *q, int fd)
{
	size_t sent = 0;
	int r = 0;
	while (sent < q->count && r == 0) {
		r = link_send_simple(fd, &q->waiting[sent]);
		sent += r == 0;
	}
	q->count -= sent;
	if (q->count == 0) {
		link_queue_done(q);
	} else {
		memmove(q->waiting, q->waiting + sent, q->count * sizeof(*q->waiting));
	}
	return r;
}

int link_queue_send(struct link_queue *q, int fd, const struct link_simple *message)
{
	int r = link_queue_flush(q, fd);
	if (r == 0) {
		r = link_send_simple(fd, message);
	}
	if (r != -EAGAIN) {
		return r;
	}
	if (q->count == LINK_QUEUE_MAX) {
		return -ENOBUFS;
	}
	if (q->waiting == NULL) {
		q->waiting = calloc(LINK_QUEUE_MAX, sizeof(*q->waiting));
		if (q->waiting == NULL) {
			return -ENOMEM;
		}
	}
	q->waiting[q->count++] = *message;
	return 0;
}
