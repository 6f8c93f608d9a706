/* The policy of a server of all users: every right, for everybody, on everything, against tables
 * that were written by hand and not computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/policy.h"

#define ROOT 0
#define ALICE 1001
#define BOB 1002

/* The columns of the tables. */
static const enum right rights[] = { RIGHT_QUERY, RIGHT_SET, RIGHT_RESET, RIGHT_VIRTUAL,
	RIGHT_SHADOW, RIGHT_LOGON, RIGHT_LOGOFF, RIGHT_MESSAGE, RIGHT_CONNECT, RIGHT_DISCONNECT,
	RIGHT_STOP };

/* Granted and denied as numbers, so that a change of a level's macro is seen here. */
enum {
	ALL = 0x3ff,
	GUEST = 0x020,
	USER = 0x1a1,
	QUERY = 0x001,
	CONNECT = 0x100,
	DISCONNECT = 0x200,
	RESET = 0x004,
};

struct who {
	const char *name;
	uid_t uid;
	bool administrator;
	unsigned allow, deny;
	/* `.` allowed, `5` denied, `x` 7022, `p` with the owner's password. */
	const char *foreign, *own;
};

static const struct who sessions[] = {
	/*                                     QSRVSLLMCDS    QSRVSLLMCDS */
	{ "unlisted", ALICE, false, 0, 0, "xxxxxxxxxxx", ".55.55.5555" },
	{ "none", ALICE, false, 0, ALL, "xxxxxxxxxxx", "xxxxxxxxxxx" },
	{ "none in one group, full in another", ALICE, false, ALL, ALL, "xxxxxxxxxxx",
		"xxxxxxxxxxx" },
	{ "guest", ALICE, false, GUEST, 0, "xxxxxxxxxxx", ".55.5..5555" },
	{ "user", ALICE, false, USER, 0, ".5555.5.p55", "....5.....5" },
	{ "full", ALICE, false, ALL, 0, "........p.5", "..........5" },
	{ "query alone", ALICE, false, QUERY, 0, ".5555555555", "....55.5..5" },
	{ "connect without query", ALICE, false, CONNECT, 0, "xxxxxxxxxxx", "....55.5..5" },
	{ "user without disconnect", ALICE, false, USER, DISCONNECT, ".5555.5.p55", "....5....55" },
	{ "user without connect", ALICE, false, USER, CONNECT, ".5555.5.555", "....5...5.5" },
	{ "user without query", ALICE, false, USER, QUERY, "xxxxxxxxxxx", "xxxxxxxxxxx" },
	{ "administrator", ALICE, true, 0, 0, "........p.5", "..........5" },
	{ "administrator without reset", ALICE, true, ALL, RESET, "..5.....p.5", "..5.......5" },
	{ "administrator, denied all", ALICE, true, ALL, ALL, "xxxxxxxxxxx", "xxxxxxxxxxx" },
	{ "root", ROOT, true, 0, 0, "........p.5", "..........5" },
	{ "root, denied all", ROOT, false, 0, ALL, "........p.5", "..........5" },
};

static const struct who terminals[] = {
	{ "unlisted", ALICE, false, 0, 0, "xxxxxxxxxxx", ".5555.555.5" },
	{ "none", ALICE, false, 0, ALL, "xxxxxxxxxxx", "xxxxxxxxxxx" },
	{ "guest", ALICE, false, GUEST, 0, "xxxxxxxxxxx", ".5555.555.5" },
	{ "user", ALICE, false, USER, 0, ".5555.5..55", ".5555.5...5" },
	{ "user without logon", ALICE, false, USER, GUEST, ".555555..55", ".555555...5" },
	{ "full", ALICE, false, ALL, 0, "..........5", "..........5" },
	{ "administrator", ALICE, true, 0, 0, "..........5", "..........5" },
	{ "root", ROOT, false, 0, ALL, "..........5", "..........5" },
};

