/* Failed passwords: which try is refused, and after how long a failure is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "broker/attempts.h"

#define ALICE 1000
#define BOB 1001
#define CAROL 1002
#define DELAY 3000
#define MINUTES(n) ((uint64_t)(n)*60 * 1000)

static struct attempts *attempts;
static uint64_t now;

static int set_up(void **state)
{
	now = 1000;
	return attempts_new(&attempts);
}

static int tear_down(void **state)
{
	attempts = attempts_free(attempts);
	return 0;
}

static struct attempt begin(uid_t caller, const char *place, uid_t victim)
{
	struct attempt t;
	struct attempts_caller who = attempts_caller(caller, place);
	assert_int_equal(attempts_begin(attempts, &t, &who, victim, DELAY, now), 0);
	assert_int_equal(t.began, now);
	return t;
}

/* A wrong password, answered as early as may be. True = it was not even tried. */
static bool fail_once(uid_t caller, const char *place, uid_t victim)
{
	struct attempt t = begin(caller, place, victim);
	if (!t.spent) {
		attempts_failed(attempts, &t, now);
	}
	now = t.due;
	attempts_end(attempts, &t);
	return t.spent;
}

static unsigned failures_of(uid_t caller)
{
	struct attempts_caller who = attempts_caller(caller, NULL);
	return attempts_of_caller(attempts, &who, now);
}

static void the_first_three_failures_take_the_plain_delay_and_the_next_ones_double(void **state)
{
	static const unsigned delays[] = { 3000, 3000, 3000, 6000, 12000, 24000, 48000, 60000,
		60000, 60000 };
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		struct attempt t = begin(ALICE, NULL, BOB);
		assert_int_equal(t.due - t.began, delays[i]);
		assert_false(t.spent);
		attempts_failed(attempts, &t, now);
		now = t.due;
		attempts_end(attempts, &t);
	}
}

static void the_eleventh_try_of_a_caller_is_not_tried_whoever_the_victim_is(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_CALLER_MAX; i++) {
		assert_false(fail_once(ALICE, NULL, BOB));
	}
	assert_true(fail_once(ALICE, NULL, BOB));
	assert_true(fail_once(ALICE, NULL, CAROL));
	/* It waits as long as a tried one would have. */
	struct attempt t = begin(ALICE, NULL, BOB);
	assert_true(t.spent);
	assert_int_equal(t.due - t.began, ATTEMPTS_DELAY_MAX_MS);
	attempts_end(attempts, &t);
	/* Nobody else is touched. */
	assert_false(fail_once(CAROL, NULL, BOB));
}

static void a_count_is_forgotten_when_its_window_is_over_and_not_before(void **state)
{
	uint64_t first = now;
	for (unsigned i = 0; i < ATTEMPTS_CALLER_MAX; i++) {
		assert_false(fail_once(ALICE, NULL, BOB));
	}
	now = first + MINUTES(15) - 1;
	struct attempt t = begin(ALICE, NULL, BOB);
	assert_true(t.spent);
	attempts_end(attempts, &t);
	now = first + MINUTES(15);
	t = begin(ALICE, NULL, BOB);
	assert_false(t.spent);
	assert_int_equal(t.due - t.began, DELAY);
	attempts_failed(attempts, &t, now);
	attempts_end(attempts, &t);
	assert_int_equal(failures_of(ALICE), 1);
}

static void a_try_that_was_not_made_does_not_prolong_the_window(void **state)
{
	uint64_t first = now;
	for (unsigned i = 0; i < ATTEMPTS_CALLER_MAX; i++) {
		(void)fail_once(ALICE, NULL, BOB);
	}
	while (now < first + MINUTES(15)) {
		assert_true(fail_once(ALICE, NULL, BOB));
		assert_int_equal(attempts_on_victim(attempts, BOB, now) % ATTEMPTS_CALLER_MAX, 0);
	}
	assert_false(fail_once(ALICE, NULL, BOB));
}

static void the_twenty_first_try_on_one_password_is_not_tried_whoever_makes_it(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_VICTIM_MAX; i++) {
		assert_false(fail_once((uid_t)(2000 + i), NULL, BOB));
	}
	assert_int_equal(attempts_on_victim(attempts, BOB, now), ATTEMPTS_VICTIM_MAX);
	/* With the delay of one who has failed at nothing yet: the answer tells no difference. */
	struct attempt t = begin(ALICE, NULL, BOB);
	assert_true(t.spent);
	assert_int_equal(t.due - t.began, DELAY);
	attempts_end(attempts, &t);
	assert_false(fail_once(ALICE, NULL, CAROL));
}

static void tries_at_the_same_time_do_not_pass_the_victims_limit(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_VICTIM_MAX - 2; i++) {
		assert_false(fail_once(2000 + i, NULL, BOB));
	}
	struct attempt one = begin(3001, NULL, BOB);
	struct attempt two = begin(3002, NULL, BOB);
	struct attempt three = begin(3003, NULL, BOB);
	assert_false(one.spent || two.spent);
	assert_true(three.spent);
	attempts_end(attempts, &three);
	/* One that was right leaves its place; a wrong one does not. */
	attempts_passed(attempts, &one);
	attempts_failed(attempts, &two, now);
	three = begin(3003, NULL, BOB);
	assert_false(three.spent);
	attempts_end(attempts, &three); /* its leader went */
	three = begin(3003, NULL, BOB);
	assert_false(three.spent);
	struct attempt four = begin(3004, NULL, BOB);
	assert_true(four.spent);
	attempts_failed(attempts, &three, now);
	attempts_end(attempts, &one);
	attempts_end(attempts, &two);
	attempts_end(attempts, &three);
	attempts_end(attempts, &four);
	assert_int_equal(attempts_on_victim(attempts, BOB, now), ATTEMPTS_VICTIM_MAX);
	assert_false(begin(3005, NULL, CAROL).spent);
}

