/* A viewer alone, without its session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/viewer.h"

struct rig {
	struct vt_screen *screen;
	struct viewer *viewer;
	int far;
};

static void begin(struct rig *r)
{
	static const struct vt_screen_events events;
	int pair[2];
	struct link_simple plug = link_make(LINK_PLUG, 1);
	assert_int_equal(vt_screen_new(&r->screen, 24, 80, 1 << 20, &events, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->far = pair[1];
	assert_int_equal(viewer_new(&r->viewer, pair[0], &plug), 0);
	r->viewer->hello = (struct cable_hello){
		.class = CABLE_CLASS_XTERM,
		.colours = 256,
		.size = { .rows = 24, .columns = 80 },
	};
	viewer_show(r->viewer, r->screen, "xterm-256color");
}

/* In a flood, on a terminal that wants history and had the last of it at history_at. */
static void begin_behind(struct rig *r, uint64_t history_at)
{
	begin(r);
	r->viewer->hello.history_lines = r->viewer->history_limit = 1000;
	r->viewer->history_at = history_at;
	r->viewer->behind = true;
}

static void end(struct rig *r)
{
	(void)viewer_free(r->viewer);
	(void)vt_screen_free(r->screen);
	(void)close(r->far);
}

/* What viewer_work() has nothing to do about must not be due, or the host's loop would never rest.
 */
static void a_notice_that_is_over_is_not_due_for_ever(void **state)
{
	struct rig r;
	uint8_t bytes[4096];
	begin(&r);
	memset(bytes, 'x', sizeof(bytes));
	while (outlet_waiting(&r.viewer->out) == 0) { /* the terminal takes nothing */
		viewer_forward(r.viewer, r.screen, bytes, sizeof(bytes));
	}
	assert_int_equal(viewer_notice(r.viewer, "a word"), 0);
	uint64_t over = r.viewer->notice_until;
	assert_int_equal(viewer_due(r.viewer, r.screen), over);
	viewer_work(r.viewer, r.screen, over);
	uint64_t due = viewer_due(r.viewer, r.screen);
	assert_true(due == 0 || due > over);
	end(&r);
}

static void feed(struct rig *r, const char *text)
{
	viewer_forward(r->viewer, r->screen, (const uint8_t *)text, strlen(text));
	vt_screen_feed(r->screen, (const uint8_t *)text, strlen(text));
	viewer_changed(r->viewer);
}

static void feed_lines(struct rig *r, unsigned from, unsigned to)
{
	char line[32];
	for (unsigned i = from; i <= to; i++) {
		(void)snprintf(line, sizeof(line), "line %u.\r\n", i);
		feed(r, line);
	}
}

/* Lets it do what is due, and gives what has come of it. */
static void work(struct rig *r, struct buf *ret)
{
	uint64_t due = viewer_due(r->viewer, r->screen);
	buf_clear(ret);
	assert_true(due > 0);
	for (uint64_t now = 0; now < due; now = clock_monotonic_ms()) {
	}
	viewer_work(r->viewer, r->screen, clock_monotonic_ms());
	for (ssize_t n = 1; n > 0;) {
		outlet_ready(&r->viewer->out);
		assert_int_equal(buf_reserve(ret, 65536), 0);
		n = recv(r->far, ret->data + ret->length, 65536, MSG_DONTWAIT);
		ret->length += n > 0 ? (size_t)n : 0;
	}
}

static bool has(const struct buf *b, const char *text)
{
	return memmem(b->data, b->length, text, strlen(text)) != NULL;
}

/* In a flood pictures come without the lines above them; these follow, all of them, when it rests.
 */
static void history_is_owed_in_a_flood_and_paid_after_it(void **state)
{
	struct rig r;
	AUTO(buf_done) struct buf got = BUF_INIT(4 << 20);
	char line[32];
	begin_behind(&r, 0);
	feed_lines(&r, 1, 100);
	work(&r, &got); /* the first brings all */
	assert_true(has(&got, "line 2.") && has(&got, "line 100."));
	assert_false(r.viewer->behind);
	r.viewer->behind = true;
	r.viewer->history_at = clock_monotonic_ms() +
			       60000; /* so that a slow machine cannot pay now */
	feed_lines(&r, 101, 200);
	work(&r, &got);
	assert_true(has(&got, "line 200.") && !has(&got, "line 120."));
	feed_lines(&r, 201, 300);
	assert_true(r.viewer->behind); /* nothing is forwarded below a gap */
	work(&r, &got);
	assert_true(has(&got, "line 300.") && !has(&got, "line 220."));
	viewer_hurry(r.viewer); /* a key: the terminal keeps up, so it costs no line */
	assert_true(viewer_due(r.viewer, r.screen) >
		    r.viewer->history_at); /* nothing new: it can wait */
	r.viewer->history_at = 0;
	work(&r, &got);
	for (unsigned i = 101; i <= 300; i++) {
		(void)snprintf(line, sizeof(line), "line %u.", i);
		assert_true(has(&got, line));
	}
	assert_false(r.viewer->behind);
	assert_false(has(&got, "line 60.")); /* and none twice */
	end(&r);
}

