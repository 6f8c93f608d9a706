/* Cables and the terminal's screen: which session is shown, and the bytes between it and the tty.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "door/tty/attach_private.h"
#include "protocol/link.h"
#include "vt/painter.h"

#define INPUT_CHUNK 4096
#define PREPARED_LIMIT_MS 10000 /* the host drops what is not committed earlier */
#define FOLLOWER_LIMIT_MS 1000	/* the former session went; the next one is prepared */
#define UNDO_LIMIT_MS 1000	/* a terminal that takes nothing for so long is left as it is */

void picture_drop_prepared(struct attach *a)
{
	a->give = varlink_free(a->give);
	plug_close(&a->prepared);
}

static int give_cable(struct attach *a, int end, int64_t ticket)
{
	const struct registration *r = &a->registration;
	int fd = r->server.connect(r->server.user);
	if (fd < 0) {
		return fd;
	}
	int error = varlink_new(&a->give, fd, VARLINK_REPLY_MAX);
	if (error < 0) {
		(void)close(fd);
		return error;
	}
	json_t *parameters = json_pack("{s:s, s:s, s:I, s:i}", "terminal", r->name, "secret",
		r->secret, "ticket", (json_int_t)ticket, "cable", 0);
	return varlink_send_call(
		a->give, CONTROL_INTERFACE ".GiveCable", parameters, false, &end, 1);
}

void picture_prepare(struct attach *a, int64_t ticket)
{
	AUTO_FD int end = -1;
	picture_drop_prepared(a);
	a->hello.size = rawtty_size(&a->tty);
	if (plug_make(&a->prepared, &end, &a->hello, a->client, a->client_length) < 0) {
		return; /* the server's patience ends by itself */
	}
	a->prepared_until = clock_monotonic_ms() + PREPARED_LIMIT_MS;
	if (give_cable(a, end, ticket) < 0) {
		picture_drop_prepared(a);
	}
}

void picture_over(struct attach *a, enum attach_how how)
{
	a->end.how = how;
	a->end.session = a->shown.session;
	if (how == ATTACH_GOODBYE) { /* it has given the terminal back before */
		plug_close(&a->shown);
	} else {
		plug_leave(&a->shown, how == ATTACH_KEY ? LINK_REASON_OWN_DISCONNECT : 0);
	}
	a->keys = KEYS_INIT;
	a->is_over = true;
	if (plug_is_open(&a->prepared)) {
		a->prepared_until = clock_monotonic_ms() + FOLLOWER_LIMIT_MS;
	}
}

static struct vt_paint_target target_of(struct attach *a)
{
	struct cable_size size = rawtty_size(&a->tty);
	return (struct vt_paint_target){
		.class = a->hello.class == CABLE_CLASS_XTERM ? VT_PAINT_XTERM : VT_PAINT_PLAIN,
		.colours = a->hello.colours,
		.rows = size.rows,
		.columns = size.columns,
		.remembered = true,
	};
}

/* The prepared cable brought its picture: from now on it is the terminal's. What the former session
 * had still to say goes with its picture; the new one's begins by undoing all that it has set. */
static void swap(struct attach *a)
{
	plug_leave(&a->shown, LINK_REASON_DISPLACED);
	buf_clear(&a->screen);
	if (!a->begun) {
		struct vt_paint_target target = target_of(a);
		vt_paint_begin(&a->screen, &target);
		a->begun = true;
	}
	(void)rawtty_enter(&a->tty);
	a->shown = a->prepared;
	a->prepared = PLUG_NONE;
	a->keys = KEYS_INIT;
	a->give = varlink_free(a->give);
	a->end = (struct attach_end){ 0 };
	a->is_over = false;
	a->on_screen = true;
	picture_size_changed(a);
}

static void take_goodbye(struct attach *a, const struct cable_frame *frame)
{
	struct cable_bye bye;
	memcpy(&bye, frame->payload, sizeof(bye));
	a->end.reason = bye.reason;
	a->end.ended = bye.ended != 0;
	a->end.status = bye.status;
	(void)snprintf(a->end.text, sizeof(a->end.text), "%s", bye.text);
	picture_over(a, ATTACH_GOODBYE);
}

/* Frames that have come, as far as the terminal keeps up. */
static void take_frames(struct attach *a)
{
	struct cable_frame frame;
	while (plug_is_open(&a->shown) && a->screen.length < SCREEN_WAIT_FULL) {
		int r = plug_next(&a->shown, &frame);
		if (r == 0 && !a->shown.at_end) {
			return;
		}
		if (r <= 0) {
			picture_over(a, ATTACH_HOST_GONE);
		} else if (frame.type == CABLE_OUTPUT) {
			(void)buf_put(&a->screen, frame.payload, frame.length);
		} else if (frame.type == CABLE_BYE) {
			take_goodbye(a, &frame);
		}
	}
}