static void all_names_that_nobody_has_are_one_victim(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_VICTIM_MAX; i++) {
		assert_false(fail_once((uid_t)(2000 + i), NULL, ATTEMPTS_NOBODY));
	}
	assert_true(fail_once(ALICE, NULL, ATTEMPTS_NOBODY));
	assert_false(fail_once(ALICE, NULL, BOB));
}

static void one_who_tries_has_one_try_until_it_was_answered(void **state)
{
	struct attempt t = begin(ALICE, NULL, BOB);
	struct attempt second;
	struct attempts_caller alice = attempts_caller(ALICE, NULL);
	assert_int_equal(attempts_begin(attempts, &second, &alice, CAROL, DELAY, now), -EBUSY);
	attempts_failed(attempts, &t, now);
	assert_int_equal(attempts_begin(attempts, &second, &alice, CAROL, DELAY, now), -EBUSY);
	/* Another one is free to try. */
	struct attempt of_carol = begin(CAROL, NULL, BOB);
	attempts_end(attempts, &of_carol);
	attempts_end(attempts, &t);
	assert_int_equal(attempts_begin(attempts, &second, &alice, CAROL, DELAY, now), 0);
	attempts_end(attempts, &second);
}

static void success_clears_the_callers_count_and_not_the_victims(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		(void)fail_once(ALICE, NULL, BOB);
	}
	assert_int_equal(failures_of(ALICE), 5);
	struct attempt t = begin(ALICE, NULL, BOB);
	attempts_passed(attempts, &t);
	attempts_end(attempts, &t);
	assert_int_equal(failures_of(ALICE), 0);
	assert_int_equal(attempts_on_victim(attempts, BOB, now), 5);
	t = begin(ALICE, NULL, BOB);
	assert_int_equal(t.due - t.began, DELAY);
	attempts_end(attempts, &t);
}

static void each_fixed_terminal_is_counted_for_itself(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_CALLER_MAX; i++) {
		assert_false(fail_once(50, "TERM03", (uid_t)(2000 + i)));
	}
	assert_true(fail_once(50, "term03", BOB));
	assert_false(fail_once(50, "TERM04", BOB));
	assert_false(fail_once(50, NULL, BOB));
	struct attempt t = begin(50, "TERM03", BOB);
	struct attempt at_the_next = begin(50, "TERM04", BOB);
	attempts_end(attempts, &t);
	attempts_end(attempts, &at_the_next);
}

static void a_delay_of_nothing_stays_nothing_and_still_counts(void **state)
{
	struct attempts_caller alice = attempts_caller(ALICE, NULL);
	for (unsigned i = 0; i <= ATTEMPTS_CALLER_MAX; i++) {
		struct attempt t;
		assert_int_equal(attempts_begin(attempts, &t, &alice, BOB, 0, now), 0);
		assert_int_equal(t.due, now);
		assert_int_equal(t.spent, i == ATTEMPTS_CALLER_MAX);
		if (!t.spent) {
			attempts_failed(attempts, &t, now);
		}
		attempts_end(attempts, &t);
	}
}

static void when_too_many_are_counted_the_rest_shares_one_count(void **state)
{
	for (unsigned i = 0; i < ATTEMPTS_COUNTS_MAX / 2; i++) {
		struct attempts_caller who = attempts_caller((uid_t)(10000 + i), NULL);
		struct attempt t;
		assert_int_equal(attempts_begin(attempts, &t, &who, (uid_t)(90000 + i), 0, now), 0);
		attempts_failed(attempts, &t, now);
		attempts_end(attempts, &t);
	}
	for (unsigned i = 0; i < ATTEMPTS_CALLER_MAX; i++) {
		assert_false(fail_once((uid_t)(50000 + i), NULL, BOB));
	}
	assert_true(fail_once(60000, NULL, BOB));
	/* One that is shared does not stay under way, also when there is room again meanwhile. */
	struct attempt t = begin(60001, NULL, BOB);
	assert_true(t.shared);
	now += ATTEMPTS_WINDOW_MS;
	struct attempt own = begin(60002, NULL, BOB);
	assert_false(own.shared);
	attempts_end(attempts, &own);
	attempts_end(attempts, &t);
	assert_false(fail_once(60001, NULL, BOB));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_three_failures_take_the_plain_delay_and_the_next_ones_double),
		TEST(the_eleventh_try_of_a_caller_is_not_tried_whoever_the_victim_is),
		TEST(a_count_is_forgotten_when_its_window_is_over_and_not_before),
		TEST(a_try_that_was_not_made_does_not_prolong_the_window),
		TEST(the_twenty_first_try_on_one_password_is_not_tried_whoever_makes_it),
		TEST(tries_at_the_same_time_do_not_pass_the_victims_limit),
		TEST(all_names_that_nobody_has_are_one_victim),
		TEST(one_who_tries_has_one_try_until_it_was_answered),
		TEST(success_clears_the_callers_count_and_not_the_victims),
		TEST(each_fixed_terminal_is_counted_for_itself),
		TEST(a_delay_of_nothing_stays_nothing_and_still_counts),
		TEST(when_too_many_are_counted_the_rest_shares_one_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
