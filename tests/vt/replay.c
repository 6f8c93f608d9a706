#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "compare.h"
#include "vt/history.h"
#include "vt/painter.h"

#define PAINT_MAX (64 * 1024 * 1024)
#define REPLY_MAX (1024 * 1024)

const uint8_t *replay_junk(size_t *ret_length)
{
	static const char junk[] =
		"junk\r\nmore "
		"junk\033[3;4r\033[?69h\033[2;5s\033[?6h\033[4h\033[20h\033(0\033)A\016"
		"\033[1;3;4:3;38;5;9;48;2;1;2;3;58:5:7m\033]8;id=j;http://junk/\033\\"
		"\033[?1;5;12;45;66;67;1003;1004;1006;1007;1036;1039;2004;2031;9001h"
		"\033[?7;8;25;1034;2027l\033[>5u\033[>1u\033[>4;2m\033[>2;3f\033[2*x\033[5 "
		"q\033[3g\033H"
		"\0337\033[?1;7;2004;1003;1006s\033]0;junk\033\\\033[22;0t\033]2;more junk\033\\"
		"\033[22;2t\033]4;1;rgb:12/34/56\033\\\033]10;rgb:1/2/3\033\\\033]12;red\033\\"
		"\033[?1049h\033[>7u\033[2;2H\033(0\0337alternate junk\033[?2026h\033[1\"q\033N"
		"\033]2;half a tit\xc3";
	*ret_length = sizeof(junk) - 1;
	return (const uint8_t *)junk;
}

struct answers {
	struct buf replies;
};

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	struct answers *a = user;
	(void)buf_put(&a->replies, bytes, length);
}

static struct vt_screen *new_screen(
	unsigned rows, unsigned columns, size_t history, struct answers *answers)
{
	struct vt_screen *s = NULL;
	struct vt_screen_events events = { .reply = on_reply };
	if (vt_screen_new(&s, rows, columns, history, &events, answers) < 0) {
		abort();
	}
	return s;
}

static void feed(struct vt_screen *s, const void *bytes, size_t length)
{
	if (length > 0) {
		vt_screen_feed(s, bytes, length);
	}
}

/* A terminal after its junk, into which the screen is painted as on a connect. */
static struct vt_screen *paint_elsewhere(
	struct vt_screen *of, const struct replay *r, struct answers *answers)
{
	struct vt_paint_target target = { .class = VT_PAINT_XTERM,
		.colours = 16777216,
		.rows = vt_screen_rows(of),
		.columns = vt_screen_columns(of) };
	struct vt_screen *s = new_screen(target.rows, target.columns, 8 * REPLAY_HISTORY, answers);
	AUTO(buf_done) struct buf out = BUF_INIT(PAINT_MAX);
	feed(s, r->junk, r->junk_length);
	vt_paint_enter(&out, &target);
	feed(s, out.data, out.length);
	vt_screen_clear_history(s); /* the junk's; what is counted below is the session's */
	buf_clear(&out);
	vt_paint_history(&out, of, 0, SIZE_MAX, &target);
	vt_paint_screen(&out, of, &target);
	feed(s, out.data, out.length);
	if (getenv("VT_SHOW_PAINT") != NULL) {
		for (size_t i = 0; i < out.length; i++) {
			fprintf(stderr, out.data[i] == 27 ? "\\e" : "%c", out.data[i]);
		}
		fprintf(stderr, "\n");
	}
	return s;
}

static struct vt_screen *until(
	const struct replay *r, size_t step, size_t offset, struct answers *answers)
{
	struct vt_screen *s = new_screen(r->rows, r->columns, REPLAY_HISTORY, answers);
	for (size_t i = 0; i < r->count && i <= step; i++) {
		const struct replay_step *t = &r->steps[i];
		if (i == step) {
			feed(s, t->bytes, offset);
		} else if (t->resize) {
			(void)vt_screen_resize(s, t->rows, t->columns);
		} else {
			feed(s, t->bytes, t->length);
		}
	}
	return s;
}

/* Both go on with the rest, up to a change of size. */
static void go_on(struct vt_screen *a, struct vt_screen *b, const struct replay *r, size_t step,
	size_t offset)
{
	const uint8_t *pending;
	size_t length;
	if (vt_screen_pending(a, &pending, &length) == 0) {
		feed(b, pending, length);
	}
	for (size_t i = step; i < r->count && !r->steps[i].resize; i++) {
		feed(a, r->steps[i].bytes + offset, r->steps[i].length - offset);
		feed(b, r->steps[i].bytes + offset, r->steps[i].length - offset);
		offset = 0;
	}
}

static bool failed(char *why, size_t size, const char *when, const char *what)
{
	(void)snprintf(why, size, "%s: %s", when, what);
	return false;
}

static bool compare_cut(struct vt_screen *a, struct vt_screen *b, const struct replay *r,
	size_t step, size_t offset, struct answers answers[2], char *why, size_t size)
{
	const uint8_t *pending;
	size_t length;
	struct comparison c = compare_screens(a, b, COMPARE_ALL);
	if (c.why[0] != '\0') {
		return failed(why, size, "painted", c.why);
	}
	if (c.tolerated != 0 || vt_screen_pending(a, &pending, &length) != 0) {
		return true; /* what follows may differ from there on */
	}
	buf_clear(&answers[0].replies);
	buf_clear(&answers[1].replies);
	vt_screen_answer(a, true);
	vt_screen_answer(b, true);
	go_on(a, b, r, step, offset);
	c = compare_screens(a, b, COMPARE_ALL);
	if (c.why[0] != '\0') {
		return failed(why, size, "after the rest", c.why);
	}
	if (answers[0].replies.length != answers[1].replies.length ||
		(answers[0].replies.length > 0 &&
			memcmp(answers[0].replies.data, answers[1].replies.data,
				answers[0].replies.length) != 0)) {
		return failed(why, size, "after the rest", "the answers differ");
	}
	return true;
}

