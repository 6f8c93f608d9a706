/* A leader that breaks the protocol loses its link, not its session: the broker reaches for it
 * again and says so in the log. */
#include "broker/leader_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "broker/authorise.h"
#include "broker/broker.h"
#include "broker/operation.h"
#include "broker/restore.h"
#include "broker/session.h"
#include "protocol/link.h"

struct leader_link {
	int fd;
	struct session *session;
	sd_event_source *source;
};

int leader_link_send(
	struct leader_link *l, const struct link_simple *packet, const int *fds, size_t fd_count)
{
	log_debug("to session %u: packet %u, serial %u", l->session->id, packet->header.type,
		packet->header.serial);
	union link_packet p = { .simple = *packet };
	return link_send(l->fd, &p, fds, fd_count);
}

/* The text of a leader stands in our log and answers: it is only ever shown, never obeyed. */
static const char *ended_text(const struct link_simple *packet)
{
	return packet->text[0] != '\0' ? packet->text : "its program has ended";
}

/* 0 = go on; 1 = the session is gone and with it the link; negative = drop the link. */
static int handle(struct leader_link *l, const union link_packet *packet)
{
	struct session *s = l->session;
	log_debug("from session %u: packet %u, serial %u, error %d", s->id, packet->header.type,
		packet->header.serial, packet->header.type == LINK_INFO ? 0 : packet->simple.error);
	switch (packet->header.type) {
	case LINK_INFO:
		return session_update(s, &packet->info);
	case LINK_READY:
	case LINK_PLUGGED:
	case LINK_UNPLUGGED:
		if (s->operation != NULL) {
			s->operation->kind->on_packet(s->operation, s, &packet->simple);
		}
		return 0;
	case LINK_WARRANTED:
		authorise_answered(s, &packet->simple);
		return 0;
	case LINK_ENDED:
		session_over(s, packet->simple.error, ended_text(&packet->simple));
		return 1;
	case LINK_REFUSED:
		log_warning("session %u refuses this broker: %s", s->id, packet->simple.text);
		return -ECONNREFUSED;
	default:
		return -EPROTO;
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct leader_link *l = userdata;
	for (int i = 0; i < LIMIT_LINK_PACKETS; i++) {
		union link_packet packet;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = link_receive(fd, &packet, &set);
		if (r == -EAGAIN) {
			return 0;
		}
		if (r > 0) {
			r = set.count > 0 ? -EPROTO : handle(l, &packet);
			if (r == 0) {
				continue;
			}
			if (r > 0) {
				return 0;
			}
		} else if (r == 0) {
			r = -ECONNRESET;
		}
		if (r == -EPROTONOSUPPORT) {
			link_refuse(fd, "This broker speaks another version of the protocol.");
		}
		restore_lost(l->session, r);
		return 0;
	}
	return 0;
}

int leader_link_new(struct leader_link **ret, struct session *s, int fd)
{
	int r = fd_set_nonblocking(fd, true);
	if (r < 0) {
		return r;
	}
	AUTO(free) struct leader_link *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		return -ENOMEM;
	}
	l->fd = fd;
	l->session = s;
	struct link_simple hello = link_make(LINK_HELLO, broker_serial(s->broker));
	r = leader_link_send(l, &hello, NULL, 0);
	if (r < 0) {
		return r;
	}
	r = sd_event_add_io(s->broker->event, &l->source, fd, EPOLLIN, on_io, l);
	if (r < 0) {
		return r;
	}
	*ret = TAKE_PTR(l);
	return 0;
}

struct leader_link *leader_link_free(struct leader_link *l)
{
	if (l == NULL) {
		return NULL;
	}
	(void)sd_event_source_disable_unref(l->source);
	(void)close(l->fd);
	free(l);
	return NULL;
}
