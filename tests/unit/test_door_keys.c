/* Who reads the terminal's keys: the door hands them to a host that listens, and has them back from
 * one that does not. The host is the test, and so is the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "door/tty/keys.h"

#define CTRL_BRACKET 0x1d
#define START 1000000

/* A door that has lent its terminal, and the host's ends of cable and lease. */
struct scene {
	struct keys keys;
	struct plug plug;
	struct rawtty tty;
	struct detach_key detach;
	struct buf in;
	int master, cable, lease;
	uint64_t now;
};

static int set_up(void **state)
{
	struct scene *c = calloc(1, sizeof(*c));
	struct cable_hello hello = { .version = CABLE_VERSION,
		.size = { .rows = 24, .columns = 80 } };
	struct termios raw = { 0 };
	uint8_t bytes[4096];
	int pair[2];
	assert_non_null(c);
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	c->tty = RAWTTY_NONE;
	assert_int_equal(openpty(&c->master, &c->tty.fd, NULL, &raw, NULL), 0);
	assert_int_equal(plug_make(&c->plug, &c->cable, &hello, "", 1), 0);
	assert_true(recv(c->cable, bytes, sizeof(bytes), 0) > 0); /* HELLO and CLIENT */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	c->lease = pair[0];
	c->plug.lease = pair[1];
	c->plug.lent = true;
	c->plug.listens = true;
	c->keys = KEYS_INIT;
	c->in = BUF_INIT(1 << 20);
	c->now = START;
	detach_key_init(&c->detach, CTRL_BRACKET);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *c = *state;
	plug_close(&c->plug);
	buf_done(&c->in);
	(void)close(c->tty.fd);
	(void)close(c->master);
	(void)close(c->cable);
	auto_close(&c->lease);
	free(c);
	return 0;
}

static void tick(struct scene *c, unsigned later_ms)
{
	c->now += later_ms;
	keys_tick(&c->keys, &c->plug, &c->tty, &c->detach, c->now);
}

/* What the host is told: 1 = listen, 0 = listen no more, -1 = nothing new. */
static int told(struct scene *c)
{
	uint8_t bytes[256];
	struct cable_frame frame;
	struct cable_listen wish;
	ssize_t n = recv(c->cable, bytes, sizeof(bytes), MSG_DONTWAIT);
	assert_int_equal(buf_put(&c->in, bytes, n > 0 ? (size_t)n : 0), 0);
	if (cable_parse(&c->in, &frame) != 1) {
		return -1;
	}
	assert_int_equal(frame.type, CABLE_LISTEN);
	memcpy(&wish, frame.payload, sizeof(wish));
	assert_int_equal(wish.detach_key, CTRL_BRACKET);
	cable_next(&c->in, &frame);
	return (int)wish.on;
}

static bool say(struct scene *c, enum cable_word word)
{
	assert_int_equal(send(c->lease, (char[]){ (char)word }, 1, 0), 1);
	return keys_on_word(&c->keys, &c->plug);
}

static void press(struct scene *c, const char *keys)
{
	assert_int_equal(write(c->master, keys, strlen(keys)), strlen(keys));
	assert_int_equal(fd_wait_readable(c->tty.fd, 20000), 1);
}

static void hand_over(struct scene *c)
{
	tick(c, 0);
	assert_int_equal(told(c), 1);
	assert_false(keys_polled(&c->keys)); /* nobody else reads before it has answered */
	assert_false(say(c, CABLE_WORD_LISTENS));
	assert_int_equal(c->keys.state, KEYS_THEIRS);
	assert_int_equal(keys_due(&c->keys), UINT64_MAX);
}

static void a_host_that_listens_is_left_alone(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	tick(c, 3600000);
	assert_int_equal(told(c), -1);
	press(c, "a");
	assert_true(keys_polled(&c->keys));
	keys_seen(&c->keys, c->now);
	assert_false(keys_polled(&c->keys)); /* the next ones wake nobody here */
	assert_int_equal(keys_due(&c->keys), c->now + KEYS_LOOK_MS);
	char key;
	assert_int_equal(read(c->tty.fd, &key, 1), 1); /* the host has it */
	tick(c, KEYS_LOOK_MS);
	assert_int_equal(c->keys.state, KEYS_THEIRS);
	assert_int_equal(told(c), -1);
}

static void keys_that_lie_there_are_a_question(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	press(c, "a");
	keys_seen(&c->keys, c->now);
	tick(c, KEYS_LOOK_MS - 1);
	assert_int_equal(told(c), -1);
	tick(c, 1);
	assert_int_equal(told(c), 1);
	assert_false(say(c, CABLE_WORD_LISTENS)); /* it is just busy, or these are new ones */
	assert_int_equal(c->keys.state, KEYS_THEIRS);
}