void picture_read_shown(struct attach *a)
{
	int r = plug_read(&a->shown);
	if (r != 1 && r != -EAGAIN) {
		a->shown.at_end = true;
	}
	take_frames(a);
}

void picture_read_prepared(struct attach *a)
{
	struct cable_frame frame;
	int r = plug_read(&a->prepared);
	if (r != 1 && r != -EAGAIN) {
		a->prepared.at_end = true;
	}
	while (plug_is_open(&a->prepared)) {
		r = plug_next(&a->prepared, &frame);
		if (r == 0 && !a->prepared.at_end) {
			return;
		}
		if (r == 1 && frame.type == CABLE_WELCOME) {
			struct cable_welcome welcome;
			memcpy(&welcome, frame.payload, sizeof(welcome));
			a->prepared.session = welcome.session;
			a->prepared.listens = (welcome.flags & CABLE_WELCOME_LISTENS) != 0;
		} else if (r == 1 && frame.type == CABLE_SCREEN) {
			swap(a);
			take_frames(a);
		} else {
			picture_drop_prepared(a);
		}
	}
}

/* Once all that the door itself had to write is there, a session of its own user may write to the
 * terminal, and read it: what it did not get from here it could take, the device being that user's.
 */
static void lend(struct attach *a)
{
	uid_t borrower = plug_borrower(&a->shown);
	if (borrower != (uid_t)-1) {
		bool may = borrower == geteuid() && rawtty_may_lend(&a->tty);
		AUTO_FD int fd = may ? rawtty_lend(&a->tty) : -1;
		plug_lend(&a->shown, fd);
	}
}

void picture_flush(struct attach *a)
{
	while (a->screen.length > 0 && !a->hung_up) {
		ssize_t n = rawtty_write(&a->tty, a->screen.data, a->screen.length);
		if (n == -EINTR) {
			continue;
		}
		if (n < 0) {
			a->hung_up = n != -EAGAIN;
			return;
		}
		buf_consume(&a->screen, (size_t)n);
		take_frames(a);
	}
	lend(a);
}

void picture_size_changed(struct attach *a)
{
	if (plug_is_open(&a->shown)) {
		struct cable_size size = rawtty_size(&a->tty);
		plug_put_size(&a->shown, &size);
		(void)plug_flush(&a->shown);
	}
}

void picture_detach(struct attach *a)
{
	buf_clear(&a->screen);
	picture_drop_prepared(a);
	picture_over(a, ATTACH_KEY);
}

void picture_input(struct attach *a)
{
	uint8_t bytes[INPUT_CHUNK];
	size_t room = plug_room(&a->shown);
	ssize_t n = rawtty_read(&a->tty, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	if (n == -EAGAIN || n == -EINTR) {
		return;
	}
	if (n <= 0) {
		a->hung_up = true;
		return;
	}
	size_t used = (size_t)n;
	bool leave = detach_key_feed(&a->detach, bytes, used, clock_monotonic_ms(), &used);
	plug_put_input(&a->shown, bytes, used);
	if (leave) {
		picture_detach(a);
	} else if (plug_flush(&a->shown) < 0) {
		buf_clear(&a->shown.out); /* what the host last said is still to be read */
	}
}

/* A host that says goodbye has undone everything itself. Otherwise what is half sent goes, and the
 * notice comes below what is shown. */
static void put_undo(struct attach *a)
{
	if (!a->begun || (a->is_over && a->end.how == ATTACH_GOODBYE)) {
		return;
	}
	struct vt_paint_target target = target_of(a);
	buf_clear(&a->screen);
	vt_paint_reset(&a->screen, &target);
	(void)buf_put_text(&a->screen, "\r\n\033[J");
}

void picture_undo(struct attach *a)
{
	put_undo(a);
	a->begun = false;
	uint64_t until = clock_monotonic_ms() + UNDO_LIMIT_MS;
	picture_flush(a);
	while (a->screen.length > 0 && !a->hung_up && clock_monotonic_ms() < until) {
		size_t before = a->screen.length;
		struct pollfd p = { .fd = a->tty.fd, .events = POLLOUT };
		if (poll(&p, 1, UNDO_LIMIT_MS / 10) > 0 && (p.revents & POLLOUT) == 0) {
			break;
		}
		picture_flush(a);
		if (a->screen.length < before) {
			until = clock_monotonic_ms() + UNDO_LIMIT_MS;
		}
	}
	buf_clear(&a->screen);
	rawtty_leave(&a->tty);
}