bool replay_cut(const struct replay *r, size_t step, size_t offset, char *why, size_t size)
{
	struct answers answers[2] = { { BUF_INIT(REPLY_MAX) }, { BUF_INIT(REPLY_MAX) } };
	struct vt_screen *a = until(r, step, offset, &answers[0]);
	struct vt_screen *b = paint_elsewhere(a, r, &answers[1]);
	bool same = compare_cut(a, b, r, step, offset, answers, why, size);
	(void)vt_screen_free(a);
	(void)vt_screen_free(b);
	buf_done(&answers[0].replies);
	buf_done(&answers[1].replies);
	return same;
}

bool replay_reset(const struct replay *r, char *why, size_t size)
{
	struct answers answers = { BUF_INIT(REPLY_MAX) };
	struct vt_screen *a = until(r, r->count, 0, &answers);
	struct vt_paint_target target = { .class = VT_PAINT_XTERM,
		.colours = 16777216,
		.rows = vt_screen_rows(a),
		.columns = vt_screen_columns(a) };
	struct vt_screen *fresh = new_screen(target.rows, target.columns, 0, &answers);
	AUTO(buf_done) struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_reset(&out, &target);
	feed(a, out.data, out.length);
	struct comparison c = compare_screens(fresh, a, COMPARE_MODES);
	bool ground = vt_screen_ground(a);
	(void)vt_screen_free(a);
	(void)vt_screen_free(fresh);
	buf_done(&answers.replies);
	if (c.why[0] != '\0' || !ground) {
		return failed(why, size, "after the reset",
			c.why[0] != '\0' ? c.why : "a sequence is still open");
	}
	return true;
}

static bool same_text(const struct vt_screen *of, const struct vt_screen *other, bool scaled,
	char *why, size_t size)
{
	char a[4 * VT_SIZE_MAX];
	char b[4 * VT_SIZE_MAX];
	for (unsigned y = 0; y < vt_screen_rows(of); y++) {
		struct vt_row row_a = vt_screen_row(of, vt_screen_active(of), y);
		struct vt_row row_b = vt_screen_row(other, VT_PRIMARY, y);
		compare_row_text(of, row_a.cells, row_a.used, a, sizeof(a));
		compare_row_text(other, row_b.cells, row_b.used, b, sizeof(b));
		bool shown = true; /* all of it as it is */
		for (unsigned x = 0; x < row_a.used; x++) {
			const struct vt_style *style = vt_screen_style(of, row_a.cells[x].style);
			shown &= !compare_is_squeezed(of, &row_a.cells[x]) &&
				 (style->attributes & VT_INVISIBLE) == 0;
		}
		if (strcmp(a, b) != 0 && shown) {
			(void)snprintf(why, size, "updated: row %u is '%.200s', should be '%.200s'",
				y, b, a);
			return false;
		}
		enum vt_line_scale scale = vt_screen_line_scale(of, vt_screen_active(of), y);
		if (vt_screen_line_scale(other, VT_PRIMARY, y) !=
			(scaled ? scale : VT_LINE_SINGLE)) {
			(void)snprintf(why, size, "updated: row %u is scaled otherwise", y);
			return false;
		}
	}
	struct vt_cursor x = vt_screen_cursor(of);
	struct vt_cursor y = vt_screen_cursor(other);
	if (x.row != y.row || x.column != y.column) {
		(void)snprintf(why, size, "updated: cursor is %u,%u, should be %u,%u", y.row,
			y.column, x.row, x.column);
		return false;
	}
	return true;
}

static bool update(struct vt_screen *a, struct vt_screen *b, struct vt_paint_state *state,
	char *why, size_t size)
{
	AUTO(buf_done) struct buf out = BUF_INIT(PAINT_MAX);
	vt_paint_update(&out, a, state);
	feed(b, out.data, out.length);
	return same_text(a, b, state->target.class == VT_PAINT_XTERM, why, size);
}

static bool update_as(
	const struct replay *r, size_t piece, enum vt_paint_class class, char *why, size_t size)
{
	struct answers answers = { BUF_INIT(REPLY_MAX) };
	struct vt_paint_target target = { .class = class,
		.colours = class == VT_PAINT_PLAIN ? 8 : 256,
		.rows = r->rows,
		.columns = r->columns };
	struct vt_screen *a = new_screen(r->rows, r->columns, REPLAY_HISTORY, &answers);
	struct vt_screen *b = new_screen(r->rows, r->columns, REPLAY_HISTORY, &answers);
	struct vt_paint_state state;
	vt_paint_start(&state, &target);
	bool same = update(a, b, &state, why, size);
	for (size_t i = 0; i < r->count && same; i++) {
		const struct replay_step *t = &r->steps[i];
		if (t->resize) {
			(void)vt_screen_resize(a, t->rows, t->columns);
			(void)vt_screen_resize(b, t->rows, t->columns);
			vt_paint_resized(&state, t->rows, t->columns);
			same = update(a, b, &state, why, size);
		}
		for (size_t at = 0; at < t->length && same; at += piece) {
			size_t n = t->length - at < piece ? t->length - at : piece;
			feed(a, t->bytes + at, n);
			same = update(a, b, &state, why, size);
		}
	}
	(void)vt_screen_free(a);
	(void)vt_screen_free(b);
	buf_done(&answers.replies);
	return same;
}

bool replay_update(const struct replay *r, size_t piece, char *why, size_t size)
{
	return update_as(r, piece, VT_PAINT_PLAIN, why, size) &&
	       update_as(r, piece, VT_PAINT_XTERM, why, size);
}
