#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/keeper.h"
#include "cli/warrant.h"

#define LIMIT_MS 20000

/* Plays the leader at the far end: what comes for a question about this user. */
static ssize_t ask(int far_fd, const char *user, char text[static 128])
{
	int ends[2];
	struct warrant_question q = { .version = WARRANT_VERSION, .session = 3 };
	link_set_text(q.user, user);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(warrant_ask(far_fd, &q, ends[1]), 0);
	(void)close(ends[1]);
	assert_int_equal(fd_wait_readable(ends[0], LIMIT_MS), 1);
	ssize_t n = read(ends[0], text, 127);
	text[n > 0 ? n : 0] = '\0';
	(void)close(ends[0]);
	return n;
}

static int make(struct warrant_maker *m)
{
	struct warrant w = warrant_to_connect("3", NULL);
	struct warrant got;
	int spec_fd;
	int far = warrant_make(m, &w, -1);
	assert_true(far >= 0);
	assert_int_equal(warrant_receive(&got, &spec_fd, far), 1);
	assert_int_equal(spec_fd, -1);
	assert_memory_equal(&got, &w, sizeof(w));
	return far;
}

static void every_warrant_gets_the_password_once(void **state)
{
	if (getuid() != 0) {
		skip(); /* only root is answered */
	}
	char text[128];
	AUTO(warrant_maker_done) struct warrant_maker m = WARRANT_MAKER_NONE;
	m.system = true;
	assert_int_equal(keeper_start(&m.keeper, "tell nobody", NULL), 0);
	AUTO_FD int first = make(&m);
	AUTO_FD int second = make(&m);
	assert_int_equal(ask(second, "bob", text), 11);
	assert_string_equal(text, "tell nobody");
	assert_int_equal(ask(first, "bob", text), 11);
	struct warrant_question q = { .version = WARRANT_VERSION };
	assert_int_equal(fd_wait_readable(first, LIMIT_MS), 1); /* it has closed its end */
	assert_true(warrant_ask(first, &q, -1) < 0);
}

static void a_question_about_somebody_else_gets_nothing(void **state)
{
	char text[128];
	AUTO(warrant_maker_done) struct warrant_maker m = WARRANT_MAKER_NONE;
	assert_int_equal(keeper_start(&m.keeper, "tell nobody", "bob"), 0);
	AUTO_FD int far = make(&m);
	assert_int_equal(ask(far, "carol", text), 0);
}

static void root_alone_is_believed(void **state)
{
	struct warrant_question q = { .user = "bob" };
	struct ucred root = { .uid = 0 };
	struct ucred broker = { .uid = 990 };
	assert_true(keeper_believes(&q, &root, NULL));
	assert_true(keeper_believes(&q, &root, ""));
	assert_true(keeper_believes(&q, &root, "bob"));
	assert_false(keeper_believes(&q, &root, "Bob"));
	assert_false(keeper_believes(&q, &broker, NULL));
	assert_false(keeper_believes(&q, &broker, "bob"));
}

static void a_warrant_without_a_password_lets_a_question_fail(void **state)
{
	int ends[2];
	AUTO(warrant_maker_done) struct warrant_maker m = WARRANT_MAKER_NONE;
	AUTO_FD int far = make(&m);
	auto_close(&m.near_fd);
	m.near_fd = -1;
	struct warrant_question q = { .version = WARRANT_VERSION };
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(warrant_ask(far, &q, ends[1]) < 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* The keeper's process as others see it. */
static void nobody_can_look_into_the_keeper(void **state)
{
	char path[64];
	char link[64];
	AUTO(warrant_maker_done) struct warrant_maker m = WARRANT_MAKER_NONE;
	AUTO_FD int zero = open("/dev/zero", O_RDONLY);
	AUTO_FD int extra = fcntl(zero, F_DUPFD, 20);
	assert_int_equal(keeper_start(&m.keeper, "tell nobody", NULL), 0);
	AUTO_FD int far = make(&m);
	char text[128];
	assert_true(ask(far, "bob", text) >= 0); /* it has arranged itself before it answers */
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)m.keeper.pid, extra);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	assert_true(n < 0 || strncmp(link, "/dev/zero", 9) != 0);
	assert_true(extra >= 20);
}

static void what_is_too_long_is_kept_by_nobody(void **state)
{
	static char text[WARRANT_PASSWORD_MAX + 2];
	struct keeper k = KEEPER_NONE;
	memset(text, 'x', sizeof(text) - 1);
	assert_true(keeper_start(&k, text, NULL) < 0);
	assert_int_equal(k.pid, 0);
}

static void a_warrant_says_what_was_asked(void **state)
{
	struct warrant w = warrant_to_connect("TERM03", "TERM05");
	assert_int_equal(w.version, WARRANT_VERSION);
	assert_int_equal(w.use, WARRANT_CONNECT);
	assert_int_equal(w.destination, WARRANT_NAMED);
	assert_string_equal(w.session, "TERM03");
	assert_string_equal(w.terminal, "TERM05");
	assert_string_equal(w.user, "");
	w = warrant_to_connect(NULL, NULL);
	assert_int_equal(w.destination, WARRANT_OWN);
	assert_string_equal(w.session, "");
	w = warrant_to_connect("0", NULL);
	assert_string_equal(w.session, "console");
}

static void in_user_mode_no_warrant_goes_along(void **state)
{
	AUTO(warrant_maker_done) struct warrant_maker m = WARRANT_MAKER_NONE;
	AUTO(json) json_t *parameters = json_object();
	struct warrant w = warrant_to_connect("1", NULL);
	int fd = 99;
	assert_int_equal(warrant_add(&m, &w, parameters, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(json_object_size(parameters), 0);
	m.system = true;
	assert_int_equal(warrant_add(&m, &w, parameters, &fd), 0);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(json_integer_value(json_object_get(parameters, "warrant")), 0);
	assert_true(json_is_false(json_object_get(parameters, "password")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_warrant_gets_the_password_once),
		cmocka_unit_test(a_question_about_somebody_else_gets_nothing),
		cmocka_unit_test(root_alone_is_believed),
		cmocka_unit_test(a_warrant_without_a_password_lets_a_question_fail),
		cmocka_unit_test(nobody_can_look_into_the_keeper),
		cmocka_unit_test(what_is_too_long_is_kept_by_nobody),
		cmocka_unit_test(a_warrant_says_what_was_asked),
		cmocka_unit_test(in_user_mode_no_warrant_goes_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
