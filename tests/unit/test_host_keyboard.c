/* The host's reading of a lent terminal's keys: which it reads, when it leaves them alone. The
 * session behind it is the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "host/session.h"

#define CTRL_BRACKET 0x1d

static char typed[8192];
static size_t typed_length;
static unsigned hurries;

void session_type(struct session *s, const void *bytes, size_t length)
{
	assert_true(typed_length + length < sizeof(typed));
	memcpy(typed + typed_length, bytes, length);
	typed_length += length;
	typed[typed_length] = '\0';
}

void viewer_hurry(struct viewer *v)
{
	hurries++;
}

/* A viewer that has been lent a terminal, and the door's end of the lease. */
struct scene {
	struct session session;
	struct viewer viewer;
	int master, slave;
	int cable, lease; /* the door's ends */
};

static int set_up(void **state)
{
	struct scene *c = calloc(1, sizeof(*c));
	struct termios raw = { 0 };
	int pair[2];
	int cable[2];
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	assert_non_null(c);
	assert_int_equal(openpty(&c->master, &c->slave, NULL, &raw, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	c->lease = pair[0];
	c->session.pty = PTY_INIT;
	c->viewer.state = VIEWER_CURRENT;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, cable), 0);
	c->cable = cable[0];
	c->viewer.fd = cable[1];
	outlet_init(&c->viewer.out, c->viewer.fd);
	assert_int_equal(outlet_lend(&c->viewer.out, dup(c->slave), pair[1]), 0);
	typed_length = 0;
	typed[0] = '\0';
	hurries = 0;
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *c = *state;
	outlet_done(&c->viewer.out);
	buf_done(&c->session.pty.input);
	auto_close(&c->master);
	(void)close(c->slave);
	(void)close(c->lease);
	(void)close(c->cable);
	(void)close(c->viewer.fd);
	free(c);
	return 0;
}

static void tell(struct scene *c, bool on, int detach_key)
{
	struct cable_listen wish = { .on = on, .detach_key = detach_key };
	struct cable_frame frame = { CABLE_LISTEN, (const uint8_t *)&wish, sizeof(wish) };
	keyboard_listen(&c->viewer, &frame);
}

/* The next word over the lease; 0 = none. */
static int word(const struct scene *c)
{
	uint8_t byte = 0;
	return recv(c->lease, &byte, 1, MSG_DONTWAIT) == 1 ? byte : 0;
}

/* When all of it can be read at the terminal. */
static void press(struct scene *c, const char *keys)
{
	int before = 0;
	int waiting = 0;
	assert_int_equal(ioctl(c->slave, FIONREAD, &before), 0);
	assert_int_equal(write(c->master, keys, strlen(keys)), strlen(keys));
	while (waiting < before + (int)strlen(keys)) {
		assert_int_equal(fd_wait_readable(c->slave, 20000), 1);
		assert_int_equal(ioctl(c->slave, FIONREAD, &waiting), 0);
	}
}

static int unread(const struct scene *c)
{
	int waiting = -1;
	assert_int_equal(ioctl(c->slave, FIONREAD, &waiting), 0);
	return waiting;
}

static void look(struct scene *c)
{
	keyboard_read(&c->session, &c->viewer, clock_monotonic_ms());
}

static void it_reads_from_the_word_to_the_word(void **state)
{
	struct scene *c = *state;
	press(c, "a");
	look(c);
	assert_int_equal(unread(c), 1);
	tell(c, true, -1);
	assert_int_equal(word(c), CABLE_WORD_LISTENS);
	assert_true(keyboard_wanted(&c->session, &c->viewer));
	look(c);
	press(c, "bc");
	look(c);
	assert_string_equal(typed, "abc");
	assert_int_equal(hurries, 2);
	look(c); /* nothing there is no reason to end */
	tell(c, false, -1);
	assert_int_equal(word(c), CABLE_WORD_DEAF);
	assert_false(keyboard_wanted(&c->session, &c->viewer));
	press(c, "d");
	look(c);
	assert_string_equal(typed, "abc");
	assert_int_equal(unread(c), 1);
}

/* The door may have read on since an old look: keys would change places. But a host that is slow
 * has no other looks. */
static void behind_an_old_look_the_cable_comes_first(void **state)
{
	struct scene *c = *state;
	char byte;
	tell(c, true, -1);
	press(c, "b");
	assert_int_equal(send(c->cable, "a", 1, 0), 1);
	keyboard_read(&c->session, &c->viewer, clock_monotonic_ms() - CABLE_FRESH_MS);
	assert_int_equal(typed_length, 0);
	assert_true(keyboard_wanted(&c->session, &c->viewer));
	assert_int_equal(recv(c->viewer.fd, &byte, 1, 0), 1);
	keyboard_read(&c->session, &c->viewer, clock_monotonic_ms() - CABLE_FRESH_MS);
	assert_string_equal(typed, "b");
	press(c, "c");
	assert_int_equal(shutdown(c->cable, SHUT_WR), 0);
	keyboard_read(&c->session, &c->viewer, clock_monotonic_ms() - CABLE_FRESH_MS);
	assert_string_equal(typed, "b");
}

