/* The control link: terminals that come and go, introspection, and peers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"
#include "protocol/idl.h"

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

static const char *text_of(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* What a door that asks for this name and secret is told: 0 or a code. */
static int open_code(const char *name, const char *secret)
{
	struct rig_peer p = rig_caller(&rig);
	rig_ask_full(&p, "OpenTerminal",
		json_pack("{s:s?, s:s, s:s, s:i, s:i, s:s?}", "name", name, "kind", "tty", "term",
			"xterm", "rows", 24, "columns", 80, "secret", secret),
		true, -1);
	int code = rig_refusal(&p);
	rig_leave(&p);
	return code;
}

static void a_given_name_has_the_lowest_number_that_is_free(void **state)
{
	struct rig_leader held = rig_session(&rig, 5, "tty#2");
	struct rig_door one = rig_door(&rig, NULL);
	struct rig_door three = rig_door(&rig, NULL);
	assert_string_equal(one.name, "tty#1");
	assert_string_equal(three.name, "tty#3"); /* 2 is in a session's mouth */
	rig_leave(&one.peer);
	struct rig_door again = rig_door(&rig, NULL);
	assert_string_equal(again.name, "tty#1");
	rig_leader_moves(&held, "");
	struct rig_door two = rig_door(&rig, NULL);
	assert_string_equal(two.name, "tty#2");
	rig_leave(&again.peer);
	rig_leave(&two.peer);
	rig_leave(&three.peer);
	assert_int_equal(rig.broker->terminal_count, 0);
	rig_leader_dies(&held);
}

