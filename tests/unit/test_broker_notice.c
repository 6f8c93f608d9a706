/* Who is told what when a session was moved, displaced, or taken over by root: on the terminal at
 * once, and its owner when he comes back, whichever broker serves him then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker_rig.h"

#define CONFIG                                                                                     \
	"[server]\n"                                                                               \
	"administrators = root, dave\n"                                                            \
	"[rights]\n"                                                                               \
	"* = User\n"

static struct rig rig;

static int set_up(void **state)
{
	(void)rig_start_system(&rig, NULL, CONFIG);
	return 0;
}

static int set_up_notify(void **state)
{
	(void)rig_start_system(&rig, NULL, CONFIG "[server]\nroot-connect = notify\n");
	return 0;
}

static int set_up_free(void **state)
{
	(void)rig_start_system(&rig, NULL, CONFIG "[server]\nroot-connect = free\n");
	return 0;
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

/* The leader is given something to keep for the session's owner. */
static void keeps(struct rig_leader *l, const char *text)
{
	struct link_simple kept = rig_leader_gets(l, LINK_NOTICE);
	assert_int_equal(kept.flags, LINK_NOTICE_LATER);
	assert_non_null(strstr(kept.text, text));
}

/* The session comes back to a terminal of its owner's, who reads what was kept for him. */
static void comes_back(struct rig_leader *l, uid_t owner, const char *session)
{
	struct rig_door d = rig_door_as(&rig, owner, NULL);
	struct rig_asking a = rig_ask_connect(&rig, owner, session, d.name, RIG_NO_WARRANT);
	struct link_simple commit = rig_connect_done(&a, l, &d);
	assert_int_equal(commit.flags, LINK_COMMIT_NOTICE);
	rig_asking_done(&a);
	rig_leader_moves(l, "");
	rig_leave(&d.peer);
}

static void the_displaced_owner_reads_who_it_was_there_and_when_he_comes_back(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	char text[128];
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_leader five = rig_session_of(&rig, ALICE, 5, d.name);
	struct rig_leader of_dave = rig_session_of(&rig, DAVE, 20, "");
	struct rig_asking a = rig_ask_connect(&rig, DAVE, "20", d.name, RIG_WARRANT);
	(void)rig_leader_warrants(&of_dave, 0);
	struct link_simple commit = rig_connect_noticed(&a, &of_dave, &d,
		"Session 5 of uid 3000000 was disconnected from this terminal by uid 3000004");
	assert_int_equal(commit.flags, 0); /* what dave has not read yet waits for the next time */
	(void)snprintf(
		text, sizeof(text), "Session 5 was disconnected from %s by uid 3000004", d.name);
	keeps(&five, text);
	rig_leader_moves(&five, "");
	rig_asking_done(&a);
	comes_back(&five, ALICE, "5");
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&of_dave);
}

static void who_displaces_his_own_session_is_told_nothing(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_leader five = rig_session_of(&rig, ALICE, 5, d.name);
	struct rig_leader six = rig_session_of(&rig, ALICE, 6, "");
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "6", d.name, RIG_NO_WARRANT);
	(void)rig_connect_done(&a, &six, &d);
	assert_true(rig_leader_gets_nothing(&five));
	rig_leader_moves(&five, "");
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&six);
}

static void what_is_kept_is_for_the_owner_alone(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, 0);
	assert_int_equal(rig_connect_done(&a, &l, &d).flags, 0);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void root_takes_over(struct rig_leader *l, struct rig_door *d)
{
	struct rig_asking a = rig_ask_connect(&rig, 0, "12", d->name, RIG_WARRANT);
	struct link_simple asked = rig_leader_warrants(l, 0);
	assert_int_equal(asked.flags, LINK_FREE_OF_PASSWORD);
	struct link_simple commit = rig_connect_noticed(
		&a, l, d, "Session 12 of uid 3000001 was taken over without a password by root");
	assert_int_equal(commit.flags, 0);
	rig_asking_done(&a);
}

static void root_comes_in_without_a_password_and_the_owner_learns_of_it(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, 0, NULL);
	root_takes_over(&l, &d);
	keeps(&l, "Session 12 was taken over without a password by root");
	/* That is root alone, not every administrator; and never without a warrant. */
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, DAVE, "12", of_dave.name, RIG_WARRANT);
	assert_int_equal(rig_refusal(&a.peer), 1326);
	rig_asking_done(&a);
	rig_leader_moves(&l, "");
	a = rig_ask_connect(&rig, 0, "12", d.name, RIG_NO_WARRANT);
	assert_int_equal(rig_refusal(&a.peer), 5);
	rig_asking_done(&a);
	comes_back(&l, BOB, "12");
	rig_leave(&of_dave.peer);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_free_root_is_announced_where_he_comes_and_nothing_is_kept(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, 0, NULL);
	root_takes_over(&l, &d);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_moved_session_says_who_took_it_and_from_where(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "TERM03");
	struct rig_leader own = rig_session_of(&rig, ALICE, 5, "tty#9");
	link_set_text(own.info.client, "192.0.2.7");
	own.info.tty_device = rig_own_tty(); /* the caller sits in it */
	rig_leader_says(&own);
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, 0);
	struct link_simple commit = rig_connect_done(&a, &l, &d);
	assert_string_equal(commit.text,
		"Session 12 was connected to tty#1 by uid 3000000 at tty#9 (192.0.2.7).");
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&own);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define NOTIFY(name) cmocka_unit_test_setup_teardown(name, set_up_notify, tear_down)
#define FREE(name) cmocka_unit_test_setup_teardown(name, set_up_free, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_displaced_owner_reads_who_it_was_there_and_when_he_comes_back),
		TEST(who_displaces_his_own_session_is_told_nothing),
		TEST(what_is_kept_is_for_the_owner_alone),
		NOTIFY(root_comes_in_without_a_password_and_the_owner_learns_of_it),
		FREE(a_free_root_is_announced_where_he_comes_and_nothing_is_kept),
		TEST(a_moved_session_says_who_took_it_and_from_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
