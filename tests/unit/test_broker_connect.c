/* The state machine of connect, driven through its good way and through every bad one. */
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
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"

static struct rig rig;

static int set_up(void **state)
{
	rig_start(&rig, NULL);
	return 0;
}

static int set_up_short(void **state)
{
	rig_start(&rig, &RIG_SHORT_LIMITS);
	return 0;
}

static int tear_down(void **state)
{
	assert_true(TAILQ_EMPTY(&rig.broker->operations));
	struct session *s;
	TAILQ_FOREACH(s, &rig.broker->sessions, entry)
	{
		assert_null(s->operation);
	}
	struct terminal *t;
	TAILQ_FOREACH(t, &rig.broker->terminals, entry)
	{
		assert_null(t->operation);
		assert_int_equal(t->ticket, 0);
	}
	rig_stop(&rig);
	return 0;
}

static json_t *session_and(const char *session, const char *destination)
{
	return json_pack("{s:s?, s:s?}", "session", session, "destination", destination);
}

static const char *text_of(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Asks for the connect and brings it to the point where the leader has the cable. */
static struct link_simple bring_to_plug(
	struct rig_peer *caller, struct rig_leader *l, struct rig_door *d, const char *session)
{
	rig_ask(caller, "Connect", session_and(session, d->name));
	rig_door_waits_for_cable(d);
	assert_int_equal(rig_door_gives(d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(l, LINK_PLUG, &cable);
	assert_true(cable >= 0);
	return plug;
}

static void finish_swap(struct rig_leader *l, const char *terminal)
{
	struct link_simple commit = rig_leader_gets(l, LINK_COMMIT);
	rig_leader_sends(l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(l, terminal);
}

static void a_session_comes_to_a_waiting_terminal(void **state)
{
	struct rig_leader l = rig_session(&rig, 12, "");
	struct rig_door d = rig_door(&rig, "TERM05");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "12");
	assert_string_equal(plug.terminal, "TERM05");
	char secret[TERMINAL_SECRET_TEXT_SIZE];
	terminal_secret_text(secret, plug.token);
	assert_string_equal(secret, d.secret);
	assert_true(rig_silent(&caller));
	assert_true(rig_leader_gets_nothing(&l));

	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	AUTO(json) json_t *answer = rig_answer(&caller);
	assert_int_equal(json_integer_value(json_object_get(answer, "session")), 12);
	assert_string_equal(text_of(answer, "terminal"), "TERM05");
	assert_true(json_is_null(json_object_get(answer, "formerTerminal")));
	assert_true(json_is_null(json_object_get(answer, "displacedSession")));
	assert_true(json_is_false(json_object_get(answer, "unchanged")));

	struct link_simple commit = rig_leader_gets(&l, LINK_COMMIT);
	assert_non_null(strstr(commit.text, "Session 12 was connected to TERM05 by "));
	rig_leader_sends(&l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(&l, "TERM05");
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_swap_names_what_it_displaces_and_leaves(void **state)
{
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_leader six = rig_session(&rig, 6, "TERM02");
	struct rig_door one = rig_door_back(&rig, &five, "TERM01");
	struct rig_door two = rig_door_back(&rig, &six, "TERM02");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &six, &one, "6");
	rig_leader_sends(&six, LINK_READY, plug.header.serial, 0);
	AUTO(json) json_t *answer = rig_answer(&caller);
	assert_string_equal(text_of(answer, "formerTerminal"), "TERM02");
	assert_int_equal(json_integer_value(json_object_get(answer, "displacedSession")), 5);
	finish_swap(&six, "TERM01");
	rig_leader_moves(&five, "");
	/* It left by itself: nobody pushes it. */
	assert_true(rig_leader_gets_nothing(&five));
	rig_leave(&caller);
	rig_leave(&one.peer);
	rig_leave(&two.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&six);
}

static void a_session_that_does_not_leave_is_told_to(void **state)
{
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_leader six = rig_session(&rig, 6, "");
	struct rig_door d = rig_door_back(&rig, &five, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &six, &d, "6");
	rig_leader_sends(&six, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	finish_swap(&six, "TERM01");
	struct link_simple unplug = rig_leader_gets(&five, LINK_UNPLUG);
	assert_int_equal(unplug.reason, LINK_REASON_DISPLACED);
	assert_string_equal(unplug.terminal, "TERM01");
	rig_leader_moves(&five, "");
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&six);
}

static void a_session_that_is_there_already_is_left_alone(void **state)
{
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_door d = rig_door_back(&rig, &five, "TERM01");
	static const char *const names[] = { "5", "TERM01", "term01" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(json)
		json_t *answer = rig_call(&rig, "Connect", session_and(names[i], "TERM01"));
		assert_true(json_is_true(json_object_get(answer, "unchanged")));
		assert_string_equal(text_of(answer, "formerTerminal"), "TERM01");
	}
	assert_true(rig_silent(&d.peer));
	assert_true(rig_leader_gets_nothing(&five));
	rig_leave(&d.peer);
	rig_leader_dies(&five);
}

static void what_the_host_says_becomes_a_code_and_changes_nothing(void **state)
{
	static const struct {
		int error, code;
	} cases[] = {
		{ -ERANGE, 7025 },
		{ -EACCES, 5 },
		{ -ETIMEDOUT, 7040 },
		{ -EPIPE, 7040 },
		{ -EPROTO, 7069 },
		{ -ENOMEM, 8 },
		{ -EMFILE, 4 },
		{ -ENOSPC, 112 },
		{ 12345, 7069 },
		{ INT32_MIN, 7069 },
	};
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_leader six = rig_session(&rig, 6, "");
	struct rig_door d = rig_door_back(&rig, &five, "TERM01");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig_peer caller = rig_caller(&rig);
		struct link_simple plug = bring_to_plug(&caller, &six, &d, "6");
		rig_leader_sends(&six, LINK_READY, plug.header.serial, cases[i].error);
		assert_int_equal(rig_refusal(&caller), cases[i].code);
		assert_true(rig_leader_gets_nothing(&six));
		assert_true(rig_leader_gets_nothing(&five));
		assert_true(TAILQ_EMPTY(&rig.broker->operations));
		rig_leave(&caller);
	}
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&six);
}

static void a_door_that_gives_no_cable_in_time_fails_the_connect(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	assert_int_equal(rig_call_code(&rig, "Connect", session_and("6", "TERM01")), 7040);
	/* Its cable comes too late. */
	rig_door_waits_for_cable(&d);
	assert_int_equal(rig_door_gives(&d), 5023);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_host_that_is_silent_has_the_cable_taken_back(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "6");
	assert_int_equal(rig_refusal(&caller), 7040);
	struct link_simple abort = rig_leader_gets(&l, LINK_ABORT);
	assert_int_equal(abort.header.serial, plug.header.serial);
	/* Its word comes too late. */
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_door_that_goes_fails_the_connect(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and("6", "TERM01"));
	rig_door_waits_for_cable(&d);
	rig_leave(&d.peer);
	assert_int_equal(rig_refusal(&caller), 7040);
	assert_true(rig_leader_gets_nothing(&l));

	d = rig_door(&rig, "TERM01");
	(void)bring_to_plug(&caller, &l, &d, "6");
	rig_leave(&d.peer);
	assert_int_equal(rig_refusal(&caller), 7040);
	(void)rig_leader_gets(&l, LINK_ABORT);
	rig_leave(&caller);
	rig_leader_dies(&l);
}

static void a_leader_that_dies_fails_the_connect(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and("6", "TERM01"));
	rig_door_waits_for_cable(&d);
	rig_leader_dies(&l);
	assert_int_equal(rig_refusal(&caller), 7022);
	assert_int_equal(rig_door_gives(&d), 5023);

	l = rig_session(&rig, 7, "");
	(void)bring_to_plug(&caller, &l, &d, "7");
	rig_leader_dies(&l);
	assert_int_equal(rig_refusal(&caller), 7022);
	rig_leave(&caller);
	rig_leave(&d.peer);
}

static void whoever_dies_after_the_answer_leaves_no_lock_behind(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "6");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	(void)rig_leader_gets(&l, LINK_COMMIT);
	rig_leader_dies(&l);
	assert_true(TAILQ_EMPTY(&rig.broker->operations));

	l = rig_session(&rig, 7, "");
	plug = bring_to_plug(&caller, &l, &d, "7");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	struct link_simple commit = rig_leader_gets(&l, LINK_COMMIT);
	rig_leave(&d.peer);
	rig_leader_sends(&l, LINK_PLUGGED, commit.header.serial, -EPIPE);
	assert_true(TAILQ_EMPTY(&rig.broker->operations));
	rig_leave(&caller);
	rig_leader_dies(&l);
}

