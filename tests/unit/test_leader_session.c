#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "session_rig.h"

static bool runs(const struct link_info *i)
{
	return i->program != 0;
}

static bool is_deaf(const struct link_info *i)
{
	return strcmp(i->title, "deaf") == 0;
}

/* A new broker, as one that was restarted: by the leader's own socket. */
static void reconnect(struct rig *r)
{
	int fd = fd_connect_at(r->runtime_fd, "sessions/7/link", SOCK_SEQPACKET);
	assert_true(fd >= 0);
	if (r->link_fd >= 0) {
		(void)close(r->link_fd);
	}
	r->link_fd = fd;
	r->infos = 0;
	rig_tell(r, LINK_HELLO, "", "");
	while (rig_wait(r, LINK_INFO).header.serial != r->serial) {
		/* one that the host had just sent by itself */
	}
}

static void wait_until_dead(pid_t pid)
{
	int fd = pidfd_open(pid, 0);
	if (fd >= 0) {
		assert_int_equal(fd_wait_readable(fd, RIG_LIMIT_MS), 1);
		(void)close(fd);
	}
	assert_false(rig_alive(pid));
}

static void a_host_that_is_killed_ends_its_session_with_a_clear_record(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x", 0);
	rig_connect(&r, &d, "TERM01");
	pid_t program = rig_program(&r);
	pid_t host = rig_parent(program);
	assert_int_equal(rig_parent(host), r.leader);
	assert_int_equal(kill(host, SIGKILL), 0);
	r.host_killed = true;
	(void)rig_wait(&r, LINK_ENDED);
	assert_string_equal(r.ended.text, "the host was ended by signal 9 (Killed)");
	assert_true(WIFSIGNALED(r.ended.status));
	assert_false(rig_alive(program));
	door_wait_flag(&d, &d.closed);
	door_close(&d);
	struct stat st;
	assert_int_equal(fstatat(r.runtime_fd, "sessions/7", &st, 0), -1);
	assert_int_equal(errno, ENOENT);
	rig_stop(&r);
}

static void a_leader_that_is_killed_takes_its_session_with_it(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "read x", 0);
	rig_connect(&r, &d, "TERM01");
	pid_t program = rig_program(&r);
	assert_int_equal(kill(r.leader, SIGKILL), 0);
	door_wait_flag(&d, &d.has_bye);
	assert_int_equal(d.bye.ended, 1);
	wait_until_dead(program);
	door_close(&d);
	assert_int_equal(waitpid(r.leader, NULL, 0), r.leader);
	(void)close(r.link_fd);
	(void)close(r.runtime_fd);
	char command[128]; /* what a broker removes when nobody answers there */
	(void)snprintf(command, sizeof(command), "rm -rf %s", r.folder);
	assert_int_equal(system(command), 0);
}

static void a_lost_broker_costs_only_the_cable_that_it_had_prepared(void **state)
{
	struct rig r;
	struct door first;
	struct door second;
	rig_start(&r, "while read x; do echo \"got $x.\"; done", 0);
	rig_connect(&r, &first, "TERM01");
	struct rig_terminal t = rig_terminal("TERM02");
	assert_int_equal(rig_plug(&r, &second, &t), 0);
	(void)close(r.link_fd);
	r.link_fd = -1;
	door_wait_flag(&second, &second.closed);
	assert_false(second.screen);
	door_close(&second);
	door_type(&first, "nobody noticed\r");
	door_wait_text(&first, "got nobody noticed.");
	reconnect(&r);
	assert_int_equal(r.info.state, SESSION_ACTIVE);
	assert_string_equal(r.info.terminal, "TERM01");
	assert_int_equal(r.info.token[LINK_TOKEN_SIZE - 1], 0x5a);
	door_close(&first);
	rig_stop(&r);
}

static void the_newest_broker_wins(void **state)
{
	struct rig r;
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	uint64_t created = r.info.created;
	int old = fcntl(r.link_fd, F_DUPFD_CLOEXEC, 3);
	reconnect(&r);
	assert_int_equal(r.info.created, created);
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	int n;
	do {
		assert_int_equal(fd_wait_readable(old, RIG_LIMIT_MS), 1);
		n = link_receive(old, &packet, &set);
	} while (n == 1);
	assert_int_equal(n, 0);
	(void)close(old);
	rig_stop(&r);
}

