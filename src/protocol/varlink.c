/* Invariant: `in` holds the bytes from the start of a message on; `received` are the descriptors
 * that came with the first byte of the message at `received_at` in it. A second batch before the
 * first is taken is a protocol error. */
#include "protocol/varlink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define READ_CHUNK 16384

/* Descriptors that wait with the byte of the queue that they must ride on. */
struct waiting_fds {
	struct waiting_fds *next;
	size_t at; /* offset in `out` */
	int fds[FD_PASS_MAX];
	size_t count;
};

struct varlink {
	int fd;
	size_t receive_max;
	struct buf in, out;
	size_t scanned; /* bytes of `in` known to hold no NUL */
	struct fd_set_received received;
	size_t received_at;
	struct waiting_fds *waiting; /* in the order of `at` */
};

int varlink_new(struct varlink **ret, int fd, size_t receive_max)
{
	int r = fd_set_nonblocking(fd, true);
	if (r < 0) {
		return r;
	}
	struct varlink *v = calloc(1, sizeof(*v));
	if (v == NULL) {
		return -ENOMEM;
	}
	v->fd = fd;
	v->receive_max = receive_max;
	buf_init(&v->in, receive_max + READ_CHUNK);
	buf_init(&v->out, VARLINK_QUEUE_MAX);
	v->received = FD_SET_NONE;
	*ret = v;
	return 0;
}

static void waiting_drop_first(struct varlink *v)
{
	struct waiting_fds *w = v->waiting;
	v->waiting = w->next;
	for (size_t i = 0; i < w->count; i++) {
		(void)close(w->fds[i]);
	}
	free(w);
}

struct varlink *varlink_free(struct varlink *v)
{
	if (v == NULL) {
		return NULL;
	}
	while (v->waiting != NULL) {
		waiting_drop_first(v);
	}
	fd_set_done(&v->received);
	buf_done(&v->in);
	buf_done(&v->out);
	(void)close(v->fd);
	free(v);
	return NULL;
}

int varlink_fd(const struct varlink *v)
{
	return v->fd;
}

short varlink_events(const struct varlink *v)
{
	return v->out.length > 0 ? POLLIN | POLLOUT : POLLIN;
}

/* Where the last message begins among the `n` bytes just read, or -1. The kernel may put bytes that
 * were sent earlier in front of those that descriptors ride on, but never others behind them: so
 * this is the message that the descriptors came with. */
static ssize_t last_start(const struct varlink *v, size_t n)
{
	const uint8_t *chunk = v->in.data + v->in.length;
	const uint8_t *end = memrchr(chunk, '\0', n - 1);
	if (end != NULL) {
		return end + 1 - chunk;
	}
	return v->in.length == 0 || chunk[-1] == '\0' ? 0 : -1;
}

/* Descriptors came, or were lost on the way: both belong to a message. */
static bool any(const struct fd_set_received *set)
{
	return set->count > 0 || set->lost;
}

int varlink_read(struct varlink *v)
{
	if (v->in.length > v->receive_max) {
		return -EPROTO;
	}
	int r = buf_reserve(&v->in, READ_CHUNK);
	if (r < 0) {
		return r;
	}
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive(v->fd, v->in.data + v->in.length, READ_CHUNK, &set);
	if (n <= 0) {
		return n == -ECONNRESET || n == -EPIPE ? 0 : (int)n;
	}
	if (any(&set)) {
		ssize_t start = last_start(v, (size_t)n);
		if (start < 0 || any(&v->received)) {
			return -EPROTO;
		}
		v->received = set;
		v->received_at = v->in.length + (size_t)start;
		set = FD_SET_NONE;
	}
	v->in.length += (size_t)n;
	return 1;
}

static bool too_deep(const char *text)
{
	int depth = 0;
	bool quoted = false;
	for (; *text != '\0'; text++) {
		if (quoted && *text == '\\' && text[1] != '\0') {
			text++;
		} else if (*text == '"') {
			quoted = !quoted;
		} else if (!quoted && (*text == '{' || *text == '[')) {
			if (++depth > VARLINK_DEPTH_MAX) {
				return true;
			}
		} else if (!quoted && (*text == '}' || *text == ']')) {
			depth--;
		}
	}
	return false;
}

int varlink_next(struct varlink *v, json_t **ret, struct fd_set_received *set)
{
	if (v->in.length == v->scanned) {
		return v->in.length > v->receive_max ? -EPROTO : 0;
	}
	const uint8_t *end = memchr(v->in.data + v->scanned, '\0', v->in.length - v->scanned);
	if (end == NULL) {
		v->scanned = v->in.length;
		return v->in.length > v->receive_max ? -EPROTO : 0;
	}
	size_t length = (size_t)(end - v->in.data);
	const char *text = (const char *)v->in.data;
	if (length > v->receive_max || too_deep(text)) {
		return -EPROTO;
	}
	json_t *message = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(message)) {
		json_decref(message);
		return -EPROTO;
	}
	if (any(&v->received) && v->received_at == 0) {
		*set = v->received;
		v->received = FD_SET_NONE;
	} else if (any(&v->received)) {
		v->received_at -= length + 1;
	}
	buf_consume(&v->in, length + 1);
	if (v->in.length == 0) {
		buf_trim(&v->in);
	}
	v->scanned = 0;
	*ret = message;
	return 1;
}

/* Sends at most up to the next byte that has descriptors of its own; with descriptors one message
 * alone, so that the receiver knows which it is. */
