/* Every cell: who asks, what for, on what, whose it is, and whether it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "broker/policy.h"

#define OWNER 1000
#define OTHER 1001
#define ROOT 0

static const enum right rights[] = { RIGHT_QUERY, RIGHT_SET, RIGHT_RESET, RIGHT_VIRTUAL,
	RIGHT_SHADOW, RIGHT_LOGON, RIGHT_LOGOFF, RIGHT_MESSAGE, RIGHT_CONNECT, RIGHT_DISCONNECT,
	RIGHT_STOP };

/* What the owner gets, right by right: server, session, terminal. All other cells are denied. */
static const struct {
	enum right right;
	bool on[3];
} granted[] = {
	{ RIGHT_QUERY, { true, true, true } },
	{ RIGHT_SET, { false, true, false } },
	{ RIGHT_RESET, { false, true, false } },
	{ RIGHT_VIRTUAL, { false, true, false } },
	{ RIGHT_SHADOW, { false, false, false } },
	{ RIGHT_LOGON, { true, false, true } },
	{ RIGHT_LOGOFF, { false, true, false } },
	{ RIGHT_MESSAGE, { false, true, false } },
	{ RIGHT_CONNECT, { false, true, false } },
	{ RIGHT_DISCONNECT, { false, true, true } },
	{ RIGHT_STOP, { true, false, false } },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum error_code ask(
	uid_t caller, enum right right, enum policy_subject subject, bool exists, uid_t owner)
{
	return policy_decide(&(struct policy_question){
		.mode = POLICY_USER_MODE,
		.server_owner = OWNER,
		.caller = caller,
		.right = right,
		.subject = subject,
		.exists = exists,
		.owner = owner,
	});
}

static void the_owner_has_exactly_the_listed_rights(void **state)
{
	assert_int_equal(COUNT(granted), COUNT(rights));
	for (size_t i = 0; i < COUNT(granted); i++) {
		for (int subject = 0; subject < 3; subject++) {
			enum error_code expected = granted[i].on[subject] ? ERROR_NONE
									  : ERROR_ACCESS_DENIED;
			assert_int_equal(ask(OWNER, granted[i].right, (enum policy_subject)subject,
						 true, OWNER),
				expected);
		}
	}
}

static void to_everybody_else_sessions_and_terminals_do_not_exist(void **state)
{
	static const uid_t callers[] = { OTHER, ROOT, (uid_t)-1 };
	static const uid_t owners[] = { OWNER, OTHER, ROOT, (uid_t)-1 };
	for (size_t i = 0; i < COUNT(rights); i++) {
		for (size_t c = 0; c < COUNT(callers); c++) {
			for (size_t o = 0; o < COUNT(owners); o++) {
				for (int exists = 0; exists < 2; exists++) {
					assert_int_equal(ask(callers[c], rights[i], POLICY_SESSION,
								 exists, owners[o]),
						ERROR_SESSION_NOT_FOUND);
					assert_int_equal(ask(callers[c], rights[i], POLICY_TERMINAL,
								 exists, owners[o]),
						ERROR_SESSION_NOT_FOUND);
				}
			}
		}
	}
}

static void to_everybody_else_the_server_answers_only_questions(void **state)
{
	for (size_t i = 0; i < COUNT(rights); i++) {
		enum error_code expected = rights[i] == RIGHT_QUERY ? ERROR_NONE
								    : ERROR_ACCESS_DENIED;
		assert_int_equal(ask(OTHER, rights[i], POLICY_SERVER, true, 0), expected);
		assert_int_equal(ask(ROOT, rights[i], POLICY_SERVER, true, ROOT), expected);
	}
}

static void what_is_another_users_is_not_there_for_the_owner_of_the_server(void **state)
{
	for (size_t i = 0; i < COUNT(rights); i++) {
		assert_int_equal(ask(OWNER, rights[i], POLICY_SESSION, true, OTHER),
			ERROR_SESSION_NOT_FOUND);
		assert_int_equal(ask(OWNER, rights[i], POLICY_TERMINAL, true, OTHER),
			ERROR_SESSION_NOT_FOUND);
	}
}

static void absent_and_invisible_look_the_same(void **state)
{
	for (size_t i = 0; i < COUNT(rights); i++) {
		assert_int_equal(ask(OWNER, rights[i], POLICY_SESSION, false, OWNER),
			ask(OTHER, rights[i], POLICY_SESSION, true, OWNER));
		assert_int_equal(ask(OWNER, rights[i], POLICY_TERMINAL, false, (uid_t)-1),
			ask(OTHER, rights[i], POLICY_TERMINAL, true, OWNER));
	}
}

static void what_the_table_does_not_know_is_denied(void **state)
{
	struct policy_question q = { .mode = (enum policy_mode)77,
		.server_owner = OWNER,
		.caller = OWNER,
		.right = RIGHT_QUERY,
		.subject = POLICY_SESSION,
		.exists = true,
		.owner = OWNER };
	assert_int_equal(policy_decide(&q), ERROR_SESSION_NOT_FOUND);
	q.subject = POLICY_SERVER;
	assert_int_equal(policy_decide(&q), ERROR_ACCESS_DENIED);
	q.mode = POLICY_USER_MODE;
	q.subject = (enum policy_subject)77;
	assert_int_equal(policy_decide(&q), ERROR_SESSION_NOT_FOUND);
	assert_int_equal(ask(OWNER, RIGHT_NONE, POLICY_SESSION, true, OWNER), ERROR_ACCESS_DENIED);
	assert_int_equal(ask(OWNER, (enum right)(RIGHT_CONNECT | RIGHT_DISCONNECT), POLICY_SESSION,
				 true, OWNER),
		ERROR_ACCESS_DENIED);
	assert_int_equal(
		ask(OWNER, (enum right)0x8000, POLICY_SESSION, true, OWNER), ERROR_ACCESS_DENIED);
}

static void every_right_has_a_name_of_its_own(void **state)
{
	for (size_t i = 0; i < COUNT(rights); i++) {
		assert_string_not_equal(policy_right_text(rights[i]), "NONE");
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(
				policy_right_text(rights[i]), policy_right_text(rights[k]));
		}
	}
	assert_string_equal(policy_right_text(RIGHT_NONE), "NONE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_has_exactly_the_listed_rights),
		cmocka_unit_test(to_everybody_else_sessions_and_terminals_do_not_exist),
		cmocka_unit_test(to_everybody_else_the_server_answers_only_questions),
		cmocka_unit_test(what_is_another_users_is_not_there_for_the_owner_of_the_server),
		cmocka_unit_test(absent_and_invisible_look_the_same),
		cmocka_unit_test(what_the_table_does_not_know_is_denied),
		cmocka_unit_test(every_right_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
