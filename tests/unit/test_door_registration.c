#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "door/tty/registration.h"
#include "protocol/error.h"

/* A server that is a socket pair: the test plays the broker at its other end. */
struct fake {
	int error; /* connecting fails so, 0 = it works */
	int far;   /* the broker's end of the latest connection */
	int dials, starts;
};

static int dial(void *user)
{
	struct fake *f = user;
	int pair[2];
	f->dials++;
	if (f->error != 0) {
		return f->error;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	auto_close(&f->far);
	f->far = pair[1];
	return pair[0];
}

static int start(void *user)
{
	((struct fake *)user)->starts++;
	return 0;
}

static struct registration make(struct fake *f)
{
	*f = (struct fake){ .far = -1 };
	return (struct registration){
		.server = { .connect = dial, .start = start, .user = f },
		.kind = "tty",
		.term = "xterm",
	};
}

static void answer(struct fake *f, const char *text)
{
	assert_int_equal(write(f->far, text, strlen(text) + 1), strlen(text) + 1);
}

/* The parameters of the OpenTerminal that came. */
static json_t *asked(struct fake *f)
{
	char text[4096];
	ssize_t n = recv(f->far, text, sizeof(text), MSG_DONTWAIT);
	assert_true(n > 0 && text[n - 1] == '\0');
	AUTO(json) json_t *message = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(message, "method")),
		"io.termserv.Control.OpenTerminal");
	assert_true(json_is_true(json_object_get(message, "more")));
	return json_incref(json_object_get(message, "parameters"));
}

static enum registration_event next(struct registration *r, int64_t *ticket)
{
	struct failure failure;
	return registration_read(r, ticket, &failure);
}

#define READY                                                                                      \
	"{\"parameters\":{\"event\":\"ready\",\"terminal\":\"tty#1\",\"secret\":\"s3\"},"          \
	"\"continues\":true}"

static void a_terminal_gets_its_name_and_is_asked_for_cables(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket = 0;
	registration_tick(&r, 24, 80);
	AUTO(json) json_t *fields = asked(&f);
	assert_true(json_is_null(json_object_get(fields, "name")));
	assert_true(json_is_null(json_object_get(fields, "secret")));
	assert_int_equal(json_integer_value(json_object_get(fields, "rows")), 24);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	answer(&f, READY);
	answer(&f, "{\"parameters\":{\"event\":\"cable\",\"terminal\":\"tty#1\",\"ticket\":42},"
		   "\"continues\":true}");
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	assert_string_equal(r.name, "tty#1");
	assert_int_equal(next(&r, &ticket), REGISTRATION_CABLE);
	assert_int_equal(ticket, 42);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	registration_done(&r);
	auto_close(&f.far);
}

static void a_refusal_comes_with_its_reason(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	struct failure failure;
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, "{\"error\":\"io.termserv.Control.NameInUse\",\"parameters\":{\"code\":7023,"
		   "\"message\":\"TERM03 is there.\"}}");
	assert_int_equal(registration_read(&r, &ticket, &failure), REGISTRATION_REFUSED);
	assert_int_equal(failure.code, ERROR_NAME_IN_USE);
	assert_string_equal(failure.text, "TERM03 is there.");
	registration_done(&r);
	auto_close(&f.far);
}

static void a_lost_server_is_found_again_with_name_and_secret(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, READY);
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	assert_int_equal(close(TAKE_FD(f.far)), 0);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	assert_false(r.ready);
	assert_true(registration_next_try(&r) <= clock_monotonic_ms()); /* first at once */
	registration_tick(&r, 30, 90);
	AUTO(json) json_t *fields = asked(&f);
	assert_string_equal(json_string_value(json_object_get(fields, "name")), "tty#1");
	assert_string_equal(json_string_value(json_object_get(fields, "secret")), "s3");
	answer(&f, READY);
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	registration_done(&r);
	auto_close(&f.far);
}

static void a_refusal_of_a_known_terminal_is_tried_again_later(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, READY);
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	assert_int_equal(close(TAKE_FD(f.far)), 0);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	uint64_t before = 0;
	for (int i = 0; i < 8; i++) {
		before = clock_monotonic_ms();
		r.next_try = 0;
		registration_tick(&r, 24, 80);
		answer(&f, "{\"error\":\"io.termserv.Control.NameInUse\"}");
		assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	}
	assert_true(registration_next_try(&r) > before);
	assert_true(registration_next_try(&r) <= clock_monotonic_ms() + 1000);
	registration_done(&r);
	auto_close(&f.far);
}

static void a_server_is_started_once_when_nobody_listens_for_a_while(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, READY);
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	assert_int_equal(close(TAKE_FD(f.far)), 0);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	f.error = -ECONNREFUSED;
	registration_tick(&r, 24, 80);
	assert_int_equal(f.starts, 0); /* it may be ending on purpose and not have said so yet */
	r.lost_at -= 300;
	for (int i = 0; i < 5; i++) {
		r.next_try = 0;
		registration_tick(&r, 24, 80);
	}
	assert_int_equal(f.starts, 1);
	registration_done(&r);
	auto_close(&f.far);
}

static void a_server_that_stops_on_purpose_is_left_alone(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, READY);
	answer(&f, "{\"parameters\":{\"event\":\"stop\",\"terminal\":\"tty#1\"}}");
	assert_int_equal(next(&r, &ticket), REGISTRATION_READY);
	assert_int_equal(next(&r, &ticket), REGISTRATION_STOPPED);
	assert_int_equal(close(TAKE_FD(f.far)), 0);
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	assert_true(registration_next_try(&r) == UINT64_MAX);
	int dials = f.dials;
	registration_tick(&r, 24, 80);
	assert_int_equal(f.dials, dials);
	assert_int_equal(f.starts, 0);
	registration_done(&r);
}

static void a_name_that_no_terminal_can_have_is_not_taken(void **state)
{
	struct fake f;
	struct registration r = make(&f);
	int64_t ticket;
	registration_tick(&r, 24, 80);
	answer(&f, "{\"parameters\":{\"event\":\"ready\",\"terminal\":\"a\\u001b[31m\","
		   "\"secret\":\"s\"}}");
	assert_int_equal(next(&r, &ticket), REGISTRATION_NONE);
	assert_false(r.ready);
	registration_done(&r);
	auto_close(&f.far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_gets_its_name_and_is_asked_for_cables),
		cmocka_unit_test(a_refusal_comes_with_its_reason),
		cmocka_unit_test(a_lost_server_is_found_again_with_name_and_secret),
		cmocka_unit_test(a_refusal_of_a_known_terminal_is_tried_again_later),
		cmocka_unit_test(a_server_is_started_once_when_nobody_listens_for_a_while),
		cmocka_unit_test(a_server_that_stops_on_purpose_is_left_alone),
		cmocka_unit_test(a_name_that_no_terminal_can_have_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