static void a_name_is_one_terminals_alone(void **state)
{
	struct rig_leader held = rig_session(&rig, 5, "TERM09");
	struct rig_door d = rig_door(&rig, "TERM01");
	static const struct {
		const char *name;
		int code;
	} cases[] = { { "TERM01", 7023 }, { "term01", 7023 }, { "TERM09", 7023 }, { "tty#1", 7001 },
		{ "12", 7001 }, { "a b", 7001 }, { "", 7001 }, { "-x", 7001 }, { "ssh", 7001 },
		{ "TTY", 7001 }, { "console", 7001 }, { "TERM02", 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(open_code(cases[i].name, NULL), cases[i].code);
	}
	rig_leave(&d.peer);
	assert_int_equal(open_code("TERM01", NULL), 0);
	rig_leader_dies(&held);
}

static void only_who_knows_the_secret_comes_back(void **state)
{
	static const char wrong[] = "00112233445566778899aabbccddeeff";
	struct rig_leader l = rig_session(&rig, 5, "tty#4");
	struct rig_door d = rig_door_back(&rig, &l, "tty#4");
	assert_int_equal(open_code("tty#4", wrong), 7023);
	/* The door itself comes back before its old connection is known to be dead. */
	struct rig_door again = rig_door_back(&rig, &l, "tty#4");
	assert_true(rig_closed(&d.peer));
	assert_int_equal(rig.broker->terminal_count, 1);
	rig_leave(&d.peer);
	rig_leave(&again.peer);
	assert_int_equal(open_code("tty#4", NULL), 7001); /* no `#` in names one chooses */
	assert_int_equal(open_code("tty#4", wrong), 7023);
	assert_int_equal(open_code("tty#4", "nonsense"), 87);
	/* A name that nobody holds may be taken again with any secret. */
	assert_int_equal(open_code("tty#6", wrong), 0);
	rig_leader_dies(&l);
}

static void a_door_says_what_it_is_in_the_right_form(void **state)
{
	static const char *const wrong[] = {
		"{\"kind\":\"TTY\",\"term\":\"x\",\"rows\":24,\"columns\":80}",
		"{\"kind\":\"tty\",\"rows\":24,\"columns\":80}",
		"{\"kind\":\"tty\",\"term\":\"x\",\"rows\":0,\"columns\":80}",
		"{\"kind\":\"tty\",\"term\":\"x\",\"rows\":24,\"columns\":4097}",
		"{\"kind\":\"tty\",\"term\":\"x\",\"rows\":\"24\",\"columns\":80}",
		"{\"kind\":\"tty\",\"term\":\"x\",\"rows\":24,\"columns\":80,\"fixed\":true}",
		"{\"kind\":\"tty\",\"term\":\"x\",\"rows\":24,\"columns\":80,\"name\":7}",
		"{}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct rig_peer p = rig_caller(&rig);
		rig_ask_full(&p, "OpenTerminal", json_loads(wrong[i], 0, NULL), true, -1);
		assert_int_equal(rig_refusal(&p), 87);
		rig_leave(&p);
	}
	assert_int_equal(rig.broker->terminal_count, 0);
}

static json_t *error_of(const char *method, json_t *parameters)
{
	struct rig_peer p = rig_caller(&rig);
	rig_ask(&p, method, parameters);
	json_t *message = rig_message(&p);
	rig_leave(&p);
	return message;
}

static void the_service_describes_itself(void **state)
{
	AUTO(json) json_t *info = rig_call(&rig, "org.varlink.service.GetInfo", NULL);
	assert_int_equal(json_array_size(json_object_get(info, "interfaces")), 2);
	assert_string_equal(text_of(info, "version"), TERMSERV_VERSION);
	AUTO(json)
	json_t *own = rig_call(&rig, "org.varlink.service.GetInterfaceDescription",
		json_pack("{s:s}", "interface", CONTROL_INTERFACE));
	assert_string_equal(text_of(own, "description"), idl_text());
	AUTO(json)
	json_t *service = rig_call(&rig, "org.varlink.service.GetInterfaceDescription",
		json_pack("{s:s}", "interface", "org.varlink.service"));
	assert_non_null(strstr(text_of(service, "description"), "interface org.varlink.service\n"));

	static const struct {
		const char *method, *error, *field, *value;
	} cases[] = {
		{ "io.termserv.Control.Nope", "MethodNotFound", "method",
			"io.termserv.Control.Nope" },
		{ "io.termserv.Control.", "MethodNotFound", "method", "io.termserv.Control." },
		{ "io.termserv.Other.Connect", "InterfaceNotFound", "interface",
			"io.termserv.Other" },
		{ ".", "InterfaceNotFound", "interface", "" },
		{ "org.varlink.service.GetInterfaceDescription", "InvalidParameter", "parameter",
			"interface" },
		{ "io.termserv.Control.OpenTerminal", "ExpectedMore", NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json) json_t *message = error_of(cases[i].method, NULL);
		assert_string_equal(strrchr(text_of(message, "error"), '.') + 1, cases[i].error);
		if (cases[i].field != NULL) {
			assert_string_equal(
				text_of(json_object_get(message, "parameters"), cases[i].field),
				cases[i].value);
		}
	}
}

static void unknown_members_are_ignored_and_wrong_types_are_not(void **state)
{
	assert_int_equal(rig_call_code(&rig, "GetCaller", json_pack("{s:i}", "future", 1)), 0);
	static const char *const wrong[][2] = {
		{ "Connect", "{\"session\":6}" },
		{ "Connect", "{\"session\":\"6\",\"destination\":[]}" },
		{ "Connect", "{\"session\":\"6\",\"secret\":{}}" },
		{ "Connect", "{\"session\":\"6\",\"password\":\"x\"}" },
		{ "Connect", "{\"session\":\"6\",\"password\":0}" },
		{ "Disconnect", "{\"session\":true}" },
		{ "Logoff", "{\"session\":1.5}" },
		{ "Reset", "{\"session\":null}" },
		{ "Stop", "{}" },
		{ "Stop", "{\"force\":1}" },
		{ "ListSessions", "{\"filter\":1}" },
		{ "ListSessions", "{\"watch\":\"yes\"}" },
		{ "GiveCable", "{}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(
			rig_call_code(&rig, wrong[i][0], json_loads(wrong[i][1], 0, NULL)), 87);
	}
	struct rig_peer p = rig_caller(&rig);
	static const char *const messages[] = { "{}", "{\"method\":7}",
		"{\"method\":\"io.termserv.Control.GetCaller\",\"parameters\":[]}" };
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		assert_int_equal(varlink_send(p.v, json_loads(messages[i], 0, NULL), NULL, 0), 0);
		assert_int_equal(rig_refusal(&p), 87);
	}
	rig_leave(&p);
}

