/* A broker whose name service takes its time, hangs, or fails, while it reads its configuration: it
 * goes on serving by the one that it has, and without one it lets nobody in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/broker.h"
#include "broker/configuration.h"
#include "broker/control.h"
#include "config/right.h"
#include "config/server_config.h"

#define PATIENCE_MS 40000

enum mood { FAST, HANGS, FAILS, DIES, DIES_FOR_USERS };

/* What the process that asks for names shares with the test. */
static struct shared {
	enum mood mood;
	int error; /* of one that fails */
	unsigned asked;
} * shared;

/* In the place of libsystemd's: there is no memory for what comes next at once. */
static bool no_steps;

int sd_event_add_time_relative(sd_event *e, sd_event_source **s, clockid_t clock, uint64_t usec,
	uint64_t accuracy, sd_event_time_handler_t callback, void *userdata)
{
	int (*next)(sd_event *, sd_event_source **, clockid_t, uint64_t, uint64_t,
		sd_event_time_handler_t, void *) = NULL;
	*(void **)&next = dlsym(RTLD_NEXT, "sd_event_add_time_relative");
	assert_non_null(next);
	return no_steps && usec == 0 ? -ENOMEM
				     : next(e, s, clock, usec, accuracy, callback, userdata);
}

static struct broker *broker;
static char folder[64], path[96];
static int parent_fd;

static int find(const char *name, uint32_t *ret)
{
	shared->asked++;
	while (shared->mood == HANGS) {
		(void)pause();
	}
	if (shared->mood == DIES) {
		_exit(1);
	}
	*ret = 1000 + (uint32_t)(unsigned char)name[0];
	return shared->mood == FAILS ? -shared->error : strncmp(name, "un", 2) == 0 ? -ENOENT : 0;
}

static int find_user(void *context, const char *name, uint32_t *ret)
{
	if (shared->mood == DIES_FOR_USERS) {
		_exit(1);
	}
	return find(name, ret);
}

static int find_group(void *context, const char *name, uint32_t *ret)
{
	return find(name, ret);
}

static void set_file(const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void start(const char *text, unsigned lookup_ms)
{
	static const struct config_names names = { .user = find_user, .group = find_group };
	struct limits limits = LIMITS_DEFAULT;
	int parent[2], listener;
	limits.lookup_ms = lookup_ms;
	set_file(text);
	int runtime = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(broker_new(&broker, &(struct broker_setup){ .mode = POLICY_SYSTEM_MODE,
						     .runtime_fd = runtime,
						     .state_fd = -1,
						     .log_fd = -1,
						     .config_path = path,
						     .names_source = &names,
						     .limits = &limits }),
		0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, parent), 0);
	listener = fd_listen_at(runtime, "control", SOCK_STREAM, 0600);
	assert_true(listener >= 0);
	assert_int_equal(broker_start(broker, listener, parent[1]), 0);
	parent_fd = parent[0];
}

static int set_up(void **state)
{
	int flags = MAP_SHARED | MAP_ANONYMOUS;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, flags, -1, 0);
	assert_true(shared != MAP_FAILED);
	shared->error = EIO;
	no_steps = false;
	(void)snprintf(folder, sizeof(folder), "/tmp/configuration-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/termserv.conf", folder);
	(void)umask(022);
	char sessions[96];
	(void)snprintf(sessions, sizeof(sessions), "%s/sessions", folder);
	assert_int_equal(mkdir(sessions, 0700), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	broker = broker_free(broker);
	(void)close(parent_fd);
	(void)munmap(shared, sizeof(*shared));
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static bool is_read(void)
{
	return broker->reading == NULL;
}

static bool is_asked(void)
{
	return shared->asked > 0;
}

static bool is_asked_again(void)
{
	return shared->asked > 1;
}

static void wait_until(bool (*done)(void))
{
	uint64_t since = clock_monotonic_ms();
	while (!done() && clock_monotonic_ms() - since < PATIENCE_MS) {
		assert_true(sd_event_run(broker->event, 5000) >= 0);
	}
	assert_true(done());
}

static bool is_denied(const char *name)
{
	unsigned allow = 0, deny = 0;
	struct config_who who = { .uid = 1000 + (uint32_t)(unsigned char)name[0] };
	server_config_rights(broker->config, "tty", &who, &allow, &deny);
	return (deny & RIGHT_LOGON) != 0;
}

/* Is somebody let in? */
static bool serves(void)
{
	return broker->configured && broker->restored;
}

#define FIRST "[rights]\n* = User\nmallory = None\n"
#define SECOND "[rights]\n* = User\nalice = None\n@staff = None\n"

static void names_are_known_before_anybody_is_let_in(void **state)
{
	start(FIRST, PATIENCE_MS);
	assert_false(serves());
	wait_until(serves);
	assert_true(is_read());
	assert_true(is_denied("mallory"));
	assert_false(is_denied("alice"));
	assert_int_equal(shared->asked, 2); /* and the group that administers, once each */
}

static void nobody_is_let_in_while_the_name_service_hangs(void **state)
{
	shared->mood = HANGS;
	start(FIRST, 500);
	wait_until(is_asked_again);
	assert_false(serves());
	shared->mood = FAST;
	wait_until(serves);
	assert_true(is_denied("mallory"));
}

static void a_process_that_dies_says_nothing_about_a_name(void **state)
{
	shared->mood = DIES;
	start(FIRST, PATIENCE_MS);
	wait_until(is_asked);
	shared->mood = FAST;
	wait_until(serves);
	assert_true(is_denied("mallory"));
}

/* A line that denies something would be lost. */
static void an_error_says_nothing_about_a_name_either(void **state)
{
	static const int errors[] = { EIO, EAGAIN, ECONNREFUSED };
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		shared->mood = FAILS;
		shared->error = errors[i];
		shared->asked = 0;
		start(FIRST, PATIENCE_MS);
		wait_until(is_asked_again);
		assert_false(serves());
		shared->mood = FAST;
		wait_until(serves);
		assert_true(is_denied("mallory"));
		broker = broker_free(broker);
		(void)close(parent_fd);
	}
	start(FIRST, PATIENCE_MS); /* for tear_down() */
}

