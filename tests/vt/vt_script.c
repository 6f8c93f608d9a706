/* Runs scripts (script.h). Each case is also replayed through the painter: painted at its end, at
 * every change of size, and at many places in between, into a terminal that is fresh and into one
 * that is in a mess; undone by reset; and followed with updates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

#define HISTORY (1024 * 1024)
#define REPLY_MAX (1024 * 1024)
#define CUTS 24

static void on_reply(void *user, const uint8_t *bytes, size_t length)
{
	struct script *s = user;
	(void)buf_put(&s->replies, bytes, length);
}

static void on_bell(void *user)
{
	struct script *s = user;
	s->bells++;
}

static void begin(struct script *s, unsigned rows, unsigned columns)
{
	struct vt_screen_events events = { .reply = on_reply, .bell = on_bell };
	s->screen = vt_screen_free(s->screen);
	if (vt_screen_new(&s->screen, rows, columns, HISTORY, &events, s) < 0) {
		abort();
	}
	s->rows = rows;
	s->columns = columns;
}

static void add_step(struct script *s, struct replay_step step)
{
	if (s->step_count == SCRIPT_STEPS) {
		script_fail(s, "too many steps");
		return;
	}
	s->steps[s->step_count++] = step;
}

static void feed(struct script *s, const struct script_word *w)
{
	uint8_t *bytes = malloc(w->length + 1);
	if (bytes == NULL) {
		abort();
	}
	memcpy(bytes, w->text, w->length + 1);
	vt_screen_feed(s->screen, bytes, w->length);
	add_step(s, (struct replay_step){ .bytes = bytes, .length = w->length });
}

static void check_replay(struct script *s, const struct replay *r, size_t step, size_t offset)
{
	char why[700];
	if (!replay_cut(r, step, offset, why, sizeof(why))) {
		script_fail(s, "%s terminal, cut at byte %zu of feed %zu: %s",
			r->junk_length > 0 ? "another" : "a fresh", offset, step + 1, why);
	}
}

/* The same places each time: a test that fails fails again. */
static void replay_all(struct script *s)
{
	struct replay r = {
		.rows = s->rows, .columns = s->columns, .steps = s->steps, .count = s->step_count
	};
	char why[700];
	uint32_t seed = 1;
	unsigned before = s->failures;
	size_t junk_length;
	r.junk = replay_junk(&junk_length);
	for (size_t i = 0; i < s->step_count && s->failures == before; i++) {
		size_t length = s->steps[i].length;
		size_t cuts = length <= CUTS ? length : CUTS;
		for (size_t k = 0; k < cuts && s->failures == before; k++) {
			seed = seed * 1664525 + 1013904223;
			size_t offset = length <= CUTS ? k : (seed >> 8) % length;
			r.junk_length = k % 2 == 0 ? junk_length : 0;
			check_replay(s, &r, i, offset);
		}
	}
	r.junk_length = 0;
	check_replay(s, &r, s->step_count, 0);
	r.junk_length = junk_length;
	check_replay(s, &r, s->step_count, 0);
	if (!replay_reset(&r, why, sizeof(why)) || !replay_update(&r, 7, why, sizeof(why))) {
		script_fail(s, "%s", why);
	}
}

static void end_case(struct script *s)
{
	if (s->screen == NULL) {
		return;
	}
	if (!s->checks_only) {
		replay_all(s);
	}
	for (size_t i = 0; i < s->step_count; i++) {
		free((void *)s->steps[i].bytes);
	}
	s->step_count = 0;
	s->screen = vt_screen_free(s->screen);
	buf_done(&s->replies);
	s->bells = 0;
	s->cases++;
}

static void begin_case(struct script *s, const char *name)
{
	end_case(s);
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->name[strcspn(s->name, "\n")] = '\0';
	begin(s, 5, 20);
}

static void run_line(struct script *s, const char *text, struct script_line *l)
{
	text += strspn(text, " \t");
	if (text[0] == '!') {
		begin_case(s, text + 1 + strspn(text + 1, " "));
		return;
	}
	if (!script_split(s, text, l) || l->count == 0) {
		return;
	}
	const char *command = l->words[0].text;
	if (s->screen == NULL) {
		script_fail(s, "the first line of a script names its first case: ! sentence");
	} else if (strcmp(command, "size") == 0) {
		begin(s, script_number(s, l, 1), script_number(s, l, 2));
	} else if (strcmp(command, "resize") == 0) {
		unsigned rows = script_number(s, l, 1);
		unsigned columns = script_number(s, l, 2);
		(void)vt_screen_resize(s->screen, rows, columns);
		add_step(s,
			(struct replay_step){ .resize = true, .rows = rows, .columns = columns });
	} else if (strcmp(command, "feed") == 0 && l->count == 2) {
		feed(s, &l->words[1]);
	} else if (strcmp(command, "answer") == 0) {
		vt_screen_answer(s->screen, strcmp(l->words[1].text, "on") == 0);
	} else if (!script_check(s, l)) {
		script_fail(s, "unknown command '%s'", command);
	}
}

static unsigned run(const char *path, bool checks_only, unsigned *cases)
{
	static struct script_line words;
	static struct script s;
	static char line[65536];
	s = (struct script){
		.path = path, .replies = BUF_INIT(REPLY_MAX), .checks_only = checks_only
	};
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		s.line++;
		run_line(&s, line, &words);
	}
	end_case(&s);
	(void)fclose(file);
	*cases += s.cases;
	return s.failures;
}

int main(int argc, char **argv)
{
	unsigned failures = 0;
	unsigned cases = 0;
	bool checks_only = argc > 1 && strcmp(argv[1], "--checks-only") == 0;
	for (int i = checks_only ? 2 : 1; i < argc; i++) {
		failures += run(argv[i], checks_only, &cases);
	}
	printf("%u cases, %u failures\n", cases, failures);
	return failures == 0 && cases > 0 ? 0 : 1;
}
