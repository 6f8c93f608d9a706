/* The rules by which a leader plugs a cable, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "leader/grant.h"

enum { ALICE = 2001, BOB = 2002, BROKER = 2051, DOOR = 2052, NOW = 1000000 };

/* Session 7 of alice's, on TERM03. */
static const struct grant_session session = {
	.system = true, .id = 7, .owner = ALICE, .broker = BROKER, .terminal = "TERM03"
};

static struct warrant warrant(const char *word, const char *terminal)
{
	struct warrant w = {
		.version = WARRANT_VERSION,
		.use = WARRANT_CONNECT,
		.destination = terminal != NULL ? WARRANT_NAMED : WARRANT_OWN,
	};
	link_set_text(w.session, word);
	link_set_text(w.terminal, terminal != NULL ? terminal : "");
	return w;
}

static int judge(const char *word, uid_t maker, bool free_of_password)
{
	struct warrant w = warrant(word, NULL);
	return grant_judge(&session, &w, maker, free_of_password);
}

/* Whether a cable is plugged right after this warrant was good. */
static int plug_after(struct warrant w, uid_t maker, uid_t cable_maker, const char *terminal)
{
	struct grants g = { 0 };
	grants_add(&g, &w, maker, NOW);
	return grants_use(&g, &session, cable_maker, terminal, NOW + 1);
}

static void the_owner_needs_no_password(void **state)
{
	assert_int_equal(judge("7", ALICE, false), 0);
	assert_int_equal(judge("TERM03", ALICE, false), 0);
	assert_int_equal(judge("term03", ALICE, false), 0);
	assert_int_equal(judge("", ALICE, false), 0);
}

static void everybody_else_needs_the_owners_password(void **state)
{
	assert_int_equal(judge("7", BOB, false), GRANT_PASSWORD);
	assert_int_equal(judge("TERM03", BOB, false), GRANT_PASSWORD);
	assert_int_equal(judge("7", 0, false), GRANT_PASSWORD);
}

static void the_brokers_word_frees_root_of_the_password_and_nobody_else(void **state)
{
	assert_int_equal(judge("7", 0, true), 0);
	assert_int_equal(judge("7", BOB, true), GRANT_PASSWORD);
	assert_int_equal(judge("8", 0, true), -EACCES);
}

static void a_warrant_for_another_session_is_worth_nothing(void **state)
{
	static const char *const words[] = { "8", "77", "0", "TERM04", "TERM0", "TERM033", " 7",
		"7 ", "+7", "07x", "4294967303" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(judge(words[i], ALICE, false), -EACCES);
		assert_int_equal(judge(words[i], BOB, false), -EACCES);
	}
}

static void without_a_word_it_means_the_makers_own_session(void **state)
{
	assert_int_equal(judge("", BOB, false), -EACCES);
	assert_int_equal(judge("", 0, true), -EACCES);
}

static void a_session_on_no_terminal_has_no_name(void **state)
{
	struct grant_session s = session;
	s.terminal = "";
	struct warrant w = warrant("TERM03", NULL);
	assert_int_equal(grant_judge(&s, &w, ALICE, false), -EACCES);
	w = warrant("", NULL);
	assert_int_equal(grant_judge(&s, &w, BOB, false), -EACCES);
}

static void zero_means_the_session_on_the_console(void **state)
{
	struct grant_session s = session;
	struct warrant w = warrant("0", NULL);
	s.terminal = "console";
	assert_int_equal(grant_judge(&s, &w, ALICE, false), 0);
	assert_int_equal(grant_judge(&s, &w, BOB, false), GRANT_PASSWORD);
}

static void what_the_brokers_account_has_made_is_refused(void **state)
{
	assert_int_equal(judge("7", BROKER, false), -EACCES);
	assert_int_equal(judge("7", BROKER, true), -EACCES);
	struct grant_session s = session;
	s.owner = BROKER; /* it may have a session of its own, and nobody comes to it */
	struct warrant w = warrant("7", NULL);
	assert_int_equal(grant_judge(&s, &w, BROKER, false), -EACCES);
	assert_int_equal(plug_after(warrant("7", "TERM05"), BOB, BROKER, "TERM05"), -EACCES);
	assert_int_equal(plug_after(warrant("7", NULL), BROKER, BROKER, "TERM05"), -EACCES);
}

static void a_warrant_to_start_a_session_opens_none(void **state)
{
	struct warrant w = warrant("7", NULL);
	w.use = WARRANT_LOGON;
	assert_int_equal(grant_judge(&session, &w, ALICE, false), -EACCES);
}

static void a_named_destination_must_have_a_name(void **state)
{
	struct warrant w = warrant("7", "");
	assert_int_equal(grant_judge(&session, &w, ALICE, false), -EACCES);
}

static void the_owners_cable_needs_no_grant(void **state)
{
	struct grants g = { 0 };
	assert_int_equal(grants_use(&g, &session, ALICE, "TERM03", NOW), 0);
}

static void a_strangers_cable_needs_a_grant(void **state)
{
	struct grants g = { 0 };
	assert_int_equal(grants_use(&g, &session, BOB, "TERM03", NOW), -EACCES);
	assert_int_equal(grants_use(&g, &session, 0, "TERM03", NOW), -EACCES);
}