/* Asked for, and not there: it is not asked for again. */
static void a_name_that_cannot_be_found_is_a_mistake(void **state)
{
	static const int errors[] = { ENOENT, ESRCH, E2BIG, ERANGE };
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		shared->mood = FAILS;
		shared->error = errors[i];
		shared->asked = 0;
		start(FIRST, PATIENCE_MS);
		wait_until(serves);
		assert_int_equal(shared->asked, 2);
		assert_false(is_denied("mallory"));
		broker = broker_free(broker);
		(void)close(parent_fd);
	}
	start(FIRST, PATIENCE_MS); /* for tear_down() */
}

static void a_group_without_a_name_ends_nothing(void **state)
{
	start("[server]\nadministrators = root, @ tsadmin\n[terminal A]\ngroup = @\n" FIRST
	      "@ = None\n",
		PATIENCE_MS);
	wait_until(serves);
	assert_true(is_denied("mallory"));
}

static void who_cannot_go_on_ends_instead_of_serving_nobody(void **state)
{
	int code = 0;
	start(FIRST, PATIENCE_MS);
	no_steps = true;
	uint64_t since = clock_monotonic_ms();
	while (sd_event_get_state(broker->event) != SD_EVENT_FINISHED &&
		clock_monotonic_ms() - since < PATIENCE_MS) {
		assert_true(sd_event_run(broker->event, 500 * 1000) >= 0);
	}
	assert_int_equal(sd_event_get_state(broker->event), SD_EVENT_FINISHED);
	assert_int_equal(sd_event_get_exit_code(broker->event, &code), 0);
	assert_int_equal(code, EXIT_FAILURE);
	assert_false(serves());
}

static void a_reload_that_cannot_go_on_stops_nothing(void **state)
{
	start(FIRST, PATIENCE_MS);
	wait_until(serves);
	shared->asked = 0;
	set_file(SECOND);
	assert_int_equal(configuration_load(broker), 0);
	no_steps = true;
	wait_until(is_asked);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(sd_event_run(broker->event, 100 * 1000) >= 0);
	}
	assert_true(serves());
	assert_true(is_denied("mallory"));
	no_steps = false;
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_read);
	assert_true(is_denied("alice"));
}

static void a_reload_without_its_drop_ins_changes_nothing(void **state)
{
	char drop_ins[96];
	(void)snprintf(drop_ins, sizeof(drop_ins), "%s/termserv.conf.d", folder);
	start(FIRST, PATIENCE_MS);
	wait_until(serves);
	set_file(SECOND);
	assert_int_equal(symlink("termserv.conf.d", drop_ins), 0); /* leads to itself */
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_read);
	assert_true(is_denied("mallory"));
	assert_false(is_denied("alice"));
}

static void what_is_right_counts_at_the_start(void **state)
{
	start(FIRST "unheard = None\nalice = None\nnonsense\n", PATIENCE_MS);
	wait_until(serves);
	assert_true(is_denied("mallory"));
	assert_true(is_denied("alice"));
}

