#include "host/switchboard.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#define HELLO_MS 2000
#define COMMIT_MS 5000
#define LEAVE_MS 2000
#define MESSAGES_A_TURN 32

static void answer(struct session *s, enum link_type type, uint32_t serial, int error)
{
	struct link_simple message = link_make(type, serial);
	message.error = error;
	session_tell_leader(s, &message);
}

/* --- who is there ----------------------------------------------------------------------------- */

size_t switchboard_list(const struct session *s, struct viewer *list[SWITCHBOARD_VIEWERS_MAX])
{
	size_t count = 0;
	if (s->current != NULL) {
		list[count++] = s->current;
	}
	if (s->prepared != NULL) {
		list[count++] = s->prepared;
	}
	for (size_t i = 0; i < SESSION_LEAVING_MAX && s->leaving[i] != NULL; i++) {
		list[count++] = s->leaving[i];
	}
	return count;
}

static bool is_there(const struct session *s, const struct viewer *v)
{
	struct viewer *list[SWITCHBOARD_VIEWERS_MAX];
	size_t count = switchboard_list(s, list);
	for (size_t i = 0; i < count; i++) {
		if (list[i] == v) {
			return true;
		}
	}
	return false;
}

/* Nobody shows the session any more. */
static void set_disconnected(struct session *s)
{
	s->current = NULL;
	s->disconnected = clock_now();
	session_set_answering(s);
	session_report(s, 0);
	session_tidy_soon(s);
}

static void remove_leaving(struct session *s, size_t i)
{
	size_t behind = SESSION_LEAVING_MAX - i - 1;
	(void)viewer_free(s->leaving[i]);
	memmove(&s->leaving[i], &s->leaving[i + 1], behind * sizeof(s->leaving[0]));
	s->leaving[SESSION_LEAVING_MAX - 1] = NULL;
}

/* It has no place among current and prepared any more; where too many leave the first goes. */
static void add_leaving(struct session *s, struct viewer *v)
{
	if (s->leaving[SESSION_LEAVING_MAX - 1] != NULL) {
		remove_leaving(s, 0);
	}
	size_t i = 0;
	while (s->leaving[i] != NULL) {
		i++;
	}
	v->state = VIEWER_LEAVING;
	v->deadline = v->hung ? 0 : clock_monotonic_ms() + LEAVE_MS;
	s->leaving[i] = v;
}

/* Frees it wherever it stands. `error` answers the LINK_PLUG of one whose hello never came. */
static void drop(struct session *s, struct viewer *v, int error)
{
	if (v == s->current) {
		set_disconnected(s);
	} else if (v == s->prepared) {
		s->prepared = NULL;
		if (v->state == VIEWER_NEW) {
			answer(s, LINK_READY, v->plug_serial, error);
		}
	} else {
		for (size_t i = 0; i < SESSION_LEAVING_MAX; i++) {
			if (s->leaving[i] == v) {
				remove_leaving(s, i);
				return;
			}
		}
	}
	(void)viewer_free(v);
}

void switchboard_done(struct session *s)
{
	s->current = viewer_free(s->current);
	s->prepared = viewer_free(s->prepared);
	while (s->leaving[0] != NULL) {
		remove_leaving(s, 0);
	}
}

/* --- from the doors --------------------------------------------------------------------------- */

/* Its door has said whether it lends its terminal, or its time is over. */
static void begin(struct session *s, struct viewer *v)
{
	viewer_begin(v, s->screen);
	session_set_answering(s);
}

static int on_hello(struct session *s, struct viewer *v, const struct cable_frame *frame)
{
	int r = viewer_welcome(v, frame, s->id);
	if (r == 0) {
		v->state = VIEWER_PREPARED;
		v->deadline = clock_monotonic_ms() + COMMIT_MS;
		answer(s, LINK_READY, v->plug_serial, 0);
	}
	return r;
}

static int on_client(struct viewer *v, const struct cable_frame *frame)
{
	buf_clear(&v->client);
	return buf_put(&v->client, frame->payload, frame->length);
}

static void on_size(struct session *s, struct viewer *v, const struct cable_frame *frame)
{
	struct cable_size size;
	memcpy(&size, frame->payload, sizeof(size));
	int r = session_resize(s, &size);
	if (r < 0) { /* the terminal is that size all the same: it is not a reason to lose it */
		log_warning(
			"session %u: cannot take the size %ux%u", s->id, size.columns, size.rows);
		return;
	}
	viewer_resize(v, &size);
}