static void a_swap_without_a_word_ends_all_the_same(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "6");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	(void)rig_leader_gets(&l, LINK_COMMIT);
	/* This waits for the limit of the swap, then sees the session where it was. */
	AUTO(json) json_t *list = rig_call(&rig, "ListSessions", NULL);
	json_t *row = json_array_get(json_object_get(list, "sessions"), 0);
	assert_string_equal(text_of(row, "state"), "Disc");
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void the_second_of_two_connects_is_busy_at_once(void **state)
{
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_leader six = rig_session(&rig, 6, "TERM02");
	struct rig_leader seven = rig_session(&rig, 7, "");
	struct rig_door one = rig_door_back(&rig, &five, "TERM01");
	struct rig_door two = rig_door_back(&rig, &six, "TERM02");
	struct rig_door three = rig_door(&rig, "TERM03");
	struct rig_peer first = rig_caller(&rig);
	rig_ask(&first, "Connect", session_and("6", "TERM01"));
	/* 6 goes from TERM02 to TERM01, where 5 is: all four are held. */
	static const char *const pairs[][2] = { { "6", "TERM03" }, { "7", "TERM01" },
		{ "5", "TERM03" }, { "7", "TERM02" } };
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(
			rig_call_code(&rig, "Connect", session_and(pairs[i][0], pairs[i][1])),
			7024);
	}
	static const char *const held[] = { "5", "6" };
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		assert_int_equal(
			rig_call_code(&rig, "Disconnect", session_and(held[i], NULL)), 7024);
		assert_int_equal(rig_call_code(&rig, "Logoff", session_and(held[i], NULL)), 7024);
		assert_int_equal(rig_call_code(&rig, "Reset", session_and(held[i], NULL)), 7024);
	}
	rig_door_waits_for_cable(&one);
	assert_int_equal(rig_door_gives(&one), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&six, LINK_PLUG, &cable);
	rig_leader_sends(&six, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&first), 0);
	finish_swap(&six, "TERM01");
	rig_leader_moves(&five, "");
	assert_true(rig_silent(&three.peer));
	rig_leave(&first);
	rig_leave(&one.peer);
	rig_leave(&two.peer);
	rig_leave(&three.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&six);
	rig_leader_dies(&seven);
}

