#include "leader/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "leader/guard.h"

#define MESSAGES_A_TURN 32 /* then everybody else has theirs */

void relay_init(struct relay *r, uint32_t session, int broker_fd, uid_t broker_uid)
{
	*r = (struct relay){
		.session = session,
		.broker_uid = broker_uid,
		.created = clock_now(),
		.broker_fd = broker_fd,
		.host_fd = -1,
		.to_broker = LINK_QUEUE_INIT,
		.asking = ASKING_INIT,
	};
}

void relay_done(struct relay *r)
{
	asking_stop(&r->asking);
	link_queue_done(&r->to_broker);
	auto_close(&r->broker_fd);
	auto_close(&r->host_fd);
	r->broker_fd = -1;
	r->host_fd = -1;
}

void relay_set_host(struct relay *r, int host_fd)
{
	r->host_fd = host_fd;
}

/* --- towards the broker ---------------------------------------------------------------------- */

static int tell_host(struct relay *r, const struct link_simple *message, const int *cable_fd)
{
	union link_packet packet = { .simple = *message };
	return r->host_fd < 0 ? -ESHUTDOWN
			      : link_send(r->host_fd, &packet, cable_fd, cable_fd != NULL);
}

/* What it had asked for is forgotten, and so is a cable that waits for a word that will not come.
 */
static void drop_broker(struct relay *r)
{
	if (r->broker_fd < 0) {
		return;
	}
	auto_close(&r->broker_fd);
	r->broker_fd = -1;
	link_queue_done(&r->to_broker);
	asking_stop(&r->asking);
	memset(r->asks, 0, sizeof(r->asks));
	r->info_due = false;
	r->info_serial = 0;
	struct link_simple forget = link_make(LINK_ABORT, 0);
	(void)tell_host(r, &forget, NULL);
}

/* The host's truth, with what the leader knows better. */
static struct link_info whole_info(const struct relay *r)
{
	struct link_info info = r->info;
	info.header = link_make(LINK_INFO, r->info_serial).header;
	info.session = r->session;
	info.uid = r->owner;
	info.leader = (uint32_t)getpid();
	info.created = r->created;
	info.connected = r->connected;
	info.disconnected = r->disconnected;
	memcpy(info.token, r->current.token, sizeof(info.token));
	link_set_text(info.terminal, r->current.name);
	link_set_text(info.client, r->current.client);
	link_set_text(info.user, r->user);
	link_set_text(info.listener, r->listener);
	if (r->ending) {
		info.state = SESSION_RESET;
	} else if (info.state == SESSION_ACTIVE && r->current.name[0] == '\0') {
		info.state = SESSION_DISCONNECTED; /* on a terminal that nobody has plugged in */
	}
	return info;
}

/* Sends all that the broker is due, in order, as far as its socket has room. */
static void flush_broker(struct relay *r)
{
	if (r->broker_fd < 0) {
		return;
	}
	int result = link_queue_flush(&r->to_broker, r->broker_fd);
	if (result == 0 && r->info_due && r->info_known) {
		union link_packet packet = { .info = whole_info(r) };
		result = link_send(r->broker_fd, &packet, NULL, 0);
		if (result == 0) {
			r->info_due = false;
			r->info_serial = 0;
		}
	}
	if (result < 0 && result != -EAGAIN) {
		drop_broker(r);
	}
}

static void tell_broker(struct relay *r, const struct link_simple *message)
{
	if (r->broker_fd >= 0 && link_queue_send(&r->to_broker, r->broker_fd, message) < 0) {
		drop_broker(r);
	}
}

static void answer_broker(struct relay *r, uint16_t type, uint32_t serial, int error)
{
	struct link_simple answer = link_make((enum link_type)type, serial);
	answer.error = error;
	tell_broker(r, &answer);
}

static struct asking_about about(const struct relay *r)
{
	return (struct asking_about){
		.session = { .system = r->system,
			.id = r->session,
			.owner = r->owner,
			.broker = r->broker_uid,
			.terminal = r->current.name },
		.user = r->user,
		.tty = r->info.tty,
	};
}

static void answer_warrant(struct relay *r, const struct asking_answer *a)
{
	struct link_simple answer = link_make(LINK_WARRANTED, a->serial);
	answer.error = a->result;
	answer.uid = a->maker;
	tell_broker(r, &answer);
	if (a->result < 0) {
		log_info("session %u: uid %u may not have it: %s", r->session, (unsigned)a->maker,
			strerrordesc_np(-a->result));
	}
}