/* The terminal that it speaks of was sent before, but another way. */
static void on_listen(struct session *s, struct viewer *v, const struct cable_frame *frame)
{
	if (viewer_awaits(v)) {
		begin(s, v);
	}
	keyboard_listen(v, frame);
}

/* What a door may send depends on where it stands. 0, or -EPROTO and the like: drop it. */
static int on_frame(struct session *s, struct viewer *v, const struct cable_frame *frame)
{
	bool current = v->state == VIEWER_CURRENT;
	switch (frame->type) {
	case CABLE_HELLO:
		return v->state == VIEWER_NEW ? on_hello(s, v, frame) : -EPROTO;
	case CABLE_CLIENT:
		return v->state == VIEWER_PREPARED ? on_client(v, frame) : -EPROTO;
	case CABLE_INPUT:
		if (current) {
			viewer_hurry(v);
		}
		if (current || v->state == VIEWER_LEAVING) {
			session_type(s, frame->payload, frame->length);
		}
		return v->state == VIEWER_NEW ? -EPROTO : 0;
	case CABLE_SIZE:
		if (current) {
			on_size(s, v, frame);
		}
		return v->state == VIEWER_NEW ? -EPROTO : 0;
	case CABLE_LISTEN:
		if (current) {
			on_listen(s, v, frame);
		}
		return v->state == VIEWER_NEW ? -EPROTO : 0;
	case CABLE_BYE:
		v->closed = true;
		return 0;
	default:
		return -EPROTO;
	}
}

/* As many frames as the program has room for. 1 = more may come, 0 = the viewer is done with,
 * -errno = drop it. */
static int take_frames(struct session *s, struct viewer *v)
{
	for (;;) {
		v->paused = !pty_has_room(&s->pty) && v->state >= VIEWER_CURRENT;
		if (v->paused) {
			return 1;
		}
		struct cable_frame frame;
		int r = cable_parse(&v->in, &frame);
		if (r <= 0) {
			return r < 0 ? r : !v->closed;
		}
		r = on_frame(s, v, &frame);
		if (r < 0) {
			return r;
		}
		if (frame.type == CABLE_BYE) {
			return 0;
		}
		cable_next(&v->in, &frame);
	}
}

/* Reads until there is nothing or no room. From the terminal that is shown a key comes alone, and
 * poll() tells when there is more: it is not asked for in vain each time. From the others, and from
 * one that is gone, the end has to be seen at once. */
static void take_input(struct session *s, struct viewer *v)
{
	int got = VIEWER_READ_SOME;
	int r = take_frames(s, v);
	while (r == 1 && got > 0 && !v->paused) {
		if (got == VIEWER_READ_ALL && v->state == VIEWER_CURRENT && !v->out.broken) {
			break;
		}
		got = viewer_read(v);
		if (got == 0 && (v->out.broken || v->hung)) { /* nobody is there: this was all */
			v->closed = true;
		}
		r = got < 0 ? got : take_frames(s, v);
	}
	if (r == 1) {
		return;
	}
	if (r < 0) {
		log_info("session %u: dropped the cable of terminal %s: %s", s->id, v->terminal,
			strerrordesc_np(-r));
	}
	drop(s, v, r < 0 ? r : -ECONNRESET);
}

short switchboard_events(const struct viewer *v)
{
	if (v->hung) {
		return 0;
	}
	bool waits = !outlet_is_lent(&v->out) && outlet_waiting(&v->out) > 0;
	return (short)((v->paused ? POLLRDHUP : POLLIN) | (waits ? POLLOUT : 0));
}

struct pollfd switchboard_poll_lent(const struct session *s, const struct viewer *v)
{
	if (viewer_awaits(v)) {
		return (struct pollfd){ .fd = v->lease, .events = POLLIN };
	}
	bool waits = outlet_is_lent(&v->out) && outlet_waiting(&v->out) > 0;
	short events = (short)((waits ? POLLOUT : 0) | (keyboard_wanted(s, v) ? POLLIN : 0));
	return (struct pollfd){ .fd = events != 0 ? v->out.terminal : -1, .events = events };
}