static void calls_on_one_connection_are_answered_in_their_order(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	struct rig_peer p = rig_caller(&rig);
	/* All at once: the first waits for a leader, the others wait for the first. */
	assert_int_equal(varlink_send_call(p.v, "io.termserv.Control.Disconnect",
				 json_pack("{s:s}", "session", "5"), false, NULL, 0),
		0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(varlink_send_call(p.v, "io.termserv.Control.GetCaller",
					 json_object(), false, NULL, 0),
			0);
	}
	json_t *oneway = json_pack(
		"{s:s, s:b}", "method", "io.termserv.Control.GetCaller", "oneway", 1);
	assert_int_equal(varlink_send(p.v, oneway, NULL, 0), 0);
	rig_ask(&p, "Disconnect", json_pack("{s:s}", "session", "99"));
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	assert_true(rig_silent(&p));
	rig_leader_sends(&l, LINK_UNPLUGGED, unplug.header.serial, 0);
	rig_leader_moves(&l, "");
	AUTO(json) json_t *first = rig_answer(&p);
	assert_string_equal(text_of(first, "terminal"), "TERM01");
	for (int i = 0; i < 200; i++) {
		AUTO(json) json_t *answer = rig_answer(&p);
		assert_non_null(json_object_get(answer, "uid"));
	}
	/* The one that wants no answer has none. */
	assert_int_equal(rig_refusal(&p), 7022);
	rig_leave(&p);
	rig_leader_dies(&l);
}

static void a_caller_may_say_oneway_and_leave(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	struct rig_peer p = rig_caller(&rig);
	for (int i = 0; i < 3; i++) {
		json_t *call = json_pack("{s:s, s:b, s:{s:s}}", "method",
			i < 2 ? "io.termserv.Control.GetCaller" : "io.termserv.Control.Logoff",
			"oneway", 1, "parameters", "session", "5");
		assert_int_equal(varlink_send(p.v, call, NULL, 0), 0);
	}
	rig_leave(&p);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	(void)close(l.fd);
}

static void who_closes_its_sending_side_is_still_answered(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	struct rig_peer p = rig_caller(&rig);
	rig_ask(&p, "Disconnect", json_pack("{s:s}", "session", "5"));
	assert_int_equal(shutdown(varlink_fd(p.v), SHUT_WR), 0);
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	rig_leader_sends(&l, LINK_UNPLUGGED, unplug.header.serial, 0);
	rig_leader_moves(&l, "");
	assert_int_equal(rig_refusal(&p), 0);
	assert_true(rig_closed(&p));
	rig_leave(&p);
	rig_leader_dies(&l);
}

static void a_peer_that_does_not_speak_varlink_is_dropped(void **state)
{
	static const char *const rubbish[] = { "GET / HTTP/1.0\r\n\r\n", "[]",
		"{\"a\":1,\"a\":2}" };
	struct rig_peer good = rig_caller(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++) {
		struct rig_peer p = rig_caller(&rig);
		assert_int_equal(write(varlink_fd(p.v), rubbish[i], strlen(rubbish[i]) + 1),
			strlen(rubbish[i]) + 1);
		assert_true(rig_closed(&p));
		rig_leave(&p);
	}
	struct rig_peer p = rig_caller(&rig);
	char block[4096];
	memset(block, ' ', sizeof(block));
	ssize_t n = 1;
	for (int i = 0; i < 64 && n > 0; i++) {
		n = send(varlink_fd(p.v), block, sizeof(block), MSG_NOSIGNAL);
		rig_settle(&rig);
	}
	assert_true(rig_closed(&p) || n < 0);
	rig_leave(&p);
	rig_ask(&good, "GetCaller", NULL);
	assert_int_equal(rig_refusal(&good), 0);
	rig_leave(&good);
	assert_int_equal(rig.broker->connection_count, 0);
}

static void a_leader_that_breaks_the_protocol_is_dropped(void **state)
{
	struct link_info bad[6];
	struct rig_leader l = rig_session(&rig, 5, "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i] = l.info;
	}
	bad[0].session = 6;
	bad[1].uid = geteuid() + 1;
	bad[2].state = 77;
	link_set_text(bad[3].terminal, "a b");
	memset(bad[4].title, 'x', sizeof(bad[4].title));
	bad[5].header.version = 99;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		union link_packet packet = { .info = bad[i] };
		assert_int_equal(link_send(l.fd, &packet, NULL, 0), 0);
		rig_settle(&rig);
		assert_null(session_find(rig.broker, 5));
		(void)close(l.fd);
		l = rig_session(&rig, 5, "");
	}
	/* Packets that no leader has to send, and descriptors that nobody wants. */
	rig_leader_sends(&l, LINK_COMMIT, 1, 0);
	assert_null(session_find(rig.broker, 5));
	(void)close(l.fd);
	l = rig_session(&rig, 5, "");
	union link_packet packet = { .info = l.info };
	assert_int_equal(link_send(l.fd, &packet, &rig.runtime_fd, 1), 0);
	rig_settle(&rig);
	assert_null(session_find(rig.broker, 5));
	(void)close(l.fd);
}

