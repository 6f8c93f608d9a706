/* One turn of the door's loop: waits for the terminal, the cables, the server and signals alike,
 * and gives each its due. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/trim.h"
#include "door/tty/attach_private.h"
#include "protocol/error.h"

#define WISH_PAUSE_MS 50
#define MINUTE_MS 60000
#define INPUT_ROOM 512 /* below it the terminal is not read */

enum { ON_SIGNAL, ON_TTY, ON_EVENTS, ON_GIVE, ON_WISH, ON_SHOWN, ON_LEASE, ON_PREPARED, ON_COUNT };

bool attach_must_leave(const struct attach *a)
{
	return a->signal != 0 || a->hung_up || a->end_of_input;
}

/* A line that is typed while a session is on its way is that session's. */
static short tty_events(const struct attach *a)
{
	short events = a->screen.length > 0 ? POLLOUT : 0;
	bool keys = plug_is_open(&a->shown) && plug_room(&a->shown) >= INPUT_ROOM &&
		    keys_polled(&a->keys);
	bool lines = a->asking && !a->has_line && !plug_is_open(&a->prepared);
	return (short)(events | (keys || lines ? POLLIN : 0));
}

static struct pollfd poll_plug(const struct plug *p, bool wanted)
{
	short events = (short)((wanted ? POLLIN : 0) | (p->out.length > 0 ? POLLOUT : 0));
	return (struct pollfd){ .fd = p->at_end || events == 0 ? -1 : p->fd, .events = events };
}

static struct pollfd poll_varlink(const struct varlink *v)
{
	return (struct pollfd){
		.fd = v != NULL ? varlink_fd(v) : -1,
		.events = v != NULL ? varlink_events(v) : 0,
	};
}

static void take_signals(struct attach *a)
{
	struct signalfd_siginfo info;
	while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			picture_size_changed(a);
			break;
		case SIGCONT: /* the shell may have set another mode meanwhile */
			if (a->tty.raw && !rawtty_is_ours(&a->tty)) {
				a->hung_up = true;
				break;
			}
			rawtty_reenter(&a->tty);
			picture_size_changed(a);
			break;
		default:
			a->signal = (int)info.ssi_signo;
			break;
		}
	}
}

/* The terminal gives whole lines here. */
static void take_line(struct attach *a)
{
	ssize_t n = rawtty_read(&a->tty, a->line, sizeof(a->line) - 1);
	if (n == -EAGAIN || n == -EINTR) {
		return;
	}
	if (n <= 0) {
		a->end_of_input = true;
		return;
	}
	a->line[n] = '\0';
	if (strlen(a->line) > LINE_MAX_BYTES) {
		rawtty_forget_input(&a->tty);
		a->line[0] = '\0';
	}
	a->line[strcspn(a->line, "\r\n")] = '\0';
	a->has_line = true;
}

/* Who is in the background reads no keys, nor lets others read them. */
static void notice_keys(struct attach *a, short revents)
{
	if ((revents & (POLLHUP | POLLERR)) != 0 || !rawtty_is_ours(&a->tty)) {
		a->hung_up = true;
	} else {
		keys_seen(&a->keys, clock_monotonic_ms());
	}
}

static void take_tty(struct attach *a, short revents)
{
	if ((revents & POLLIN) != 0) {
		if (plug_is_open(&a->shown) && a->keys.state == KEYS_OURS) {
			picture_input(a);
		} else if (plug_is_open(&a->shown)) {
			notice_keys(a, revents);
		} else if (a->asking && !a->has_line && !plug_is_open(&a->prepared)) {
			take_line(a);
		}
	} else if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
		a->hung_up = true;
	}
}

static void take_events(struct attach *a)
{
	for (;;) {
		int64_t ticket = 0;
		switch (registration_read(&a->registration, &ticket, &a->failure)) {
		case REGISTRATION_NONE:
			return;
		case REGISTRATION_CABLE:
			picture_prepare(a, ticket);
			break;
		case REGISTRATION_REFUSED:
			a->refused = true;
			return;
		case REGISTRATION_READY:
		case REGISTRATION_STOPPED:
			break;
		}
	}
}

/* 1 = *ret is the answer (the caller's), 0 = not yet, or -errno: the server is gone. */
static int read_answer(struct varlink *v, json_t **ret)
{
	for (;;) {
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = varlink_flush(v);
		r = r < 0 ? r : varlink_next(v, ret, &set);
		if (r != 0) {
			return r;
		}
		r = varlink_read(v);
		if (r <= 0) {
			return r == -EAGAIN ? 0 : r == 0 ? -ECONNRESET : r;
		}
	}
}

static void take_give(struct attach *a)
{
	AUTO(json) json_t *answer = NULL;
	int r = read_answer(a->give, &answer);
	if (r == 0) {
		return;
	}
	if (r > 0 && json_object_get(answer, "error") == NULL) {
		a->give = varlink_free(a->give);
	} else {
		picture_drop_prepared(a);
	}
}

static void take_wish(struct attach *a)
{
	AUTO(json) json_t *answer = NULL;
	struct wish *w = &a->wish;
	int r = read_answer(w->link, &answer);
	if (r == 0) {
		return;
	}
	w->link = varlink_free(w->link);
	const char *error = json_string_value(json_object_get(answer, "error"));
	if (r < 0 && w->tries < w->call->tries) {
		w->state = WISH_WAITS; /* asking twice for the same does no harm */
		w->next_try = clock_monotonic_ms() + WISH_PAUSE_MS;
	} else if (r < 0) {
		w->state = WISH_REFUSED;
		failure_set(&w->failure, ERROR_SERVER_UNAVAILABLE, NULL);
	} else if (error != NULL) {
		w->state = WISH_REFUSED;
		failure_from_reply(&w->failure, error, json_object_get(answer, "parameters"));
	} else {
		w->state = WISH_GRANTED;
		w->answer = json_incref(json_object_get(answer, "parameters"));
	}
}