void switchboard_on_lent(struct session *s, struct viewer *v, short revents, uint64_t looked)
{
	if (!is_there(s, v)) {
		return;
	}
	if (viewer_awaits(v)) {
		begin(s, v);
		return;
	}
	if ((revents & ~POLLIN) != 0) {
		outlet_ready(&v->out);
	}
	if ((revents & ~POLLOUT) != 0) {
		keyboard_read(s, v, looked);
	}
}

void switchboard_on_cable(struct session *s, struct viewer *v, short revents)
{
	if (!is_there(s, v)) {
		return;
	}
	if ((revents & POLLOUT) != 0) {
		outlet_ready(&v->out);
	}
	if ((revents & ~POLLOUT) == 0) {
		return;
	}
	if (!v->paused) {
		take_input(s, v);
		return;
	}
	/* The door has closed while the program takes no input. The terminal is gone; what was
	 * typed there is not. */
	viewer_hang(v);
	if (v == s->current) {
		set_disconnected(s);
		add_leaving(s, v);
	}
}

/* --- from the leader -------------------------------------------------------------------------- */

static int on_start(struct session *s, uint32_t flags, struct fd_set_received *set)
{
	if (s->stage != SESSION_BORN || set->count != 2) {
		return -EPROTO;
	}
	session_start(s, flags, TAKE_FD(set->fds[0]), TAKE_FD(set->fds[1]));
	return 0;
}

static int on_plug(
	struct session *s, const struct link_simple *message, struct fd_set_received *set)
{
	if (set->lost) {
		answer(s, LINK_READY, message->header.serial, -EMFILE);
		return 0;
	}
	if (set->count != 1) {
		return -EPROTO;
	}
	if (s->prepared != NULL) {
		drop(s, s->prepared, -ECANCELED);
	}
	struct viewer *v = NULL;
	int r = s->stage == SESSION_WAITING || s->stage == SESSION_RUNNING
			? viewer_new(&v, TAKE_FD(set->fds[0]), message)
			: -ESHUTDOWN;
	if (r < 0) {
		answer(s, LINK_READY, message->header.serial, r);
		return 0;
	}
	v->deadline = clock_monotonic_ms() + HELLO_MS;
	s->prepared = v;
	take_input(s, v);
	return 0;
}

static void send_away(struct session *s, struct viewer *v, uint32_t reason, const char *text)
{
	struct cable_bye bye = { .reason = reason };
	link_set_text(bye.text, text);
	viewer_bye(v, s->screen, &bye);
	add_leaving(s, v);
}

/* The prepared viewer takes over. */
static void swap(struct session *s, const struct link_simple *message)
{
	struct viewer *v = TAKE_PTR(s->prepared);
	struct viewer *former = TAKE_PTR(s->current);
	if (former != NULL) {
		send_away(s, former, message->reason != 0 ? message->reason : LINK_REASON_TAKEN,
			message->text);
	}
	int r = session_resize(s, &v->hello.size);
	if (r < 0) {
		log_warning("session %u: keeps its size: %s", s->id, strerrordesc_np(-r));
	}
	/* Only the owner's own terminals bring something along. */
	size_t length = v->maker == geteuid() ? v->client.length : 0;
	r = environment_update(&s->environment, (char *)v->client.data, length);
	if (r < 0) {
		log_warning("session %u: run/env: %s", s->id, strerrordesc_np(-r));
	}
	r = s->system ? environment_note_door(&s->environment, v->maker) : 0;
	if (r < 0) {
		log_warning("session %u: run/door: %s", s->id, strerrordesc_np(-r));
	}
	buf_done(&v->client);
	s->current = v;
	s->connected = clock_now();
	answer(s, LINK_PLUGGED, message->header.serial, 0); /* before anybody sees it */
	viewer_show(v, s->screen, s->spec.term);
	session_set_answering(s);
	session_run(s); /* if it has waited for its first terminal */
	session_report(s, 0);
}

static void on_commit(struct session *s, const struct link_simple *message)
{
	if (s->prepared != NULL) {
		take_input(s, s->prepared); /* has its door gone meanwhile? */
	}
	if (s->prepared == NULL || s->prepared->state != VIEWER_PREPARED) {
		answer(s, LINK_PLUGGED, message->header.serial, -ECONNRESET);
		return;
	}
	swap(s, message);
}

