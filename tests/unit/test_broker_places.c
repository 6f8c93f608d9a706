/* Which door gets which name, and where it comes in, in a server for all users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/limits.h"
#include "broker/origin.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"

#define CONFIG                                                                                     \
	"[rights]\n"                                                                               \
	"* = User\n"                                                                               \
	"mallory = None\n"                                                                         \
	"[rights ssh]\n"                                                                           \
	"carol = User\n"                                                                           \
	"door = None\n"                                                                            \
	"[console]\n"                                                                              \
	"user = door\n"                                                                            \
	"line = /dev/tty1\n"                                                                       \
	"[terminal TERM03]\n"                                                                      \
	"user = door\n"                                                                            \
	"line = /dev/ttyS0\n"                                                                      \
	"[terminal TERM05]\n"                                                                      \
	"user = door\n"                                                                            \
	"user = alice\n"                                                                           \
	"listener = ssh\n"

static struct rig rig;

static int set_up(void **state)
{
	(void)rig_start_system(&rig, NULL, CONFIG);
	return 0;
}

static int set_up_short(void **state)
{
	(void)rig_start_system(&rig, &RIG_SHORT_LIMITS, CONFIG);
	return 0;
}

static int set_up_steal(void **state)
{
	(void)rig_start_system(&rig, NULL,
		CONFIG "[listener ssh]\non-steal = login\n[listener tty]\non-steal = close\n");
	return 0;
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

/* Whoever runs this from an ssh login is an ssh door whatever he says. */
#define NEEDS_NO_SSH()                                                                             \
	do {                                                                                       \
		AUTO_FD int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);              \
		if (origin_is_ssh(proc, getpid())) {                                               \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static json_t *terminal(const char *name, const char *kind, const char *secret)
{
	return json_pack("{s:s?, s:s, s:s, s:i, s:i, s:s?, s:s}", "name", name, "kind", kind,
		"term", "xterm", "rows", 24, "columns", 80, "secret", secret, "device",
		"/dev/pts/9");
}

static int code_of(uid_t uid, const char *name, const char *kind, const char *secret)
{
	struct rig_peer p = rig_caller_as(&rig, uid);
	rig_ask_full(&p, "OpenTerminal", terminal(name, kind, secret), true, -1);
	int code = rig_refusal(&p);
	rig_leave(&p);
	return code;
}

#define SOME_SECRET "00112233445566778899aabbccddeeff"

static void a_fixed_name_is_for_the_doors_that_are_configured_for_it(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 0);
	assert_int_equal(code_of(DOOR, "term03", "tty", NULL), 0);
	assert_int_equal(code_of(DOOR, "console", "tty", NULL), 0);
	assert_int_equal(code_of(ALICE, "TERM05", "tty", NULL), 0);
	assert_int_equal(code_of(ALICE, "TERM03", "tty", NULL), 5);
	assert_int_equal(code_of(0, "TERM03", "tty", NULL), 5);
	assert_int_equal(code_of(ALICE, "Console", "tty", NULL), 5);
	/* A secret is no key to it. */
	assert_int_equal(code_of(ALICE, "TERM03", "tty", SOME_SECRET), 5);
	/* And nobody makes up a name. */
	assert_int_equal(code_of(DOOR, "TERM99", "tty", NULL), 5);
	assert_int_equal(code_of(ALICE, "TERM99", "tty", SOME_SECRET), 5);
	assert_int_equal(code_of(ALICE, "services", "tty", NULL), 7001);
	assert_int_equal(code_of(ALICE, "rdp-tcp", "tty", NULL), 7001);
	assert_int_equal(code_of(ALICE, "tty#1", "tty", NULL), 7001);
}

static void a_name_is_held_by_one_door(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM05");
	assert_int_equal(code_of(ALICE, "term05", "tty", NULL), 7023);
	assert_int_equal(code_of(DOOR, "TERM05", "tty", SOME_SECRET), 7023);
	/* The same door again, before its death was noticed. */
	assert_int_equal(code_of(DOOR, "TERM05", "tty", d.secret), 0);
	/* Another user's does not become it by knowing the secret. */
	struct rig_door again = rig_door_as(&rig, DOOR, "TERM05");
	assert_int_equal(code_of(ALICE, "TERM05", "tty", again.secret), 7023);
	rig_leave(&again.peer);
	rig_leave(&d.peer);
}

