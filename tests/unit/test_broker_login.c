/* Somebody types a name and a password at a fixed terminal: what the door may do for him then, and
 * that nothing can be learned about names before. */
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
#include "base/clock.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"

/* The name service of the machine is asked: every machine has this one. */
#define USER "daemon"
#define USER_UID 1

#define CONFIG                                                                                     \
	"[server]\n"                                                                               \
	"failure-delay = 0\n"                                                                      \
	"[terminal TERM03]\n"                                                                      \
	"user = door\n"                                                                            \
	"line = /dev/ttyS0\n"                                                                      \
	"[rights]\n"                                                                               \
	"* = User\n"

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

static int set_up_single(void **state)
{
	return start(CONFIG "[server]\nsingle-session = yes\n", NULL);
}

static int set_up_guest(void **state)
{
	return start(CONFIG "nobody = Guest\n" USER " = Guest\n", NULL);
}

static int set_up_slow(void **state)
{
	return start(CONFIG "[server]\nfailure-delay = 1\n", NULL);
}

static int set_up_denied(void **state)
{
	return start(CONFIG "nobody = None\n", NULL);
}

static int set_up_short(void **state)
{
	struct limits limits = LIMITS_DEFAULT;
	limits.login_ms = 60;
	return start(CONFIG, &limits);
}

static int tear_down(void **state)
{
	rig_end(&rig);
	return 0;
}

static struct rig_peer log_on(uid_t uid, const struct rig_door *d, const char *user)
{
	int pair[2];
	struct rig_peer p = rig_caller_as(&rig, uid);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	rig_ask_full(&p, "CreateSession",
		json_pack("{s:i, s:s, s:s?, s:s?}", "proof", 0, "user", user, "terminal",
			d != NULL ? d->name : NULL, "secret", d != NULL ? d->secret : NULL),
		false, pair[1]);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return p;
}

/* The leader that termservd is asked to start; it has not read anything yet. */
static struct rig_leader spawned_deaf(uint32_t *ret_owner)
{
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	uint64_t since = clock_monotonic_ms();
	int r = -EAGAIN;
	while (r == -EAGAIN && clock_monotonic_ms() - since < 30000) {
		rig_turn(&rig);
		r = link_receive(rig.parent_fd, &packet, &set);
	}
	assert_int_equal(r, 1);
	assert_int_equal(packet.header.type, LINK_SPAWN);
	assert_int_equal(set.count, 2);
	assert_string_equal(packet.spawn.terminal, "TERM03");
	assert_string_equal(packet.spawn.listener, "tty");
	*ret_owner = packet.spawn.uid;
	struct rig_leader l = { .rig = &rig, .fd = TAKE_FD(set.fds[0]) };
	assert_int_equal(fd_set_nonblocking(l.fd, true), 0);
	l.info = (struct link_info){
		.header = { LINK_VERSION, LINK_INFO, 0 },
		.session = packet.spawn.session,
		.uid = USER_UID,
		.state = SESSION_INIT,
		.created = 1,
		.rows = 24,
		.columns = 80,
	};
	link_set_text(l.info.listener, "tty");
	return l;
}

static struct rig_leader spawned(uint32_t *ret_owner)
{
	struct rig_leader l = spawned_deaf(ret_owner);
	(void)rig_leader_gets(&l, LINK_HELLO);
	return l;
}

static void says_no(struct rig_leader *l, int error)
{
	struct link_simple packet = link_make(LINK_ENDED, 0);
	packet.error = error;
	link_set_text(packet.text, "a reason that nobody at the terminal may read");
	assert_int_equal(link_send_simple(l->fd, &packet), 0);
}

static void refuses(struct rig_leader *l, int error)
{
	says_no(l, error);
	rig_settle(&rig);
	rig_leader_dies(l);
}

/* The password was right. */
static void comes_up(struct rig_leader *l)
{
	l->info.state = SESSION_DISCONNECTED;
	rig_leader_says(l);
}