/* Whoever is being asked for a password is not waited for any more. */
static void stop_asking(struct relay *r, int error)
{
	struct asking_answer answer;
	while (asking_cancel(&r->asking, error, &answer)) {
		answer_warrant(r, &answer);
	}
	asking_stop(&r->asking);
}

short relay_broker_events(const struct relay *r)
{
	bool waits = r->to_broker.count > 0 || (r->info_due && r->info_known);
	return (short)(POLLIN | (waits ? POLLOUT : 0));
}

void relay_set_ending(struct relay *r)
{
	if (!r->ending) {
		r->ending = true;
		r->info_due = true;
		stop_asking(r, -ESHUTDOWN);
		flush_broker(r);
	}
}

void relay_host_gone(struct relay *r)
{
	auto_close(&r->host_fd);
	r->host_fd = -1;
	for (size_t i = 0; i < RELAY_ASKS_MAX; i++) {
		struct relay_ask ask = r->asks[i];
		r->asks[i].answer = 0;
		if (ask.answer != 0) {
			answer_broker(r, ask.answer, ask.broker_serial, -ESHUTDOWN);
		}
	}
}

void relay_send_ended(struct relay *r, const struct link_simple *ended, int timeout_ms)
{
	struct link_simple message = *ended;
	message.header = link_make(LINK_ENDED, 0).header;
	message.session = r->session;
	tell_broker(r, &message);
	uint64_t limit = clock_monotonic_ms() + (uint64_t)timeout_ms;
	while (r->broker_fd >= 0 && r->to_broker.count > 0) {
		uint64_t now = clock_monotonic_ms();
		struct pollfd p = { .fd = r->broker_fd, .events = POLLOUT };
		if (now >= limit || (poll(&p, 1, (int)(limit - now)) < 0 && errno != EINTR)) {
			return;
		}
		flush_broker(r);
	}
}

/* --- from the broker ------------------------------------------------------------------------- */

/* Hands a question on under a serial of our own, so that its answer is known again: returned; 0 =
 * the host was not asked, which the broker was told. */
static uint32_t ask_host(
	struct relay *r, const struct link_simple *question, uint16_t answer, const int *cable_fd)
{
	struct relay_ask *place = NULL;
	for (size_t i = 0; i < RELAY_ASKS_MAX && place == NULL; i++) {
		place = r->asks[i].answer == 0 ? &r->asks[i] : NULL;
	}
	if (place == NULL) {
		answer_broker(r, answer, question->header.serial, -EBUSY);
		return 0;
	}
	struct link_simple message = *question;
	message.header.serial = ++r->last_serial;
	int result = tell_host(r, &message, cable_fd);
	if (result < 0) {
		answer_broker(r, answer, question->header.serial, result);
		return 0;
	}
	*place = (struct relay_ask){
		.answer = answer,
		.serial = message.header.serial,
		.broker_serial = question->header.serial,
	};
	return message.header.serial;
}

static int on_warrant(
	struct relay *r, const struct link_simple *message, struct fd_set_received *set)
{
	if (!set->lost && set->count != 1) {
		return -EPROTO;
	}
	int error = set->lost ? -EMFILE : r->ending ? -ESHUTDOWN : 0;
	if (error < 0) {
		answer_broker(r, LINK_WARRANTED, message->header.serial, error);
		return 0;
	}
	const struct asking_about facts = about(r);
	const struct asking_question question = {
		.serial = message->header.serial,
		.free_of_password = (message->flags & LINK_FREE_OF_PASSWORD) != 0,
		.from = message->client,
	};
	struct asking_answer answer;
	if (asking_begin(&r->asking, &facts, TAKE_FD(set->fds[0]), &question, &answer)) {
		answer_warrant(r, &answer);
	}
	return 0;
}

size_t relay_check_fds(const struct relay *r, int ret[static ASKING_MAX])
{
	return asking_fds(&r->asking, ret);
}

uint64_t relay_check_time(const struct relay *r)
{
	return asking_time(&r->asking);
}

void relay_on_check(struct relay *r)
{
	const struct asking_about facts = about(r);
	uint64_t now = clock_monotonic_ms();
	struct asking_answer answer;
	while (asking_next(&r->asking, &facts, now, &answer)) {
		answer_warrant(r, &answer);
	}
}