static void a_caller_that_is_killed_does_not_stop_the_connect(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and("6", "TERM01"));
	rig_leave(&caller);
	rig_door_waits_for_cable(&d);
	assert_int_equal(rig_door_gives(&d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&l, LINK_PLUG, &cable);
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	finish_swap(&l, "TERM01");
	assert_true(session_is_active(session_find(rig.broker, 6)));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void what_was_answered_is_seen_by_the_next_question(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "6");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	rig_ask(&caller, "ListSessions", NULL);
	struct rig_peer other = rig_caller(&rig);
	rig_ask(&other, "Disconnect", session_and("6", NULL));
	assert_true(rig_silent(&caller));
	assert_true(rig_silent(&other));
	finish_swap(&l, "TERM01");
	AUTO(json) json_t *list = rig_answer(&caller);
	json_t *row = json_array_get(json_object_get(list, "sessions"), 0);
	assert_string_equal(text_of(row, "name"), "TERM01");
	/* And the other question was not busy, but the next in line. */
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	rig_leader_sends(&l, LINK_UNPLUGGED, unplug.header.serial, 0);
	rig_leader_moves(&l, "");
	assert_int_equal(rig_refusal(&other), 0);
	rig_leave(&caller);
	rig_leave(&other);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_terminal_that_goes_right_after_the_swap_holds_nobody_up(void **state)
{
	rig.broker->limits.left_ms = 3600 * 1000; /* no limit shall end this wait */
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	struct link_simple plug = bring_to_plug(&caller, &l, &d, "6");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	rig_ask(&caller, "ListSessions", NULL);
	struct link_simple commit = rig_leader_gets(&l, LINK_COMMIT);
	rig_leader_sends(&l, LINK_PLUGGED, commit.header.serial, 0);
	rig_settle(&rig);
	rig_leader_moves(&l, "");
	AUTO(json) json_t *list = rig_answer(&caller);
	json_t *row = json_array_get(json_object_get(list, "sessions"), 0);
	assert_string_equal(text_of(row, "state"), "Disc");
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void without_a_session_argument_the_callers_own_moves(void **state)
{
	struct rig_leader own = rig_session(&rig, 5, "TERM01");
	own.info.tty_device = rig_own_tty();
	rig_leader_says(&own);
	struct rig_door one = rig_door_back(&rig, &own, "TERM01");
	struct rig_door two = rig_door(&rig, "TERM02");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and(NULL, "TERM02"));
	rig_door_waits_for_cable(&two);
	assert_int_equal(rig_door_gives(&two), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&own, LINK_PLUG, &cable);
	rig_leader_sends(&own, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	finish_swap(&own, "TERM02");
	rig_leave(&caller);
	rig_leave(&one.peer);
	rig_leave(&two.peer);
	rig_leader_dies(&own);
}

static void without_a_destination_the_callers_own_terminal_shows_it(void **state)
{
	struct rig_leader own = rig_session(&rig, 5, "TERM01");
	struct rig_leader six = rig_session(&rig, 6, "");
	own.info.tty_device = rig_own_tty();
	rig_leader_says(&own);
	struct rig_door d = rig_door_back(&rig, &own, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and("6", NULL));
	rig_door_waits_for_cable(&d);
	assert_int_equal(rig_door_gives(&d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&six, LINK_PLUG, &cable);
	rig_leader_sends(&six, LINK_READY, plug.header.serial, 0);
	AUTO(json) json_t *answer = rig_answer(&caller);
	assert_int_equal(json_integer_value(json_object_get(answer, "displacedSession")), 5);
	finish_swap(&six, "TERM01");
	rig_leader_moves(&own, "");
	/* Now the caller's own session is on no terminal. */
	assert_int_equal(rig_call_code(&rig, "Connect", session_and("6", NULL)), 5023);
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&own);
	rig_leader_dies(&six);
}

static void a_plain_terminal_is_named_by_its_secret(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, NULL);
	struct rig_peer caller = rig_caller(&rig);
	assert_int_equal(rig_call_code(&rig, "Connect",
				 json_pack("{s:s, s:s}", "session", "6", "secret",
					 "00112233445566778899aabbccddeeff")),
		5023);
	rig_ask(&caller, "Connect", json_pack("{s:s, s:s}", "session", "6", "secret", d.secret));
	rig_door_waits_for_cable(&d);
	assert_int_equal(rig_door_gives(&d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&l, LINK_PLUG, &cable);
	assert_string_equal(plug.terminal, "tty#1");
	rig_leader_sends(&l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	finish_swap(&l, "tty#1");
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_cable_is_taken_only_from_who_was_asked(void **state)
{
	struct rig_leader l = rig_session(&rig, 6, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	struct rig_door other = rig_door(&rig, "TERM02");
	d.ticket = 1;
	assert_int_equal(rig_door_gives(&d), 5023); /* nobody asked */
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Connect", session_and("6", "TERM01"));
	rig_door_waits_for_cable(&d);
	struct rig_door wrong = d;
	wrong.ticket++;
	assert_int_equal(rig_door_gives(&wrong), 5023);
	wrong = d;
	wrong.secret[0] = wrong.secret[0] == '0' ? '1' : '0';
	assert_int_equal(rig_door_gives(&wrong), 7022);
	wrong.secret[0] = '\0';
	assert_int_equal(rig_door_gives(&wrong), 7022);
	other.ticket = d.ticket;
	assert_int_equal(rig_door_gives(&other), 5023);
	assert_true(rig_leader_gets_nothing(&l));
	assert_int_equal(rig_door_gives(&d), 0);
	assert_int_equal(rig_door_gives(&d), 5023); /* once is enough */
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(&l, LINK_PLUG, &cable);
	rig_leader_sends(&l, LINK_READY, plug.header.serial, -ETIMEDOUT);
	assert_int_equal(rig_refusal(&caller), 7040);
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leave(&other.peer);
	rig_leader_dies(&l);
}

static void a_warrant_for_an_own_session_is_not_read(void **state)
{
	int pair[2];
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "secret", 6), 6);
	struct rig_leader five = rig_session(&rig, 5, "TERM01");
	struct rig_door d = rig_door_back(&rig, &five, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask_full(&caller, "Connect",
		json_pack("{s:s, s:s, s:i, s:b}", "session", "5", "destination", "TERM01",
			"warrant", 0, "password", 1),
		false, pair[0]);
	assert_int_equal(rig_refusal(&caller), 0);
	char text[16];
	assert_int_equal(read(pair[0], text, sizeof(text)), 6);
	/* The broker has closed its copy: only ours is left. */
	(void)close(pair[0]);
	assert_int_equal(write(pair[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(pair[1]);
	rig_leave(&caller);
	rig_leave(&d.peer);
	rig_leader_dies(&five);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_session_comes_to_a_waiting_terminal),
		TEST(a_swap_names_what_it_displaces_and_leaves),
		SHORT(a_session_that_does_not_leave_is_told_to),
		TEST(a_session_that_is_there_already_is_left_alone),
		TEST(what_the_host_says_becomes_a_code_and_changes_nothing),
		SHORT(a_door_that_gives_no_cable_in_time_fails_the_connect),
		SHORT(a_host_that_is_silent_has_the_cable_taken_back),
		TEST(a_door_that_goes_fails_the_connect),
		TEST(a_leader_that_dies_fails_the_connect),
		TEST(whoever_dies_after_the_answer_leaves_no_lock_behind),
		SHORT(a_swap_without_a_word_ends_all_the_same),
		TEST(the_second_of_two_connects_is_busy_at_once),
		TEST(a_caller_that_is_killed_does_not_stop_the_connect),
		TEST(what_was_answered_is_seen_by_the_next_question),
		TEST(a_terminal_that_goes_right_after_the_swap_holds_nobody_up),
		TEST(without_a_session_argument_the_callers_own_moves),
		TEST(without_a_destination_the_callers_own_terminal_shows_it),
		TEST(a_plain_terminal_is_named_by_its_secret),
		TEST(a_cable_is_taken_only_from_who_was_asked),
		TEST(a_warrant_for_an_own_session_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
