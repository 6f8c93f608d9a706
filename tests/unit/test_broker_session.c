/* What happens to a session besides connect: its start, its disconnection, its end, its place in
 * the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/idfile.h"
#include "broker/limits.h"
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
	rig_end(&rig);
	return 0;
}

static json_t *session_of(const char *session)
{
	return json_pack("{s:s?}", "session", session);
}

static const char *text_of(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* A caller that has asked for a session, and the leader that termservd was asked to start. */
struct creation {
	struct rig_peer caller;
	struct rig_leader leader;
	uint32_t serial;
	int proof_fd;
};

static struct creation create(void)
{
	int pair[2];
	struct creation c = { .caller = rig_caller(&rig) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	rig_ask_full(&c.caller, "CreateSession", json_pack("{s:i}", "proof", 0), false, pair[1]);
	(void)close(pair[0]);
	(void)close(pair[1]);
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(rig.parent_fd, &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_SPAWN);
	assert_int_equal(packet.spawn.uid, geteuid());
	assert_int_equal(set.count, 2);
	c.serial = packet.header.serial;
	c.leader = (struct rig_leader){ .rig = &rig, .fd = set.fds[0] };
	c.proof_fd = set.fds[1];
	assert_int_equal(fd_set_nonblocking(c.leader.fd, true), 0);
	c.leader.info = (struct link_info){
		.header = { LINK_VERSION, LINK_INFO, 0 },
		.session = packet.spawn.session,
		.uid = geteuid(),
		.state = SESSION_INIT,
		.rows = 24,
		.columns = 80,
	};
	return c;
}

static void a_leader_is_told_where_its_session_comes_in(void **state)
{
	struct rig_door d = rig_door(&rig, NULL);
	struct rig_peer caller = rig_caller(&rig);
	int pair[2];
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	/* A secret that nobody has, and a name that the secret does not belong to. */
	rig_ask_full(&caller, "CreateSession",
		json_pack("{s:i, s:s}", "proof", 0, "secret", "00112233445566778899aabbccddeeff"),
		false, pair[1]);
	assert_int_equal(rig_refusal(&caller), 5023);
	rig_ask_full(&caller, "CreateSession",
		json_pack("{s:i, s:s, s:s}", "proof", 0, "secret", d.secret, "terminal", "TERM01"),
		false, pair[1]);
	assert_int_equal(rig_refusal(&caller), 5023);
	rig_ask_full(&caller, "CreateSession",
		json_pack("{s:i, s:s, s:s}", "proof", 0, "secret", d.secret, "terminal", "TTY#1"),
		false, pair[1]);
	assert_int_equal(link_receive(rig.parent_fd, &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_SPAWN);
	assert_string_equal(packet.spawn.listener, "tty");
	assert_string_equal(packet.spawn.terminal, "tty#1");
	assert_string_equal(packet.spawn.client, "");
	fd_set_done(&set);
	assert_int_not_equal(rig_refusal(&caller), 0);
	rig_leave(&caller);
	rig_leave(&d.peer);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void spawned(struct creation *c, int error)
{
	struct link_simple packet = link_make(LINK_SPAWNED, c->serial);
	packet.error = error;
	assert_int_equal(link_send_simple(rig.parent_fd, &packet), 0);
	rig_settle(&rig);
}

static void end_creation(struct creation *c)
{
	rig_leave(&c->caller);
	if (c->leader.fd >= 0) {
		rig_leader_dies(&c->leader);
	}
	(void)close(c->proof_fd);
}

static void a_session_is_answered_when_it_stands(void **state)
{
	struct creation c = create();
	(void)rig_leader_gets(&c.leader, LINK_HELLO);
	spawned(&c, 0);
	assert_true(rig_silent(&c.caller));
	rig_leader_says(&c.leader); /* still INIT */
	assert_true(rig_silent(&c.caller));
	c.leader.info.state = SESSION_DISCONNECTED;
	rig_leader_says(&c.leader);
	AUTO(json) json_t *answer = rig_answer(&c.caller);
	assert_int_equal(json_integer_value(json_object_get(answer, "session")), 1);
	assert_int_equal(rig.broker->created, 1);
	uint32_t last = 0;
	assert_int_equal(idfile_read(rig.runtime_fd, &last), 0);
	assert_int_equal(last, 1);
	/* What the caller made came through unread. */
	int type = 0;
	socklen_t size = sizeof(type);
	assert_int_equal(getsockopt(c.proof_fd, SOL_SOCKET, SO_TYPE, &type, &size), 0);
	assert_int_equal(type, SOCK_SEQPACKET);
	end_creation(&c);
}

static void an_id_is_never_given_twice_even_by_the_next_broker(void **state)
{
	for (uint32_t i = 1; i <= 3; i++) {
		struct creation c = create();
		assert_int_equal(c.leader.info.session, i);
		spawned(&c, -EAGAIN);
		assert_int_equal(rig_refusal(&c.caller), 8);
		end_creation(&c);
		rig_restart(&rig);
	}
}

static void a_session_that_cannot_start_says_why(void **state)
{
	static const struct {
		int error, code;
	} cases[] = { { -EMFILE, 4 }, { -ENOMEM, 8 }, { -ENOSPC, 112 }, { -ENOENT, 87 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct creation c = create();
		spawned(&c, cases[i].error);
		assert_int_equal(rig_refusal(&c.caller), cases[i].code);
		end_creation(&c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct creation c = create();
		spawned(&c, 0);
		rig_leader_sends(&c.leader, LINK_ENDED, 0, cases[i].error);
		assert_int_equal(rig_refusal(&c.caller), cases[i].code);
		end_creation(&c);
	}
	struct creation c = create();
	spawned(&c, 0);
	rig_leader_dies(&c.leader);
	assert_int_equal(rig_refusal(&c.caller), 5023);
	end_creation(&c);
	assert_int_equal(rig.broker->session_count, 0);
}

static void a_session_that_does_not_come_up_in_time_is_ended(void **state)
{
	struct creation c = create();
	spawned(&c, 0);
	assert_int_equal(rig_refusal(&c.caller), 7040);
	(void)rig_leader_gets(&c.leader, LINK_HELLO);
	(void)rig_leader_gets(&c.leader, LINK_RESET);
	assert_int_equal(rig.broker->session_count, 0);
	end_creation(&c);
}

static void a_proof_must_be_a_packet_socket(void **state)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct rig_peer caller = rig_caller(&rig);
	static const int indices[] = { 0, 1, -1, 4 };
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		rig_ask_full(&caller, "CreateSession", json_pack("{s:i}", "proof", indices[i]),
			false, pair[0]);
		assert_int_equal(rig_refusal(&caller), 87);
	}
	rig_ask_full(
		&caller, "CreateSession", json_pack("{s:i}", "proof", 0), false, STDERR_FILENO);
	assert_int_equal(rig_refusal(&caller), 87);
	rig_ask(&caller, "CreateSession", NULL);
	assert_int_equal(rig_refusal(&caller), 87);
	uint32_t last = 9;
	assert_int_equal(idfile_read(rig.runtime_fd, &last), 0);
	assert_int_equal(last, 0);
	rig_leave(&caller);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void without_descriptors_the_request_fails_and_the_broker_goes_on(void **state)
{
	int pair[2];
	struct rlimit kept;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "GetCaller", NULL);
	assert_int_equal(rig_refusal(&caller), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
	int refused = 0;
	while (rig.broker->session_count == 0) {
		/* One descriptor more is left each time when the request arrives. */
		int probe = dup(STDERR_FILENO);
		(void)close(probe);
		struct rlimit limit = { (rlim_t)(probe + refused), kept.rlim_max };
		assert_int_equal(varlink_send_call(caller.v, "io.termserv.Control.CreateSession",
					 json_pack("{s:i}", "proof", 0), false, &pair[1], 1),
			0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		rig_settle(&rig);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
		if (rig.broker->session_count == 0) {
			assert_int_equal(rig_refusal(&caller), 4);
			assert_true(++refused < 10);
			rig_leave(&caller);
			caller = rig_caller(&rig);
			assert_int_equal(rig_call_code(&rig, "GetCaller", NULL), 0);
		}
	}
	assert_true(refused >= 3); /* the proof and the two ends of the link */
	spawned(&(struct creation){ .serial = rig.broker->last_serial }, -ENOMEM);
	assert_int_equal(rig_refusal(&caller), 8);
	rig_leave(&caller);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void disconnect_waits_until_no_terminal_shows_the_session(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Disconnect", session_of("term01"));
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	assert_string_equal(unplug.terminal, "TERM01");
	assert_int_equal(unplug.reason, LINK_REASON_ADMIN_DISCONNECT);
	assert_non_null(strstr(unplug.text, "Session 5 was disconnected by "));
	rig_leader_sends(&l, LINK_UNPLUGGED, unplug.header.serial, 0);
	assert_true(rig_silent(&caller));
	rig_leader_moves(&l, "");
	AUTO(json) json_t *answer = rig_answer(&caller);
	assert_string_equal(text_of(answer, "terminal"), "TERM01");
	assert_int_equal(rig_call_code(&rig, "Disconnect", session_of("5")), 5023);
	assert_int_equal(rig_call_code(&rig, "Disconnect", session_of("TERM01")), 7022);
	rig_leave(&caller);
	rig_leader_dies(&l);
}

static void disconnect_of_the_callers_own_session_says_so(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	assert_int_equal(rig_call_code(&rig, "Disconnect", NULL), 5023); /* in no session */
	l.info.tty_device = rig_own_tty();
	rig_leader_says(&l);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Disconnect", NULL);
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	assert_int_equal(unplug.reason, LINK_REASON_OWN_DISCONNECT);
	rig_leader_sends(&l, LINK_UNPLUGGED, unplug.header.serial, -ENOTCONN);
	assert_int_equal(rig_refusal(&caller), 5023);
	rig_leave(&caller);
	rig_leader_dies(&l);
}

static void a_leader_that_is_silent_or_dies_ends_the_disconnect(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	assert_int_equal(rig_call_code(&rig, "Disconnect", session_of("5")), 7040);
	(void)rig_leader_gets(&l, LINK_UNPLUG);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Disconnect", session_of("5"));
	rig_leader_dies(&l);
	assert_int_equal(rig_refusal(&caller), 7022);
	rig_leave(&caller);
}

static void logoff_and_reset_are_done_when_the_session_is_gone(void **state)
{
	static const struct {
		const char *method;
		enum link_type type;
	} cases[] = { { "Logoff", LINK_LOGOFF }, { "Reset", LINK_RESET } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig_leader l = rig_session(&rig, 5 + (uint32_t)i, "");
		struct rig_peer caller = rig_caller(&rig);
		rig_ask(&caller, cases[i].method, session_of(i == 0 ? "5" : "6"));
		struct link_simple end = rig_leader_gets(&l, cases[i].type);
		assert_int_equal(end.reason, LINK_REASON_ADMIN_LOGOFF);
		assert_true(rig_silent(&caller));
		rig_leader_sends(&l, LINK_ENDED, 0, 0);
		assert_int_equal(rig_refusal(&caller), 0);
		assert_int_equal(rig.broker->session_count, 0);
		rig_leave(&caller);
		(void)close(l.fd);
	}
	assert_int_equal(rig_call_code(&rig, "Reset", NULL), 87);
	assert_int_equal(rig_call_code(&rig, "Logoff", NULL), 5023);
	assert_int_equal(rig_call_code(&rig, "Logoff", session_of("77")), 7022);
}

static void a_session_that_hangs_while_it_ends_can_still_be_reset(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	assert_int_equal(rig_call_code(&rig, "Logoff", session_of("5")), 7007);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	l.info.state = SESSION_RESET;
	rig_leader_says(&l);
	assert_int_equal(rig_call_code(&rig, "Logoff", session_of("5")), 7024);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Reset", session_of("5"));
	(void)rig_leader_gets(&l, LINK_RESET);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	assert_int_equal(rig_refusal(&caller), 0);
	rig_leave(&caller);
	(void)close(l.fd);
}

static void who_logs_its_own_session_off_is_answered_first(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	l.info.tty_device = rig_own_tty();
	rig_leader_says(&l);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "Logoff", NULL);
	assert_int_equal(rig_refusal(&caller), 0);
	struct link_simple end = rig_leader_gets(&l, LINK_LOGOFF);
	assert_int_equal(end.reason, LINK_REASON_OWN_LOGOFF);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	rig_leave(&caller);
	(void)close(l.fd);
}

static json_t *row_of(json_t *list, size_t index)
{
	return json_array_get(json_object_get(list, "sessions"), index);
}

static void the_list_has_sessions_by_id_and_waiting_terminals_last(void **state)
{
	struct rig_leader twelve = rig_session(&rig, 12, "");
	struct rig_leader five = rig_session(&rig, 5, "TERM09");
	struct rig_door d = rig_door(&rig, "TERM01");
	five.info.tty_device = rig_own_tty();
	link_set_text(five.info.title, "evil \x1b]0;x\a \xff\xe2\x80\xae end");
	five.info.last_input = 1;
	rig_leader_says(&five);
	AUTO(json) json_t *list = rig_call(&rig, "ListSessions", NULL);
	assert_int_equal(json_array_size(json_object_get(list, "sessions")), 3);
	json_t *row = row_of(list, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "id")), 5);
	assert_string_equal(text_of(row, "name"), "TERM09");
	assert_string_equal(text_of(row, "state"), "Active");
	assert_true(json_is_true(json_object_get(row, "current")));
	assert_string_equal(text_of(row, "title"), "evil ?]0;x? ?? end");
	assert_true(json_integer_value(json_object_get(row, "idle")) > 1000000);
	row = row_of(list, 1);
	assert_int_equal(json_integer_value(json_object_get(row, "id")), 12);
	assert_true(json_is_null(json_object_get(row, "name")));
	assert_true(json_is_null(json_object_get(row, "idle")));
	assert_true(json_is_false(json_object_get(row, "current")));
	row = row_of(list, 2);
	assert_true(json_is_null(json_object_get(row, "id")));
	assert_string_equal(text_of(row, "name"), "TERM01");
	assert_string_equal(text_of(row, "state"), "Conn");
	assert_int_equal(json_object_size(row), json_object_size(row_of(list, 0)));

	AUTO(json) json_t *who = rig_call(&rig, "GetCaller", NULL);
	assert_int_equal(json_integer_value(json_object_get(who, "session")), 5);
	assert_string_equal(text_of(who, "terminal"), "TERM09");
	assert_string_equal(text_of(who, "mode"), "user");
	assert_string_equal(text_of(who, "runtimeDirectory"), rig.folder);
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&twelve);
}

static void the_filter_takes_an_id_a_name_or_a_user(void **state)
{
	struct rig_leader twelve = rig_session(&rig, 12, "");
	struct rig_leader five = rig_session(&rig, 5, "TERM09");
	struct rig_door d = rig_door(&rig, "TERM01");
	const char *user = rig.broker->owner_name;
	const struct {
		const char *filter;
		size_t count;
	} cases[] = { { "5", 1 }, { "05", 1 }, { "6", 0 }, { "term09", 1 }, { "TERM01", 1 },
		{ "NOPE", 0 }, { "", 0 }, { user != NULL ? user : "12", user != NULL ? 3 : 1 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json)
		json_t *list = rig_call(
			&rig, "ListSessions", json_pack("{s:s}", "filter", cases[i].filter));
		assert_int_equal(
			json_array_size(json_object_get(list, "sessions")), cases[i].count);
	}
	rig_leave(&d.peer);
	rig_leader_dies(&five);
	rig_leader_dies(&twelve);
}

static void a_watcher_hears_of_changes_and_of_nothing_else(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	struct rig_peer watcher = rig_caller(&rig);
	rig_ask(&watcher, "ListSessions", json_pack("{s:b}", "watch", 1));
	AUTO(json) json_t *refused = rig_message(&watcher);
	assert_string_equal(text_of(refused, "error"), "org.varlink.service.ExpectedMore");
	rig_ask_full(&watcher, "ListSessions", json_pack("{s:b}", "watch", 1), true, -1);
	AUTO(json) json_t *first = rig_message(&watcher);
	assert_true(json_is_true(json_object_get(first, "continues")));
	l.info.last_input = 99;
	l.info.model_bytes = 7777;
	rig_leader_says(&l);
	rig_turn(&rig);
	assert_true(rig_silent(&watcher));
	rig_leader_moves(&l, "TERM01");
	rig_leader_moves(&l, "");
	rig_leader_moves(&l, "TERM02");
	AUTO(json) json_t *second = rig_answer(&watcher);
	assert_string_equal(text_of(row_of(second, 0), "name"), "TERM02");
	assert_int_equal(json_integer_value(json_object_get(second, "disconnected")), 1);
	assert_int_equal(json_integer_value(json_object_get(second, "reconnected")), 1);
	assert_true(rig_silent(&watcher)); /* three changes, one list */
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	AUTO(json) json_t *third = rig_answer(&watcher);
	assert_int_equal(json_array_size(json_object_get(third, "sessions")), 0);
	rig_leave(&watcher);
	assert_int_equal(rig.broker->watcher_count, 0);
	(void)close(l.fd);
}

static void in_a_server_of_his_own_a_user_has_all_the_room(void **state)
{
	assert_int_equal(session_limit(rig.broker), LIMIT_SESSIONS_PER_UID);
	for (unsigned i = 0; i < LIMIT_TERMINALS - 1; i++) {
		char name[LINK_NAME_SIZE];
		struct terminal *t;
		terminal_give_name(rig.broker, "tty", name);
		assert_int_equal(terminal_new(&t, rig.broker, name), 0);
		t->uid = geteuid();
	}
	json_t *request = json_pack(
		"{s:s, s:s, s:i, s:i}", "kind", "tty", "term", "xterm", "rows", 24, "columns", 80);
	struct rig_peer last = rig_caller(&rig);
	rig_ask_full(&last, "OpenTerminal", json_incref(request), true, -1);
	AUTO(json) json_t *ready = rig_answer(&last);
	assert_string_equal(text_of(ready, "event"), "ready");
	struct rig_peer late = rig_caller(&rig);
	rig_ask_full(&late, "OpenTerminal", request, true, -1);
	assert_int_equal(rig_refusal(&late), 7054);
	rig_leave(&late);
	rig_leave(&last);
	while (!TAILQ_EMPTY(&rig.broker->terminals)) {
		(void)terminal_free(TAILQ_FIRST(&rig.broker->terminals));
	}
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_leader_is_told_where_its_session_comes_in),
		TEST(a_session_is_answered_when_it_stands),
		TEST(an_id_is_never_given_twice_even_by_the_next_broker),
		TEST(a_session_that_cannot_start_says_why),
		SHORT(a_session_that_does_not_come_up_in_time_is_ended),
		TEST(a_proof_must_be_a_packet_socket),
		TEST(without_descriptors_the_request_fails_and_the_broker_goes_on),
		TEST(disconnect_waits_until_no_terminal_shows_the_session),
		TEST(disconnect_of_the_callers_own_session_says_so),
		SHORT(a_leader_that_is_silent_or_dies_ends_the_disconnect),
		TEST(logoff_and_reset_are_done_when_the_session_is_gone),
		SHORT(a_session_that_hangs_while_it_ends_can_still_be_reset),
		TEST(who_logs_its_own_session_off_is_answered_first),
		TEST(the_list_has_sessions_by_id_and_waiting_terminals_last),
		TEST(the_filter_takes_an_id_a_name_or_a_user),
		TEST(a_watcher_hears_of_changes_and_of_nothing_else),
		TEST(in_a_server_of_his_own_a_user_has_all_the_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
