/* A broker is killed: the next one finds every session, and nothing that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "broker/session.h"
#include "broker_rig.h"

static struct rig rig;

static int set_up(void **state)
{
	rig_start(&rig, &RIG_SHORT_LIMITS);
	return 0;
}

static int tear_down(void **state)
{
	rig_stop(&rig);
	return 0;
}

static void make_folder(const char *id)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "sessions/%s", id);
	assert_int_equal(mkdirat(rig.runtime_fd, path, 0700), 0);
}

static void make_old(const char *id)
{
	char path[64];
	struct timespec times[2] = { { .tv_sec = (time_t)(clock_now() / 1000000) - 60 },
		{ .tv_sec = (time_t)(clock_now() / 1000000) - 60 } };
	(void)snprintf(path, sizeof(path), "sessions/%s", id);
	assert_int_equal(utimensat(rig.runtime_fd, path, times, 0), 0);
}

static bool folder_is_there(const char *id)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "sessions/%s", id);
	return faccessat(rig.runtime_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A leader's listening socket in its folder. */
static int listen_in(const char *id)
{
	char path[64];
	make_folder(id);
	(void)snprintf(path, sizeof(path), "sessions/%s", id);
	AUTO_FD int folder = openat(rig.runtime_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = fd_listen_at(folder, "link", SOCK_SEQPACKET, 0600);
	assert_true(fd >= 0);
	return fd;
}

static struct rig_leader accept_broker(int listener, uint32_t id, const char *terminal)
{
	struct rig_leader l = { .rig = &rig };
	uint64_t since = clock_monotonic_ms();
	while ((l.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_true(clock_monotonic_ms() - since < 30000);
		rig_turn(&rig);
	}
	l.info = (struct link_info){ .header = { LINK_VERSION, LINK_INFO, 0 },
		.session = id,
		.uid = geteuid(),
		.state = terminal[0] != '\0' ? SESSION_ACTIVE : SESSION_DISCONNECTED,
		.rows = 24,
		.columns = 80 };
	link_set_text(l.info.terminal, terminal);
	(void)rig_leader_gets(&l, LINK_HELLO);
	return l;
}

static void a_new_broker_finds_the_sessions_before_it_answers(void **state)
{
	AUTO_FD int five = listen_in("5");
	AUTO_FD int seven = listen_in("7");
	rig_restart(&rig);
	struct rig_peer caller = rig_caller(&rig);
	rig_ask(&caller, "ListSessions", NULL);
	assert_true(rig_silent(&caller));
	struct rig_leader l5 = accept_broker(five, 5, "TERM01");
	struct rig_leader l7 = accept_broker(seven, 7, "");
	rig_leader_says(&l5);
	assert_true(rig_silent(&caller));
	rig_leader_says(&l7);
	AUTO(json) json_t *list = rig_answer(&caller);
	assert_int_equal(json_array_size(json_object_get(list, "sessions")), 2);
	/* An ID that lives is never given again, whatever the file says. */
	assert_int_equal(rig.broker->last_id, 7);
	/* The door is not back yet. */
	assert_int_equal(rig_call_code(&rig, "Connect",
				 json_pack("{s:s, s:s}", "session", "7", "destination", "TERM01")),
		5023);
	rig_leave(&caller);
	(void)close(l5.fd);
	(void)close(l7.fd);
}

/* The former broker had asked for it, and died. */
static void a_leader_that_comes_up_only_now_is_found_too(void **state)
{
	AUTO_FD int id = openat(rig.runtime_fd, "last-id", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(id, "9\n", 2), 2);
	rig_restart(&rig); /* it walks, and finds nothing */
	AUTO_FD int nine = listen_in("9");
	struct rig_leader l = accept_broker(nine, 9, "");
	rig_leader_says(&l);
	rig_settle(&rig);
	AUTO(json) json_t *list = rig_call(&rig, "ListSessions", NULL);
	assert_int_equal(json_array_size(json_object_get(list, "sessions")), 1);
	rig_leader_dies(&l);
}

static void a_leader_that_is_silent_is_waited_for_a_while_only(void **state)
{
	AUTO_FD int five = listen_in("5");
	rig_restart(&rig);
	struct rig_leader l = accept_broker(five, 5, "");
	AUTO(json) json_t *none = rig_call(&rig, "ListSessions", NULL);
	assert_int_equal(json_array_size(json_object_get(none, "sessions")), 0);
	rig_leader_says(&l); /* late is better than never */
	AUTO(json) json_t *list = rig_call(&rig, "ListSessions", NULL);
	assert_int_equal(json_array_size(json_object_get(list, "sessions")), 1);
	(void)close(l.fd);
}

static void a_folder_without_a_leader_goes_when_it_is_not_young(void **state)
{
	int dead = listen_in("5");
	(void)close(dead);
	make_folder("6");
	make_folder("06");
	make_folder("x");
	rig_restart(&rig);
	rig_settle(&rig);
	/* Just made: a leader may be coming up in it. */
	assert_true(folder_is_there("5"));
	assert_true(folder_is_there("6"));
	assert_int_equal(rig.broker->session_count, 0);
	/* A minute later the same folders are old. */
	make_old("5");
	make_old("6");
	rig_restart(&rig);
	assert_false(folder_is_there("5"));
	assert_false(folder_is_there("6"));
	/* What is no session's is not ours to remove. */
	assert_true(folder_is_there("06"));
	assert_true(folder_is_there("x"));
}

static void a_link_in_a_folders_place_is_not_followed(void **state)
{
	AUTO_FD int five = listen_in("5");
	assert_int_equal(symlinkat("5", rig.runtime_fd, "sessions/6"), 0);
	rig_restart(&rig);
	assert_int_equal(rig.broker->session_count, 1);
	struct rig_leader l = accept_broker(five, 5, "");
	rig_leader_says(&l);
	assert_null(session_find(rig.broker, 6));
	(void)close(l.fd);
}

static void a_link_that_breaks_is_made_anew_while_the_leader_lives(void **state)
{
	int listener = listen_in("5");
	rig_restart(&rig);
	struct rig_leader l = accept_broker(listener, 5, "TERM01");
	rig_leader_says(&l);
	(void)close(l.fd);
	l = accept_broker(listener, 5, "TERM01");
	assert_non_null(session_find(rig.broker, 5)); /* in the list all the while */
	rig_leader_says(&l);
	/* Now it dies for good: gone from the list, and from the disk. */
	(void)close(listener);
	rig_leader_dies(&l);
	assert_null(session_find(rig.broker, 5));
	assert_false(folder_is_there("5"));
}

static void a_leader_that_hangs_up_again_and_again_is_given_up(void **state)
{
	AUTO_FD int listener = listen_in("5");
	rig_restart(&rig);
	struct rig_leader l = accept_broker(listener, 5, "");
	rig_leader_says(&l);
	for (int i = 0; i < 5; i++) {
		(void)close(l.fd);
		l = accept_broker(listener, 5, "");
	}
	(void)close(l.fd);
	uint64_t since = clock_monotonic_ms();
	while (rig.broker->session_count > 0) {
		assert_true(clock_monotonic_ms() - since < 30000);
		rig_turn(&rig);
	}
	assert_true(folder_is_there("5")); /* it lives: the next broker may try */
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_broker_finds_the_sessions_before_it_answers),
		TEST(a_leader_that_is_silent_is_waited_for_a_while_only),
		TEST(a_leader_that_comes_up_only_now_is_found_too),
		TEST(a_folder_without_a_leader_goes_when_it_is_not_young),
		TEST(a_link_in_a_folders_place_is_not_followed),
		TEST(a_link_that_breaks_is_made_anew_while_the_leader_lives),
		TEST(a_leader_that_hangs_up_again_and_again_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