static void answers_that_nobody_asked_for_change_nothing(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	static const enum link_type types[] = { LINK_READY, LINK_PLUGGED, LINK_UNPLUGGED };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		rig_leader_sends(&l, types[i], 4711, 0);
	}
	assert_true(rig_leader_gets_nothing(&l));
	assert_true(session_is_active(session_find(rig.broker, 5)));
	rig_leader_dies(&l);
}

static void the_server_ends_after_its_sessions_and_says_so(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	struct rig_door d = rig_door(&rig, "TERM01");
	assert_int_equal(rig_call_code(&rig, "Stop", json_pack("{s:b}", "force", 0)), 7024);
	struct rig_peer p = rig_caller(&rig);
	rig_ask(&p, "Stop", json_pack("{s:b}", "force", 1));
	AUTO(json) json_t *event = rig_answer(&d.peer);
	assert_string_equal(text_of(event, "event"), "stop");
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	assert_int_equal(open_code("TERM02", NULL), 7060);
	assert_int_equal(rig_call_code(&rig, "Stop", json_pack("{s:b}", "force", 1)), 7007);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(rig.parent_fd, &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_STOP);
	/* Not before termservd has left socket and lock. */
	assert_true(rig_silent(&p));
	assert_int_equal(shutdown(rig.parent_fd, SHUT_RDWR), 0);
	while (sd_event_get_state(rig.broker->event) != SD_EVENT_FINISHED) {
		rig_turn(&rig);
	}
	AUTO(json) json_t *answer = rig_answer(&p);
	assert_int_equal(json_integer_value(json_object_get(answer, "sessions")), 1);
	p.v = varlink_free(p.v);
	d.peer.v = varlink_free(d.peer.v);
	(void)close(l.fd);
}

static void sessions_that_do_not_end_are_ended_by_force(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "");
	struct rig_peer p = rig_caller(&rig);
	rig_ask(&p, "Stop", json_pack("{s:b}", "force", 1));
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	(void)rig_leader_gets(&l, LINK_RESET);
	rig_leader_sends(&l, LINK_ENDED, 0, 0);
	/* Nor does termservd end: the caller has its answer all the same. */
	while (sd_event_get_state(rig.broker->event) != SD_EVENT_FINISHED) {
		rig_turn(&rig);
	}
	AUTO(json) json_t *answer = rig_answer(&p);
	assert_int_equal(json_integer_value(json_object_get(answer, "sessions")), 1);
	p.v = varlink_free(p.v);
	(void)close(l.fd);
}

static void without_its_parent_the_broker_ends(void **state)
{
	struct rig_leader l = rig_session(&rig, 5, "TERM01");
	(void)shutdown(rig.parent_fd, SHUT_RDWR);
	while (sd_event_get_state(rig.broker->event) != SD_EVENT_FINISHED) {
		rig_turn(&rig);
	}
	int code = 1;
	assert_true(sd_event_get_exit_code(rig.broker->event, &code) >= 0);
	assert_int_equal(code, 0);
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(l.fd, &packet, &set), -EAGAIN); /* nobody ended it */
	(void)close(l.fd);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_given_name_has_the_lowest_number_that_is_free),
		TEST(a_name_is_one_terminals_alone),
		TEST(only_who_knows_the_secret_comes_back),
		TEST(a_door_says_what_it_is_in_the_right_form),
		TEST(the_service_describes_itself),
		TEST(unknown_members_are_ignored_and_wrong_types_are_not),
		TEST(calls_on_one_connection_are_answered_in_their_order),
		TEST(a_caller_may_say_oneway_and_leave),
		TEST(who_closes_its_sending_side_is_still_answered),
		TEST(a_peer_that_does_not_speak_varlink_is_dropped),
		TEST(a_leader_that_breaks_the_protocol_is_dropped),
		TEST(answers_that_nobody_asked_for_change_nothing),
		TEST(the_server_ends_after_its_sessions_and_says_so),
		SHORT(sessions_that_do_not_end_are_ended_by_force),
		TEST(without_its_parent_the_broker_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
