/* What a server for all users shows to whom: lists, answers about what one may not see, and the
 * rights themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker_rig.h"

/* alice administers nothing and is a user; dave is a guest, mallory nobody; on ssh only carol. */
#define CONFIG                                                                                     \
	"[rights]\n"                                                                               \
	"* = User\n"                                                                               \
	"dave = Guest\n"                                                                           \
	"mallory = None\n"                                                                         \
	"carol = Full -SHADOW\n"                                                                   \
	"[rights ssh]\n"                                                                           \
	"carol = RESET\n"                                                                          \
	"[console]\n"                                                                              \
	"user = door\n"                                                                            \
	"[terminal TERM09]\n"                                                                      \
	"user = door\n"

static struct rig rig;
static struct rig_leader alices, bobs, daves, remote;

static int set_up(void **state)
{
	if (!rig_start_system(&rig, NULL, CONFIG)) {
		return 0;
	}
	bobs = rig_session_of(&rig, BOB, 1, "console");
	link_set_text(bobs.info.command, "vi secrets");
	link_set_text(bobs.info.title, "a title");
	link_set_text(bobs.info.user, "bob");
	bobs.info.connected = 5;
	rig_leader_says(&bobs);
	alices = rig_session_of(&rig, ALICE, 2, "");
	link_set_text(alices.info.user, "alice");
	rig_leader_says(&alices);
	daves = rig_session_of(&rig, DAVE, 3, "");
	rig_leader_says(&daves);
	remote = rig_session_of(&rig, BOB, 4, "");
	link_set_text(remote.info.listener, "ssh");
	rig_leader_says(&remote);
	rig_settle(&rig);
	return 0;
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

static json_t *ask_as(uid_t uid, const char *method, json_t *parameters)
{
	struct rig_peer p = rig_caller_as(&rig, uid);
	rig_ask(&p, method, parameters);
	json_t *answer = rig_answer(&p);
	rig_leave(&p);
	return answer;
}

static int code_as(uid_t uid, const char *method, json_t *parameters)
{
	struct rig_peer p = rig_caller_as(&rig, uid);
	rig_ask(&p, method, parameters);
	int code = rig_refusal(&p);
	rig_leave(&p);
	return code;
}

/* "1,2,4": the sessions of a list. */
static const char *ids(const json_t *answer)
{
	static char text[128];
	size_t i;
	json_t *row;
	text[0] = '\0';
	json_array_foreach(json_object_get(answer, "sessions"), i, row)
	{
		char one[24];
		(void)snprintf(one, sizeof(one), "%s%d", i > 0 ? "," : "",
			(int)json_integer_value(json_object_get(row, "id")));
		(void)strncat(text, one, sizeof(text) - strlen(text) - 1);
	}
	return text;
}

static const char *field(const json_t *answer, size_t index, const char *name)
{
	const json_t *rows = json_object_get(answer, "sessions");
	return json_string_value(json_object_get(json_array_get(rows, index), name));
}

static void a_list_holds_what_one_may_see_and_no_more(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const struct {
		uid_t uid;
		const char *seen;
	} cases[] = {
		{ ALICE, "1,2,3" }, /* nothing that came in by ssh */
		{ BOB, "1,2,3,4" },
		{ CAROL, "1,2,3,4" },
		{ DAVE, "3" },
		{ MALLORY, "" },
		{ 0, "1,2,3,4" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json) json_t *list = ask_as(cases[i].uid, "ListSessions", NULL);
		assert_string_equal(ids(list), cases[i].seen);
	}
}

static void others_learn_that_it_is_there_and_not_what_is_done_in_it(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	AUTO(json) json_t *other = ask_as(ALICE, "ListSessions", NULL);
	assert_string_equal(field(other, 0, "name"), "console");
	assert_string_equal(field(other, 0, "user"), "bob");
	assert_string_equal(field(other, 0, "command"), "");
	assert_string_equal(field(other, 0, "title"), "");
	AUTO(json) json_t *owner = ask_as(BOB, "ListSessions", NULL);
	assert_string_equal(field(owner, 0, "command"), "vi secrets");
	assert_string_equal(field(owner, 0, "title"), "a title");
	AUTO(json) json_t *root = ask_as(0, "ListSessions", NULL);
	assert_string_equal(field(root, 0, "command"), "vi secrets");
}

static void the_counters_are_for_those_who_see_everything(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	rig.broker->created = 7;
	AUTO(json) json_t *alice = ask_as(ALICE, "ListSessions", NULL);
	AUTO(json) json_t *carol = ask_as(CAROL, "ListSessions", NULL);
	AUTO(json) json_t *dave = ask_as(DAVE, "ListSessions", NULL);
	assert_int_equal(json_integer_value(json_object_get(alice, "created")), 0);
	assert_int_equal(json_integer_value(json_object_get(carol, "created")), 7);
	assert_int_equal(json_integer_value(json_object_get(dave, "created")), 0);
}

static void a_list_is_filtered_by_the_owners_name_and_zero_is_the_consoles(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const struct {
		uid_t uid;
		const char *filter, *seen;
	} cases[] = {
		{ CAROL, "bob", "1,4" }, /* a leader that tells no name: known from another one */
		{ CAROL, "0", "1" },
		{ CAROL, "00", "1" },
		{ CAROL, "4", "4" },
		{ CAROL, "CONSOLE", "1" },
		{ DAVE, "0", "" },
		{ DAVE, "bob", "" },
		{ DAVE, "1", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json)
		json_t *list = ask_as(cases[i].uid, "ListSessions",
			json_pack("{s:s}", "filter", cases[i].filter));
		assert_string_equal(ids(list), cases[i].seen);
	}
}

static void what_one_may_not_see_is_not_there(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const char *const methods[] = { "Disconnect", "Logoff", "Reset", "Connect" };
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		char *texts[2];
		static const char *const asked[] = { "1", "9" };
		for (size_t k = 0; k < 2; k++) {
			struct rig_peer p = rig_caller_as(&rig, DAVE);
			rig_ask(&p, methods[i],
				json_pack("{s:s, s:s}", "session", asked[k], "destination", "X"));
			AUTO(json) json_t *message = rig_message(&p);
			texts[k] = json_dumps(message, JSON_SORT_KEYS);
			rig_leave(&p);
			char *digit = strstr(texts[k], "Session ");
			assert_non_null(digit);
			digit[8] = 'N';
			assert_non_null(strstr(texts[k], "7022"));
		}
		assert_string_equal(texts[0], texts[1]);
		free(texts[0]);
		free(texts[1]);
	}
}

