/* What a caller's words mean: IDs, names, destinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "base/cleanup.h"
#include "broker_rig.h"

static struct rig rig;

static int set_up(void **state)
{
	rig_start(&rig, NULL);
	return 0;
}

static int tear_down(void **state)
{
	assert_true(TAILQ_EMPTY(&rig.broker->operations));
	rig_stop(&rig);
	return 0;
}

static json_t *session_and(const char *session, const char *destination)
{
	return json_pack("{s:s?, s:s?}", "session", session, "destination", destination);
}

static void names_and_numbers_mean_what_they_should(void **state)
{
	static const struct {
		const char *session, *destination;
		int code;
	} cases[] = {
		{ "99", "TERM01", 7022 },	  /* no such session */
		{ "4294967296", "TERM01", 7022 }, /* no such number */
		{ "NOPE", "TERM01", 7022 },	  /* no such name */
		{ "TERM01", "TERM02", 7022 },	  /* a terminal that shows no session */
		{ "6", "NOPE", 7022 },		  /* no such destination */
		{ "6", "console", 7022 },	  /* there is none here */
		{ "5", "TERM09", 5023 },	  /* its door has not come back */
		{ "6", "TERM09", 5023 },	  /* the same from elsewhere */
		{ "tty", "TERM01", 7001 },	  /* where terminals come in */
		{ "ssh", "TERM01", 7001 }, { "RDP-Tcp", "TERM01", 7001 }, { "6", "ssh", 7001 },
		{ "6", "7", 7001 }, /* a destination is a name */
		{ "a b", "TERM01", 7001 }, { "", "TERM01", 7001 }, { "6", "", 7001 },
		{ "6", "\x1b[31m", 7001 },
		{ "012345678901234567890123456789abc", "TERM01", 7001 }, /* 33 characters */
		{ NULL, NULL, 87 },					 /* neither */
		{ NULL, "TERM01", 5023 }, /* the caller sits in no session */
		{ "6", NULL, 5023 },	  /* the same */
	};
	struct rig_leader away = rig_session(&rig, 5, "TERM09");
	struct rig_leader six = rig_session(&rig, 6, "");
	struct rig_door one = rig_door(&rig, "TERM01");
	struct rig_door two = rig_door(&rig, "TERM02");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int code = rig_call_code(
			&rig, "Connect", session_and(cases[i].session, cases[i].destination));
		if (code != cases[i].code) {
			fail_msg("case %zu: %d instead of %d", i, code, cases[i].code);
		}
	}
	assert_true(rig_silent(&one.peer));
	rig_leave(&one.peer);
	rig_leave(&two.peer);
	rig_leader_dies(&away);
	rig_leader_dies(&six);
}

static void a_session_that_ends_or_is_being_made_is_busy(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	static const uint32_t states[] = { SESSION_RESET, SESSION_INIT };
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		l.info.state = states[i];
		rig_leader_says(&l);
		assert_int_equal(rig_call_code(&rig, "Connect", session_and("6", "TERM01")), 7024);
		assert_int_equal(rig_call_code(&rig, "Logoff", session_and("6", NULL)), 7024);
	}
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_and_numbers_mean_what_they_should),
		TEST(a_session_that_ends_or_is_being_made_is_busy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