static void an_own_destination_takes_the_makers_cable_only(void **state)
{
	assert_int_equal(plug_after(warrant("7", NULL), BOB, BOB, "TERM05"), 0);
	assert_int_equal(plug_after(warrant("7", NULL), BOB, DOOR, "TERM05"), -EACCES);
	assert_int_equal(plug_after(warrant("7", NULL), ALICE, BOB, "TERM05"), -EACCES);
	assert_int_equal(plug_after(warrant("7", NULL), BOB, 0, "TERM05"), -EACCES);
}

static void a_named_destination_takes_any_cable_for_that_terminal_only(void **state)
{
	assert_int_equal(plug_after(warrant("7", "TERM05"), ALICE, DOOR, "TERM05"), 0);
	assert_int_equal(plug_after(warrant("7", "term05"), ALICE, DOOR, "TERM05"), 0);
	assert_int_equal(plug_after(warrant("7", "TERM05"), ALICE, DOOR, "TERM06"), -EACCES);
	assert_int_equal(plug_after(warrant("7", "TERM05"), ALICE, DOOR, ""), -EACCES);
	assert_int_equal(plug_after(warrant("7", "TERM05"), BOB, BOB, "TERM06"), -EACCES);
}

static void a_grant_is_used_up_by_the_next_cable_whoever_made_it(void **state)
{
	static const uid_t first[] = { BOB, ALICE, DOOR };
	for (size_t i = 0; i < 3; i++) {
		struct warrant w = warrant("7", NULL);
		struct grants g = { 0 };
		grants_add(&g, &w, BOB, NOW);
		(void)grants_use(&g, &session, first[i], "TERM05", NOW);
		assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW), -EACCES);
	}
}

static void what_one_was_granted_another_ones_warrant_leaves_him(void **state)
{
	static const uid_t others[] = { 0, ALICE, DOOR };
	struct grants g = { 0 };
	struct warrant w = warrant("7", NULL);
	grants_add(&g, &w, BOB, NOW);
	for (size_t i = 0; i < GRANTS_MAX - 1; i++) {
		grants_add(&g, &w, others[i], NOW + 1);
		grants_add(&g, &w, others[i], NOW + 2); /* one of each */
	}
	struct grants before = g;
	assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW + 3), 0);
	g = before;
	assert_int_equal(grants_use(&g, &session, DOOR, "TERM05", NOW + 3), 0);
	assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW + 3), -EACCES);
	g = before;
	grants_add(&g, &w, BROKER + 100, NOW + 3);
	assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW + 4), -EACCES);
}

static void a_makers_new_warrant_takes_the_place_of_his_last(void **state)
{
	struct grants g = { 0 };
	struct warrant named = warrant("7", "TERM05");
	struct warrant own = warrant("7", NULL);
	grants_add(&g, &named, BOB, NOW);
	grants_add(&g, &own, BOB, NOW);
	assert_int_equal(grants_use(&g, &session, DOOR, "TERM05", NOW + 1), -EACCES);
}

static void a_grant_does_not_last(void **state)
{
	struct warrant w = warrant("7", NULL);
	struct grants g = { 0 };
	grants_add(&g, &w, BOB, NOW);
	assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW + WARRANT_GRANT_MS - 1), 0);
	grants_add(&g, &w, BOB, NOW);
	assert_int_equal(grants_use(&g, &session, BOB, "TERM05", NOW + WARRANT_GRANT_MS), -EACCES);
}

static void in_user_mode_there_is_the_owner_and_nobody_else(void **state)
{
	struct grant_session s = session;
	struct warrant w = warrant("7", NULL);
	s.system = false;
	s.broker = ALICE;
	assert_int_equal(grant_judge(&s, &w, ALICE, false), 0);
	assert_int_equal(grant_judge(&s, &w, BOB, false), -EACCES);
	assert_int_equal(grant_judge(&s, &w, 0, true), -EACCES);
	struct grants g = { 0 };
	grants_add(&g, &w, BOB, NOW);
	assert_int_equal(grants_use(&g, &s, BOB, "TERM05", NOW), -EACCES);
	assert_int_equal(grants_use(&g, &s, ALICE, "TERM05", NOW), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_needs_no_password),
		cmocka_unit_test(everybody_else_needs_the_owners_password),
		cmocka_unit_test(the_brokers_word_frees_root_of_the_password_and_nobody_else),
		cmocka_unit_test(a_warrant_for_another_session_is_worth_nothing),
		cmocka_unit_test(without_a_word_it_means_the_makers_own_session),
		cmocka_unit_test(a_session_on_no_terminal_has_no_name),
		cmocka_unit_test(zero_means_the_session_on_the_console),
		cmocka_unit_test(what_the_brokers_account_has_made_is_refused),
		cmocka_unit_test(a_warrant_to_start_a_session_opens_none),
		cmocka_unit_test(a_named_destination_must_have_a_name),
		cmocka_unit_test(the_owners_cable_needs_no_grant),
		cmocka_unit_test(a_strangers_cable_needs_a_grant),
		cmocka_unit_test(an_own_destination_takes_the_makers_cable_only),
		cmocka_unit_test(a_named_destination_takes_any_cable_for_that_terminal_only),
		cmocka_unit_test(a_grant_is_used_up_by_the_next_cable_whoever_made_it),
		cmocka_unit_test(what_one_was_granted_another_ones_warrant_leaves_him),
		cmocka_unit_test(a_makers_new_warrant_takes_the_place_of_his_last),
		cmocka_unit_test(a_grant_does_not_last),
		cmocka_unit_test(in_user_mode_there_is_the_owner_and_nobody_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