static json_t *message_of(struct rig_peer *p, int *ret_code)
{
	AUTO(json) json_t *message = rig_message(p);
	json_t *parameters = json_object_get(message, "parameters");
	*ret_code = (int)json_integer_value(json_object_get(parameters, "code"));
	return json_incref(json_object_get(parameters, "message"));
}

static struct rig_peer connect_from(const struct rig_door *d, uint32_t session, bool warrant)
{
	char text[16];
	int pair[2] = { -1, -1 };
	struct rig_peer p = rig_caller_as(&rig, d->uid);
	(void)snprintf(text, sizeof(text), "%u", session);
	json_t *parameters = json_pack("{s:s, s:s}", "session", text, "secret", d->secret);
	if (warrant) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		(void)json_object_set_new(parameters, "warrant", json_integer(0));
		(void)json_object_set_new(parameters, "password", json_true());
	}
	rig_ask_full(&p, "Connect", parameters, false, pair[1]);
	if (warrant) {
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	return p;
}

static void finish_connect(struct rig_peer *p, struct rig_leader *l, struct rig_door *d)
{
	rig_door_waits_for_cable(d);
	assert_int_equal(rig_door_gives(d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(l, LINK_PLUG, &cable);
	rig_leader_sends(l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(p), 0);
	struct link_simple commit = rig_leader_gets(l, LINK_COMMIT);
	rig_leader_sends(l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(l, d->name);
	rig_leave(p);
}

static void the_right_password_brings_a_session_to_the_terminal(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_leader old = rig_session_of(&rig, USER_UID, 3, "");
	struct rig_leader of_root = rig_session_of(&rig, 0, 4, "");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	assert_int_equal(owner, USER_UID);
	assert_true(rig_silent(&p));
	comes_up(&l);
	AUTO(json) json_t *answer = rig_answer(&p);
	assert_int_equal(
		json_integer_value(json_object_get(answer, "session")), (int)l.info.session);
	/* His other sessions, and nobody else's. */
	json_t *list = json_object_get(answer, "disconnected");
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), 3);
	rig_leave(&p);
	struct rig_peer c = connect_from(&d, l.info.session, false);
	finish_connect(&c, &l, &d);
	/* And that was all that the door may do for him. */
	rig_leader_moves(&l, "");
	c = connect_from(&d, 3, false);
	assert_int_equal(rig_refusal(&c), 1326);
	rig_leave(&c);
	assert_true(rig_leader_gets_nothing(&l));
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&old);
	rig_leader_dies(&of_root);
}

static void another_session_of_his_takes_the_password_again_and_the_new_one_goes(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_leader old = rig_session_of(&rig, USER_UID, 3, "");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 0);
	rig_leave(&p);
	struct rig_peer c = connect_from(&d, 3, false);
	assert_int_equal(rig_refusal(&c), 1326);
	rig_leave(&c);
	c = connect_from(&d, 3, true);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&old, LINK_WARRANT, &warrant);
	assert_int_equal(asked.flags, 0);
	rig_leader_sends(&old, LINK_WARRANTED, asked.header.serial, 0);
	finish_connect(&c, &old, &d);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&old);
}

static void a_wrong_password_and_an_unknown_name_read_the_same(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	int code;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	assert_int_equal(owner, USER_UID);
	refuses(&l, -EKEYREJECTED);
	AUTO(json) json_t *wrong = message_of(&p, &code);
	assert_int_equal(code, 1326);
	rig_leave(&p);
	static const char *const names[] = { "no-such-user-here", "", "-x", "a\nb",
		"0123456789012345678901234567890123456789012345678901234567890123456789" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		p = log_on(DOOR, &d, names[i]);
		/* The leader asks for a password here as well, and believes none. */
		l = spawned(&owner);
		assert_int_equal(owner, SESSION_NOBODY);
		refuses(&l, -EKEYREJECTED);
		AUTO(json) json_t *unknown = message_of(&p, &code);
		assert_int_equal(code, 1326);
		assert_string_equal(json_string_value(unknown), json_string_value(wrong));
		rig_leave(&p);
	}
	rig_leave(&d.peer);
}