/* What has fallen behind in a flood gets the program's own bytes again when that is over. */
static void while_a_flood_goes_on_it_stays_with_pictures(void **state)
{
	struct rig r;
	AUTO(buf_done) struct buf got = BUF_INIT(4 << 20);
	begin(&r);
	r.viewer->behind = true;
	feed_lines(&r, 1, 20000); /* 200 KB between two pictures */
	r.viewer->history_at = 0;
	work(&r, &got);
	assert_true(has(&got, "line 20000."));
	assert_true(r.viewer->behind);
	feed(&r, "a little\r\n");
	r.viewer->history_at = 0;
	work(&r, &got);
	assert_true(has(&got, "a little"));
	assert_false(r.viewer->behind);
	feed(&r, "\x1b[;31mraw");
	assert_int_equal(viewer_due(r.viewer, r.screen), 0);
	assert_true(recv(r.far, got.data, got.size, MSG_DONTWAIT) > 0);
	assert_non_null(memmem(got.data, got.size, "\x1b[;31mraw", 9));
	end(&r);
}

/* Without a line that is missing above it a picture is all there is to send. */
static void nothing_is_owed_when_no_line_is_missing(void **state)
{
	struct rig r;
	AUTO(buf_done) struct buf got = BUF_INIT(4 << 20);
	begin_behind(&r, clock_monotonic_ms() + 60000);
	feed(&r, "\x1b[Hdrawn anew");
	work(&r, &got);
	assert_true(has(&got, "drawn anew"));
	assert_false(r.viewer->behind);
	end(&r);
}

static void a_picture_that_a_key_waits_for_comes_early(void **state)
{
	struct rig r;
	begin(&r);
	r.viewer->behind = true;
	uint64_t now = clock_monotonic_ms();
	r.viewer->painted_at = now;
	uint64_t turn = viewer_due(r.viewer, r.screen);
	viewer_hurry(r.viewer);
	uint64_t early = viewer_due(r.viewer, r.screen);
	assert_true(early > now);
	assert_true(early < turn || clock_monotonic_ms() > now + 8); /* or we were stopped */
	viewer_hurry(r.viewer);
	assert_true(viewer_due(r.viewer, r.screen) <= early); /* keys that repeat put nothing off */
	r.viewer->painted_at = now + 1000;		      /* there was no memory */
	viewer_hurry(r.viewer);
	assert_true(viewer_due(r.viewer, r.screen) >= now + 1000);
	end(&r);
}

/* The start of a sequence is for a terminal that gets the rest of it. */
static void a_picture_in_a_flood_leaves_no_sequence_open(void **state)
{
	struct rig r;
	AUTO(buf_done) struct buf got = BUF_INIT(4 << 20);
	begin_behind(&r, clock_monotonic_ms() + 60000);
	feed_lines(&r, 1, 100);
	feed(&r, "\x1b]2;half a title");
	work(&r, &got);
	assert_true(r.viewer->owes);
	assert_false(has(&got, "half a title"));
	r.viewer->history_at = 0;
	work(&r, &got);
	assert_false(r.viewer->behind);
	assert_true(has(&got, "half a title"));
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_that_is_over_is_not_due_for_ever),
		cmocka_unit_test(history_is_owed_in_a_flood_and_paid_after_it),
		cmocka_unit_test(while_a_flood_goes_on_it_stays_with_pictures),
		cmocka_unit_test(nothing_is_owed_when_no_line_is_missing),
		cmocka_unit_test(a_picture_in_a_flood_leaves_no_sequence_open),
		cmocka_unit_test(a_picture_that_a_key_waits_for_comes_early),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