static void a_reload_takes_over_all_or_nothing(void **state)
{
	start(FIRST, PATIENCE_MS);
	wait_until(serves);
	set_file(SECOND "unheard = None\n");
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_read);
	assert_true(is_denied("mallory"));
	assert_false(is_denied("alice"));
	set_file(SECOND);
	assert_int_equal(configuration_load(broker), 0);
	assert_true(is_denied("mallory")); /* not yet */
	wait_until(is_read);
	assert_false(is_denied("mallory"));
	assert_true(is_denied("alice"));
}

static void a_reload_that_hangs_or_fails_changes_nothing_and_stops_nothing(void **state)
{
	static const enum mood moods[] = { HANGS, FAILS, DIES };
	start(FIRST, 2000); /* more than a good answer takes on a slow machine */
	wait_until(serves);
	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		shared->mood = moods[i];
		shared->asked = 0;
		set_file(SECOND);
		uint64_t since = clock_monotonic_ms();
		assert_int_equal(configuration_load(broker), 0);
		wait_until(is_asked);
		assert_true(clock_monotonic_ms() - since < PATIENCE_MS / 2);
		assert_true(serves());
		wait_until(is_read);
		assert_true(is_denied("mallory"));
		assert_false(is_denied("alice"));
	}
	shared->mood = FAST;
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_read);
	assert_true(is_denied("alice"));
}

static void the_last_reload_counts_though_the_one_before_hangs(void **state)
{
	start(FIRST, PATIENCE_MS);
	wait_until(serves);
	shared->mood = HANGS;
	shared->asked = 0;
	set_file("[rights]\nbob = None\n");
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_asked);
	shared->mood = FAST;
	set_file(SECOND);
	assert_int_equal(configuration_load(broker), 0);
	wait_until(is_read);
	assert_true(is_denied("alice"));
	assert_false(is_denied("bob"));
}

/* What the broker says while it reads this file, at this path. */
static void hear(char *text, size_t size, const char *file)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "%s/log", folder);
	int old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int log = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(old >= 0 && log >= 0);
	assert_true(dup2(log, STDERR_FILENO) >= 0);
	start(file, PATIENCE_MS);
	wait_until(serves);
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	ssize_t n = pread(log, text, size - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(old);
	(void)close(log);
}

static char log_text[8192], wanted[192];
static int log_fd;

static bool is_said(void)
{
	ssize_t n = pread(log_fd, log_text, sizeof(log_text) - 1, 0);
	assert_true(n >= 0);
	log_text[n] = '\0';
	return strstr(log_text, wanted) != NULL;
}

static void the_line_of_a_name_without_an_answer_is_named(void **state)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "%s/log", folder);
	int old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	log_fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(old >= 0 && log_fd >= 0);
	assert_true(dup2(log_fd, STDERR_FILENO) >= 0);
	(void)snprintf(wanted, sizeof(wanted), "%s:4: the user root cannot be looked up: %s", path,
		strerror(EPIPE));
	shared->mood = DIES_FOR_USERS;
	start("[server]\nnonsense = 1\n[rights]\nroot = None\nmallory = None\n", PATIENCE_MS);
	wait_until(is_said);
	assert_false(serves());
	shared->mood = FAST;
	wait_until(serves);
	(void)is_said();
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	assert_null(strstr(log_text, "mallory")); /* which was not asked for yet */
	assert_true(is_denied("mallory"));
	(void)close(old);
	(void)close(log_fd);
}

static void what_commands_read_elsewhere_is_named(void **state)
{
	char text[4096], line[192];
	hear(text, sizeof(text),
		FIRST "[terminal]\nhistory-lines = 7\n[session]\nshell = /bin/sh\n");
	(void)snprintf(line, sizeof(line), "%s:5: [terminal] and [session] are read", path);
	assert_non_null(strstr(text, line));
	broker = broker_free(broker);
	(void)close(parent_fd);
	hear(text, sizeof(text), FIRST);
	assert_null(strstr(text, "[terminal]"));
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_are_known_before_anybody_is_let_in),
		TEST(nobody_is_let_in_while_the_name_service_hangs),
		TEST(a_process_that_dies_says_nothing_about_a_name),
		TEST(an_error_says_nothing_about_a_name_either),
		TEST(a_name_that_cannot_be_found_is_a_mistake),
		TEST(a_group_without_a_name_ends_nothing),
		TEST(who_cannot_go_on_ends_instead_of_serving_nobody),
		TEST(a_reload_that_cannot_go_on_stops_nothing),
		TEST(a_reload_without_its_drop_ins_changes_nothing),
		TEST(the_line_of_a_name_without_an_answer_is_named),
		TEST(what_is_right_counts_at_the_start),
		TEST(a_reload_takes_over_all_or_nothing),
		TEST(a_reload_that_hangs_or_fails_changes_nothing_and_stops_nothing),
		TEST(what_commands_read_elsewhere_is_named),
		TEST(the_last_reload_counts_though_the_one_before_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
