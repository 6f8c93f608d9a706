/* What a host says about its session and what its leader makes of it: broker and host are the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "leader/pam.h"
#include "leader/relay.h"

#define HOUR 3600000000u

/* Nobody gives a password here. */
int pam_check(const struct pam_who *who, const char *password)
{
	return -EIO;
}

static struct relay relay;
static int broker; /* the test's ends */
static int host;
static struct link_info said; /* by the host, newest */

static int set_up(void **state)
{
	int link[2];
	int inner[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, inner), 0);
	relay_init(&relay, 7, link[1], geteuid());
	relay.owner = geteuid();
	relay_set_host(&relay, inner[1]);
	broker = link[0];
	host = inner[0];
	said = (struct link_info){ .header = link_make(LINK_INFO, 0).header,
		.session = 7,
		.state = SESSION_DISCONNECTED,
		.rows = 24,
		.columns = 80 };
	return 0;
}

static int tear_down(void **state)
{
	relay_done(&relay);
	(void)close(broker);
	(void)close(host);
	return 0;
}

static void host_says(enum session_state state)
{
	said.state = state;
	union link_packet packet = { .info = said };
	assert_int_equal(link_send(host, &packet, NULL, 0), 0);
	assert_int_equal(relay_on_host(&relay), 0);
}

/* What the leader says now. */
static struct link_info truth(void)
{
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	while (link_receive(broker, &packet, &set) == 1) {
		/* older news, and answers */
	}
	struct link_simple hello = link_make(LINK_HELLO, 99);
	assert_int_equal(link_send_simple(broker, &hello), 0);
	relay_on_broker(&relay, POLLIN);
	assert_int_equal(link_receive(broker, &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_INFO);
	assert_int_equal(packet.header.serial, 99);
	return packet.info;
}

static void broker_asks(enum link_type type, const char *terminal, const int *cable)
{
	struct link_simple question = link_make(type, 50);
	link_set_text(question.terminal, terminal);
	union link_packet packet = { .simple = question };
	assert_int_equal(link_send(broker, &packet, cable, cable != NULL), 0);
	relay_on_broker(&relay, POLLIN);
}

/* The serial under which the host was asked. */
static uint32_t host_hears(enum link_type type)
{
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(host, &packet, &set), 1);
	assert_int_equal(packet.header.type, type);
	fd_set_done(&set);
	return packet.header.serial;
}

static void host_answers(enum link_type type, uint32_t serial, int error)
{
	struct link_simple answer = link_make(type, serial);
	answer.error = error;
	assert_int_equal(link_send_simple(host, &answer), 0);
	assert_int_equal(relay_on_host(&relay), 0);
}

/* As far as the host's own word that the session is there. */
static uint32_t commit(const char *terminal)
{
	int cable[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, cable), 0);
	broker_asks(LINK_PLUG, terminal, &cable[1]);
	host_answers(LINK_READY, host_hears(LINK_PLUG), 0);
	(void)close(cable[0]);
	(void)close(cable[1]);
	broker_asks(LINK_COMMIT, terminal, NULL);
	return host_hears(LINK_COMMIT);
}

static void plug(const char *terminal)
{
	uint32_t serial = commit(terminal);
	host_says(SESSION_ACTIVE);
	host_answers(LINK_PLUGGED, serial, 0);
}

static void between(uint64_t time, uint64_t from, uint64_t to)
{
	assert_in_range(time, from, to);
}

static void when_a_terminal_came_and_went_is_the_leaders_word(void **state)
{
	said.connected = clock_now() + HOUR;
	said.disconnected = clock_now() + HOUR;
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().connected, 0);
	assert_int_equal(truth().disconnected, 0);
	uint64_t begun = clock_now();
	plug("TERM01");
	uint64_t plugged = clock_now();
	struct link_info first = truth();
	assert_int_equal(first.state, SESSION_ACTIVE);
	assert_string_equal(first.terminal, "TERM01");
	between(first.connected, begun, plugged);
	assert_int_equal(first.disconnected, 0);
	/* Again and again a new time: nobody believes it. */
	said.connected = said.disconnected = plugged + 1;
	host_says(SESSION_ACTIVE);
	assert_int_equal(truth().connected, first.connected);
	begun = clock_now();
	host_says(SESSION_DISCONNECTED);
	struct link_info gone = truth();
	between(gone.disconnected, begun, clock_now());
	assert_int_equal(gone.connected, first.connected);
	said.disconnected = said.connected = 0;
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().disconnected, gone.disconnected);
	/* Active on a terminal that nobody has plugged in. */
	host_says(SESSION_ACTIVE);
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().connected, first.connected);
	assert_int_equal(truth().disconnected, gone.disconnected);
}

static void a_move_from_terminal_to_terminal_is_no_disconnection(void **state)
{
	plug("TERM01");
	uint64_t begun = clock_now();
	plug("TERM02");
	struct link_info moved = truth();
	assert_string_equal(moved.terminal, "TERM02");
	between(moved.connected, begun, clock_now());
	assert_int_equal(moved.disconnected, 0);
}

