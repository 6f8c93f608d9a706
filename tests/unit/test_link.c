#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "protocol/link.h"
#include "protocol/link_queue.h"

static int setup(void **state)
{
	static int pair[2];
	*state = pair;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int teardown(void **state)
{
	int *pair = *state;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}

static int receive_bytes(int *pair, const void *bytes, size_t length)
{
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(send(pair[0], bytes, length, MSG_NOSIGNAL), length);
	int r = link_receive(pair[1], &packet, &set);
	fd_set_done(&set);
	return r;
}

static void what_is_no_errno_arrives_as_a_bad_message(void **state)
{
	static const struct {
		int32_t sent, got;
	} cases[] = { { 0, 0 }, { -EIO, -EIO }, { -4095, -4095 }, { -4096, -EBADMSG },
		{ 1, -EBADMSG }, { INT32_MIN, -EBADMSG }, { INT32_MAX, -EBADMSG } };
	int *pair = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_simple sent = link_make(LINK_ENDED, 0);
		union link_packet got;
		struct fd_set_received set = FD_SET_NONE;
		sent.error = cases[i].sent;
		assert_int_equal(link_send_simple(pair[0], &sent), 0);
		assert_int_equal(link_receive(pair[1], &got, &set), 1);
		assert_int_equal(got.simple.error, cases[i].got);
	}
}

static void every_message_arrives_as_it_was_sent(void **state)
{
	static const enum link_type types[] = { LINK_REFUSED, LINK_SPAWN, LINK_SPAWNED, LINK_STOP,
		LINK_HELLO, LINK_INFO, LINK_PLUG, LINK_READY, LINK_COMMIT, LINK_ABORT, LINK_PLUGGED,
		LINK_UNPLUG, LINK_UNPLUGGED, LINK_NOTICE, LINK_LOGOFF, LINK_RESET, LINK_ENDED,
		LINK_START };
	int *pair = *state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		union link_packet sent = { 0 };
		union link_packet got;
		struct fd_set_received set = FD_SET_NONE;
		sent.header = link_make(types[i], 41 + (uint32_t)i).header;
		/* The first field behind the header in each struct; in most it is an error. */
		sent.spawn.session = (uint32_t)-12;
		assert_int_equal(link_send(pair[0], &sent, NULL, 0), 0);
		assert_int_equal(link_receive(pair[1], &got, &set), 1);
		assert_memory_equal(&got, &sent, sizeof(got));
		assert_int_equal(set.count, 0);
	}
}

static void descriptors_ride_with_their_packet(void **state)
{
	int *pair = *state;
	union link_packet packet = { .simple = link_make(LINK_START, 0) };
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_send(pair[0], &packet, (int[]){ 0, 1 }, 2), 0);
	assert_int_equal(link_receive(pair[1], &packet, &set), 1);
	assert_int_equal(set.count, 2);
	assert_int_equal(fcntl(set.fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(set.fds[1], F_GETFD), FD_CLOEXEC);
	fd_set_done(&set);
}

static void another_version_is_told_apart_from_rubbish(void **state)
{
	int *pair = *state;
	struct link_simple message = link_make(LINK_HELLO, 1);
	message.header.version = LINK_VERSION + 1;
	assert_int_equal(receive_bytes(pair, &message, sizeof(message)), -EPROTONOSUPPORT);
	/* Also when that version's packet has another size. */
	assert_int_equal(receive_bytes(pair, &message, sizeof(message.header)), -EPROTONOSUPPORT);
	assert_int_equal(receive_bytes(pair, &message, sizeof(message.header) - 1), -EPROTO);
}

static void a_packet_of_a_wrong_size_is_refused(void **state)
{
	int *pair = *state;
	char bytes[2048] = { 0 };
	struct link_simple message = link_make(LINK_HELLO, 1);
	memcpy(bytes, &message, sizeof(message));
	assert_int_equal(receive_bytes(pair, bytes, sizeof(message)), 1);
	assert_int_equal(receive_bytes(pair, bytes, sizeof(message) - 1), -EPROTO);
	assert_int_equal(receive_bytes(pair, bytes, sizeof(message) + 1), -EPROTO);
	assert_int_equal(receive_bytes(pair, bytes, sizeof(bytes)), -EPROTO);
	message.header.type = LINK_INFO;
	assert_int_equal(receive_bytes(pair, &message, sizeof(message)), -EPROTO);
}

static void an_unknown_type_is_refused(void **state)
{
	int *pair = *state;
	static const uint16_t types[] = { 0, 2, 9, 13, 19, 35, 39, 41, 65535 };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct link_simple message = link_make(LINK_HELLO, 1);
		message.header.type = types[i];
		assert_int_equal(receive_bytes(pair, &message, sizeof(message)), -EPROTO);
		union link_packet packet = { .simple = message };
		assert_int_equal(link_send(pair[0], &packet, NULL, 0), -EINVAL);
	}
}