static void each_right_decides_about_its_own_operation(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const struct {
		uid_t uid;
		const char *method, *session;
		int code;
	} cases[] = {
		{ ALICE, "Disconnect", "1", 5 },
		{ ALICE, "Reset", "1", 5 },
		{ ALICE, "Logoff", "3", 5 },
		{ ALICE, "Reset", "4", 7022 }, /* came in by ssh */
		{ CAROL, "Disconnect", "4", 5 },
		{ CAROL, "Disconnect", "1", 7041 },
		{ CAROL, "Disconnect", "0", 7041 },
		{ CAROL, "Logoff", "1", 5 },
		{ BOB, "Logoff", "0", 5 },
		{ BOB, "Disconnect", "console", 7041 },
		{ 0, "Disconnect", "1", 7041 },
		{ DAVE, "Reset", "3", 5 }, /* a guest does not reset his own */
		{ DAVE, "Disconnect", "0", 7022 },
		{ MALLORY, "Stop", NULL, 5 },
		{ CAROL, "Stop", NULL, 5 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *parameters = cases[i].session != NULL
					     ? json_pack("{s:s}", "session", cases[i].session)
					     : json_pack("{s:b}", "force", 0);
		assert_int_equal(code_as(cases[i].uid, cases[i].method, parameters), cases[i].code);
	}
}

static void a_fixed_terminal_that_is_off_is_known_to_who_may_see_it(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const struct {
		uid_t uid;
		const char *session, *destination;
		int code;
	} cases[] = {
		{ ALICE, "2", "TERM09", 5023 },
		{ ALICE, "2", "term09", 5023 },
		{ ALICE, "2", "TERM10", 7022 },
		{ MALLORY, "2", "TERM09", 7022 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(code_as(cases[i].uid, "Connect",
					 json_pack("{s:s, s:s}", "session", cases[i].session,
						 "destination", cases[i].destination)),
			cases[i].code);
	}
}

/* --- the rights themselves ---------------------------------------------------------------------
 */

/* "granted test:2" */
static const char *right_of(const json_t *answer, const char *listener, const char *right)
{
	static char text[160];
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(answer, "permissions"), i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "listener")), listener) == 0 &&
			strcmp(json_string_value(json_object_get(one, "right")), right) == 0) {
			const char *source = json_string_value(json_object_get(one, "source"));
			(void)snprintf(text, sizeof(text), "%s %s",
				json_string_value(json_object_get(one, "state")),
				source != NULL ? source : "-");
			return text;
		}
	}
	fail();
	return NULL;
}

