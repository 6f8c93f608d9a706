/* The process that asks for names: right answers, no waiting, and another one when it dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/names.h"
#include "config/server_config.h"

#define NOBODY_HAS 3999999991u
#define LONG 10000 /* ms */

struct heard {
	int count, error;
	uid_t uid;
	char name[NAMES_TEXT_SIZE];
	size_t groups;
	uint32_t first_group;
};

struct fixture {
	sd_event *event;
	struct names *names;
};

static void hear(void *user, const struct names_answer *a)
{
	struct heard *h = user;
	h->count++;
	h->error = a->error;
	h->uid = a->uid;
	h->groups = a->group_count;
	h->first_group = a->group_count > 0 ? a->groups[0] : 0;
	(void)snprintf(h->name, sizeof(h->name), "%s", a->name != NULL ? a->name : "");
}

static struct fixture begin_with(const struct config_names *source, unsigned hang_ms)
{
	struct fixture f = { 0 };
	assert_true(sd_event_new(&f.event) >= 0);
	assert_int_equal(names_new(&f.names, f.event, source, hang_ms), 0);
	return f;
}

static struct fixture begin(void)
{
	return begin_with(NULL, LONG);
}

static void end(struct fixture *f)
{
	(void)names_free(f->names);
	(void)sd_event_unref(f->event);
}

static void wait_for(struct fixture *f, const struct heard *h)
{
	for (int i = 0; i < 1000 && h->count == 0; i++) {
		assert_true(sd_event_run(f->event, 10000) >= 0);
	}
	assert_int_equal(h->count, 1);
}

/* The only child of this process, or 0. */
static pid_t child(void)
{
	char path[64], line[128] = "";
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	(void)!fgets(line, sizeof(line), file);
	(void)fclose(file);
	return (pid_t)atoi(line);
}

static void a_uid_gets_its_name_and_keeps_it(void **state)
{
	struct fixture f = begin();
	struct heard h = { 0 };
	struct names_question *q = NULL;
	assert_false(names_knows(f.names, 0));
	assert_null(names_of(f.names, 0));
	assert_int_equal(names_ask_uid(&q, f.names, 0, LONG, hear, &h), 0);
	assert_int_equal(h.count, 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, 0);
	assert_string_equal(h.name, "root");
	assert_true(names_knows(f.names, 0));
	assert_string_equal(names_of(f.names, 0), "root");
	end(&f);
}

static void that_a_uid_has_none_is_known_too(void **state)
{
	struct fixture f = begin();
	struct heard h = { 0 };
	struct names_question *q = NULL;
	assert_int_equal(names_ask_uid(&q, f.names, NOBODY_HAS, LONG, hear, &h), 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, -ENOENT);
	assert_true(names_knows(f.names, NOBODY_HAS));
	assert_null(names_of(f.names, NOBODY_HAS));
	end(&f);
}

static void a_user_is_found_with_his_groups(void **state)
{
	struct fixture f = begin();
	struct heard h = { 0 };
	struct names_question *q = NULL;
	assert_int_equal(names_ask_user(&q, f.names, "root", LONG, hear, &h), 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, 0);
	assert_int_equal(h.uid, 0);
	assert_true(h.groups >= 1);
	assert_int_equal(h.first_group, 0);
	h = (struct heard){ 0 };
	assert_int_equal(names_ask_user(&q, f.names, "no such user", LONG, hear, &h), 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, -ENOENT);
	end(&f);
}

static void what_cannot_be_a_name_is_not_asked(void **state)
{
	struct fixture f = begin();
	struct names_question *q = NULL;
	char text[NAMES_TEXT_SIZE + 1];
	memset(text, 'x', NAMES_TEXT_SIZE);
	text[NAMES_TEXT_SIZE] = '\0';
	assert_int_equal(names_ask_user(&q, f.names, text, LONG, hear, NULL), -E2BIG);
	assert_int_equal(names_ask_user(&q, f.names, "", LONG, hear, NULL), -E2BIG);
	end(&f);
}

static void who_does_not_want_the_answer_any_more_does_not_get_it(void **state)
{
	struct fixture f = begin();
	struct heard gone = { 0 }, there = { 0 };
	struct names_question *q = NULL, *other = NULL;
	assert_int_equal(names_ask_uid(&q, f.names, 0, LONG, hear, &gone), 0);
	assert_int_equal(names_ask_uid(&other, f.names, 0, LONG, hear, &there), 0);
	assert_null(names_cancel(q));
	wait_for(&f, &there);
	assert_int_equal(gone.count, 0);
	end(&f);
}

static void a_process_that_does_not_answer_is_not_waited_for(void **state)
{
	struct fixture f = begin();
	struct heard h = { 0 };
	struct names_question *q = NULL;
	pid_t pid = child();
	if (pid == 0) {
		skip();
	}
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(names_ask_uid(&q, f.names, 0, 20, hear, &h), 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, -ETIMEDOUT);
	assert_int_equal(kill(pid, SIGCONT), 0);
	/* The answer comes late, and is remembered. */
	for (int i = 0; i < 1000 && !names_knows(f.names, 0); i++) {
		assert_true(sd_event_run(f.event, 10000) >= 0);
	}
	assert_string_equal(names_of(f.names, 0), "root");
	assert_int_equal(h.count, 1);
	end(&f);
}

