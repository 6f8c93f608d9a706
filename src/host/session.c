#include "host/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "host/report.h"
#include "host/switchboard.h"

#define OUTPUT_SIZE ((size_t)32 * 1024)	   /* that is forwarded at once */
#define OUTPUT_A_TURN ((size_t)128 * 1024) /* then keys and cables have their turn */
#define OUTPUT_AT_END                                                                              \
	((size_t)256 * 1024)		/* more than a pty holds; a job left behind may write on */
#define FEED_BITE ((size_t)4096)	/* of output that the model eats between two reads */
#define READ_AHEAD ((size_t)2040)	/* of the 4095 that the kernel keeps: see pty.c */
#define TIDY_WORTH ((size_t)256 * 1024) /* of output, after which memory is looked after */
#define TIDY_AFTER_MS 500
#define FINISH_MS 2000	     /* for the goodbye to reach a slow terminal */
#define HANGUP_AGAIN_MS 2000 /* late enough for a program that saves its work at the first one */
#define TITLE_EVERY_MS 250
#define INPUT_EVERY_MS 1000
#define WEIGHT_EVERY_MS 5000 /* what history and model weigh changes with all output */
#define ROWS_DEFAULT 24
#define COLUMNS_DEFAULT 80

/* --- events of the model ---------------------------------------------------------------------- */

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	struct session *s = user;
	if (pty_type(&s->pty, bytes, length) < 0 && !s->input_failed) {
		s->input_failed = true;
		log_warning("session %u: its program asks without reading the answers", s->id);
	}
}

