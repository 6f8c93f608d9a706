#include "door/x11/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "door/x11/lane.h"
#include "door/x11/setup.h"

#define COOKIE_OTHER "termserv: this is not the cookie of this session's display.\n"
#define DISPLAY_NONE "termserv: the terminal that shows this session has no X display.\n"
#define DISPLAY_UNKNOWN "termserv: the terminal's X display cannot be found.\n"

struct connection {
	enum { CONNECTION_SETUP, CONNECTION_DIALS, CONNECTION_OPEN, CONNECTION_OVER } state;
	int client, server; /* -1 = not yet */
	struct lane up;	    /* client to server; in SETUP what the client has said so far */
	struct lane down;
	bool told;     /* the server knows that the client ended */
	uint8_t order; /* the client's own, of bytes */
	struct addresses addresses;
	size_t next; /* address to try */
};

void relay_init(struct relay *r, uint32_t number)
{
	*r = (struct relay){ .listeners = { -1, -1 }, .number = number, .refusal = DISPLAY_NONE };
}

static struct connection *connection_new(int client)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (c != NULL) {
		c->client = client;
		c->server = -1;
		lane_init(&c->up);
		lane_init(&c->down);
	}
	return c;
}

static void connection_free(struct connection *c)
{
	lane_done(&c->up);
	lane_done(&c->down);
	auto_close(&c->client);
	auto_close(&c->server);
	free(c);
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void relay_tell(struct relay *r, const struct x11_packet *packet)
{
	struct name name = { 0 };
	if (!is_text(packet->display, sizeof(packet->display)) ||
		!is_text(packet->authority, sizeof(packet->authority))) {
		return;
	}
	bool known = name_parse(&name, packet->display) == 0;
	if (known && name.local && name.path[0] == '\0' && name.number == r->number) {
		return;
	}
	r->packet = *packet;
	r->name = name;
	r->addresses = (struct addresses){ 0 };
	r->refusal = packet->display[0] == '\0' ? DISPLAY_NONE : DISPLAY_UNKNOWN;
	if (known) {
		(void)addresses_find(&r->addresses, &name);
	}
}

static void refuse(struct connection *c, const char *reason)
{
	uint8_t space[512];
	struct setup s = { .order = c->order, .major = 11 };
	struct buf b = BUF_INIT(sizeof(space));
	setup_put_refusal(&b, &s, reason);
	/* A fresh socket has room for it, and who does not listen does not get it. */
	(void)send(c->client, b.data, b.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_done(&b);
	c->state = CONNECTION_OVER;
}

/* On to the next address, until one is there or on its way. */
static void dial(struct connection *c)
{
	int error = -ENOENT;
	auto_close(&c->server);
	c->server = -1;
	while (c->next < c->addresses.count) {
		const struct address *a = &c->addresses.list[c->next++];
		error = address_connect(a, &c->server);
		if (error == 1) {
			c->state = CONNECTION_DIALS;
			return;
		}
		error = error == 0 ? address_trust(a, c->server) : error;
		if (error == 0) {
			c->state = CONNECTION_OPEN;
			return;
		}
		auto_close(&c->server);
		c->server = -1;
	}
	char text[128];
	(void)snprintf(text, sizeof(text),
		"termserv: the terminal's X display cannot be reached: %s.\n",
		strerrordesc_np(-error));
	refuse(c, text);
}

static bool is_ours(const struct relay *r, const struct setup *s)
{
	unsigned difference = 0;
	if (s->name_length != strlen(X11_COOKIE_NAME) ||
		memcmp(s->name, X11_COOKIE_NAME, s->name_length) != 0 ||
		s->data_length != X11_COOKIE_SIZE) {
		return false;
	}
	for (size_t i = 0; i < X11_COOKIE_SIZE; i++) {
		difference |= s->data[i] ^ r->packet.cookie[i];
	}
	return difference == 0;
}

/* The client's words with the terminal's cookie in place of the session's. 0 or -errno. */
static int exchange_cookie(const struct relay *r, struct connection *c, struct setup *s)
{
	struct authority_keys keys;
	struct authority real = { 0 };
	AUTO(buf_done) struct buf words = BUF_INIT(LANE_SIZE + SETUP_SIZE_MAX);
	addresses_keys(&r->addresses, &keys);
	bool found = authority_read(&real, r->packet.authority, &keys, r->name.number);
	s->name_length = found ? s->name_length : 0;
	s->data = real.data;
	s->data_length = real.length;
	setup_put(&words, s);
	(void)buf_put(&words, c->up.bytes.data + s->length, c->up.bytes.length - s->length);
	buf_clear(&c->up.bytes);
	return words.failed ? -ENOMEM : buf_put(&c->up.bytes, words.data, words.length);
}

static void read_setup(const struct relay *r, struct connection *c)
{
	struct setup s;
	lane_read(&c->up, c->client);
	int n = setup_parse(&s, c->up.bytes.data, c->up.bytes.length);
	if (n < 0 || (n == 0 && (c->up.ended || c->up.bytes.length >= SETUP_SIZE_MAX))) {
		c->state = CONNECTION_OVER;
	}
	if (n <= 0) {
		return;
	}
	c->order = s.order;
	if (!is_ours(r, &s)) {
		refuse(c, COOKIE_OTHER);
	} else if (r->addresses.count == 0) {
		refuse(c, r->refusal);
	} else if (exchange_cookie(r, c, &s) < 0) {
		c->state = CONNECTION_OVER;
	} else {
		c->addresses = r->addresses;
		dial(c);
	}
}

static void on_dialled(struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof(error);
	if (getsockopt(c->server, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
		dial(c);
	} else {
		c->state = CONNECTION_OPEN;
	}
}

static void pass(struct lane *l, int from, short from_events, int to)
{
	if (lane_wants_read(l) && from_events != 0) {
		lane_read(l, from);
	}
	if (lane_wants_write(l)) {
		lane_write(l, to);
	}
}

/* What a client said before it ended still reaches the server, and X knows no half-closed
 * connections: the server then ends it as well. */
static void on_open(struct connection *c, short client, short server)
{
	pass(&c->up, c->client, client, c->server);
	pass(&c->down, c->server, server, c->client);
	if (lane_is_over(&c->up) && !c->told) {
		(void)shutdown(c->server, SHUT_WR);
		c->told = true;
	}
	if (lane_is_over(&c->down)) {
		c->state = CONNECTION_OVER;
	}
}

static void turn(const struct relay *r, struct connection *c, short client, short server)
{
	switch (c->state) {
	case CONNECTION_SETUP:
		if (client != 0) {
			read_setup(r, c);
		}
		break;
	case CONNECTION_DIALS:
		if (server != 0) {
			on_dialled(c);
		}
		break;
	case CONNECTION_OPEN:
		if ((client | server) != 0) {
			on_open(c, client, server);
		}
		break;
	case CONNECTION_OVER:
		break;
	}
}

/* A descriptor that nothing is wanted of is not polled: its end would be told again and again. */
static struct pollfd poll_for(int fd, bool read, bool write)
{
	short events = (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
	return (struct pollfd){ .fd = events != 0 ? fd : -1, .events = events };
}

size_t relay_fill(const struct relay *r, struct pollfd polls[static RELAY_POLLS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < RELAY_LISTENERS; i++) {
		polls[n++] = poll_for(r->listeners[i], !r->deaf, false);
	}
	for (size_t i = 0; i < r->count; i++) {
		const struct connection *c = r->list[i];
		bool open = c->state == CONNECTION_OPEN;
		polls[n++] = poll_for(c->client,
			c->state == CONNECTION_SETUP || (open && lane_wants_read(&c->up)),
			open && lane_wants_write(&c->down));
		polls[n++] = poll_for(c->server, open && lane_wants_read(&c->down),
			c->state == CONNECTION_DIALS || (open && lane_wants_write(&c->up)));
	}
	return n;
}

static void take_client(struct relay *r, int listener)
{
	AUTO_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		r->deaf = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
		return;
	}
	struct ucred peer;
	if (fd_peer(fd, &peer) < 0 || (peer.uid != geteuid() && peer.uid != 0) ||
		r->count == RELAY_CONNECTIONS_MAX) {
		return;
	}
	struct connection *c = connection_new(fd);
	if (c != NULL) {
		fd = -1;
		r->list[r->count++] = c;
	}
}

void relay_turn(struct relay *r, const struct pollfd *polls)
{
	size_t kept = 0;
	size_t count = r->count;
	const struct pollfd *of = polls + RELAY_LISTENERS;
	for (size_t i = 0; i < count; i++, of += 2) {
		struct connection *c = r->list[i];
		turn(r, c, of[0].revents, of[1].revents);
		if (c->state == CONNECTION_OVER) {
			connection_free(c);
		} else {
			r->list[kept++] = c;
		}
	}
	r->count = kept;
	r->deaf = false;
	for (size_t i = 0; i < RELAY_LISTENERS; i++) {
		if (polls[i].revents != 0) {
			take_client(r, r->listeners[i]);
		}
	}
}