/* Until the door reads itself. */
static void hang(struct scene *c)
{
	press(c, "a");
	keys_seen(&c->keys, c->now);
	tick(c, KEYS_LOOK_MS);
	assert_int_equal(told(c), 1);
	tick(c, CABLE_ANSWER_MS); /* that late it may have been sent: the time begins here */
	tick(c, CABLE_ANSWER_MS - 1);
	assert_int_equal(told(c), -1);
	tick(c, 1);
	assert_int_equal(told(c), 0);
	tick(c, CABLE_ANSWER_MS);
	tick(c, CABLE_FRESH_MS); /* so old may be its look at the cable */
	assert_int_not_equal(c->keys.state, KEYS_OURS);
	tick(c, CABLE_ANSWER_MS - CABLE_FRESH_MS);
	assert_int_equal(c->keys.state, KEYS_OURS);
}

static void one_that_hangs_loses_them_until_it_answers(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	hang(c);
	assert_true(keys_polled(&c->keys));
	tick(c, 3600000);
	assert_int_equal(told(c), -1);		  /* not again before it lives */
	assert_false(say(c, CABLE_WORD_LISTENS)); /* it was asked first, and then told off */
	tick(c, 0);
	assert_int_equal(told(c), -1);
	assert_false(say(c, CABLE_WORD_DEAF));
	assert_int_equal(c->keys.state, KEYS_OURS);
	hand_over(c);
}

static void an_answer_in_time_to_the_second_word_is_enough(void **state)
{
	struct scene *c = *state;
	tick(c, 0);
	assert_int_equal(told(c), 1);
	tick(c, 0);
	tick(c, CABLE_ANSWER_MS);
	assert_int_equal(told(c), 0);
	assert_false(say(c, CABLE_WORD_LISTENS)); /* the first one's */
	assert_int_equal(c->keys.state, KEYS_BACK);
	assert_false(say(c, CABLE_WORD_DEAF));
	assert_int_equal(c->keys.state, KEYS_OURS);
	hand_over(c);
}

static void one_that_does_not_want_to_is_not_asked_again(void **state)
{
	struct scene *c = *state;
	tick(c, 0);
	assert_int_equal(told(c), 1);
	assert_false(say(c, CABLE_WORD_DEAF));
	assert_int_equal(c->keys.state, KEYS_OURS);
	tick(c, 3600000);
	assert_int_equal(told(c), -1);
}

static void only_who_was_lent_the_terminal_is_asked(void **state)
{
	struct scene *c = *state;
	c->plug.listens = false; /* an older host */
	tick(c, 0);
	c->plug.listens = true;
	c->plug.lent = false;
	tick(c, 0);
	c->plug.lent = true;
	c->plug.at_end = true;
	tick(c, 0);
	assert_int_equal(told(c), -1);
	assert_int_equal(c->keys.state, KEYS_OURS);
}

/* Else the word that it shall stop might not reach it, nor the keys behind that. */
static void a_full_cable_is_waited_for(void **state)
{
	struct scene *c = *state;
	uint8_t bytes[4096] = { 0 };
	while (send(c->plug.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
	}
	tick(c, 0);
	assert_int_equal(c->keys.state, KEYS_OURS);
	while (recv(c->cable, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
	}
	hand_over(c);
}

/* The host would count the presses anew. */
static void not_in_the_midst_of_the_detach_key(void **state)
{
	struct scene *c = *state;
	size_t used;
	assert_false(detach_key_feed(&c->detach, (const uint8_t *)"\x1d\x1d", 2, c->now, &used));
	tick(c, DETACH_KEY_TIME_MS);
	assert_int_equal(told(c), -1);
	tick(c, 1);
	assert_int_equal(told(c), 1);
}

static void the_detach_key_is_told_of(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	assert_true(say(c, CABLE_WORD_DETACHED));
}

static void one_that_lets_go_has_no_keys(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	auto_close(&c->lease);
	c->lease = -1;
	assert_false(keys_on_word(&c->keys, &c->plug));
	assert_int_equal(c->keys.state, KEYS_OURS);
	assert_false(c->plug.lent);
	tick(c, 0);
	assert_int_equal(told(c), -1);
	assert_false(keys_on_word(&c->keys, &c->plug)); /* nothing is there to be read any more */
}

static void a_byte_that_means_nothing_is_an_end(void **state)
{
	struct scene *c = *state;
	hand_over(c);
	assert_false(say(c, (enum cable_word)0));
	assert_int_equal(c->keys.state, KEYS_OURS);
	assert_false(c->plug.lent);
	tick(c, 0);
	assert_int_equal(told(c), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_host_that_listens_is_left_alone),
		TEST(keys_that_lie_there_are_a_question),
		TEST(one_that_hangs_loses_them_until_it_answers),
		TEST(an_answer_in_time_to_the_second_word_is_enough),
		TEST(one_that_does_not_want_to_is_not_asked_again),
		TEST(only_who_was_lent_the_terminal_is_asked),
		TEST(a_full_cable_is_waited_for),
		TEST(a_byte_that_means_nothing_is_an_end),
		TEST(not_in_the_midst_of_the_detach_key),
		TEST(the_detach_key_is_told_of),
		TEST(one_that_lets_go_has_no_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