static void on_notice(struct session *s, const struct link_simple *message)
{
	char text[LINK_TEXT_SIZE];
	(void)text_encode(text, sizeof(text), message->text);
	if (s->prepared != NULL) { /* it stands in the first picture there */
		(void)viewer_notice(s->prepared, text);
	} else if (s->current != NULL && viewer_notice(s->current, text) == 0) {
		session_set_answering(
			s); /* the program's questions do not reach the terminal now */
	}
}

static void on_unplug(struct session *s, const struct link_simple *message)
{
	struct viewer *v = s->current;
	if (v == NULL || strcmp(v->terminal, message->terminal) != 0) {
		answer(s, LINK_UNPLUGGED, message->header.serial, -ENOTCONN);
		return;
	}
	send_away(s, v, message->reason, message->text);
	set_disconnected(s);
	answer(s, LINK_UNPLUGGED, message->header.serial, 0);
}

static int on_message(
	struct session *s, const union link_packet *packet, struct fd_set_received *set)
{
	const struct link_simple *message = &packet->simple;
	switch (packet->header.type) {
	case LINK_START:
		s->id = message->session;
		return on_start(s, message->flags, set);
	case LINK_PLUG:
		return on_plug(s, message, set);
	case LINK_COMMIT:
		on_commit(s, message);
		return 0;
	case LINK_ABORT:
		if (s->prepared != NULL) {
			drop(s, s->prepared, -ECANCELED);
		}
		return 0;
	case LINK_UNPLUG:
		on_unplug(s, message);
		return 0;
	case LINK_NOTICE:
		on_notice(s, message);
		return 0;
	case LINK_LOGOFF:
	case LINK_RESET:
		session_end(s, packet->header.type == LINK_RESET, message->reason, message->text);
		return 0;
	default:
		return -EPROTO;
	}
}

int switchboard_on_link(struct session *s)
{
	for (int i = 0; i < MESSAGES_A_TURN && s->stage < SESSION_OVER; i++) {
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		union link_packet packet;
		int r = link_receive(s->link_fd, &packet, &set);
		if (r == -EAGAIN) {
			return 0;
		}
		if (r > 0) {
			r = on_message(s, &packet, &set) < 0 ? -EPROTO : 1;
			session_tidy_soon(s); /* they are rare */
		}
		if (r <= 0) {
			return r < 0 ? r : -EPIPE;
		}
	}
	return 0;
}

/* --- time, and the end ------------------------------------------------------------------------ */

uint64_t switchboard_next_time(const struct session *s)
{
	struct viewer *list[SWITCHBOARD_VIEWERS_MAX];
	size_t count = switchboard_list(s, list);
	uint64_t next = 0;
	for (size_t i = 0; i < count; i++) {
		next = session_earlier(next, list[i]->deadline);
	}
	if (s->current != NULL) {
		next = session_earlier(next, viewer_due(s->current, s->screen));
	}
	return next;
}

static void on_deadline(struct session *s, struct viewer *v)
{
	if (v->state == VIEWER_LEAVING && v->paused) {
		viewer_hang(v); /* what was typed waits on, without the terminal */
		v->deadline = 0;
		return;
	}
	if (viewer_awaits(v)) {
		begin(s, v);
		return;
	}
	drop(s, v, -ETIMEDOUT);
}

void switchboard_work(struct session *s, uint64_t now)
{
	struct viewer *list[SWITCHBOARD_VIEWERS_MAX];
	size_t count = switchboard_list(s, list);
	for (size_t i = 0; i < count; i++) {
		struct viewer *v = list[i];
		if (v->deadline != 0 && now >= v->deadline) {
			on_deadline(s, v);
		} else if (v->paused && pty_has_room(&s->pty)) {
			take_input(s, v);
		}
	}
	if (s->current != NULL) {
		viewer_work(s->current, s->screen, now);
		session_set_answering(s);
	}
}

void switchboard_goodbye(struct session *s, const struct cable_bye *bye)
{
	struct viewer *last[] = { TAKE_PTR(s->current), TAKE_PTR(s->prepared) };
	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		if (last[i] != NULL) {
			viewer_bye(last[i], s->screen, bye);
			add_leaving(s, last[i]);
		}
	}
}

bool switchboard_is_quiet(const struct session *s)
{
	for (size_t i = 0; i < SESSION_LEAVING_MAX && s->leaving[i] != NULL; i++) {
		if (outlet_waiting(&s->leaving[i]->out) > 0) {
			return false;
		}
	}
	return true;
}