static ssize_t send_some(struct varlink *v)
{
	const struct waiting_fds *first = v->waiting;
	const int *fds = NULL;
	size_t count = 0;
	size_t length = v->out.length;
	if (first != NULL && first->at == 0) {
		fds = first->fds;
		count = first->count;
		length = strnlen((const char *)v->out.data, length - 1) + 1;
	} else if (first != NULL) {
		length = first->at;
	}
	struct iovec iov = { .iov_base = v->out.data, .iov_len = length };
	ssize_t n = fd_send(v->fd, &iov, 1, fds, count);
	if (n <= 0) {
		return n;
	}
	if (count > 0) {
		waiting_drop_first(v);
	}
	for (struct waiting_fds *w = v->waiting; w != NULL; w = w->next) {
		w->at -= (size_t)n;
	}
	buf_consume(&v->out, (size_t)n);
	return n;
}

int varlink_flush(struct varlink *v)
{
	while (v->out.length > 0) {
		ssize_t n = send_some(v);
		if (n == -EAGAIN) {
			return 1;
		}
		if (n < 0) {
			return (int)n;
		}
	}
	buf_trim(&v->out);
	return 0;
}

/* Duplicates the descriptors, to ride on the next byte that is put into `out`. */
static int wait_with(struct varlink *v, const int *fds, size_t count)
{
	struct waiting_fds *w = calloc(1, sizeof(*w));
	if (w == NULL) {
		return -ENOMEM;
	}
	w->at = v->out.length;
	for (; w->count < count; w->count++) {
		int fd = fcntl(fds[w->count], F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			int error = -errno;
			while (w->count > 0) {
				(void)close(w->fds[--w->count]);
			}
			free(w);
			return error;
		}
		w->fds[w->count] = fd;
	}
	struct waiting_fds **last = &v->waiting;
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = w;
	return 0;
}

int varlink_send(struct varlink *v, json_t *message, const int *fds, size_t fd_count)
{
	AUTO(json) json_t *owned = message;
	if (owned == NULL) {
		return -ENOMEM;
	}
	if (fd_count > FD_PASS_MAX) {
		return -EINVAL;
	}
	AUTO(free) char *text = json_dumps(owned, JSON_COMPACT);
	if (text == NULL) {
		return -ENOMEM;
	}
	size_t length = strlen(text) + 1;
	int r = buf_reserve(&v->out, length);
	if (r == 0 && fd_count > 0) {
		r = wait_with(v, fds, fd_count);
	}
	if (r < 0) {
		return r;
	}
	(void)buf_put(&v->out, text, length);
	r = varlink_flush(v);
	return r < 0 ? r : 0;
}

static json_t *or_empty(json_t *parameters)
{
	return parameters != NULL ? parameters : json_object();
}

int varlink_reply(struct varlink *v, json_t *parameters, bool continues)
{
	json_t *message = json_pack("{s:o}", "parameters", or_empty(parameters));
	if (message != NULL && continues) {
		(void)json_object_set_new(message, "continues", json_true());
	}
	return varlink_send(v, message, NULL, 0);
}

int varlink_reply_error(struct varlink *v, const char *error, json_t *parameters)
{
	json_t *message = json_pack(
		"{s:s, s:o}", "error", error, "parameters", or_empty(parameters));
	return varlink_send(v, message, NULL, 0);
}

int varlink_send_call(struct varlink *v, const char *method, json_t *parameters, bool more,
	const int *fds, size_t fd_count)
{
	if (parameters == NULL) {
		return -EINVAL;
	}
	json_t *message = json_pack("{s:s, s:o}", "method", method, "parameters", parameters);
	if (message != NULL && more) {
		(void)json_object_set_new(message, "more", json_true());
	}
	return varlink_send(v, message, fds, fd_count);
}

int varlink_wait(struct varlink *v, int timeout_ms, json_t **ret)
{
	uint64_t end = clock_monotonic_ms() + (uint64_t)timeout_ms;
	for (;;) {
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = varlink_next(v, ret, &set);
		if (r != 0) {
			return r;
		}
		uint64_t now = clock_monotonic_ms();
		struct pollfd p = { .fd = v->fd, .events = varlink_events(v) };
		r = poll(&p, 1, now < end ? (int)(end - now) : 0);
		if (r == 0) {
			return -ETIMEDOUT;
		}
		if (r < 0 && errno != EINTR) {
			return -errno;
		}
		if (r > 0 && (p.revents & POLLOUT) != 0) {
			(void)varlink_flush(v);
		}
		if (r > 0 && (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
			r = varlink_read(v);
			if (r <= 0 && r != -EAGAIN) {
				return r;
			}
		}
	}
}

int varlink_call(struct varlink *v, const char *method, json_t *parameters, const int *fds,
	size_t fd_count, int timeout_ms, json_t **ret_parameters, char **ret_error)
{
	int r = varlink_send_call(v, method, parameters, false, fds, fd_count);
	if (r < 0) {
		return r == -EPIPE ? -ECONNRESET : r;
	}
	AUTO(json) json_t *answer = NULL;
	r = varlink_wait(v, timeout_ms, &answer);
	if (r <= 0) {
		return r == 0 ? -ECONNRESET : r;
	}
	const char *error = json_string_value(json_object_get(answer, "error"));
	json_t *fields = json_object_get(answer, "parameters");
	if (fields != NULL && !json_is_object(fields)) {
		return -EPROTO;
	}
	AUTO(free) char *copy = error != NULL ? strdup(error) : NULL;
	if (error != NULL && copy == NULL) {
		return -ENOMEM;
	}
	*ret_parameters = fields != NULL ? json_incref(fields) : json_object();
	if (error == NULL) {
		return 0;
	}
	*ret_error = TAKE_PTR(copy);
	return 1;
}
