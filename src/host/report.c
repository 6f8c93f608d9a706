#include "host/report.h"

#include <errno.h>
#include <string.h>

#include "vt/history.h"

static size_t model_bytes(const struct vt_screen *screen)
{
	struct vt_memory m = vt_screen_memory(screen);
	return m.grid + m.history + m.styles + m.clusters + m.links + m.other;
}

static void add_terminal(struct link_info *info, const struct viewer *v)
{
	info->state = SESSION_ACTIVE;
	memcpy(info->token, v->token, sizeof(info->token));
	link_set_text(info->terminal, v->terminal);
	link_set_text(info->client, v->address);
	link_set_text(info->term, v->hello.term);
}

static struct link_info info_of(const struct session *s)
{
	struct link_info info = {
		.header = link_make(LINK_INFO, 0).header,
		.session = s->id,
		.state = SESSION_DISCONNECTED,
		.program = (uint32_t)s->program.pid,
		.connected = s->connected,
		.disconnected = s->disconnected,
		.last_input = s->last_input,
		.tty_device = s->pty.device,
		.model_bytes = model_bytes(s->screen),
		.history_lines = vt_history_count(vt_screen_history(s->screen)),
		.rows = s->pty.size.rows,
		.columns = s->pty.size.columns,
	};
	if (s->current != NULL) {
		add_terminal(&info, s->current);
	}
	const char *title = vt_screen_modes(s->screen)->titles.title;
	link_set_text(info.tty, s->pty.path);
	link_set_text(info.title, title != NULL ? title : "");
	program_text(info.command, sizeof(info.command), &s->spec);
	return info;
}

void report_send(struct session *s, uint64_t now)
{
	if (s->link_fd < 0 || s->stage >= SESSION_FINISHING) {
		s->info_at = 0;
		return;
	}
	int r = link_queue_flush(&s->to_leader, s->link_fd);
	if (r == 0) {
		union link_packet packet = { .info = info_of(s) };
		r = link_send(s->link_fd, &packet, NULL, 0);
	}
	s->info_sent = now;
	/* A leader that does not read is asked again when it would be due once more. */
	s->info_at = r == -EAGAIN ? now + 1000 : 0;
}