static void everybody_learns_his_own_rights_and_where_they_come_from(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	AUTO(json) json_t *alice = ask_as(ALICE, "QueryPermissions", NULL);
	assert_int_equal(json_integer_value(json_object_get(alice, "uid")), ALICE);
	assert_false(json_is_true(json_object_get(alice, "administrator")));
	assert_string_equal(right_of(alice, "*", "CONNECT"), "granted test:2");
	assert_string_equal(right_of(alice, "*", "RESET"), "implied built in");
	assert_string_equal(right_of(alice, "*", "SHADOW"), "none -");
	assert_string_equal(right_of(alice, "ssh", "LOGON"), "none -");
	assert_string_equal(right_of(alice, "ssh", "QUERY"), "implied built in");
	AUTO(json) json_t *carol = ask_as(CAROL, "QueryPermissions", NULL);
	assert_string_equal(right_of(carol, "*", "SHADOW"), "denied test:5");
	assert_string_equal(right_of(carol, "*", "LOGON"), "granted test:5");
	assert_string_equal(right_of(carol, "ssh", "QUERY"), "granted test:7");
	assert_string_equal(right_of(carol, "ssh", "DISCONNECT"), "implied built in");
	AUTO(json) json_t *mallory = ask_as(MALLORY, "QueryPermissions", NULL);
	assert_string_equal(right_of(mallory, "*", "QUERY"), "denied test:4");
	AUTO(json) json_t *dave = ask_as(DAVE, "QueryPermissions", NULL);
	assert_string_equal(right_of(dave, "*", "CONNECT"), "none -");
	assert_string_equal(right_of(dave, "*", "LOGOFF"), "implied built in");
}

static void others_rights_are_for_administrators(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	assert_int_equal(code_as(ALICE, "QueryPermissions", json_pack("{s:s}", "user", "root")), 5);
	assert_int_equal(
		code_as(ALICE, "QueryPermissions", json_pack("{s:s}", "user", "no such user")), 5);
	assert_int_equal(
		code_as(0, "QueryPermissions", json_pack("{s:s}", "user", "no such user")), 87);
	assert_int_equal(code_as(0, "QueryPermissions", json_pack("{s:i}", "user", 1)), 87);
	AUTO(json)
	json_t *nobody = ask_as(0, "QueryPermissions", json_pack("{s:s}", "user", "nobody"));
	assert_string_equal(json_string_value(json_object_get(nobody, "user")), "nobody");
	assert_string_equal(right_of(nobody, "*", "MESSAGE"), "granted test:2");
	AUTO(json) json_t *root = ask_as(0, "QueryPermissions", NULL);
	assert_true(json_is_true(json_object_get(root, "administrator")));
	assert_string_equal(right_of(root, "ssh", "RESET"), "granted built in");
}

static void who_asks_and_hangs_up_leaves_nothing_behind(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	for (int i = 0; i < 20; i++) {
		struct rig_peer p = rig_caller_as(&rig, 0);
		rig_ask(&p, "QueryPermissions", json_pack("{s:s}", "user", "nobody"));
		if (i % 2 == 0) {
			rig_turn(&rig);
		}
		rig_leave(&p);
	}
	rig_settle(&rig);
	AUTO(json) json_t *root = ask_as(0, "GetCaller", NULL);
	assert_string_equal(json_string_value(json_object_get(root, "user")), "root");
	assert_string_equal(json_string_value(json_object_get(root, "mode")), "system");
	AUTO(json) json_t *alice = ask_as(ALICE, "GetCaller", NULL);
	assert_false(json_is_true(json_object_get(alice, "administrator")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_holds_what_one_may_see_and_no_more),
		TEST(others_learn_that_it_is_there_and_not_what_is_done_in_it),
		TEST(the_counters_are_for_those_who_see_everything),
		TEST(a_list_is_filtered_by_the_owners_name_and_zero_is_the_consoles),
		TEST(what_one_may_not_see_is_not_there),
		TEST(each_right_decides_about_its_own_operation),
		TEST(a_fixed_terminal_that_is_off_is_known_to_who_may_see_it),
		TEST(everybody_learns_his_own_rights_and_where_they_come_from),
		TEST(others_rights_are_for_administrators),
		TEST(who_asks_and_hangs_up_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