static int on_plug(struct relay *r, const struct link_simple *message, struct fd_set_received *set)
{
	if (set->lost) {
		answer_broker(r, LINK_READY, message->header.serial, -EMFILE);
		return 0;
	}
	if (set->count != 1) {
		return -EPROTO;
	}
	uid_t maker = (uid_t)-1;
	const struct asking_about facts = about(r);
	int error = r->ending ? -ESHUTDOWN : guard_cable(&maker, set->fds[0]);
	if (error == 0) {
		error = grants_use(&r->asking.grants, &facts.session, maker, message->terminal,
			clock_monotonic_ms());
	}
	if (error < 0) {
		log_warning("session %u: refused a cable for terminal %s: %s", r->session,
			message->terminal, strerrordesc_np(-error));
		answer_broker(r, LINK_READY, message->header.serial, error);
		return 0;
	}
	memcpy(r->prepared.token, message->token, sizeof(r->prepared.token));
	link_set_text(r->prepared.name, message->terminal);
	link_set_text(r->prepared.client, message->client);
	struct link_simple checked = *message;
	checked.uid = maker;
	(void)ask_host(r, &checked, LINK_READY, &set->fds[0]);
	return 0;
}

/* Kept here, where no broker's end loses it. */
static void on_notice(struct relay *r, const struct link_simple *message)
{
	if ((message->flags & LINK_NOTICE_LATER) == 0) {
		(void)tell_host(r, message, NULL);
		return;
	}
	link_set_text(r->notice, message->text);
	r->notice_shown = false;
}

/* Ahead of the commit, so that it stands in the first picture. */
static void show_notice(struct relay *r)
{
	struct link_simple notice = link_make(LINK_NOTICE, 0);
	link_set_text(notice.text, r->notice);
	r->notice_shown = r->notice[0] != '\0' && tell_host(r, &notice, NULL) >= 0;
}

static void on_commit(struct relay *r, const struct link_simple *message)
{
	r->notice_shown = false;
	if ((message->flags & LINK_COMMIT_NOTICE) != 0) {
		show_notice(r);
	}
	uint32_t serial = ask_host(r, message, LINK_PLUGGED, NULL);
	if (serial != 0) {
		r->committing = r->prepared;
		r->commit_serial = serial;
	}
}

/* Nothing shows the session from now on. When that was is not the host's to say, who would be
 * beyond all limits with it. */
static void leave_terminal(struct relay *r)
{
	if (r->current.name[0] != '\0') {
		r->current = (struct relay_terminal){ 0 };
		r->disconnected = clock_now();
	}
}

/* In system mode a host that does not obey, or is stopped by its owner, keeps no terminal: it is
 * told to leave it, and from now on counts as having left. */
static void let_go(struct relay *r, const char *terminal)
{
	if (r->system && r->current.name[0] != '\0' && strcasecmp(r->current.name, terminal) == 0) {
		leave_terminal(r);
		r->info_due = true;
	}
}

/* Only the worst that was asked for counts. */
static void take_order(struct relay *r, enum relay_order order, const struct link_simple *message)
{
	if (order > r->order) {
		r->order = order;
		relay_order_host(
			r, (enum link_type)message->header.type, message->reason, message->text);
		relay_set_ending(r);
	}
}

static int on_broker_message(
	struct relay *r, const union link_packet *packet, struct fd_set_received *set)
{
	const struct link_simple *message = &packet->simple;
	bool brings_one = packet->header.type == LINK_PLUG || packet->header.type == LINK_WARRANT;
	if (set->count != 0 && !brings_one) {
		return -EPROTO;
	}
	switch (packet->header.type) {
	case LINK_HELLO:
		r->info_due = true; /* goes out when the host has spoken, not before */
		r->info_serial = packet->header.serial;
		return 0;
	case LINK_PLUG:
		return on_plug(r, message, set);
	case LINK_WARRANT:
		return on_warrant(r, message, set);
	case LINK_COMMIT:
		on_commit(r, message);
		return 0;
	case LINK_UNPLUG:
		let_go(r, message->terminal);
		(void)ask_host(r, message, LINK_UNPLUGGED, NULL);
		return 0;
	case LINK_NOTICE:
		on_notice(r, message);
		return 0;
	case LINK_ABORT:
		(void)tell_host(r, message, NULL);
		return 0;
	case LINK_LOGOFF:
		take_order(r, RELAY_LOGOFF, message);
		return 0;
	case LINK_RESET:
		take_order(r, RELAY_RESET, message);
		return 0;
	default:
		return -EPROTO;
	}
}

void relay_on_broker(struct relay *r, short revents)
{
	bool readable = (revents & ~POLLOUT) != 0;
	for (int i = 0; i < MESSAGES_A_TURN && readable && r->broker_fd >= 0; i++) {
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		union link_packet packet;
		int result = link_receive(r->broker_fd, &packet, &set);
		if (result == -EAGAIN) {
			break;
		}
		if (result > 0) {
			result = on_broker_message(r, &packet, &set) < 0 ? -EPROTO : 1;
		}
		if (result == -EPROTONOSUPPORT || result == -EPROTO) {
			link_refuse(r->broker_fd,
				result == -EPROTO ? "This leader does not understand that message."
						  : "This leader speaks version 2 of the link.");
			log_warning("session %u: dropped a broker that does not speak this link",
				r->session);
		}
		if (result <= 0) {
			drop_broker(r);
		}
	}
	flush_broker(r);
}

