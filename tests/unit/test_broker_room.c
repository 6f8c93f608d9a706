/* Who is still let in when a server for all users has almost as many connections as it can have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "broker/limits.h"
#include "broker_rig.h"

#define CONFIG                                                                                     \
	"[server]\n"                                                                               \
	"administrators = root, dave\n"                                                            \
	"[terminal TERM03]\n"                                                                      \
	"user = door\n"

static struct rig rig;

static int set_up(void **state)
{
	(void)rig_start_system(&rig, NULL, CONFIG);
	return 0;
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

/* Is he served while there is room for so many more? */
static bool is_let_in(uid_t uid, size_t left)
{
	size_t real = rig.broker->connection_count;
	size_t others = LIMIT_CONNECTIONS - left - real;
	rig.broker->connection_count += others;
	struct rig_peer p = rig_caller_as(&rig, uid);
	rig_ask(&p, "ListSessions", NULL);
	int code = rig_refusal(&p);
	assert_true(code == 0 || code == 7054);
	rig_leave(&p);
	rig.broker->connection_count -= others;
	assert_int_equal(rig.broker->connection_count, real);
	return code == 0;
}

static void the_last_connections_are_for_root_and_the_ones_before_for_who_runs_the_machine(
	void **state)
{
	static const struct {
		size_t left;
		bool alice, dave, door, root;
	} cases[] = {
		{ LIMIT_CONNECTIONS_ROOT + LIMIT_CONNECTIONS_KEPT + 1, true, true, true, true },
		{ LIMIT_CONNECTIONS_ROOT + LIMIT_CONNECTIONS_KEPT, false, true, true, true },
		{ LIMIT_CONNECTIONS_ROOT + 1, false, true, true, true },
		{ LIMIT_CONNECTIONS_ROOT, false, false, false, true },
		{ 1, false, false, false, true },
		{ 0, false, false, false, false },
	};
	RIG_NEEDS_ROOT(&rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(is_let_in(ALICE, cases[i].left), cases[i].alice);
		assert_int_equal(is_let_in(DAVE, cases[i].left), cases[i].dave);
		assert_int_equal(is_let_in(DOOR, cases[i].left), cases[i].door);
		assert_int_equal(is_let_in(0, cases[i].left), cases[i].root);
	}
}

static void nobody_has_more_than_is_left_for_all_others(void **state)
{
	struct rig_peer held[4];
	size_t kept = LIMIT_CONNECTIONS_ROOT + LIMIT_CONNECTIONS_KEPT;
	RIG_NEEDS_ROOT(&rig);
	for (size_t i = 0; i < 4; i++) {
		held[i] = rig_caller_as(&rig, BOB);
		assert_true(rig_silent(&held[i]));
	}
	assert_false(is_let_in(BOB, kept + 4));
	assert_true(is_let_in(BOB, kept + 5));
	assert_true(is_let_in(ALICE, kept + 4)); /* who has none yet */
	for (size_t i = 0; i < 4; i++) {
		rig_leave(&held[i]);
	}
}

static void root_ends_a_server_that_is_full(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	rig.broker->connection_count += LIMIT_CONNECTIONS - 1;
	struct rig_peer p = rig_caller_as(&rig, 0);
	rig_ask(&p, "Stop", json_pack("{s:b}", "force", 1));
	for (int i = 0; i < 1000 && !rig.broker->stopping; i++) {
		rig_turn(&rig); /* until the name of who asks is known */
	}
	assert_true(rig.broker->stopping);
	rig.broker->connection_count -= LIMIT_CONNECTIONS - 1;
	rig_leave(&p);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_last_connections_are_for_root_and_the_ones_before_for_who_runs_the_machine),
		TEST(nobody_has_more_than_is_left_for_all_others),
		TEST(root_ends_a_server_that_is_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
