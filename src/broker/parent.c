#include "broker/parent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/create.h"
#include "broker/stop.h"
#include "protocol/link.h"

struct parent {
	struct broker *broker;
	int fd;
	sd_event_source *source;
};

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct parent *p = userdata;
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	int r = link_receive(fd, &packet, &set);
	if (r == -EAGAIN) {
		return 0;
	}
	if (r > 0 && packet.header.type == LINK_SPAWNED) {
		log_debug("from termservd: spawned, serial %u, error %d", packet.header.serial,
			packet.simple.error);
		create_spawned(p->broker, packet.header.serial, packet.simple.error);
		return 0;
	}
	if (r == 0 && p->broker->stopping) {
		stop_parent_gone(p->broker);
	} else if (r == 0) {
		log_info("termservd is gone: ending; the sessions stay");
	} else {
		log_error("termservd breaks the protocol: ending; the sessions stay");
	}
	return sd_event_exit(p->broker->event, EXIT_SUCCESS);
}

int parent_new(struct parent **ret, struct broker *b, int fd)
{
	int r = fd_set_nonblocking(fd, true);
	if (r < 0) {
		return r;
	}
	AUTO(free) struct parent *p = calloc(1, sizeof(*p));
	if (p == NULL) {
		return -ENOMEM;
	}
	p->broker = b;
	p->fd = fd;
	r = sd_event_add_io(b->event, &p->source, fd, EPOLLIN, on_io, p);
	if (r < 0) {
		return r;
	}
	*ret = TAKE_PTR(p);
	return 0;
}

struct parent *parent_free(struct parent *p)
{
	if (p == NULL) {
		return NULL;
	}
	(void)sd_event_source_disable_unref(p->source);
	(void)close(p->fd);
	free(p);
	return NULL;
}

int parent_spawn(struct parent *p, const struct link_spawn *request, int link_fd, int proof_fd)
{
	union link_packet packet = { .spawn = *request };
	packet.header.version = LINK_VERSION;
	packet.header.type = LINK_SPAWN;
	log_debug("to termservd: spawn a leader for session %u, serial %u", request->session,
		request->header.serial);
	return link_send(p->fd, &packet, (int[]){ link_fd, proof_fd }, 2);
}

int parent_stop(struct parent *p)
{
	struct link_simple packet = link_make(LINK_STOP, 0);
	log_debug("to termservd: stop");
	return link_send_simple(p->fd, &packet);
}
