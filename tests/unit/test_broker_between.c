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

static int set_up_notify(void **state)
{
	return start(CONFIG "[server]\nroot-connect = notify\n", NULL);
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

/* A caller with a connect under way. */
struct asking {
	struct rig_peer peer;
	int warrant_fd; /* our end of the warrant */
};

enum with { NO_WARRANT, WARRANT, PASSWORD };

static struct asking ask(uid_t uid, const char *session, const char *destination, enum with with)
{
	struct asking a = { .peer = rig_caller_as(&rig, uid), .warrant_fd = -1 };
	json_t *parameters = json_pack(
		"{s:s?, s:s?}", "session", session, "destination", destination);
	int pair[2] = { -1, -1 };
	if (with != NO_WARRANT) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		(void)json_object_set_new(parameters, "warrant", json_integer(0));
		(void)json_object_set_new(parameters, "password", json_boolean(with == PASSWORD));
	}
	rig_ask_full(&a.peer, "Connect", parameters, false, pair[1]);
	if (pair[1] >= 0) {
		(void)close(pair[1]);
	}
	a.warrant_fd = pair[0];
	return a;
}

static void leave(struct asking *a)
{
	rig_leave(&a->peer);
	if (a->warrant_fd >= 0) {
		(void)close(TAKE_FD(a->warrant_fd));
	}
}

static int code_of(uid_t uid, const char *session, const char *destination, enum with with)
{
	struct asking a = ask(uid, session, destination, with);
	int code = rig_refusal(&a.peer);
	leave(&a);
	return code;
}

/* The leader is shown the warrant and answers. */
static struct link_simple leader_says(struct rig_leader *l, int error)
{
	AUTO_FD int warrant = -1;
	struct link_simple packet = rig_leader_gets_fd(l, LINK_WARRANT, &warrant);
	assert_true(warrant >= 0);
	rig_leader_sends(l, LINK_WARRANTED, packet.header.serial, error);
	return packet;
}

/* From the door's cable to the answer; `notice` is part of what the session shows first, or NULL.
 */
