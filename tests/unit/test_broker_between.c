/* connect between users: rights, the console's rules, then the password; and nothing is locked
 * while somebody is asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"

#define CONFIG                                                                                     \
	"[server]\n"                                                                               \
	"administrators = root, dave\n"                                                            \
	"failure-delay = 0\n"                                                                      \
	"[rights]\n"                                                                               \
	"* = User\n"                                                                               \
	"mallory = None\n"                                                                         \
	"carol = LOGON QUERY\n"                                                                    \
	"[console]\n"                                                                              \
	"user = door\n"                                                                            \
	"line = /dev/tty1\n"                                                                       \
	"[terminal TERM03]\n"                                                                      \
	"user = door\n"                                                                            \
	"line = /dev/ttyS0\n"                                                                      \
	"[terminal TERM05]\n"                                                                      \
	"user = door\n"

static struct rig rig;

static int start(const char *config, const struct limits *limits)
{
	(void)rig_start_system(&rig, limits, config);
	return 0;
}

static int set_up(void **state)
{
	return start(CONFIG, NULL);
}

static int set_up_slow(void **state)
{
	return start(CONFIG "[server]\nfailure-delay = 1\n", NULL);
}

static int set_up_short(void **state)
{
	return start(CONFIG, &RIG_SHORT_LIMITS);
}

static int set_up_relaxed(void **state)
{
	return start(CONFIG "[console]\nrules = relaxed\n", NULL);
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

static int code_of(uid_t uid, const char *session, const char *destination, enum rig_with with)
{
	struct rig_asking a = rig_ask_connect(&rig, uid, session, destination, with);
	int code = rig_refusal(&a.peer);
	rig_asking_done(&a);
	return code;
}

static void another_users_session_takes_its_owners_password(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	/* Without one it fails at once, and the leader is not even asked. */
	assert_int_equal(code_of(ALICE, "12", d.name, RIG_NO_WARRANT), 1326);
	assert_int_equal(code_of(ALICE, "12", d.name, RIG_WARRANT), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	assert_true(rig_silent(&a.peer));
	struct link_simple asked = rig_leader_warrants(&l, 0);
	assert_int_equal(asked.flags, 0);
	assert_string_equal(asked.terminal, d.name);
	rig_connect_done(&a, &l, &d);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void an_administrator_needs_the_password_as_well_and_so_does_root(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	struct rig_door of_root = rig_door_as(&rig, 0, NULL);
	assert_int_equal(code_of(DAVE, "12", of_dave.name, RIG_WARRANT), 1326);
	assert_int_equal(code_of(0, "12", of_root.name, RIG_WARRANT), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&of_dave.peer);
	rig_leave(&of_root.peer);
	rig_leader_dies(&l);
}

static void rights_come_before_the_password_and_make_no_oracle(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door of_carol = rig_door_as(&rig, CAROL, NULL);
	struct rig_door of_alice = rig_door_as(&rig, ALICE, NULL);
	/* She sees it and may not; he does not even see it. */
	assert_int_equal(code_of(CAROL, "12", of_carol.name, RIG_PASSWORD), 5);
	assert_int_equal(code_of(MALLORY, "12", of_alice.name, RIG_PASSWORD), 7022);
	assert_int_equal(code_of(MALLORY, "99", of_alice.name, RIG_PASSWORD), 7022);
	/* The terminal of somebody else: its user sits before it. */
	assert_int_equal(code_of(BOB, "12", of_alice.name, RIG_WARRANT), 5);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&of_carol.peer);
	rig_leave(&of_alice.peer);
	rig_leader_dies(&l);
}