int relay_on_listen(struct relay *r, int listen_fd)
{
	AUTO_FD int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	int result = guard_broker(fd, r->broker_uid);
	if (result < 0) {
		log_warning("session %u: refused a stranger on its link", r->session);
		link_refuse(fd, "Only the broker may speak to this leader.");
		return 0;
	}
	drop_broker(r);
	r->broker_fd = TAKE_FD(fd);
	return 0;
}

/* --- the host -------------------------------------------------------------------------------- */

void relay_order_host(struct relay *r, enum link_type type, uint32_t reason, const char *text)
{
	struct link_simple order = link_make(type, 0);
	order.reason = reason;
	link_set_text(order.text, text);
	(void)tell_host(r, &order, NULL);
}

/* In system mode a host is its owner's to bend: the tty that it names must be one of his, and stays
 * the session's: nobody logs himself on wherever he likes. */
static void check_tty(struct relay *r, const struct link_info *info)
{
	dev_t device = 0;
	bool good = guard_tty(&device, info->tty, r->owner) == 0;
	link_set_text(r->tty, good ? info->tty : "");
	r->tty_device = device;
	link_set_text(r->tty_said, info->tty);
}

/* When somebody has typed only the host knows; not in what is to come, nor before the session. */
static uint64_t past_time(const struct relay *r, uint64_t said)
{
	uint64_t now = clock_now();
	uint64_t time = said < now ? said : now;
	return said == 0 ? 0 : time > r->created ? time : r->created;
}

static void on_info(struct relay *r, const struct link_info *info)
{
	r->info = *info;
	r->info.last_input = past_time(r, info->last_input);
	if (r->system) {
		if (r->tty[0] == '\0' && strcmp(info->tty, r->tty_said) != 0) {
			check_tty(r, info);
		}
		link_set_text(r->info.tty, r->tty);
		r->info.tty_device = r->tty_device;
	}
	r->info_known = true;
	r->info_due = true;
	if (info->state != SESSION_ACTIVE) {
		leave_terminal(r);
	}
}

/* Also when the broker that has asked is gone; but once. */
static void on_plugged(struct relay *r, const struct link_simple *message)
{
	if (r->commit_serial == 0 || message->header.serial != r->commit_serial) {
		return;
	}
	r->commit_serial = 0;
	if (message->error == 0) {
		r->current = r->committing;
		r->connected = clock_now();
		if (r->notice_shown) {
			r->notice[0] = '\0';
		}
	}
}

static void on_answer(struct relay *r, const struct link_simple *message)
{
	if (message->header.type == LINK_PLUGGED) {
		on_plugged(r, message);
	}
	for (size_t i = 0; i < RELAY_ASKS_MAX; i++) {
		struct relay_ask *ask = &r->asks[i];
		if (ask->answer == message->header.type && ask->serial == message->header.serial) {
			struct link_simple answer = *message;
			answer.header.serial = ask->broker_serial;
			ask->answer = 0;
			tell_broker(r, &answer);
			return;
		}
	}
}

static int on_host_message(struct relay *r, const union link_packet *packet)
{
	switch (packet->header.type) {
	case LINK_INFO:
		on_info(r, &packet->info);
		return 0;
	case LINK_READY:
	case LINK_PLUGGED:
	case LINK_UNPLUGGED:
		on_answer(r, &packet->simple);
		return 0;
	case LINK_ENDED:
		r->ended = packet->simple;
		if (r->ended.error == -EKEYREJECTED || r->ended.error == -EKEYREVOKED) {
			r->ended.error = -EPROTO; /* about passwords a host knows nothing */
		}
		relay_set_ending(r);
		return 0;
	default:
		return -EPROTO;
	}
}

int relay_on_host(struct relay *r)
{
	int result = 1;
	for (int i = 0; i < MESSAGES_A_TURN && result > 0; i++) {
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		union link_packet packet;
		result = link_receive(r->host_fd, &packet, &set);
		if (result > 0 && (set.count != 0 || on_host_message(r, &packet) < 0)) {
			result = -EPROTO;
		}
	}
	flush_broker(r);
	if (result > 0 || result == -EAGAIN) {
		return result > 0;
	}
	relay_host_gone(r);
	return result == 0 ? -EPIPE : result;
}