static void finish_noticed(
	struct asking *a, struct rig_leader *l, struct rig_door *d, const char *notice)
{
	rig_door_waits_for_cable(d);
	assert_int_equal(rig_door_gives(d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(l, LINK_PLUG, &cable);
	rig_leader_sends(l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&a->peer), 0);
	if (notice != NULL) {
		struct link_simple told = rig_leader_gets(l, LINK_NOTICE);
		assert_non_null(strstr(told.text, notice));
	}
	struct link_simple commit = rig_leader_gets(l, LINK_COMMIT);
	rig_leader_sends(l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(l, d->name);
}

static void finish(struct asking *a, struct rig_leader *l, struct rig_door *d)
{
	finish_noticed(a, l, d, NULL);
}

static void another_users_session_takes_its_owners_password(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	/* Without one it fails at once, and the leader is not even asked. */
	assert_int_equal(code_of(ALICE, "12", d.name, NO_WARRANT), 1326);
	assert_int_equal(code_of(ALICE, "12", d.name, WARRANT), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	assert_true(rig_silent(&a.peer));
	struct link_simple asked = leader_says(&l, 0);
	assert_int_equal(asked.flags, 0);
	assert_string_equal(asked.terminal, d.name);
	finish(&a, &l, &d);
	leave(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void an_administrator_needs_the_password_as_well_and_so_does_root(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	struct rig_door of_root = rig_door_as(&rig, 0, NULL);
	assert_int_equal(code_of(DAVE, "12", of_dave.name, WARRANT), 1326);
	assert_int_equal(code_of(0, "12", of_root.name, WARRANT), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&of_dave.peer);
	rig_leave(&of_root.peer);
	rig_leader_dies(&l);
}

static void root_comes_in_without_a_password_where_the_configuration_says_so(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, 0, NULL);
	struct asking a = ask(0, "12", d.name, WARRANT);
	struct link_simple asked = leader_says(&l, 0);
	assert_int_equal(asked.flags, LINK_FREE_OF_PASSWORD);
	finish_noticed(&a, &l, &d, " was taken over without a password by root");
	leave(&a);
	/* That is root alone, not every administrator; and never without a warrant. */
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	assert_int_equal(code_of(DAVE, "12", of_dave.name, WARRANT), 1326);
	rig_leader_moves(&l, "");
	assert_int_equal(code_of(0, "12", d.name, NO_WARRANT), 5);
	rig_leave(&of_dave.peer);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void rights_come_before_the_password_and_make_no_oracle(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door of_carol = rig_door_as(&rig, CAROL, NULL);
	struct rig_door of_alice = rig_door_as(&rig, ALICE, NULL);
	/* She sees it and may not; he does not even see it. */
	assert_int_equal(code_of(CAROL, "12", of_carol.name, PASSWORD), 5);
	assert_int_equal(code_of(MALLORY, "12", of_alice.name, PASSWORD), 7022);
	assert_int_equal(code_of(MALLORY, "99", of_alice.name, PASSWORD), 7022);
	/* The terminal of somebody else: its user sits before it. */
	assert_int_equal(code_of(BOB, "12", of_alice.name, WARRANT), 5);
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
		struct asking a = ask(ALICE, "12", d.name, PASSWORD);
		(void)leader_says(&l, cases[i].error);
		assert_int_equal(rig_refusal(&a.peer), cases[i].code);
		assert_true(rig_leader_gets_nothing(&l));
		assert_true(rig_silent(&d.peer));
		leave(&a);
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
	struct asking slow = ask(ALICE, "12", of_alice.name, PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	/* The owner has his session meanwhile. */
	struct asking own = ask(BOB, "12", of_bob.name, NO_WARRANT);
	finish(&own, &l, &of_bob);
	leave(&own);
	/* And whoever has asked long ago is judged by what is now. */
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	finish(&slow, &l, &of_alice);
	leave(&slow);
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
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	rig_leader_moves(&other, d.name);
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_int_equal(rig_refusal(&a.peer), 5);
	leave(&a);
	/* The same words can mean another session by now. */
	rig_leader_moves(&other, "");
	a = ask(ALICE, "TERM05", d.name, PASSWORD);
	AUTO_FD int second = -1;
	asked = rig_leader_gets_fd(&l, LINK_WARRANT, &second);
	rig_leader_moves(&l, "");
	rig_leader_moves(&other, "TERM05");
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_int_equal(rig_refusal(&a.peer), 7024);
	leave(&a);
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
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	leave(&a);
	rig_leader_sends(&l, LINK_WARRANTED, asked.header.serial, 0);
	assert_true(rig_silent(&d.peer));
	assert_true(rig_leader_gets_nothing(&l));
	/* The session. */
	a = ask(ALICE, "12", d.name, PASSWORD);
	AUTO_FD int second = -1;
	asked = rig_leader_gets_fd(&l, LINK_WARRANT, &second);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	assert_int_equal(rig_refusal(&a.peer), 7022);
	leave(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_leader_that_never_answers_is_given_up(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&l, LINK_WARRANT, &warrant);
	assert_int_equal(rig_refusal(&a.peer), 7040);
	leave(&a);
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
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	(void)leader_says(&l, -EKEYREJECTED);
	/* The leader has closed its end, and no copy is left with the broker. */
	char byte;
	assert_int_equal(recv(a.warrant_fd, &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(rig_refusal(&a.peer), 1326);
	leave(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_wrong_password_is_answered_late_and_blocks_the_next_try(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "");
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	uint64_t began = clock_monotonic_ms();
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	(void)leader_says(&l, -EKEYREJECTED);
	assert_true(rig_silent(&a.peer));
	/* Also when the first caller hangs up. */
	leave(&a);
	assert_int_equal(code_of(ALICE, "12", d.name, PASSWORD), 7024);
	/* Bob's own session is open to him all the while. */
	struct rig_door of_bob = rig_door_as(&rig, BOB, NULL);
	struct asking own = ask(BOB, "12", of_bob.name, NO_WARRANT);
	finish(&own, &l, &of_bob);
	leave(&own);
	while (!TAILQ_EMPTY(&rig.broker->inquiries)) {
		rig_turn(&rig);
	}
	assert_true(clock_monotonic_ms() - began >= 1000);
	a = ask(ALICE, "12", d.name, PASSWORD);
	(void)leader_says(&l, -EKEYREJECTED);
	assert_int_equal(rig_refusal(&a.peer), 1326);
	assert_true(clock_monotonic_ms() - began >= 2000);
	leave(&a);
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
		struct asking a = ask(ALICE, "12", d.name, PASSWORD);
		(void)leader_says(&l, -EKEYREJECTED);
		assert_int_equal(rig_refusal(&a.peer), 1326);
		leave(&a);
	}
	assert_int_equal(code_of(ALICE, "12", d.name, PASSWORD), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	/* Another user can still. */
	struct rig_door of_dave = rig_door_as(&rig, DAVE, NULL);
	struct asking a = ask(DAVE, "12", of_dave.name, PASSWORD);
	(void)leader_says(&l, 0);
	finish(&a, &l, &of_dave);
	leave(&a);
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
		struct asking a = ask(ALICE, "12", d.name, PASSWORD);
		(void)leader_says(&l, errors[i % 2]);
		assert_int_not_equal(rig_refusal(&a.peer), 0);
		leave(&a);
	}
	assert_int_equal(code_of(ALICE, "12", d.name, PASSWORD), 1326);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void an_own_session_comes_to_another_users_door_with_a_warrant_alone(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, ALICE, 6, "");
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM05");
	assert_int_equal(code_of(ALICE, "6", "TERM05", NO_WARRANT), 5);
	struct asking a = ask(ALICE, "6", "TERM05", WARRANT);
	struct link_simple asked = leader_says(&l, 0);
	assert_int_equal(asked.flags, 0);
	finish(&a, &l, &d);
	leave(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

/* A caller who sits in this session. */
static void sits_in(struct rig_leader *l)
{
	l->info.tty_device = rig_own_tty();
	rig_leader_says(l);
}

static void the_displaced_owner_reads_who_it_was_there_and_when_he_comes_back(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct rig_leader five = rig_session_of(&rig, ALICE, 5, d.name);
	struct rig_leader of_dave = rig_session_of(&rig, DAVE, 20, "");
	struct asking a = ask(DAVE, "20", d.name, WARRANT);
	(void)leader_says(&of_dave, 0);
	finish_noticed(&a, &of_dave, &d,
		"Session 5 of uid 3000000 was disconnected from this terminal by uid 3000004");
	rig_leader_moves(&five, "");
	leave(&a);
	for (int i = 0; i < 2; i++) {
		char text[128];
		struct rig_door next = rig_door_as(&rig, ALICE, NULL);
		(void)snprintf(text, sizeof(text),
			"Session 5 was disconnected from %s by uid 3000004", d.name);
		a = ask(ALICE, "5", next.name, NO_WARRANT);
		finish_noticed(&a, &five, &next, i == 0 ? text : NULL);
		leave(&a);
		rig_leader_moves(&five, "");
		rig_leave(&next.peer);
	}
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&of_dave);
}

static void a_moved_session_says_who_took_it_and_from_where(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "TERM03");
	struct rig_leader own = rig_session_of(&rig, ALICE, 5, "tty#9");
	link_set_text(own.info.client, "192.0.2.7");
	sits_in(&own);
	struct rig_door d = rig_door_as(&rig, ALICE, NULL);
	struct asking a = ask(ALICE, "12", d.name, PASSWORD);
	(void)leader_says(&l, 0);
	rig_door_waits_for_cable(&d);
	assert_int_equal(rig_door_gives(&d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&l, LINK_PLUG, &cable);
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&a.peer), 0);
	struct link_simple commit = rig_leader_gets(&l, LINK_COMMIT);
	assert_string_equal(commit.text,
		"Session 12 was connected to tty#1 by uid 3000000 at tty#9 (192.0.2.7).");
	rig_leader_sends(&l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(&l, d.name);
	leave(&a);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&own);
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
	assert_int_equal(code_of(ALICE, "6", "console", WARRANT), 7042);
	assert_int_equal(code_of(ALICE, "7", "console", WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "9", here.name, WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "0", here.name, WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "console", here.name, WARRANT), 7041);
	assert_int_equal(code_of(DAVE, "9", here.name, PASSWORD), 7041);
	struct rig_peer p = rig_caller_as(&rig, DAVE);
	rig_ask(&p, "Disconnect", json_pack("{s:s}", "session", "console"));
	assert_int_equal(rig_refusal(&p), 7041);
	rig_ask(&p, "Logoff", json_pack("{s:s}", "session", "0"));
	assert_int_equal(rig_refusal(&p), 5);
	rig_leave(&p);
	/* Typed at the console. */
	sits_in(&there);
	assert_int_equal(code_of(ALICE, "6", NULL, WARRANT), 7041);
	assert_int_equal(code_of(ALICE, "6", here.name, WARRANT), 7041);
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
	struct asking a = ask(ALICE, "6", "console", WARRANT);
	(void)leader_says(&idle, 0);
	finish(&a, &idle, &console);
	rig_leader_moves(&there, "");
	leave(&a);
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
#define NOTIFY(name) cmocka_unit_test_setup_teardown(name, set_up_notify, tear_down)
#define RELAXED(name) cmocka_unit_test_setup_teardown(name, set_up_relaxed, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(another_users_session_takes_its_owners_password),
		TEST(an_administrator_needs_the_password_as_well_and_so_does_root),
		NOTIFY(root_comes_in_without_a_password_where_the_configuration_says_so),
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
		TEST(the_displaced_owner_reads_who_it_was_there_and_when_he_comes_back),
		TEST(a_moved_session_says_who_took_it_and_from_where),
		TEST(the_console_keeps_its_session),
		RELAXED(a_relaxed_console_is_a_terminal_like_others),
		TEST(an_own_session_comes_to_another_users_door_with_a_warrant_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
