#include "host/viewer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "host/pty.h"
#include "vt/history.h"

/* What lies between us and the door decides how old the picture of a slow terminal may be, and at
 * 1 MB/s each KiB is a millisecond: a door that lags gets a small socket, one that keeps up a large
 * one. (The kernel takes twice as many bytes, its own included.) */
#define SOCKET_SMALL (4 * 1024)
#define SOCKET_LARGE (32 * 1024)
#define LAGS ((size_t)48 * 1024)	 /* bytes that wait when a door does not keep up */
#define BUDGET ((size_t)256 * 1024)	 /* raw bytes that may wait before the viewer is behind */
#define FLOOD ((size_t)128 * 1024)	 /* between two paints: it would only fall behind again */
#define HURRY ((size_t)4 * 1024)	 /* that may wait when a key is pressed */
#define HURRY_HISTORY ((size_t)8 * 1024) /* of history, about, in the repaint after that */
#define HISTORY_LINES_MAX 20000		 /* that a terminal may ask for */
#define PAINT_MAX ((size_t)256 * 1024 * 1024)
#define PAINT_EVERY_MS 16
#define PAINT_KEY_MS 3	     /* for the program to answer a key, before the picture that shows it */
#define HISTORY_EVERY_MS 200 /* in a flood: of coloured lines it is most of what is painted */
#define PAINT_AGAIN_MS 1000  /* after there was no memory for it */
#define READ_SIZE 4096
#define NOTICE_MS 10000
#define LEASE_MS 2000 /* for a door to say whether it lends its terminal */