static void a_given_name_comes_back_as_what_it_was(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	assert_int_equal(code_of(ALICE, "tty#4", "tty", SOME_SECRET), 0);
	assert_int_equal(code_of(ALICE, "ssh#4", "tty", SOME_SECRET), 5);
	assert_int_equal(code_of(ALICE, "tty#x", "tty", SOME_SECRET), 5);
	assert_int_equal(code_of(ALICE, "tty#", "tty", SOME_SECRET), 5);
	/* What a session is on belongs to the door that knows the secret, whosever the session is.
	 */
	struct rig_leader l = rig_session_of(&rig, BOB, 12, "tty#7");
	char secret[TERMINAL_SECRET_TEXT_SIZE];
	memset(l.info.token, 0x5a, sizeof(l.info.token));
	rig_leader_says(&l);
	terminal_secret_text(secret, l.info.token);
	assert_int_equal(code_of(ALICE, "tty#7", "tty", SOME_SECRET), 7023);
	assert_int_equal(code_of(BOB, "tty#7", "tty", SOME_SECRET), 7023);
	assert_int_equal(code_of(ALICE, "tty#7", "tty", secret), 0);
	rig_leader_dies(&l);
}

static void who_may_not_log_on_there_gets_no_terminal(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	NEEDS_NO_SSH();
	assert_int_equal(code_of(MALLORY, NULL, "tty", NULL), 5);
	assert_int_equal(code_of(ALICE, NULL, "tty", NULL), 0);
	/* [rights ssh] takes the place of [rights]. */
	assert_int_equal(code_of(ALICE, NULL, "ssh", NULL), 5);
	assert_int_equal(code_of(CAROL, NULL, "ssh", NULL), 0);
	/* A configured door only opens: who logs on there is asked himself. */
	assert_int_equal(code_of(DOOR, "TERM05", "tty", NULL), 0);
}

static void listed(const char *name, const char *field, const char *expected)
{
	AUTO(json)
	json_t *answer = rig_call(&rig, "ListSessions", json_pack("{s:s}", "filter", name));
	json_t *row = json_array_get(json_object_get(answer, "sessions"), 0);
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, field)), expected);
}

static void a_terminal_shows_its_line_and_its_listener(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door three = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_door five = rig_door_as(&rig, DOOR, "term05");
	struct rig_door console = rig_door_as(&rig, DOOR, "CONSOLE");
	assert_string_equal(five.name, "TERM05");
	listed("TERM03", "device", "/dev/ttyS0");
	listed("TERM03", "listener", "tty");
	listed("TERM05", "listener", "ssh");
	listed("console", "device", "/dev/tty1");
	listed("console", "listener", "console");
	rig_leave(&three.peer);
	rig_leave(&five.peer);
	rig_leave(&console.peer);
}

static void becomes(uid_t uid, const char *name, const char *expected)
{
	struct rig_peer p = rig_caller_as(&rig, uid);
	rig_ask_full(&p, "OpenTerminal", terminal(name, "tty", NULL), true, -1);
	AUTO(json) json_t *ready = rig_answer(&p);
	assert_string_equal(json_string_value(json_object_get(ready, "onSteal")), expected);
	rig_leave(&p);
}

static void a_door_is_told_what_becomes_of_it_when_its_session_is_taken(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	becomes(DOOR, "TERM03", "login");
	becomes(DOOR, "TERM05", "login");
	becomes(ALICE, NULL, "close");
}

static void the_listener_says_what_becomes_of_its_terminals(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	NEEDS_NO_SSH();
	becomes(DOOR, "TERM03", "close");
	becomes(DOOR, "TERM05", "login");
	becomes(ALICE, NULL, "close");
}

/* Terminals of this user that are there already, without doors. */
static void fill(uid_t uid, unsigned count, bool fixed)
{
	for (unsigned i = 0; i < count; i++) {
		char name[LINK_NAME_SIZE];
		struct terminal *t;
		terminal_give_name(rig.broker, "tty", name);
		assert_int_equal(terminal_new(&t, rig.broker, name), 0);
		t->uid = uid;
		t->fixed = fixed;
	}
}

static void empty(void)
{
	while (!TAILQ_EMPTY(&rig.broker->terminals)) {
		(void)terminal_free(TAILQ_FIRST(&rig.broker->terminals));
	}
}

static void the_terminals_of_one_user_do_not_keep_others_out(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	fill(CAROL, LIMIT_TERMINALS_PER_UID - 1, false);
	assert_int_equal(code_of(CAROL, NULL, "tty", NULL), 0);
	fill(CAROL, 1, false);
	assert_int_equal(code_of(CAROL, NULL, "tty", NULL), 7054);
	assert_int_equal(code_of(ALICE, NULL, "tty", NULL), 0);
	/* All configured terminals may be one account's. */
	fill(DOOR, LIMIT_TERMINALS_PER_UID, true);
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 0);
	assert_int_equal(code_of(DOOR, "console", "tty", NULL), 0);
	empty();
}