static const struct who servers[] = {
	{ "unlisted", ALICE, false, 0, 0, ".5555555555", NULL },
	{ "none", ALICE, false, 0, ALL, ".5555555555", NULL },
	{ "guest", ALICE, false, GUEST, 0, ".5555.55555", NULL },
	{ "full", ALICE, false, ALL, 0, ".5555.55555", NULL },
	{ "administrator", ALICE, true, 0, 0, ".5555.5555.", NULL },
	{ "administrator without logon", ALICE, true, ALL, GUEST, ".555555555.", NULL },
	{ "root", ROOT, false, 0, ALL, ".5555.5555.", NULL },
};

static enum error_code code_of(char cell)
{
	switch (cell) {
	case '.':
		return ERROR_NONE;
	case '5':
		return ERROR_ACCESS_DENIED;
	case 'x':
		return ERROR_SESSION_NOT_FOUND;
	case 'p':
		return ERROR_LOGON_FAILURE;
	case 'd':
		return ERROR_CONSOLE_DISCONNECT;
	case 'r':
		return ERROR_CONSOLE_RECONNECT;
	default:
		fail();
		return ERROR_NONE;
	}
}

static struct policy_question question(
	const struct who *who, enum policy_subject subject, uid_t owner)
{
	return (struct policy_question){
		.mode = POLICY_SYSTEM_MODE,
		.subject = subject,
		.exists = true,
		.owner = owner,
		.server_owner = 990,
		.caller = who->uid,
		.administrator = who->administrator,
		.allow = who->allow,
		.deny = who->deny,
	};
}

static void check_row(const struct who *who, enum policy_subject subject, uid_t owner,
	const char *row, const char *which)
{
	assert_int_equal(strlen(row), ARRAY_SIZE(rights));
	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		struct policy_question q = question(who, subject, owner);
		q.right = rights[i];
		struct policy_answer a = policy_ask(&q);
		if (a.code != code_of(row[i])) {
			fail_msg("%s, %s, %s: %d", who->name, which, policy_right_text(rights[i]),
				(int)a.code);
		}
		assert_int_equal(policy_decide(&q), a.code);
		/* Only what is allowed rests on something. */
		assert_int_equal(a.by == POLICY_BY_NONE, row[i] != '.' && row[i] != 'p');
		q.exists = false;
		assert_int_equal(policy_decide(&q),
			subject == POLICY_SERVER ? code_of(row[i]) : ERROR_SESSION_NOT_FOUND);
	}
}

static void every_cell_of_the_sessions_is_as_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sessions); i++) {
		const struct who *w = &sessions[i];
		check_row(w, POLICY_SESSION, BOB, w->foreign, "foreign session");
		check_row(w, POLICY_SESSION, w->uid, w->own, "own session");
	}
}

static void every_cell_of_the_terminals_is_as_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(terminals); i++) {
		const struct who *w = &terminals[i];
		check_row(w, POLICY_TERMINAL, BOB, w->foreign, "foreign terminal");
		check_row(w, POLICY_TERMINAL, w->uid, w->own, "own terminal");
	}
}

static void every_cell_of_the_server_is_as_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		check_row(&servers[i], POLICY_SERVER, 0, servers[i].foreign, "server");
		check_row(&servers[i], POLICY_SERVER, servers[i].uid, servers[i].foreign, "server");
	}
}

/* --- passwords ---------------------------------------------------------------------------------
 */