/* It closes with the broker's HELLO unread: the kernel reports that before its last words. */
static void the_last_word_of_a_leader_that_has_read_nothing_is_heard(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	static const struct {
		int error, code;
	} cases[] = { { -EKEYREJECTED, 1326 }, { -EKEYREVOKED, 7064 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t owner;
		struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
		struct rig_peer p = log_on(DOOR, &d, USER);
		struct rig_leader l = spawned_deaf(&owner);
		says_no(&l, cases[i].error);
		(void)close(TAKE_FD(l.fd)); /* both at once, before the broker looks */
		assert_int_equal(rig_refusal(&p), cases[i].code);
		rig_leave(&p);
		rig_leave(&d.peer);
		rig_settle(&rig);
	}
}

static void who_may_not_log_on_there_reads_the_same_whatever_the_leader_says(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	int code;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_peer p = log_on(DOOR, &d, "nobody");
	struct rig_leader l = spawned(&owner);
	assert_int_equal(owner, SESSION_NOBODY);
	refuses(&l, -EKEYREVOKED);
	AUTO(json) json_t *first = message_of(&p, &code);
	assert_int_equal(code, 1326);
	rig_leave(&p);
	p = log_on(DOOR, &d, "nobody");
	l = spawned(&owner);
	l.info.uid = 65534;
	rig_leader_says(&l);
	AUTO(json) json_t *second = message_of(&p, &code);
	assert_int_equal(code, 1326);
	assert_string_equal(json_string_value(first), json_string_value(second));
	(void)rig_leader_gets(&l, LINK_RESET);
	rig_leave(&p);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_failure_is_answered_when_its_time_has_come(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	static const char *const names[] = { USER, "no-such-user-here" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t began = clock_monotonic_ms();
		struct rig_peer p = log_on(DOOR, &d, names[i]);
		struct rig_leader l = spawned(&owner);
		refuses(&l, -EKEYREJECTED);
		assert_true(rig_silent(&p));
		/* Nor may the same terminal try again before. */
		struct rig_peer second = log_on(DOOR, &d, USER);
		assert_int_equal(rig_refusal(&second), 7024);
		rig_leave(&second);
		assert_int_equal(rig_refusal(&p), 1326);
		assert_true(clock_monotonic_ms() - began >= 1000);
		rig_leave(&p);
	}
	rig_leave(&d.peer);
}

static void a_proof_for_somebody_else_than_was_said_is_refused(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	l.info.uid = DOOR;
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 1326);
	(void)rig_leader_gets(&l, LINK_RESET);
	rig_leave(&p);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void only_the_door_of_a_waiting_fixed_terminal_logs_others_on(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_door own = rig_door_as(&rig, ALICE, NULL);
	struct rig_peer p = log_on(ALICE, &own, USER);
	assert_int_equal(rig_refusal(&p), 5);
	rig_leave(&p);
	p = log_on(0, NULL, USER);
	assert_int_equal(rig_refusal(&p), 5);
	rig_leave(&p);
	p = log_on(ALICE, &d, USER);
	assert_int_equal(rig_refusal(&p), 5023);
	rig_leave(&p);
	struct rig_leader l = rig_session_of(&rig, BOB, 7, "TERM03");
	p = log_on(DOOR, &d, USER);
	assert_int_equal(rig_refusal(&p), 7024);
	rig_leave(&p);
	rig_leave(&d.peer);
	rig_leave(&own.peer);
	rig_leader_dies(&l);
}

static void a_session_that_is_not_connected_in_time_is_ended(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 0);
	rig_leave(&p);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	struct rig_peer c = connect_from(&d, l.info.session, false);
	assert_int_equal(rig_refusal(&c), 1326);
	rig_leave(&c);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
}

static void a_terminal_that_goes_takes_its_logon_with_it(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 0);
	rig_leave(&p);
	rig_leave(&d.peer);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	rig_leader_dies(&l);
	/* Also in the middle of it. */
	d = rig_door_as(&rig, DOOR, "TERM03");
	p = log_on(DOOR, &d, USER);
	l = spawned(&owner);
	rig_leave(&d.peer);
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 7040);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	rig_leave(&p);
	rig_leader_dies(&l);
}