static void a_terminal_that_is_taken_away_counts_from_then_on(void **state)
{
	relay.system = true;
	relay.broker_uid = geteuid() + 1; /* the cable is the owner's */
	plug("TERM01");
	uint64_t begun = clock_now();
	broker_asks(LINK_UNPLUG, "TERM01", NULL);
	uint64_t end = clock_now();
	uint32_t serial = host_hears(LINK_UNPLUG);
	between(truth().disconnected, begun, end);
	host_says(SESSION_ACTIVE);
	host_answers(LINK_UNPLUGGED, serial, 0);
	host_says(SESSION_DISCONNECTED);
	between(truth().disconnected, begun, end);
}

static void plugged_is_what_was_asked_for_once(void **state)
{
	uint32_t serial = commit("TERM01");
	host_says(SESSION_ACTIVE);
	host_answers(LINK_PLUGGED, serial + 1, 0); /* nobody asked */
	assert_int_equal(truth().connected, 0);
	host_answers(LINK_PLUGGED, serial, 0);
	struct link_info first = truth();
	assert_int_not_equal(first.connected, 0);
	host_answers(LINK_PLUGGED, serial, 0);
	assert_int_equal(truth().connected, first.connected);
	host_says(SESSION_DISCONNECTED);
	host_says(SESSION_ACTIVE);
	host_answers(LINK_PLUGGED, serial, 0); /* the old terminal is not there again */
	assert_int_equal(truth().state, SESSION_DISCONNECTED);
	assert_string_equal(truth().terminal, "");
	/* And what was refused is over. */
	serial = commit("TERM02");
	host_answers(LINK_PLUGGED, serial, -EIO);
	host_answers(LINK_PLUGGED, serial, 0);
	assert_string_equal(truth().terminal, "");
}

static void a_broker_that_was_lost_meanwhile_takes_no_terminal_along(void **state)
{
	uint32_t serial = commit("TERM01");
	(void)close(broker);
	relay_on_broker(&relay, POLLIN | POLLHUP);
	(void)host_hears(LINK_ABORT);
	int link[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link), 0);
	broker = link[0];
	relay.broker_fd = link[1];
	host_says(SESSION_ACTIVE);
	host_answers(LINK_PLUGGED, serial, 0);
	assert_string_equal(truth().terminal, "TERM01");
	assert_int_not_equal(truth().connected, 0);
}

static void broker_tells(enum link_type type, uint32_t flags, const char *text)
{
	struct link_simple message = link_make(type, 60);
	message.flags = flags;
	link_set_text(message.text, text);
	assert_int_equal(link_send_simple(broker, &message), 0);
	relay_on_broker(&relay, POLLIN);
}

static bool host_hears_nothing(void)
{
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	return link_receive(host, &packet, &set) == -EAGAIN;
}

static void host_shows(const char *text)
{
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(host, &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_NOTICE);
	assert_string_equal(packet.simple.text, text);
}

static void commit_with_notice(void)
{
	broker_tells(LINK_COMMIT, LINK_COMMIT_NOTICE, "");
}

static void a_notice_for_later_waits_for_the_commit_that_shows_it(void **state)
{
	broker_tells(LINK_NOTICE, 0, "now");
	host_shows("now");
	broker_tells(LINK_NOTICE, LINK_NOTICE_LATER, "old");
	broker_tells(LINK_NOTICE, LINK_NOTICE_LATER, "later");
	assert_true(host_hears_nothing());
	plug("TERM01"); /* a commit without it */
	/* With a swap that fails it is not lost. */
	for (int i = 0; i < 2; i++) {
		commit_with_notice();
		host_shows("later");
		uint32_t serial = host_hears(LINK_COMMIT);
		host_answers(LINK_PLUGGED, serial, i == 0 ? -EIO : 0);
	}
	commit_with_notice();
	(void)host_hears(LINK_COMMIT);
}

static void a_notice_that_comes_during_a_swap_waits_for_the_next_one(void **state)
{
	broker_tells(LINK_NOTICE, LINK_NOTICE_LATER, "first");
	commit_with_notice();
	host_shows("first");
	uint32_t serial = host_hears(LINK_COMMIT);
	broker_tells(LINK_NOTICE, LINK_NOTICE_LATER, "second");
	host_answers(LINK_PLUGGED, serial, 0);
	commit_with_notice();
	host_shows("second");
}

static void the_last_input_is_neither_to_come_nor_before_the_session(void **state)
{
	uint64_t begun = clock_now();
	said.last_input = begun + HOUR;
	host_says(SESSION_DISCONNECTED);
	between(truth().last_input, begun, clock_now());
	said.last_input = 1;
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().last_input, relay.created);
	said.last_input = relay.created + 1;
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().last_input, relay.created + 1);
	said.last_input = 0; /* nobody has typed yet */
	host_says(SESSION_DISCONNECTED);
	assert_int_equal(truth().last_input, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(when_a_terminal_came_and_went_is_the_leaders_word),
		TEST(a_move_from_terminal_to_terminal_is_no_disconnection),
		TEST(a_terminal_that_is_taken_away_counts_from_then_on),
		TEST(plugged_is_what_was_asked_for_once),
		TEST(a_broker_that_was_lost_meanwhile_takes_no_terminal_along),
		TEST(a_notice_for_later_waits_for_the_commit_that_shows_it),
		TEST(a_notice_that_comes_during_a_swap_waits_for_the_next_one),
		TEST(the_last_input_is_neither_to_come_nor_before_the_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