static void what_the_leader_says_becomes_a_code_and_changes_nothing(void **state)
{
	static const struct {
		int error, code;
	} cases[] = {
		{ -EKEYREJECTED, 1326 },
		{ -EKEYREVOKED, 7064 },
		{ -EACCES, 5 },
		{ -EPROTO, 5 },
		{ -ETIME, 7040 },
		{ -EBUSY, 7024 },
		{ -ENOMEM, 8 },
		{ 77, 87 },
		{ INT32_MIN, 87 },
	};
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
		(void)rig_leader_warrants(&l, cases[i].error);
		assert_int_equal(rig_refusal(&a.peer), cases[i].code);
		assert_true(rig_leader_gets_nothing(&l));
		assert_true(rig_silent(&d.peer));
		rig_asking_done(&a);
	}
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void nobody_is_in_the_way_while_a_password_is_asked_for(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door of_alice = rig_door_as(&rig, ALICE, NULL);
	struct rig_door of_bob = rig_door_as(&rig, BOB, NULL);
	struct rig_asking slow = rig_ask_connect(&rig, ALICE, "12", of_alice.name, RIG_PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	/* The owner has his session meanwhile. */
	struct rig_asking own = rig_ask_connect(&rig, BOB, "12", of_bob.name, RIG_NO_WARRANT);
	rig_connect_done(&own, &l, &of_bob);
	rig_asking_done(&own);
	/* And whoever has asked long ago is judged by what is now. */
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	rig_connect_done(&slow, &l, &of_alice);
	rig_asking_done(&slow);
	rig_leave(&of_alice.peer);
	rig_leave(&of_bob.peer);
	rig_leader_dies(&l);
}

static void rights_that_went_while_the_password_was_asked_for_are_missed(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "TERM05");
	struct rig_leader other = rig_session_of(&rig, CAROL, 13, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	rig_leader_moves(&other, d.name);
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_int_equal(rig_refusal(&a.peer), 5);
	rig_asking_done(&a);
	/* The same words can mean another session by now. */
	rig_leader_moves(&other, "");
	a = rig_ask_connect(&rig, ALICE, "TERM05", d.name, RIG_PASSWORD);
	AUTO_FD int second = -1;
	asked = rig_leader_gets_fd(&l, LINK_WARRANT, &second);
	rig_leader_moves(&l, "");
	rig_leader_moves(&other, "TERM05");
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_int_equal(rig_refusal(&a.peer), 7024);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&other);
}