static void a_broker_of_another_version_is_told_so(void **state)
{
	struct rig r;
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	int fd = fd_connect_at(r.runtime_fd, "sessions/7/link", SOCK_SEQPACKET);
	assert_true(fd >= 0);
	struct link_simple hello = link_make(LINK_HELLO, 1);
	hello.header.version = LINK_VERSION + 1;
	assert_int_equal(send(fd, &hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	do { /* a LINK_INFO may have been under way */
		assert_int_equal(fd_wait_readable(fd, RIG_LIMIT_MS), 1);
		assert_int_equal(link_receive(fd, &packet, &set), 1);
	} while (packet.header.type == LINK_INFO);
	assert_int_equal(packet.header.type, LINK_REFUSED);
	assert_non_null(strstr(packet.simple.text, "version 2"));
	assert_int_equal(link_receive(fd, &packet, &set), 0);
	(void)close(fd);
	reconnect(&r);
	rig_stop(&r);
}

static void a_strange_user_gives_no_orders(void **state)
{
	if (geteuid() != 0) {
		skip(); /* nobody else to be */
	}
	struct rig r;
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	const char *ways[] = { "", "/sessions", "/sessions/7", "/sessions/7/link" };
	for (size_t i = 0; i < 4; i++) { /* let the stranger come as far as the socket */
		char way[128];
		(void)snprintf(way, sizeof(way), "%s%s", r.folder, ways[i]);
		assert_int_equal(chmod(way, 0777), 0);
	}
	pid_t stranger = fork();
	assert_true(stranger >= 0);
	if (stranger == 0) {
		struct link_simple reset = link_make(LINK_RESET, 1);
		union link_packet packet;
		struct fd_set_received set = FD_SET_NONE;
		bool good = setresuid(65534, 65534, 65534) == 0;
		int fd = fd_connect_at(r.runtime_fd, "sessions/7/link", SOCK_SEQPACKET);
		(void)!link_send_simple(fd, &reset);
		good = good && fd >= 0 && link_receive(fd, &packet, &set) == 1 &&
		       packet.header.type == LINK_REFUSED && link_receive(fd, &packet, &set) == 0;
		_exit(good ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
	rig_tell(&r, LINK_HELLO, "", ""); /* the true broker was not replaced */
	(void)rig_wait(&r, LINK_INFO);
	rig_stop(&r);
}

/* How long it took, in ms. */
static uint64_t reset_of_what_ignores_everything(void)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"trap '' HUP TERM; (trap '' HUP TERM; setsid sh -c 'echo pid $$ .; exec sleep "
		"1000') & "
		"while :; do read x; done",
		60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, " .");
	int orphan = 0;
	(void)buf_put_byte(&d.output, 0);
	assert_int_equal(sscanf(strstr((char *)d.output.data, "pid "), "pid %d .", &orphan), 1);
	pid_t program = rig_program(&r);
	assert_true(rig_alive(orphan));
	rig_tell(&r, LINK_RESET, "", "Session 7 was reset by alice.");
	uint64_t begun = clock_monotonic_ms();
	(void)rig_wait(&r, LINK_ENDED);
	uint64_t took = clock_monotonic_ms() - begun;
	assert_string_equal(r.ended.text, "the session was reset");
	assert_false(rig_alive(orphan));
	assert_false(rig_alive(program));
	door_wait_flag(&d, &d.has_bye);
	assert_int_equal(d.bye.ended, 1);
	assert_string_equal(d.bye.text, "Session 7 was reset by alice.");
	door_close(&d);
	rig_stop(&r);
	return took;
}

static void a_reset_ends_whatever_the_session_has_started(void **state)
{
	uint64_t took = reset_of_what_ignores_everything();
	/* A grace period would be in each, what the machine was busy with is not. */
	for (int again = 0; again < 4 && took >= 1500; again++) {
		took = reset_of_what_ignores_everything();
	}
	assert_true(took < 1500);
}

static void a_logoff_hangs_up_and_lets_the_program_say_how_it_ends(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r, "trap 'echo saved; exit 6' HUP; echo ready; while :; do read x; done", 60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, "ready");
	rig_tell(&r, LINK_LOGOFF, "", "");
	(void)rig_wait(&r, LINK_ENDED);
	assert_string_equal(r.ended.text, "the program ended with exit status 6");
	door_wait_flag(&d, &d.has_bye);
	assert_true(door_has(&d, "saved"));
	door_close(&d);
	rig_stop(&r);
}

static void a_program_that_ignores_a_logoff_is_killed_after_the_grace_period(void **state)
{
	struct rig r;
	rig_start(&r, "trap '' HUP; printf '\\033]2;deaf\\007'; while :; do sleep 1000; done", 0);
	rig_wait_info(&r, is_deaf);
	pid_t program = rig_program(&r);
	rig_tell(&r, LINK_LOGOFF, "", "");
	while (r.info.state != SESSION_RESET) { /* it is said to be ending meanwhile */
		(void)rig_wait(&r, LINK_INFO);
	}
	assert_true(rig_alive(program));
	(void)rig_wait(&r, LINK_ENDED);
	assert_false(rig_alive(program));
	rig_stop(&r);
}

static void what_a_program_leaves_behind_ends_with_its_session(void **state)
{
	struct rig r;
	struct door d;
	rig_start(&r,
		"(setsid sh -c 'trap \"\" HUP; echo pid $$ .; exec sleep 1000' &); read x; exit 0",
		60000);
	rig_connect(&r, &d, "TERM01");
	door_wait_text(&d, " .");
	int orphan = 0;
	(void)buf_put_byte(&d.output, 0);
	assert_int_equal(sscanf(strstr((char *)d.output.data, "pid "), "pid %d .", &orphan), 1);
	door_type(&d, "\r");
	(void)rig_wait(&r, LINK_ENDED);
	assert_string_equal(r.ended.text, "the program ended with exit status 0");
	assert_false(rig_alive(orphan));
	door_close(&d);
	rig_stop(&r);
}

static void a_bad_spec_ends_the_session_with_a_reason(void **state)
{
	char *none[] = { NULL };
	struct spec spec = { .header = { .rows = 5000, .columns = 80 },
		.directory = "/",
		.term = "xterm",
		.arguments = none,
		.environment = none };
	struct rig r;
	rig_start_spec(&r, &spec);
	(void)rig_wait(&r, LINK_ENDED);
	assert_int_equal(r.ended.error, -EINVAL);
	assert_non_null(strstr(r.ended.text, "it failed to"));
	rig_stop(&r);
}

static void an_id_whose_folder_exists_is_not_used_again(void **state)
{
	struct rig r;
	rig_prepare(&r);
	assert_int_equal(mkdirat(r.runtime_fd, "sessions", 0700), 0);
	assert_int_equal(mkdirat(r.runtime_fd, "sessions/7", 0700), 0);
	rig_launch(&r, NULL);
	(void)rig_wait(&r, LINK_ENDED);
	assert_int_equal(r.ended.error, -EEXIST);
	assert_int_equal(unlinkat(r.runtime_fd, "sessions/7", AT_REMOVEDIR), 0);
	rig_stop(&r);
}

static void without_descriptors_a_session_fails_with_a_reason_at_any_step(void **state)
{
	unsigned started = 0;
	unsigned failed = 0;
	for (unsigned limit = 7; limit < 40 && started == 0; limit++) {
		struct rig r;
		rig_prepare(&r);
		r.fds_limit = limit;
		rig_launch(&r, NULL);
		while (r.infos == 0 && r.ended.header.type == 0) {
			rig_next(&r);
		}
		if (r.infos > 0) {
			started++;
		} else {
			assert_true(r.ended.error < 0);
			assert_non_null(strstr(r.ended.text, "it failed to"));
			failed++;
		}
		rig_stop(&r);
	}
	assert_true(failed > 0);
	assert_int_equal(started, 1);
}

static void a_message_that_no_broker_sends_costs_it_the_link(void **state)
{
	struct rig r;
	rig_start(&r, "read x", 0);
	rig_wait_info(&r, runs);
	rig_tell(&r, LINK_ENDED, "", "");
	union link_packet packet;
	struct fd_set_received set = FD_SET_NONE;
	int n;
	bool refused = false;
	do {
		assert_int_equal(fd_wait_readable(r.link_fd, RIG_LIMIT_MS), 1);
		n = link_receive(r.link_fd, &packet, &set);
		refused = refused || (n == 1 && packet.header.type == LINK_REFUSED);
	} while (n == 1);
	assert_true(refused);
	reconnect(&r);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_is_killed_ends_its_session_with_a_clear_record),
		cmocka_unit_test(a_leader_that_is_killed_takes_its_session_with_it),
		cmocka_unit_test(a_lost_broker_costs_only_the_cable_that_it_had_prepared),
		cmocka_unit_test(the_newest_broker_wins),
		cmocka_unit_test(a_broker_of_another_version_is_told_so),
		cmocka_unit_test(a_strange_user_gives_no_orders),
		cmocka_unit_test(a_reset_ends_whatever_the_session_has_started),
		cmocka_unit_test(a_logoff_hangs_up_and_lets_the_program_say_how_it_ends),
		cmocka_unit_test(a_program_that_ignores_a_logoff_is_killed_after_the_grace_period),
		cmocka_unit_test(what_a_program_leaves_behind_ends_with_its_session),
		cmocka_unit_test(a_bad_spec_ends_the_session_with_a_reason),
		cmocka_unit_test(an_id_whose_folder_exists_is_not_used_again),
		cmocka_unit_test(without_descriptors_a_session_fails_with_a_reason_at_any_step),
		cmocka_unit_test(a_message_that_no_broker_sends_costs_it_the_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