static void refuse_wish(struct wish *w, int error)
{
	w->state = WISH_REFUSED;
	if (error == -EILSEQ) {
		failure_set(&w->failure, ERROR_NAME_INVALID, "The name is not valid UTF-8.");
	} else {
		failure_from_errno(&w->failure, error);
	}
}

/* The server may just be coming back: what fails here is tried again until the asker's patience
 * ends.
 */
static void send_wish(struct attach *a)
{
	struct wish *w = &a->wish;
	const struct registration *r = &a->registration;
	char name[128];
	w->next_try = clock_monotonic_ms() + WISH_PAUSE_MS;
	int fd = r->server.connect(r->server.user);
	if (fd < 0) {
		return;
	}
	if (varlink_new(&w->link, fd, VARLINK_REPLY_MAX) < 0) {
		(void)close(fd);
		return;
	}
	AUTO_FD int rides = -1;
	AUTO(json) json_t *parameters = json_object();
	int error = w->call->fill(w->call->user, r->secret, parameters, &rides);
	if (error < 0) {
		w->link = varlink_free(w->link);
		refuse_wish(w, error);
		return;
	}
	(void)snprintf(name, sizeof(name), "%s.%s", CONTROL_INTERFACE, w->call->method);
	w->tries++;
	w->state = WISH_SENT;
	if (varlink_send_call(
		    w->link, name, TAKE_PTR(parameters), false, &rides, rides >= 0 ? 1 : 0) < 0) {
		w->link = varlink_free(w->link);
		w->state = WISH_WAITS;
	}
}

/* Sends the wish when it is time. Gives the time of the next try, UINT64_MAX = none. */
static uint64_t wish_tick(struct attach *a)
{
	if (a->wish.state != WISH_WAITS || !a->registration.ready) {
		return UINT64_MAX;
	}
	if (clock_monotonic_ms() >= a->wish.next_try) {
		send_wish(a);
	}
	switch (a->wish.state) {
	case WISH_WAITS:
		return a->wish.next_try;
	case WISH_REFUSED: /* it cannot even be asked for: there is nothing to wait for */
		return 0;
	default:
		return UINT64_MAX;
	}
}

static void handle(struct attach *a, const struct pollfd *p)
{
	if (p[ON_SIGNAL].revents != 0) {
		take_signals(a);
	}
	if (p[ON_PREPARED].revents != 0) {
		picture_read_prepared(a); /* first: its picture makes the other's end no end */
	} else if (p[ON_SHOWN].revents != 0) {
		if ((p[ON_SHOWN].revents & POLLOUT) != 0 && plug_flush(&a->shown) < 0) {
			buf_clear(&a->shown.out);
		}
		picture_read_shown(a);
	}
	if (p[ON_LEASE].revents != 0 && keys_on_word(&a->keys, &a->shown)) {
		picture_detach(a);
	}
	if (p[ON_TTY].revents != 0) {
		take_tty(a, p[ON_TTY].revents);
	}
	if (p[ON_EVENTS].revents != 0) {
		take_events(a);
	}
	if (a->give != NULL && p[ON_GIVE].revents != 0) {
		take_give(a);
	}
	if (a->wish.link != NULL && p[ON_WISH].revents != 0) {
		take_wish(a);
	}
}

static int timeout_until(uint64_t time)
{
	uint64_t now = clock_monotonic_ms();
	if (time <= now) {
		return 0;
	}
	return time == UINT64_MAX ? -1 : time - now > MINUTE_MS ? MINUTE_MS : (int)(time - now);
}

int attach_turn(struct attach *a, uint64_t until)
{
	uint64_t wish = wish_tick(a);
	uint64_t registration = registration_next_try(&a->registration);
	until = wish < until ? wish : until;
	uint64_t keys = keys_due(&a->keys);
	until = registration < until ? registration : until;
	until = keys < until ? keys : until;
	struct pollfd p[ON_COUNT] = {
		[ON_SIGNAL] = { .fd = a->signal_fd, .events = POLLIN },
		[ON_TTY] = { .fd = a->tty.fd, .events = tty_events(a) },
		[ON_EVENTS] = { .fd = registration_fd(&a->registration),
			.events = registration_poll_events(&a->registration) },
		[ON_GIVE] = poll_varlink(a->give),
		[ON_WISH] = poll_varlink(a->wish.link),
		[ON_SHOWN] = poll_plug(&a->shown, a->screen.length < SCREEN_WAIT_FULL),
		[ON_LEASE] = { .fd = a->shown.lent ? a->shown.lease : -1, .events = POLLIN },
		[ON_PREPARED] = poll_plug(&a->prepared, true),
	};
	if (trim_poll(p, ON_COUNT, timeout_until(until)) < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	handle(a, p);
	if (registration_next_try(&a->registration) <= clock_monotonic_ms()) {
		struct cable_size size = rawtty_size(&a->tty);
		registration_tick(&a->registration, size.rows, size.columns);
	}
	picture_flush(a);
	keys_tick(&a->keys, &a->shown, &a->tty, &a->detach, clock_monotonic_ms());
	return 0;
}