static void the_last_places_are_for_terminals_that_are_configured(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	unsigned open = LIMIT_TERMINALS - LIMIT_TERMINALS_CONFIGURED;
	for (unsigned n = 0; n < open - 1; n++) {
		fill(CAROL + 10 + n, 1, false);
	}
	assert_int_equal(code_of(CAROL, NULL, "tty", NULL), 0);
	fill(CAROL + 10, 1, false);
	assert_int_equal(code_of(CAROL, NULL, "tty", NULL), 7054);
	assert_int_equal(code_of(CAROL, "TERM03", "tty", NULL), 5); /* a name is not enough */
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 0);
	assert_int_equal(code_of(DOOR, "console", "tty", NULL), 0);
	fill(DOOR, LIMIT_TERMINALS_CONFIGURED, true);
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7054);
	empty();
}

/* The leader is asked whether its host lives: its serial. */
static uint32_t is_asked(struct rig_leader *l)
{
	struct link_simple asked = rig_leader_gets(l, LINK_UNPLUG);
	assert_string_equal(asked.terminal, "");
	return asked.header.serial;
}

static void a_host_that_does_not_answer_loses_its_fixed_terminal_to_a_door_that_came_anew(
	void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, ALICE, 5, "TERM03");
	/* Whose terminal it is not, is none of whom it costs anything. */
	assert_int_equal(code_of(ALICE, "TERM03", "tty", NULL), 5);
	assert_true(rig_leader_gets_nothing(&l));
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023);
	(void)is_asked(&l);
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023); /* once is enough */
	assert_string_equal(rig_leader_gets(&l, LINK_UNPLUG).terminal, "TERM03");
	rig_leader_moves(&l, "");
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 0);
	rig_leader_dies(&l);
}

static void a_host_that_answers_keeps_its_terminal(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_leader l = rig_session_of(&rig, ALICE, 5, "TERM03");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023);
		rig_leader_sends(&l, LINK_UNPLUGGED, is_asked(&l), -ENOTCONN);
		assert_true(TAILQ_EMPTY(&rig.broker->operations));
		assert_true(rig_leader_gets_nothing(&l));
	}
	/* A door that is there is asked nothing about, and a leader that cannot ask is a no. */
	rig_leader_moves(&l, "");
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	rig_leader_moves(&l, "TERM03");
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023);
	rig_leader_sends(&l, LINK_UNPLUGGED, is_asked(&l), -EBUSY);
	assert_string_equal(rig_leader_gets(&l, LINK_UNPLUG).terminal, "TERM03");
	rig_leader_dies(&l);
}

static void who_leaves_while_he_is_asked_is_asked_no_more(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	for (int i = 0; i < 2; i++) {
		struct rig_leader l = rig_session_of(&rig, ALICE, 5 + (unsigned)i, "TERM03");
		assert_int_equal(code_of(DOOR, "TERM03", "tty", NULL), 7023);
		(void)is_asked(&l);
		if (i == 0) {
			rig_leader_moves(&l, "");
			assert_true(TAILQ_EMPTY(&rig.broker->operations));
		}
		rig_leader_dies(&l);
		for (int n = 0; n < 2000 && !TAILQ_EMPTY(&rig.broker->operations); n++) {
			rig_turn(&rig);
		}
		assert_true(TAILQ_EMPTY(&rig.broker->operations));
	}
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
#define STEAL(name) cmocka_unit_test_setup_teardown(name, set_up_steal, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_fixed_name_is_for_the_doors_that_are_configured_for_it),
		TEST(a_name_is_held_by_one_door),
		TEST(a_given_name_comes_back_as_what_it_was),
		TEST(who_may_not_log_on_there_gets_no_terminal),
		TEST(a_terminal_shows_its_line_and_its_listener),
		TEST(a_door_is_told_what_becomes_of_it_when_its_session_is_taken),
		TEST(the_terminals_of_one_user_do_not_keep_others_out),
		TEST(the_last_places_are_for_terminals_that_are_configured),
		SHORT(a_host_that_does_not_answer_loses_its_fixed_terminal_to_a_door_that_came_anew),
		TEST(a_host_that_answers_keeps_its_terminal),
		SHORT(who_leaves_while_he_is_asked_is_asked_no_more),
		STEAL(the_listener_says_what_becomes_of_its_terminals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