static void whoever_goes_while_a_password_is_asked_for_changes_nothing(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	/* The caller: the leader's yes finds nobody. */
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	rig_asking_done(&a);
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_true(rig_silent(&d.peer));
	assert_true(rig_leader_gets_nothing(&l));
	/* The session. */
	a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	AUTO_FD int second = -1;
	asked = rig_leader_gets_fd(&l, LINK_WARRANT, &second);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	assert_int_equal(rig_refusal(&a.peer), 7022);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_leader_that_never_answers_is_given_up(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	assert_int_equal(rig_refusal(&a.peer), 7040);
	rig_asking_done(&a);
	/* Its late word means nothing any more. */
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_true(rig_silent(&d.peer));
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void the_caller_alone_holds_the_other_end_of_his_warrant(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, -EKEYREJECTED);
	/* The leader has closed its end, and no copy is left with the broker. */
	char byte;
	assert_int_equal(recv(a.warrant_fd, &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(rig_refusal(&a.peer), 1326);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_wrong_password_is_answered_late_and_blocks_the_next_try(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	uint64_t began = clock_monotonic_ms();
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, -EKEYREJECTED);
	assert_true(rig_silent(&a.peer));
	/* Also when the first caller hangs up. */
	rig_asking_done(&a);
	assert_int_equal(code_of(ALICE, "12", d.name, RIG_PASSWORD), 7024);
	/* Bob's own session is open to him all the while. */
	struct rig_door of_bob = rig_door_as(&rig, BOB, NULL);
	struct rig_asking own = rig_ask_connect(&rig, BOB, "12", of_bob.name, RIG_NO_WARRANT);
	rig_connect_done(&own, &l, &of_bob);
	rig_asking_done(&own);
	while (!TAILQ_EMPTY(&rig.broker->inquiries)) {
		rig_turn(&rig);
	}
	assert_true(clock_monotonic_ms() - began >= 1000);
	a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, -EKEYREJECTED);
	assert_int_equal(rig_refusal(&a.peer), 1326);
	assert_true(clock_monotonic_ms() - began >= 2000);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leave(&of_bob.peer);
	rig_leader_dies(&l);
}

static void after_ten_wrong_passwords_the_right_one_is_not_even_tried(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	for (int i = 0; i < 10; i++) {
		struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
		(void)rig_leader_warrants(&l, -EKEYREJECTED);
		assert_int_equal(rig_refusal(&a.peer), 1326);
		rig_asking_done(&a);
	}
	assert_int_equal(code_of(ALICE, "12", d.name, RIG_PASSWORD), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	/* Another user can still. */
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	struct rig_asking a = rig_ask_connect(&rig, DAVE, "12", of_dave.name, RIG_PASSWORD);
	(void)rig_leader_warrants(&l, 0);
	rig_connect_done(&a, &l, &of_dave);
	rig_asking_done(&a);
	rig_leave(&of_dave.peer);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_try_that_nobody_finishes_counts_like_a_wrong_password(void **state)
{
	static const int errors[] = { -ETIME, -EIO };
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	for (int i = 0; i < 10; i++) {
		struct rig_asking a = rig_ask_connect(&rig, ALICE, "12", d.name, RIG_PASSWORD);
		(void)rig_leader_warrants(&l, errors[i % 2]);
		assert_int_not_equal(rig_refusal(&a.peer), 0);
		rig_asking_done(&a);
	}
	assert_int_equal(code_of(ALICE, "12", d.name, RIG_PASSWORD), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void an_own_session_comes_to_another_users_door_with_a_warrant_alone(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, ALICE, 6, "");
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM05");
	assert_int_equal(code_of(ALICE, "6", "TERM05", RIG_NO_WARRANT), 5);
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "6", "TERM05", RIG_WARRANT);
	struct link_simple asked = rig_leader_warrants(&l, 0);
	assert_int_equal(asked.flags, 0);
	rig_connect_done(&a, &l, &d);
	rig_asking_done(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

/* A caller who sits in this session. */
static void sits_in(struct rig_leader *l)
{
	l->info.tty_device = rig_own_tty();
	rig_leader_says(l);
}

static void the_console_keeps_its_session(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door console = rig_door_as(&rig, DOOR, "console");
	struct rig_door here = rig_door_as(&rig, ALICE, NULL);
	struct rig_leader there = rig_session_of(&rig, ALICE, 9, "console");
	struct rig_leader idle = rig_session_of(&rig, ALICE, 6, "");
	struct rig_leader active = rig_session_of(&rig, ALICE, 7, "tty#9");
	/* Whatever is given besides: the rules come before warrants and passwords. */
	assert_int_equal(code_of(ALICE, "6", "console", RIG_WARRANT), 7042);
	assert_int_equal(code_of(ALICE, "7", "console", RIG_WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "9", here.name, RIG_WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "0", here.name, RIG_WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "console", here.name, RIG_WARRANT), 7041);
	assert_int_equal(code_of(DAVE, "9", here.name, RIG_PASSWORD), 7041);
	struct rig_peer p = rig_caller_as(&rig, DAVE);
	rig_ask(&p, "Disconnect", json_pack("{s:s}", "session", "console"));
	assert_int_equal(rig_refusal(&p), 7041);
	rig_ask(&p, "Logoff", json_pack("{s:s}", "session", "0"));
	assert_int_equal(rig_refusal(&p), 5);
	rig_leave(&p);
	/* Typed at the console. */
	sits_in(&there);
	assert_int_equal(code_of(ALICE, "6", NULL, RIG_WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "6", here.name, RIG_WARRANT), 7041);
	assert_true(rig_leader_gets_nothing(&there));
	assert_true(rig_leader_gets_nothing(&idle));
	rig_leave(&console.peer);
	rig_leave(&here.peer);
	rig_leader_dies(&there);
	rig_leader_dies(&idle);
	rig_leader_dies(&active);
}

static void a_relaxed_console_is_a_terminal_like_others(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door console = rig_door_as(&rig, DOOR, "console");
	struct rig_leader there = rig_session_of(&rig, ALICE, 9, "console");
	struct rig_leader idle = rig_session_of(&rig, ALICE, 6, "");
	struct rig_asking a = rig_ask_connect(&rig, ALICE, "6", "console", RIG_WARRANT);
	(void)rig_leader_warrants(&idle, 0);
	rig_connect_done(&a, &idle, &console);
	rig_leader_moves(&there, "");
	rig_asking_done(&a);
	rig_leave(&console.peer);
	rig_leader_dies(&there);
	rig_leader_dies(&idle);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
#define SLOW(name) cmocka_unit_test_setup_teardown(name, set_up_slow, tear_down)
#define RELAXED(name) cmocka_unit_test_setup_teardown(name, set_up_relaxed, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(another_users_session_takes_its_owners_password),
		TEST(an_administrator_needs_the_password_as_well_and_so_does_root),
		TEST(rights_come_before_the_password_and_make_no_oracle),
		TEST(what_the_leader_says_becomes_a_code_and_changes_nothing),
		TEST(nobody_is_in_the_way_while_a_password_is_asked_for),
		TEST(rights_that_went_while_the_password_was_asked_for_are_missed),
		TEST(whoever_goes_while_a_password_is_asked_for_changes_nothing),
		SHORT(a_leader_that_never_answers_is_given_up),
		TEST(the_caller_alone_holds_the_other_end_of_his_warrant),
		SLOW(a_wrong_password_is_answered_late_and_blocks_the_next_try),
		TEST(after_ten_wrong_passwords_the_right_one_is_not_even_tried),
		TEST(a_try_that_nobody_finishes_counts_like_a_wrong_password),
		TEST(the_console_keeps_its_session),
		RELAXED(a_relaxed_console_is_a_terminal_like_others),
		TEST(an_own_session_comes_to_another_users_door_with_a_warrant_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