static void keys_stay_where_they_are(struct scene *c, bool wanted)
{
	size_t before = typed_length;
	assert_int_equal(keyboard_wanted(&c->session, &c->viewer), wanted);
	look(c);
	assert_int_equal(typed_length, before);
	assert_true(unread(c) > 0);
}

static void keys_are_left_to_whom_they_belong(void **state)
{
	struct scene *c = *state;
	tell(c, true, -1);
	press(c, "a");
	c->viewer.state = VIEWER_LEAVING;
	keys_stay_where_they_are(c, false);
	c->viewer.state = VIEWER_CURRENT;
	c->viewer.paused = true; /* the cable is not read: what lies there comes first */
	keys_stay_where_they_are(c, false);
	c->viewer.paused = false;
	c->viewer.out.broken = true;
	keys_stay_where_they_are(c, false);
	assert_int_equal(word(c), CABLE_WORD_LISTENS);
	tell(c, true, -1); /* the door shall not think that they are read */
	assert_int_equal(word(c), CABLE_WORD_DEAF);
	c->viewer.out.broken = false;
	tell(c, true, -1);
	look(c);
	assert_string_equal(typed, "a");
	press(c, "b");
	outlet_return(&c->viewer.out);
	keys_stay_where_they_are(c, false);
}

static void a_program_that_takes_no_input_leaves_keys_in_the_terminal(void **state)
{
	struct scene *c = *state;
	AUTO(free) char *much = calloc(1, 65537);
	assert_non_null(much);
	tell(c, true, -1);
	c->session.pty.input = BUF_INIT(1 << 20);
	assert_int_equal(buf_put(&c->session.pty.input, much, 65537), 0);
	press(c, "a");
	keys_stay_where_they_are(c, false);
	buf_clear(&c->session.pty.input);
	look(c);
	assert_string_equal(typed, "a");
}

static void the_detach_key_is_found_and_ends_it(void **state)
{
	struct scene *c = *state;
	tell(c, true, CTRL_BRACKET);
	assert_int_equal(word(c), CABLE_WORD_LISTENS);
	press(c, "x\x1d\x1d");
	look(c);
	tell(c, true, CTRL_BRACKET); /* a question changes nothing */
	assert_int_equal(word(c), CABLE_WORD_LISTENS);
	press(c, "\x1dy");
	look(c);
	assert_string_equal(typed, "x\x1d\x1d\x1d");
	assert_int_equal(word(c), CABLE_WORD_DETACHED);
	assert_false(keyboard_wanted(&c->session, &c->viewer));
	tell(c, true, CTRL_BRACKET); /* it was asked before the door has read that word */
	assert_int_equal(word(c), CABLE_WORD_DEAF);
	assert_false(keyboard_wanted(&c->session, &c->viewer));
}

static void without_a_detach_key_all_is_typed(void **state)
{
	static const int none[] = { -1, INT_MIN, 0x20, 0x11d, INT_MAX };
	struct scene *c = *state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		tell(c, false, 0);
		assert_int_equal(word(c), CABLE_WORD_DEAF);
		tell(c, true, none[i]);
		assert_int_equal(word(c), CABLE_WORD_LISTENS);
		typed_length = 0;
		press(c, "\x1d\x1d\x1d!   ");
		look(c);
		assert_string_equal(typed, "\x1d\x1d\x1d!   ");
		assert_int_equal(word(c), 0);
	}
	assert_true(keyboard_wanted(&c->session, &c->viewer));
}

static void who_was_lent_nothing_says_nothing(void **state)
{
	struct scene *c = *state;
	outlet_return(&c->viewer.out);
	tell(c, true, -1);
	char byte;
	assert_int_equal(recv(c->lease, &byte, 1, MSG_DONTWAIT), 0);
	assert_false(keyboard_wanted(&c->session, &c->viewer));
}

static void a_terminal_that_is_gone_is_not_looked_at_again(void **state)
{
	struct scene *c = *state;
	tell(c, true, -1);
	(void)close(c->master);
	c->master = -1;
	look(c);
	assert_false(keyboard_wanted(&c->session, &c->viewer));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_reads_from_the_word_to_the_word),
		TEST(behind_an_old_look_the_cable_comes_first),
		TEST(keys_are_left_to_whom_they_belong),
		TEST(a_program_that_takes_no_input_leaves_keys_in_the_terminal),
		TEST(the_detach_key_is_found_and_ends_it),
		TEST(without_a_detach_key_all_is_typed),
		TEST(who_was_lent_nothing_says_nothing),
		TEST(a_terminal_that_is_gone_is_not_looked_at_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