static void a_text_that_does_not_end_is_refused_in_every_field(void **state)
{
	int *pair = *state;
	struct link_simple m = link_make(LINK_PLUG, 1);
	struct link_info n = { .header = link_make(LINK_INFO, 1).header };
	struct {
		char *text;
		size_t size;
		void *packet;
		size_t packet_size;
	} const rows[] = {
		{ m.terminal, sizeof(m.terminal), &m, sizeof(m) },
		{ m.client, sizeof(m.client), &m, sizeof(m) },
		{ m.text, sizeof(m.text), &m, sizeof(m) },
		{ n.terminal, sizeof(n.terminal), &n, sizeof(n) },
		{ n.client, sizeof(n.client), &n, sizeof(n) },
		{ n.tty, sizeof(n.tty), &n, sizeof(n) },
		{ n.term, sizeof(n.term), &n, sizeof(n) },
		{ n.command, sizeof(n.command), &n, sizeof(n) },
		{ n.title, sizeof(n.title), &n, sizeof(n) },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(rows[i].text, 'x', rows[i].size);
		assert_int_equal(receive_bytes(pair, rows[i].packet, rows[i].packet_size), -EPROTO);
		rows[i].text[rows[i].size - 1] = '\0';
		assert_int_equal(receive_bytes(pair, rows[i].packet, rows[i].packet_size), 1);
	}
}

static void what_lies_behind_a_text_is_wiped(void **state)
{
	int *pair = *state;
	struct link_simple message = link_make(LINK_PLUG, 1);
	memset(message.text, 'x', sizeof(message.text) - 1);
	message.text[3] = '\0';
	assert_int_equal(link_send_simple(pair[0], &message), 0);
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(pair[1], &packet, &set), 1);
	assert_string_equal(packet.simple.text, "xxx");
	for (size_t i = 3; i < sizeof(packet.simple.text); i++) {
		assert_int_equal(packet.simple.text[i], 0);
	}
}

static void a_copied_text_is_cut_between_two_characters(void **state)
{
	char field[8];
	memset(field, 'x', sizeof(field));
	link_set_text(field, "a");
	assert_memory_equal(field, "a\0\0\0\0\0\0\0", 8);
	link_set_text(field, "abcdefgh");
	assert_string_equal(field, "abcdefg");
	link_set_text(field, "abcde\xe2\x82\xac"); /* the euro sign does not fit */
	assert_memory_equal(field, "abcde\0\0\0", 8);
}

static void the_last_words_of_a_peer_are_heard_though_ours_were_not(void **state)
{
	int *pair = *state;
	struct link_simple message = link_make(LINK_ENDED, 0);
	assert_int_equal(link_send_simple(pair[1], &message), 0); /* never read */
	assert_int_equal(link_send_simple(pair[0], &message), 0);
	(void)close(pair[0]);
	pair[0] = -1;
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	assert_int_equal(link_receive(pair[1], &packet, &set), 1);
	assert_int_equal(packet.header.type, LINK_ENDED);
	assert_int_equal(link_receive(pair[1], &packet, &set), 0);
}

static void a_queue_keeps_the_order_until_the_peer_reads(void **state)
{
	int *pair = *state;
	struct link_queue queue = LINK_QUEUE_INIT;
	uint32_t serial = 0;
	while (queue.count < LINK_QUEUE_MAX) {
		struct link_simple message = link_make(LINK_READY, ++serial);
		assert_int_equal(link_queue_send(&queue, pair[0], &message), 0);
	}
	struct link_simple extra = link_make(LINK_READY, 0);
	assert_int_equal(link_queue_send(&queue, pair[0], &extra), -ENOBUFS);
	for (uint32_t i = 1; i <= serial; i++) {
		union link_packet packet;
		struct fd_set_received set = FD_SET_NONE;
		assert_int_equal(link_receive(pair[1], &packet, &set), 1);
		assert_int_equal(packet.header.serial, i);
		(void)link_queue_flush(&queue, pair[0]);
	}
	assert_int_equal(link_queue_flush(&queue, pair[0]), 0);
	assert_null(queue.waiting);
}

static void every_state_has_its_text(void **state)
{
	assert_string_equal(session_state_text(SESSION_ACTIVE), "Active");
	assert_string_equal(session_state_text(SESSION_DISCONNECTED), "Disc");
	assert_string_equal(session_state_text(SESSION_INIT), "Init");
	assert_string_equal(session_state_text((enum session_state)10), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_no_errno_arrives_as_a_bad_message, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_message_arrives_as_it_was_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			descriptors_ride_with_their_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_version_is_told_apart_from_rubbish, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_packet_of_a_wrong_size_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_type_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_text_that_does_not_end_is_refused_in_every_field, setup, teardown),
		cmocka_unit_test_setup_teardown(what_lies_behind_a_text_is_wiped, setup, teardown),
		cmocka_unit_test(a_copied_text_is_cut_between_two_characters),
		cmocka_unit_test_setup_teardown(
			the_last_words_of_a_peer_are_heard_though_ours_were_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_queue_keeps_the_order_until_the_peer_reads, setup, teardown),
		cmocka_unit_test(every_state_has_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