static void who_has_all_his_sessions_can_still_reconnect(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_leader old = rig_session_of(&rig, USER_UID, 3, "");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	comes_up(&l);
	assert_int_equal(rig_refusal(&p), 0);
	rig_leave(&p);
	struct rig_peer c = connect_from(&d, l.info.session, false);
	assert_int_equal(rig_refusal(&c), 7054);
	rig_leave(&c);
	c = connect_from(&d, 3, true);
	AUTO_FD int warrant = -1;
	struct link_simple asked = rig_leader_gets_fd(&old, LINK_WARRANT, &warrant);
	rig_leader_sends(&old, LINK_WARRANTED, asked.header.serial, 0);
	finish_connect(&c, &old, &d);
	(void)rig_leader_gets(&l, LINK_LOGOFF);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&old);
}

/* Guest: he may log on, and sees nothing but what is his. */
static void a_guest_comes_to_his_new_session_and_to_no_other(void **state)
{
	RIG_NEEDS_ROOT(&rig);
	uint32_t owner;
	struct rig_door d = rig_door_as(&rig, DOOR, "TERM03");
	struct rig_leader old = rig_session_of(&rig, USER_UID, 3, "");
	struct rig_peer p = log_on(DOOR, &d, USER);
	struct rig_leader l = spawned(&owner);
	assert_int_equal(owner, USER_UID);
	comes_up(&l);
	AUTO(json) json_t *answer = rig_answer(&p);
	assert_int_equal(json_array_size(json_object_get(answer, "disconnected")), 0);
	rig_leave(&p);
	old.info.connected = 1;
	rig_leader_says(&old);
	struct rig_peer c = connect_from(&d, 3, true);
	assert_int_equal(rig_refusal(&c), 5);
	rig_leave(&c);
	c = connect_from(&d, l.info.session, false);
	finish_connect(&c, &l, &d);
	rig_leave(&d.peer);
	rig_leader_dies(&l);
	rig_leader_dies(&old);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SINGLE(name) cmocka_unit_test_setup_teardown(name, set_up_single, tear_down)
#define SLOW(name) cmocka_unit_test_setup_teardown(name, set_up_slow, tear_down)
#define DENIED(name) cmocka_unit_test_setup_teardown(name, set_up_denied, tear_down)
#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, tear_down)
#define GUEST(name) cmocka_unit_test_setup_teardown(name, set_up_guest, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_right_password_brings_a_session_to_the_terminal),
		TEST(another_session_of_his_takes_the_password_again_and_the_new_one_goes),
		TEST(a_wrong_password_and_an_unknown_name_read_the_same),
		TEST(the_last_word_of_a_leader_that_has_read_nothing_is_heard),
		DENIED(who_may_not_log_on_there_reads_the_same_whatever_the_leader_says),
		SLOW(a_failure_is_answered_when_its_time_has_come),
		TEST(a_proof_for_somebody_else_than_was_said_is_refused),
		TEST(only_the_door_of_a_waiting_fixed_terminal_logs_others_on),
		SHORT(a_session_that_is_not_connected_in_time_is_ended),
		TEST(a_terminal_that_goes_takes_its_logon_with_it),
		GUEST(a_guest_comes_to_his_new_session_and_to_no_other),
		SINGLE(who_has_all_his_sessions_can_still_reconnect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