static void on_title(void *user)
{
	session_report(user, TITLE_EVERY_MS);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* From here on the program is over and only what is on its way to the terminals is waited for. */
static void say_goodbye(struct session *s, const struct cable_bye *bye)
{
	switchboard_goodbye(s, bye);
	s->stage = SESSION_FINISHING;
	s->deadline = clock_monotonic_ms() + FINISH_MS;
}

/* --- life ------------------------------------------------------------------------------------- */

void session_init(struct session *s, uint32_t id, int link_fd)
{
	*s = (struct session){
		.id = id,
		.link_fd = link_fd,
		.environment = ENVIRONMENT_INIT,
		.pty = PTY_INIT,
		.program = PROGRAM_INIT,
	};
}

void session_done(struct session *s)
{
	switchboard_done(s);
	s->screen = vt_screen_free(s->screen);
	free(s->output);
	s->output = NULL;
	auto_close(&s->program.pid_fd);
	pty_done(&s->pty);
	environment_done(&s->environment);
	spec_done(&s->spec);
	link_queue_done(&s->to_leader);
	auto_close(&s->link_fd);
}

/* Could not begin: the leader, and whoever waits at a terminal, are told why. */
static void fail(struct session *s, const char *what, int error)
{
	struct link_simple ended = link_make(LINK_ENDED, 0);
	(void)snprintf(
		ended.text, sizeof(ended.text), "it failed %s: %s", what, strerrordesc_np(-error));
	ended.error = error;
	session_tell_leader(s, &ended);
	struct cable_bye bye = { .ended = 1 };
	(void)snprintf(bye.text, sizeof(bye.text),
		"Session %u could not be started: failed %s: %s.", s->id, what,
		strerrordesc_np(-error));
	say_goodbye(s, &bye);
}

static struct cable_size first_size(const struct spec *spec)
{
	struct cable_size size = { .rows = spec->header.rows, .columns = spec->header.columns };
	if (size.rows == 0) {
		size.rows = ROWS_DEFAULT;
	}
	if (size.columns == 0) {
		size.columns = COLUMNS_DEFAULT;
	}
	return size;
}

/* 0, or -errno with *ret_what. */
static int prepare(struct session *s, const char **ret_what)
{
	struct cable_size size = first_size(&s->spec);
	*ret_what = "to take the size that it asks for";
	if (!pty_size_good(&size)) {
		return -EINVAL;
	}
	*ret_what = "to get a pty";
	int r = pty_open(&s->pty, &size);
	if (r < 0) {
		return r;
	}
	*ret_what = "to make its screen";
	static const struct vt_screen_events events = { .reply = on_reply, .title = on_title };
	size_t budget = s->spec.header.history_bytes;
	r = vt_screen_new(&s->screen, size.rows, size.columns,
		budget < SPEC_HISTORY_MAX ? budget : SPEC_HISTORY_MAX, &events, s);
	if (r < 0) {
		return r;
	}
	session_set_answering(s);
	return 0;
}

void session_start(struct session *s, uint32_t flags, int spec_fd, int run_fd)
{
	const char *what = "to read what it is to run";
	int e = environment_open(&s->environment, run_fd);
	if (e < 0) {
		log_warning("session %u: no stable paths: %s", s->id, strerrordesc_np(-e));
	}
	int r = spec_read(&s->spec, spec_fd);
	(void)close(spec_fd);
	s->system = (flags & LINK_START_SYSTEM) != 0;
	if (r == 0 && s->system) {
		r = environment_log_on(&s->spec, environ, (flags & LINK_START_FOREIGN) != 0);
	}
	if (r == 0) {
		r = prepare(s, &what);
	}
	if (r < 0) {
		fail(s, what, r);
		return;
	}
	e = environment_begin(&s->environment, s->spec.environment);
	if (e < 0) {
		log_warning("session %u: run/env: %s", s->id, strerrordesc_np(-e));
	}
	s->stage = SESSION_WAITING;
	s->deadline = clock_monotonic_ms() + s->spec.header.wait_ms;
	if (s->spec.header.wait_ms == 0) {
		session_run(s);
	} else {
		session_report(s, 0);
	}
}

void session_run(struct session *s)
{
	if (s->stage != SESSION_WAITING) {
		return;
	}
	AUTO(free) char **variables = environment_program(&s->environment, &s->spec, s->id);
	int r = variables == NULL ? -ENOMEM
				  : program_start(&s->program, &s->spec, &s->pty, variables);
	if (r < 0) {
		fail(s, "to start its program", r);
		return;
	}
	s->stage = SESSION_RUNNING;
	s->deadline = 0;
	session_report(s, 0);
}

/* --- output ----------------------------------------------------------------------------------- */

/* What was read, in turns: one half goes out while the other one fills. */
struct output {
	uint8_t *half[2];
	size_t size;	  /* of each */
	unsigned which;	  /* the half that was read last */
	size_t length;	  /* bytes in it */
	bool ahead;	  /* the other half may be filled meanwhile */
	uint8_t few[512]; /* without memory a session is slow, not stuck */
};

static void output_begin(struct session *s, struct output *o)
{
	if (s->output == NULL) {
		s->output = malloc(2 * OUTPUT_SIZE);
	}
	o->which = 0;
	o->length = 0;
	o->size = s->output != NULL ? OUTPUT_SIZE : sizeof(o->few) / 2;
	o->half[0] = s->output != NULL ? s->output : o->few;
	o->half[1] = o->half[0] + o->size;
}

/* Adds what the pty has at once to the half that is read. True when there is anything in it. */
static bool output_read(struct session *s, struct output *o)
{
	if (o->length < o->size) {
		ssize_t n = pty_read(&s->pty, o->half[o->which] + o->length, o->size - o->length);
		o->length += n > 0 ? (size_t)n : 0;
	}
	return o->length > 0;
}

/* The model eats what was forwarded. A program that writes faster than that must not stand still
 * meanwhile: the pty holds little, so more is taken into the other half between two bites. */
static void output_feed(struct session *s, struct output *o)
{
	const uint8_t *bytes = o->half[o->which];
	size_t length = o->length;
	o->which = !o->which;
	o->length = 0;
	for (bool more = o->ahead && length > FEED_BITE; length > 0;) {
		size_t bite = length < FEED_BITE ? length : FEED_BITE;
		vt_screen_feed(s->screen, bytes, bite);
		bytes += bite;
		length -= bite;
		if (more && o->size - o->length >= READ_AHEAD) {
			ssize_t n = pty_read_once(
				&s->pty, o->half[o->which] + o->length, READ_AHEAD);
			o->length += n > 0 ? (size_t)n : 0;
			more = n > 0;
		}
	}
}

/* Forwards and feeds the half that was read. */
static void take_output(struct session *s, struct output *o)
{
	s->output_since_tidy += o->length;
	if (s->current != NULL) {
		viewer_forward(s->current, s->screen, o->half[o->which], o->length);
		session_set_answering(s);
	}
	output_feed(s, o);
	if (s->current != NULL) {
		viewer_changed(s->current);
	}
}

/* Reads and hands on what the pty has, until it is empty or `most` is done; what was read ahead is
 * always done. `end`: nobody writes any more, so even a little is worth another look. */
static void take_all_output(struct session *s, size_t most, bool end)
{
	struct output o;
	size_t done = 0;
	output_begin(s, &o);
	bool much;
	do {
		o.ahead = done < most;
		if (o.ahead && !output_read(s, &o)) {
			return;
		}
		done += o.length;
		much = end || o.length >= OUTPUT_SIZE / 2;
		take_output(s, &o);
	} while (o.length > 0 || (much && done < most));
}

void session_on_output(struct session *s)
{
	take_all_output(s, OUTPUT_A_TURN, false);
	(void)pty_flush(&s->pty); /* the model's answers */
	if (s->info_at == 0) {
		session_report(s, WEIGHT_EVERY_MS);
	}
	if (s->output_since_tidy >= TIDY_WORTH) {
		session_tidy_soon(s);
	}
}

/* After a flood, a start, a connect: what it needed is given back, once, when it is quiet. */
static void tidy(struct session *s)
{
	s->tidy_at = 0;
	s->output_since_tidy = 0;
	free(s->output);
	s->output = NULL;
	if (s->screen != NULL) { /* else it has not begun */
		vt_screen_trim(s->screen);
	}
	if (s->current != NULL) {
		outlet_trim(&s->current->out);
		buf_trim(&s->current->in);
	}
}

void session_tidy_soon(struct session *s)
{
	s->tidy_at = clock_monotonic_ms() + TIDY_AFTER_MS;
}

/* --- sizes, keys, queries --------------------------------------------------------------------- */

int session_resize(struct session *s, const struct cable_size *size)
{
	const struct cable_size *old = &s->pty.size;
	if (!pty_size_good(size)) {
		return -EINVAL;
	}
	if (memcmp(old, size, sizeof(*size)) == 0) {
		return 0;
	}
	if (old->rows != size->rows || old->columns != size->columns) {
		int r = vt_screen_resize(s->screen, size->rows, size->columns);
		if (r < 0) {
			return r;
		}
	}
	int r = pty_resize(&s->pty, size);
	if (r < 0) {
		return r;
	}
	(void)pty_flush(&s->pty); /* the model may have told the program */
	session_report(s, 0);
	return 0;
}

void session_type(struct session *s, const void *bytes, size_t length)
{
	if (s->stage >= SESSION_FINISHING) {
		return;
	}
	if (pty_type(&s->pty, bytes, length) < 0) {
		log_error("session %u: no memory for what was typed", s->id);
	}
	s->last_input = clock_now();
	session_report(s, INPUT_EVERY_MS);
}

void session_set_answering(struct session *s)
{
	vt_screen_answer(s->screen, s->current == NULL || !viewer_answers(s->current));
}

/* --- the program's end ------------------------------------------------------------------------ */

/* "Session 12 ended, exit status 3.", or what somebody who ended it has to say. */
static struct cable_bye goodbye(const struct session *s)
{
	struct cable_bye bye = { .reason = s->end_reason, .status = s->end_status, .ended = 1 };
	if (s->end_text[0] != '\0') {
		link_set_text(bye.text, s->end_text);
		return bye;
	}
	char by_itself[64];
	char by_signal[64];
	(void)snprintf(by_itself, sizeof(by_itself), "Session %u ended,", s->id);
	(void)snprintf(by_signal, sizeof(by_signal), "Session %u ended by", s->id);
	program_end_text(bye.text, sizeof(bye.text) - 1, s->end_status, by_itself, by_signal);
	bye.text[strlen(bye.text)] = '.';
	return bye;
}

static void finish(struct session *s)
{
	struct link_simple ended = link_make(LINK_ENDED, 0);
	ended.status = s->end_status;
	ended.reason = s->end_reason;
	if (s->reset) {
		link_set_text(ended.text, "the session was reset");
	} else {
		program_end_text(ended.text, sizeof(ended.text), s->end_status,
			"the program ended with", "the program was ended by");
	}
	session_tell_leader(s, &ended);
	struct cable_bye bye = goodbye(s);
	say_goodbye(s, &bye);
}

void session_on_program_end(struct session *s)
{
	int r = program_reap(&s->program, &s->end_status);
	if (r == -EAGAIN) {
		return;
	}
	/* What it has written is all there by now: the kernel hands it over with the read. */
	take_all_output(s, OUTPUT_AT_END, true);
	finish(s);
}

static void hang_up(struct session *s)
{
	program_signal(&s->program, &s->pty, SIGHUP);
	program_signal(&s->program, &s->pty, SIGCONT); /* a stopped one would not notice */
}

void session_end(struct session *s, bool kill, uint32_t reason, const char *text)
{
	s->end_reason = reason;
	link_set_text(s->end_text, text);
	s->reset = s->reset || kill;
	if (s->stage == SESSION_RUNNING && kill) {
		program_signal(&s->program, &s->pty, SIGKILL);
	} else if (s->stage == SESSION_RUNNING) {
		hang_up(s);
		s->deadline = clock_monotonic_ms() + HANGUP_AGAIN_MS;
	} else if (s->stage < SESSION_RUNNING) {
		s->reset = true; /* nothing ever ran */
		finish(s);
	}
}

void session_abandon(struct session *s)
{
	auto_close(&s->link_fd);
	s->link_fd = -1;
	if (s->stage < SESSION_FINISHING) {
		log_error("session %u: its leader is gone", s->id);
		s->end_reason = LINK_REASON_NONE;
		(void)snprintf(s->end_text, sizeof(s->end_text),
			"Session %u ended: the process that guarded it is gone.", s->id);
		hang_up(s);
		finish(s);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

uint64_t session_next_time(const struct session *s)
{
	uint64_t next = session_earlier(s->deadline, s->info_at);
	next = session_earlier(next, s->tidy_at);
	return session_earlier(next, switchboard_next_time(s));
}

void session_on_time(struct session *s, uint64_t now)
{
	switchboard_work(s, now);
	if (s->stage == SESSION_WAITING && now >= s->deadline) {
		session_run(s);
	}
	if (s->stage == SESSION_RUNNING && s->deadline != 0 && now >= s->deadline) {
		s->deadline = 0;
		hang_up(s); /* a shell that was just about to read its input may have missed it */
	}
	if (s->stage == SESSION_FINISHING && (now >= s->deadline || switchboard_is_quiet(s))) {
		s->stage = SESSION_OVER;
	}
	if (s->tidy_at != 0 && now >= s->tidy_at) {
		tidy(s);
	}
	if (s->info_at != 0 && now >= s->info_at) {
		report_send(s, now);
	}
}

void session_report(struct session *s, unsigned apart_ms)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t due = s->info_sent + apart_ms;
	s->info_at = session_earlier(s->info_at, due > now ? due : now);
}

void session_tell_leader(struct session *s, const struct link_simple *message)
{
	if (s->link_fd >= 0 && link_queue_send(&s->to_leader, s->link_fd, message) < 0) {
		log_error("session %u: its leader does not listen", s->id);
	}
}