static void a_process_that_dies_fails_its_questions_and_another_takes_its_place(void **state)
{
	struct fixture f = begin();
	struct heard h = { 0 }, next = { 0 };
	struct names_question *q = NULL;
	pid_t pid = child();
	if (pid == 0) {
		skip();
	}
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(names_ask_uid(&q, f.names, 0, LONG, hear, &h), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_for(&f, &h);
	assert_int_equal(h.error, -EPIPE);
	int r = -EBUSY; /* not at once, so that one that always dies costs little */
	for (int i = 0; i < 500 && r == -EBUSY; i++) {
		r = names_ask_uid(&q, f.names, 0, LONG, hear, &next);
		assert_true(sd_event_run(f.event, 10000) >= 0);
	}
	assert_int_equal(r, 0);
	wait_for(&f, &next);
	assert_string_equal(next.name, "root");
	assert_int_not_equal(child(), pid);
	end(&f);
	assert_int_equal(child(), 0);
}

static int find_some(void *context, const char *name, uint32_t *ret)
{
	while (strcmp(name, "slow") == 0) {
		(void)pause();
	}
	*ret = (uint32_t)strlen(name);
	return strcmp(name, "nobody") == 0 ? -ENOENT : 0;
}

static int find_group(void *context, const char *name, uint32_t *ret)
{
	*ret = 77;
	return 0;
}

static const struct config_names some = { .user = find_some, .group = find_group };

static void a_number_alone_is_found_and_no_name_is_learnt_by_it(void **state)
{
	static const struct {
		const char *name;
		bool group;
		int error;
		uid_t number;
	} cases[] = { { "alice", false, 0, 5 }, { "nobody", false, -ENOENT, 0 },
		{ "staff", true, 0, 77 } };
	struct fixture f = begin_with(&some, LONG);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct heard h = { 0 };
		struct names_question *q = NULL;
		assert_int_equal(names_ask_number(&q, f.names, cases[i].name, cases[i].group, LONG,
					 hear, &h),
			0);
		wait_for(&f, &h);
		assert_int_equal(h.error, cases[i].error);
		assert_true(h.error != 0 || h.uid == cases[i].number);
		assert_false(names_knows(f.names, h.uid));
	}
	end(&f);
}

static void a_question_that_hangs_holds_up_the_next_ones_for_its_limit_alone(void **state)
{
	struct fixture f = begin_with(
		&some, 2000); /* more than a good answer takes on a slow machine */
	struct heard slow = { 0 }, impatient = { 0 }, next = { 0 }, last = { 0 };
	struct names_question *q = NULL;
	pid_t pid = child();
	assert_int_equal(names_ask_number(&q, f.names, "slow", false, LONG, hear, &slow), 0);
	assert_int_equal(names_ask_uid(&q, f.names, NOBODY_HAS, 1, hear, &impatient), 0);
	assert_int_equal(names_ask_uid(&q, f.names, 0, LONG, hear, &next), 0);
	assert_int_equal(names_ask_number(&q, f.names, "bob", false, LONG, hear, &last), 0);
	wait_for(&f, &last);
	assert_int_equal(slow.error, -ETIMEDOUT);
	assert_int_equal(next.error, 0);
	assert_string_equal(next.name, "root");
	assert_int_equal(last.uid, 3);
	/* Who did not want to wait any more was not asked for afterwards either. */
	assert_int_equal(impatient.error, -ETIMEDOUT);
	assert_false(names_knows(f.names, NOBODY_HAS));
	if (pid != 0) {
		assert_int_not_equal(child(), pid);
	}
	end(&f);
	assert_int_equal(child(), 0);
}

static void the_process_holds_nothing_of_ours(void **state)
{
	int secret[2];
	char path[64];
	assert_int_equal(pipe(secret), 0);
	struct fixture f = begin();
	struct heard h = { 0 };
	struct names_question *q = NULL;
	pid_t pid = child();
	if (pid == 0) {
		skip();
	}
	assert_int_equal(names_ask_uid(&q, f.names, 0, LONG, hear, &h), 0);
	wait_for(&f, &h);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
		char link[400], target[256] = "", ours[256] = "";
		(void)snprintf(link, sizeof(link), "%s/%s", path, e->d_name);
		(void)!readlink(link, target, sizeof(target) - 1);
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", secret[0]);
		(void)!readlink(link, ours, sizeof(ours) - 1);
		assert_string_not_equal(target, ours);
	}
	(void)closedir(folder);
	end(&f);
	(void)close(secret[0]);
	(void)close(secret[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uid_gets_its_name_and_keeps_it),
		cmocka_unit_test(that_a_uid_has_none_is_known_too),
		cmocka_unit_test(a_user_is_found_with_his_groups),
		cmocka_unit_test(what_cannot_be_a_name_is_not_asked),
		cmocka_unit_test(who_does_not_want_the_answer_any_more_does_not_get_it),
		cmocka_unit_test(a_process_that_does_not_answer_is_not_waited_for),
		cmocka_unit_test(
			a_process_that_dies_fails_its_questions_and_another_takes_its_place),
		cmocka_unit_test(a_number_alone_is_found_and_no_name_is_learnt_by_it),
		cmocka_unit_test(a_question_that_hangs_holds_up_the_next_ones_for_its_limit_alone),
		cmocka_unit_test(the_process_holds_nothing_of_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