static void a_foreign_session_takes_its_owners_password(void **state)
{
	static const struct {
		struct who who;
		bool proven, free;
		enum error_code code;
		enum policy_by by;
	} cases[] = {
		{ { "user", ALICE, false, USER, 0, NULL, NULL }, false, false, ERROR_LOGON_FAILURE,
			POLICY_BY_PASSWORD },
		{ { "user", ALICE, false, USER, 0, NULL, NULL }, true, false, ERROR_NONE,
			POLICY_BY_PASSWORD },
		{ { "user", ALICE, false, USER, 0, NULL, NULL }, false, true, ERROR_LOGON_FAILURE,
			POLICY_BY_PASSWORD },
		{ { "admin", ALICE, true, ALL, 0, NULL, NULL }, false, true, ERROR_LOGON_FAILURE,
			POLICY_BY_PASSWORD },
		{ { "root", ROOT, true, ALL, 0, NULL, NULL }, false, false, ERROR_LOGON_FAILURE,
			POLICY_BY_PASSWORD },
		{ { "root", ROOT, true, ALL, 0, NULL, NULL }, false, true, ERROR_NONE,
			POLICY_BY_POLICY },
		/* Without the right the password is not even a question. */
		{ { "denied", ALICE, false, USER, CONNECT, NULL, NULL }, true, true,
			ERROR_ACCESS_DENIED, POLICY_BY_NONE },
		{ { "guest", ALICE, false, GUEST, 0, NULL, NULL }, true, true,
			ERROR_SESSION_NOT_FOUND, POLICY_BY_NONE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_question q = question(&cases[i].who, POLICY_SESSION, BOB);
		q.right = RIGHT_CONNECT;
		q.proven = cases[i].proven;
		q.root_needs_no_password = cases[i].free;
		struct policy_answer a = policy_ask(&q);
		assert_int_equal(a.code, cases[i].code);
		assert_int_equal(a.by, cases[i].by);
	}
}

static void what_one_has_as_the_owner_is_told_from_what_is_granted(void **state)
{
	const struct who user = { "user", ALICE, false, USER, 0, NULL, NULL };
	struct policy_question own = question(&user, POLICY_SESSION, ALICE);
	own.right = RIGHT_CONNECT;
	assert_int_equal(policy_ask(&own).by, POLICY_BY_OWN);
	own.right = RIGHT_MESSAGE; /* the owner has it by his level alone */
	assert_int_equal(policy_ask(&own).by, POLICY_BY_POLICY);
	struct policy_question foreign = question(&user, POLICY_SESSION, BOB);
	foreign.right = RIGHT_QUERY;
	assert_int_equal(policy_ask(&foreign).by, POLICY_BY_POLICY);
}

/* The end of a logon: what was asked there was LOGON. */
static void the_first_terminal_of_a_session_needs_no_right_to_connect(void **state)
{
	static const struct who callers[] = {
		{ "guest", ALICE, false, GUEST, 0, NULL, NULL },
		{ "without connect", ALICE, false, USER, CONNECT, NULL, NULL },
		{ "door", 900, false, 0, 0, NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
		struct policy_question q = question(&callers[i], POLICY_SESSION, ALICE);
		q.right = RIGHT_CONNECT;
		assert_int_not_equal(policy_decide(&q), ERROR_NONE);
		q.first_terminal = true;
		assert_int_equal(policy_decide(&q), ERROR_NONE);
		q.right = RIGHT_LOGOFF;
		assert_int_equal(policy_decide(&q),
			callers[i].uid == ALICE ? ERROR_NONE : ERROR_ACCESS_DENIED);
	}
}

/* --- the console --------------------------------------------------------------------------------
 */

static void the_console_has_rules_of_its_own(void **state)
{
	static const struct {
		enum right right;
		bool at_console, disconnected, to_console, from_console, within, first;
		char foreign, administrator, own;
	} cases[] = {
		/* right, S at console, S disconnected, T is console, caller there, caller in S,
		 * first terminal */
		{ RIGHT_CONNECT, false, false, false, false, false, false, 'p', 'p', '.' },
		{ RIGHT_CONNECT, true, false, false, false, false, false, 'd', 'd', 'd' },
		{ RIGHT_CONNECT, false, true, true, false, false, false, 'r', 'r', 'r' },
		{ RIGHT_CONNECT, false, false, true, false, false, false, 'd', 'd', 'd' },
		{ RIGHT_CONNECT, false, true, false, true, false, false, 'd', 'd', 'd' },
		{ RIGHT_CONNECT, true, false, true, true, true, false, 'd', 'd', 'd' },
		{ RIGHT_CONNECT, false, true, true, false, false, true, '.', '.', '.' },
		{ RIGHT_CONNECT, false, true, false, true, false, true, 'd', 'd', 'd' },
		{ RIGHT_DISCONNECT, true, false, false, false, false, false, '5', 'd', 'd' },
		{ RIGHT_DISCONNECT, true, false, false, true, true, false, '5', 'd', 'd' },
		{ RIGHT_DISCONNECT, false, false, false, true, false, false, '5', '.', '.' },
		{ RIGHT_LOGOFF, true, false, false, false, false, false, '5', '5', '5' },
		{ RIGHT_LOGOFF, true, false, false, true, true, false, '5', '.', '.' },
		{ RIGHT_LOGOFF, false, true, false, true, false, false, '5', '.', '.' },
		{ RIGHT_RESET, true, false, false, false, false, false, '5', '.', '.' },
		{ RIGHT_QUERY, true, false, false, true, false, false, '.', '.', '.' },
	};
	static const struct who user = { "user", ALICE, false, USER, 0, NULL, NULL };
	static const struct who administrator = { "admin", ALICE, true, 0, 0, NULL, NULL };
	static const struct who root = { "root", ROOT, true, 0, 0, NULL, NULL };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_question asked[] = { question(&user, POLICY_SESSION, BOB),
			question(&administrator, POLICY_SESSION, BOB),
			question(&root, POLICY_SESSION, BOB),
			question(&user, POLICY_SESSION, ALICE) };
		const char expected[] = { cases[i].foreign, cases[i].administrator,
			cases[i].administrator, cases[i].own };
		for (size_t k = 0; k < ARRAY_SIZE(asked); k++) {
			struct policy_question *q = &asked[k];
			q->right = cases[i].right;
			q->at_console = cases[i].at_console;
			q->disconnected = cases[i].disconnected;
			q->destination_is_console = cases[i].to_console;
			q->caller_at_console = cases[i].from_console;
			q->caller_in_session = cases[i].within;
			q->first_terminal = cases[i].first;
			if (policy_decide(q) != code_of(expected[k])) {
				fail_msg("case %zu, caller %zu: %d", i, k, (int)policy_decide(q));
			}
			/* The answer does not depend on a secret. */
			q->proven = true;
			if (expected[k] == 'd' || expected[k] == 'r') {
				assert_int_equal(policy_decide(q), code_of(expected[k]));
			}
			/* Relaxed, it is a terminal like every other. */
			q->console_relaxed = true;
			enum error_code code = policy_decide(q);
			assert_int_not_equal(code, ERROR_CONSOLE_DISCONNECT);
			assert_int_not_equal(code, ERROR_CONSOLE_RECONNECT);
		}
	}
}

static void without_the_right_the_console_is_not_spoken_of(void **state)
{
	static const struct who guest = { "guest", ALICE, false, GUEST, 0, NULL, NULL };
	struct policy_question q = question(&guest, POLICY_SESSION, BOB);
	q.right = RIGHT_DISCONNECT;
	q.at_console = true;
	assert_int_equal(policy_decide(&q), ERROR_SESSION_NOT_FOUND);
}

static void in_user_mode_none_of_this_counts(void **state)
{
	struct policy_question q = {
		.mode = POLICY_USER_MODE,
		.subject = POLICY_SESSION,
		.right = RIGHT_CONNECT,
		.exists = true,
		.owner = ALICE,
		.server_owner = ALICE,
		.caller = ALICE,
		.deny = ALL,
		.at_console = true,
		.destination_is_console = true,
		.disconnected = true,
	};
	assert_int_equal(policy_decide(&q), ERROR_NONE);
	q.caller = ROOT;
	q.administrator = true;
	q.allow = ALL;
	q.first_terminal = true;
	q.proven = true;
	assert_int_equal(policy_decide(&q), ERROR_SESSION_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_sessions_is_as_written),
		cmocka_unit_test(every_cell_of_the_terminals_is_as_written),
		cmocka_unit_test(every_cell_of_the_server_is_as_written),
		cmocka_unit_test(a_foreign_session_takes_its_owners_password),
		cmocka_unit_test(what_one_has_as_the_owner_is_told_from_what_is_granted),
		cmocka_unit_test(the_first_terminal_of_a_session_needs_no_right_to_connect),
		cmocka_unit_test(the_console_has_rules_of_its_own),
		cmocka_unit_test(without_the_right_the_console_is_not_spoken_of),
		cmocka_unit_test(in_user_mode_none_of_this_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