static void set_socket(struct viewer *v, bool lags)
{
	int size = lags ? SOCKET_SMALL : SOCKET_LARGE;
	(void)setsockopt(v->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	v->lags = lags;
}

int viewer_new(struct viewer **ret, int fd, const struct link_simple *plug)
{
	struct viewer *v = calloc(1, sizeof(*v));
	int r = v == NULL ? -ENOMEM : fd_set_nonblocking(fd, true);
	if (r < 0) {
		(void)close(fd);
		free(v);
		return r;
	}
	v->fd = fd;
	v->lease = -1;
	set_socket(v, false);
	v->plug_serial = plug->header.serial;
	v->in = BUF_INIT(2 * (CABLE_PAYLOAD_MAX + sizeof(struct cable_header)));
	v->client = BUF_INIT(CABLE_CLIENT_MAX);
	outlet_init(&v->out, fd);
	link_set_text(v->terminal, plug->terminal);
	link_set_text(v->address, plug->client);
	memcpy(v->token, plug->token, sizeof(v->token));
	v->maker = plug->uid;
	*ret = v;
	return 0;
}

struct viewer *viewer_free(struct viewer *v)
{
	if (v != NULL) {
		outlet_done(&v->out);
		free(v->notice);
		buf_done(&v->in);
		buf_done(&v->client);
		auto_close(&v->lease);
		(void)close(v->fd);
		free(v);
	}
	return NULL;
}

int viewer_read(struct viewer *v)
{
	if (v->closed) {
		return 0;
	}
	int r = buf_reserve(&v->in, READ_SIZE);
	if (r < 0) {
		return r;
	}
	size_t room = v->in.size - v->in.length;
	ssize_t n;
	do {
		n = recv(v->fd, v->in.data + v->in.length, room, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		v->in.length += (size_t)n;
		return (size_t)n < room ? VIEWER_READ_ALL : VIEWER_READ_SOME;
	}
	/* A door that closes with our bytes unread resets; its own bytes came before that. */
	if (n == 0 || errno == ECONNRESET) {
		v->closed = true;
		return 0;
	}
	return errno == EAGAIN ? 0 : -errno;
}

int viewer_welcome(struct viewer *v, const struct cable_frame *frame, uint32_t session)
{
	struct cable_hello hello;
	memcpy(&hello, frame->payload, sizeof(hello));
	if (hello.version != CABLE_VERSION) {
		struct cable_bye bye = {
			.text = "This session's host speaks version 1 of the cable."
		};
		(void)outlet_put(&v->out, CABLE_BYE, &bye, sizeof(bye));
		return -EPROTONOSUPPORT;
	}
	if (!pty_size_good(&hello.size)) {
		return -EINVAL;
	}
	if (hello.history_lines > HISTORY_LINES_MAX) {
		hello.history_lines = HISTORY_LINES_MAX;
	}
	v->hello = hello;
	struct cable_welcome welcome = {
		.version = CABLE_VERSION, .flags = CABLE_WELCOME_LISTENS, .session = session
	};
	return outlet_put(&v->out, CABLE_WELCOME, &welcome, sizeof(welcome));
}

/* --- what kind of terminal -------------------------------------------------------------------- */

#define COLOURS_ALL 16777216

/* The colours that programs use which go by this TERM. */
static uint32_t colours_of(const char *term)
{
	static const struct {
		const char *part;
		uint32_t colours;
	} rows[] = {
		{ "-mono", 0 },
		{ "direct", COLOURS_ALL },
		{ "256color", 256 },
		{ "16color", 16 },
		{ "vt1", 0 },
		{ "vt2", 0 },
		{ "dumb", 0 },
		{ "alacritty", 256 },
		{ "foot", 256 },
		{ "ghostty", 256 },
		{ "kitty", 256 },
		{ "wezterm", 256 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strstr(term, rows[i].part) != NULL) {
			return rows[i].colours;
		}
	}
	return 8;
}

static void choose_kind(struct viewer *v, const struct vt_screen *screen)
{
	v->target = (struct vt_paint_target){
		.class = v->hello.class == CABLE_CLASS_XTERM ? VT_PAINT_XTERM : VT_PAINT_PLAIN,
		.colours = v->hello.colours,
		.rows = v->hello.size.rows,
		.columns = v->hello.size.columns,
		.remembered = true,
	};
	v->painted = v->target.class != VT_PAINT_XTERM || v->target.colours < colours_of(v->term);
	if (!v->painted) {
		/* It shows what such programs may send, so it is painted with the same colours. */
		v->target.colours = COLOURS_ALL;
		v->painted = !vt_paint_is_exact(screen, &v->target);
	}
	if (v->painted) {
		v->target.colours = v->hello.colours;
	}
}

bool viewer_answers(const struct viewer *v)
{
	return v->state == VIEWER_CURRENT && !v->painted && !v->behind && !v->out.broken;
}

/* --- painting --------------------------------------------------------------------------------- */

static uint64_t lines_of(const struct vt_screen *screen)
{
	return vt_history_total(vt_screen_history(screen));
}

/* Everything in `paint` goes out as OUTPUT; without memory for it the viewer is behind, and it is
 * tried again later. */
static void send_paint(struct viewer *v, const struct buf *paint)
{
	bool good = !paint->failed &&
		    (paint->length == 0 ||
			    outlet_put(&v->out, CABLE_OUTPUT, paint->data, paint->length) == 0);
	v->paint_end = outlet_end(&v->out);
	v->painted_at = clock_monotonic_ms();
	v->skipped = 0;
	if (!good) {
		v->behind = true;
		v->painted_at += PAINT_AGAIN_MS;
	}
}

/* The last lines that the terminal has not seen, the newest `limit` of them. */
static void paint_history(struct buf *paint, struct vt_screen *screen, uint64_t seen, size_t limit,
	const struct vt_paint_target *target)
{
	size_t kept = vt_history_count(vt_screen_history(screen));
	uint64_t total = lines_of(screen);
	uint64_t missed = total > seen ? total - seen : 0;
	size_t count = missed < kept ? (size_t)missed : kept;
	count = count < limit ? count : limit;
	if (count > 0) {
		vt_paint_history(paint, screen, kept - count, count, target);
	}
}

/* Behind enter or clear, and history: the screen, and for one that `joins` the program's stream
 * here the sequence that is open now. A sequence too long to be kept leaves the viewer behind until
 * it has ended. */
static void paint_screen(struct viewer *v, struct buf *paint, struct vt_screen *screen, bool joins)
{
	v->behind = false;
	v->changed = false;
	if (v->painted) {
		vt_paint_start(&v->state_shown, &v->target);
		vt_paint_update(paint, screen, &v->state_shown);
		return;
	}
	vt_paint_screen(paint, screen, &v->target);
	const uint8_t *open = NULL;
	size_t length = 0;
	if (joins && vt_screen_pending(screen, &open, &length) == 0) {
		(void)buf_put(paint, open, length);
	} else {
		v->behind = true;
	}
}

static void finish_paint(struct viewer *v, struct vt_screen *screen, const struct buf *paint)
{
	send_paint(v, paint);
	v->history_at = v->painted_at;
	v->owes = false;
	v->hurried = v->history_limit < v->hello.history_lines;
	v->history_limit = v->hello.history_lines;
	v->seen = v->next = (struct viewer_mark){ v->paint_end, lines_of(screen) };
}

/* In the last row. The repaint that follows sets everything right again, so nothing need be kept
 * but the cursor's place; until then no byte of the program's is forwarded. */
static void paint_notice(struct viewer *v, struct buf *paint, const struct vt_screen *screen)
{
	if (v->notice != NULL) {
		struct vt_cursor cursor = vt_screen_cursor(screen);
		int width = v->target.columns > 1 ? v->target.columns - 1 : 1;
		(void)buf_printf(paint,
			"\x1b[?6l\x1b[4l\x1b(B\x0f\x1b[%u;1H\x1b[0;7m%.*s\x1b[0m\x1b[%u;%uH",
			(unsigned)v->target.rows, width, v->notice, cursor.row + 1u,
			cursor.column + 1u);
	}
}

static void paint_first(struct viewer *v, struct vt_screen *screen)
{
	auto_close(&v->lease); /* if it is not answered, it never will be */
	v->lease = -1;
	v->deadline = 0;
	choose_kind(v, screen);
	AUTO(buf_done) struct buf paint = BUF_INIT(PAINT_MAX);
	vt_paint_enter(&paint, &v->target);
	paint_history(&paint, screen, 0, v->hello.history_lines, &v->target);
	paint_screen(v, &paint, screen, true);
	paint_notice(v, &paint, screen);
	finish_paint(v, screen, &paint);
}

/* Only a door of the session's own user can make the host write to something. */
void viewer_show(struct viewer *v, struct vt_screen *screen, const char *term)
{
	bool may = (v->hello.flags & CABLE_HELLO_LENDS) != 0 && v->maker == geteuid();
	v->state = VIEWER_CURRENT;
	v->term = term;
	v->lease = may ? outlet_put_screen(&v->out) : -1;
	if (viewer_awaits(v)) {
		v->behind = true;
		v->deadline = clock_monotonic_ms() + LEASE_MS;
	} else {
		(void)outlet_put(&v->out, CABLE_SCREEN, NULL, 0);
		paint_first(v, screen);
	}
}

void viewer_begin(struct viewer *v, struct vt_screen *screen)
{
	char byte;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	if (fd_receive_now(v->lease, &byte, sizeof(byte), &set) > 0 && set.count == 1) {
		/* If it cannot be used, the cable is. */
		(void)outlet_lend(&v->out, TAKE_FD(set.fds[0]), TAKE_FD(v->lease));
	}
	paint_first(v, screen);
}

static void repaint(struct viewer *v, struct vt_screen *screen)
{
	AUTO(buf_done) struct buf paint = BUF_INIT(PAINT_MAX);
	vt_paint_clear(&paint, &v->target);
	paint_history(&paint, screen, v->seen.lines, v->history_limit, &v->target);
	paint_screen(v, &paint, screen, v->skipped <= FLOOD);
	paint_notice(v, &paint, screen);
	finish_paint(v, screen, &paint);
}

/* In the midst of a flood the picture alone: it stays behind, and no byte of the program's is
 * forwarded, until the lines that are missing above it have come with a repaint. */
static void repaint_briefly(struct viewer *v, struct vt_screen *screen)
{
	AUTO(buf_done) struct buf paint = BUF_INIT(PAINT_MAX);
	vt_paint_clear(&paint, &v->target);
	paint_screen(v, &paint, screen, false);
	v->owes = true;
	send_paint(v, &paint);
}

static bool may_be_brief(const struct viewer *v, const struct vt_screen *screen, uint64_t now)
{
	bool shortened = v->history_limit < v->hello.history_lines;
	bool missed = v->hello.history_lines > 0 && lines_of(screen) > v->seen.lines;
	return v->changed && !v->painted && v->notice == NULL && !shortened && missed &&
	       now < v->history_at + HISTORY_EVERY_MS;
}

static void update(struct viewer *v, struct vt_screen *screen)
{
	AUTO(buf_done) struct buf paint = BUF_INIT(PAINT_MAX);
	vt_paint_update(&paint, screen, &v->state_shown);
	v->changed = false;
	send_paint(v, &paint);
}

/* --- the stream ------------------------------------------------------------------------------- */

/* Moves the marks on: `next` becomes what the terminal has seen once it is delivered. */
static void follow(struct viewer *v, const struct vt_screen *screen)
{
	if (v->out.sent >= v->next.place) {
		v->seen = v->next;
		v->next = (struct viewer_mark){ outlet_end(&v->out), lines_of(screen) };
	}
}

/* What waits is dropped and this output with it. A paint that is under way is let through: the next
 * one would take as long. */
static void fall_behind(struct viewer *v)
{
	(void)outlet_cut(&v->out, v->paint_end);
	v->behind = true;
}

void viewer_forward(
	struct viewer *v, const struct vt_screen *screen, const uint8_t *bytes, size_t length)
{
	v->behind = v->behind || v->notice != NULL;
	if (v->painted || v->behind) {
		v->skipped += length;
		return;
	}
	outlet_ready(&v->out); /* a door that keeps up has made room since, whatever poll() said */
	size_t waiting = outlet_waiting(&v->out);
	if (!outlet_is_lent(&v->out) && (v->lags ? waiting == 0 : waiting > LAGS)) {
		set_socket(v, !v->lags);
	}
	follow(v, screen);
	uint64_t raw_from = v->paint_end > v->out.sent ? v->paint_end : v->out.sent;
	if (outlet_end(&v->out) - raw_from + length > BUDGET) {
		fall_behind(v);
	} else if (outlet_put(&v->out, CABLE_OUTPUT, bytes, length) < 0) {
		fall_behind(v);
	}
}

void viewer_changed(struct viewer *v)
{
	v->changed = true;
	v->behind = v->behind || v->notice != NULL;
}

int viewer_notice(struct viewer *v, const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL) {
		return -ENOMEM;
	}
	free(v->notice);
	v->notice = copy;
	v->notice_until = clock_monotonic_ms() + NOTICE_MS;
	v->behind = true;
	v->owes = false;
	return 0;
}

static void take_notice_away(struct viewer *v)
{
	if (v->notice != NULL) {
		free(v->notice);
		v->notice = NULL;
		v->behind = true;
		v->owes = false;
	}
}

void viewer_hurry(struct viewer *v)
{
	if (v->state != VIEWER_CURRENT) {
		return;
	}
	take_notice_away(v);
	bool slow = outlet_waiting(&v->out) > HURRY;
	if (slow) {
		/* Even a paint is not waited for, but the short one that follows now is: or keys
		 * that repeat would keep a slow terminal from ever getting one. */
		uint64_t floor = v->hurried ? v->paint_end : 0;
		if (outlet_cut(&v->out, floor)) {
			v->behind = true;
			v->owes = false;
			v->painted_at = 0; /* the next paint need not wait for its turn */
		}
	}
	uint64_t due = clock_monotonic_ms() + PAINT_KEY_MS;
	if (v->behind && v->painted_at < due && v->painted_at + PAINT_EVERY_MS > due) {
		v->painted_at = due - PAINT_EVERY_MS;
	}
	if (slow && v->behind && v->target.columns > 0) {
		size_t lines = HURRY_HISTORY / v->target.columns;
		v->history_limit = lines < v->history_limit ? lines : v->history_limit;
	}
}

void viewer_resize(struct viewer *v, const struct cable_size *size)
{
	v->hello.size = *size;
	v->target.rows = size->rows;
	v->target.columns = size->columns;
	if (v->painted) {
		vt_paint_resized(&v->state_shown, size->rows, size->columns);
		v->changed = true;
	}
}

/* A viewer that gets raw bytes and fell behind can only be painted where the stream can be joined.
 */
static bool may_repaint(const struct viewer *v, const struct vt_screen *screen)
{
	const uint8_t *open;
	size_t length;
	return v->behind && !viewer_awaits(v) &&
	       (v->painted || vt_screen_pending(screen, &open, &length) == 0);
}

uint64_t viewer_due(const struct viewer *v, const struct vt_screen *screen)
{
	bool due = v->state == VIEWER_CURRENT && !v->out.broken && outlet_waiting(&v->out) == 0 &&
		   (may_repaint(v, screen) || (v->painted && v->changed && !v->behind));
	if (due) {
		uint64_t paid = v->owes && !v->changed ? v->history_at + HISTORY_EVERY_MS : 0;
		uint64_t next = v->painted_at + PAINT_EVERY_MS;
		return paid > next ? paid : next;
	}
	return v->state == VIEWER_CURRENT && v->notice != NULL ? v->notice_until : 0;
}

void viewer_work(struct viewer *v, struct vt_screen *screen, uint64_t now)
{
	if (v->notice != NULL && now >= v->notice_until) {
		take_notice_away(v);
	}
	if (!outlet_flush(&v->out)) {
		return;
	}
	uint64_t due = viewer_due(v, screen);
	if (due == 0 || now < due) {
		return;
	}
	if (!v->behind) {
		update(v, screen);
	} else if (may_be_brief(v, screen, now)) {
		repaint_briefly(v, screen);
	} else {
		repaint(v, screen);
	}
}

void viewer_hang(struct viewer *v)
{
	v->hung = true;
	auto_close(&v->lease);
	v->lease = -1;
	outlet_abandon(&v->out);
}

void viewer_bye(struct viewer *v, struct vt_screen *screen, const struct cable_bye *bye)
{
	if (viewer_awaits(v)) { /* for nothing any more */
		paint_first(v, screen);
	}
	outlet_return(&v->out); /* the door has patience with its terminal, we have not */
	if (v->state == VIEWER_CURRENT && screen != NULL) {
		AUTO(buf_done) struct buf paint = BUF_INIT(PAINT_MAX);
		bool notice = v->notice != NULL;
		take_notice_away(v);
		if (notice || (bye->ended != 0 && v->behind)) {
			/* The last that the program said is worth a picture. */
			(void)outlet_cut(&v->out, 0);
			repaint(v, screen);
		} else if (v->painted && v->changed) {
			update(v, screen);
		} else if (outlet_waiting(&v->out) > HURRY) {
			(void)outlet_cut(&v->out, 0);
		}
		vt_paint_leave(&paint, screen, &v->target);
		send_paint(v, &paint);
	}
	v->state = VIEWER_LEAVING;
	(void)outlet_put(&v->out, CABLE_BYE, bye, sizeof(*bye));
	(void)outlet_flush(&v->out);
}
