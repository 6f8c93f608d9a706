#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "broker/audit.h"
#include "broker/auditlog.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/journal.h"
#include "broker/method.h"
#include "protocol/varlink.h"

#define TEXT_SIZE 8192
#define HOSTILE "6\",\n{\"x\":1}\x1b[2J\x7f\xc2\x85\xe2\x80\xae\xff"

static char folder[64];
static int folder_fd = -1;

static int make_folder(void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/audit-XXXXXX");
	folder_fd = mkdtemp(folder) != NULL ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
	return folder_fd >= 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	(void)close(folder_fd);
	return system(command);
}

static const char *file(const char *name)
{
	static char text[TEXT_SIZE];
	ssize_t n = fd_read_file_at(folder_fd, name, text, sizeof(text));
	return n < 0 ? NULL : text;
}

/* A session list and a caller, enough for a record. */
static void init_call(struct broker *b, struct call *call)
{
	bool known;
	*b = (struct broker){
		.mode = POLICY_USER_MODE, .owner = 1000, .owner_name = (char *)"al\nice"
	};
	TAILQ_INIT(&b->sessions);
	*call = (struct call){ .broker = b,
		.uid = 1000,
		.pid = 4242,
		.session = 5,
		.method = method_find("io.termserv.Control.Connect", &known) };
	call->parameters = json_pack("{s:s}", "destination", "a\\b");
	/* A parser would not let it in; nothing here may rely on that. */
	(void)json_object_set_new(
		call->parameters, "session", json_stringn_nocheck(HOSTILE, sizeof(HOSTILE) - 1));
	call->audit = (struct audit){
		.session = 6, .owner = 1000, .displaced = 7, .by = POLICY_BY_OWN, .error = HOSTILE
	};
	memcpy(call->audit.terminal, HOSTILE, sizeof(HOSTILE));
	memcpy(call->audit.client, HOSTILE, sizeof(HOSTILE));
}

static void a_record_says_who_did_what_to_whom(void **state)
{
	struct broker b;
	struct call call;
	init_call(&b, &call);
	AUTO(json) json_t *record = audit_record(&call, 1001, ERROR_NONE);
	AUTO(json)
	json_t *wanted = json_pack("{s:s, s:i, s:s, s:i, s:i, s:i, s:s, s:i, s:i, s:s, s:i, "
				   "s:s, s:s, s:i}",
		"event", "Connect", "uid", 1000, "user", "al?ice", "loginUid", 1001, "pid", 4242,
		"fromSession", 5, "askedDestination", "a\\b", "session", 6, "owner", 1000,
		"ownerName", "al?ice", "displaced", 7, "right", "CONNECT", "by", "own", "result",
		0);
	const char *name;
	json_t *value;
	json_object_foreach(wanted, name, value)
	{
		assert_true(json_equal(json_object_get(record, name), value));
	}
	assert_null(json_object_get(record, "formerTerminal")); /* not known: not there */
	json_decref(call.parameters);
}

static void a_refusal_is_authorised_by_nothing(void **state)
{
	struct broker b;
	struct call call;
	init_call(&b, &call);
	AUTO(json) json_t *record = audit_record(&call, (uid_t)-1, ERROR_BUSY);
	assert_string_equal(json_string_value(json_object_get(record, "by")), "none");
	assert_int_equal(json_integer_value(json_object_get(record, "result")), ERROR_BUSY);
	assert_non_null(json_object_get(record, "error"));
	assert_null(json_object_get(record, "loginUid"));
	json_decref(call.parameters);
}

static void no_byte_of_the_callers_breaks_out_of_its_record(void **state)
{
	struct broker b;
	struct call call;
	init_call(&b, &call);
	AUTO(json) json_t *record = audit_record(&call, 1001, ERROR_BUSY);
	AUTO(free) char *line = json_dumps(record, JSON_COMPACT);
	assert_non_null(line);
	for (const unsigned char *c = (unsigned char *)line; *c != '\0'; c++) {
		assert_true(*c >= 0x20 && *c < 0x7f);
	}
	AUTO(json) json_t *again = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(again, record));
	assert_null(json_object_get(again, "x"));
	static const char *const fields[] = { "askedSession", "terminal", "client", "error" };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *text = json_string_value(json_object_get(again, fields[i]));
		assert_non_null(text);
		assert_string_equal(text, "6\",?{\"x\":1}?[2J????");
	}
	json_decref(call.parameters);
}

static void a_takeover_without_a_password_and_guessing_are_warnings(void **state)
{
	struct broker b;
	struct call call;
	init_call(&b, &call);
	assert_false(audit_is_warning(&call, ERROR_NONE));
	call.audit.owner = 1002;
	call.audit.by = POLICY_BY_PASSWORD;
	assert_false(audit_is_warning(&call, ERROR_NONE));
	call.audit.by = POLICY_BY_POLICY;
	assert_true(audit_is_warning(&call, ERROR_NONE));
	assert_false(audit_is_warning(&call, ERROR_LOGON_FAILURE));
	call.audit.failures = AUDIT_FAILURES_MANY - 1;
	assert_false(audit_is_warning(&call, ERROR_LOGON_FAILURE));
	call.audit.failures = AUDIT_FAILURES_MANY;
	assert_true(audit_is_warning(&call, ERROR_LOGON_FAILURE));
	json_decref(call.parameters);
}

static void lines_are_appended_to_a_file_that_others_do_not_read(void **state)
{
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, AUDITLOG_MAX), 0);
	auditlog_write(a, "{\"n\":1}");
	auditlog_write(a, "{\"n\":2}");
	assert_string_equal(file("audit.log"), "{\"n\":1}\n{\"n\":2}\n");
	struct stat st;
	assert_int_equal(fstatat(folder_fd, "audit.log", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	(void)auditlog_free(a);
}

static void a_full_file_makes_room_for_the_next(void **state)
{
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, 32), 0);
	for (int i = 1; i <= 9; i++) {
		char line[32];
		(void)snprintf(line, sizeof(line), "{\"n\":%d}", i);
		auditlog_write(a, line); /* three lines a file */
	}
	assert_string_equal(file("audit.log.1"), "{\"n\":4}\n{\"n\":5}\n{\"n\":6}\n");
	assert_string_equal(file("audit.log"), "{\"n\":7}\n{\"n\":8}\n{\"n\":9}\n");
	AUTO(json) json_t *five = auditlog_read(a, 5, NULL, NULL);
	AUTO(json)
	json_t *wanted = json_loads("[{\"n\":5},{\"n\":6},{\"n\":7},{\"n\":8},{\"n\":9}]", 0, NULL);
	assert_true(json_equal(five, wanted));
	(void)auditlog_free(a);
}

static void a_file_that_somebody_else_has_rotated_is_made_anew(void **state)
{
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, AUDITLOG_MAX), 0);
	auditlog_write(a, "{\"n\":1}");
	assert_int_equal(renameat(folder_fd, "audit.log", folder_fd, "elsewhere"), 0);
	auditlog_write(a, "{\"n\":2}");
	assert_string_equal(file("audit.log"), "{\"n\":2}\n");
	assert_string_equal(file("elsewhere"), "{\"n\":1}\n");
	(void)auditlog_free(a);
}

static void a_line_that_a_full_disk_has_cut_spoils_no_other(void **state)
{
	struct rlimit before, limit;
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, AUDITLOG_MAX), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 12; /* four bytes of the second line */
	auditlog_write(a, "{\"n\":1}");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	auditlog_write(a, "{\"n\":2}");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	auditlog_write(a, "{\"n\":3}");
	assert_string_equal(file("audit.log"), "{\"n\":1}\n{\"n\"\n{\"n\":3}\n");
	AUTO(json) json_t *all = auditlog_read(a, 10, NULL, NULL);
	AUTO(json) json_t *wanted = json_loads("[{\"n\":1},{\"n\":3}]", 0, NULL);
	assert_true(json_equal(all, wanted));
	(void)auditlog_free(a);
}

static void a_link_in_the_files_place_is_not_followed(void **state)
{
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, AUDITLOG_MAX), 0);
	assert_int_equal(symlinkat("victim", folder_fd, "audit.log"), 0);
	AUTO_FD int victim = openat(folder_fd, "victim", O_CREAT | O_RDWR, 0600);
	auditlog_write(a, "{\"n\":1}");
	struct stat st;
	assert_int_equal(fstat(victim, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)auditlog_free(a);
}

static bool is_even(const json_t *record, const void *user)
{
	return json_integer_value(json_object_get(record, "n")) % 2 == 0;
}

static void a_list_has_only_what_was_asked_for(void **state)
{
	struct auditlog *a;
	assert_int_equal(auditlog_new(&a, folder_fd, AUDITLOG_MAX), 0);
	AUTO(json) json_t *none = auditlog_read(a, 10, NULL, NULL);
	assert_int_equal(json_array_size(none), 0);
	for (int i = 1; i <= 6; i++) {
		char line[32];
		(void)snprintf(line, sizeof(line), "{\"n\":%d}", i);
		auditlog_write(a, line);
	}
	AUTO(json) json_t *even = auditlog_read(a, 2, is_even, NULL);
	AUTO(json) json_t *wanted = json_loads("[{\"n\":4},{\"n\":6}]", 0, NULL);
	assert_true(json_equal(even, wanted));
	(void)auditlog_free(a);
}

static void the_journal_gets_each_member_as_a_field(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/journal", folder);
	struct journal j = JOURNAL_INIT(address.sun_path);
	AUTO(json) json_t *record = json_pack("{s:s, s:i}", "askedSession", "5 6", "loginUid", 7);
	journal_send(&j, JOURNAL_INFO, "nobody listens", record); /* nothing happens */
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	journal_send(&j, JOURNAL_WARNING, "a line", record);
	char text[1024] = "";
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "MESSAGE=a line\nPRIORITY=4\nSYSLOG_IDENTIFIER=termserv\n"
				  "SYSLOG_FACILITY=10\nTERMSERV_ASKED_SESSION=5 6\n"
				  "TERMSERV_LOGIN_UID=7\n");
	for (int i = 0; i < 2000; i++) { /* nobody reads: it must not wait */
		journal_send(&j, JOURNAL_INFO, "a line", record);
	}
	journal_done(&j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_says_who_did_what_to_whom),
		cmocka_unit_test(a_refusal_is_authorised_by_nothing),
		cmocka_unit_test(no_byte_of_the_callers_breaks_out_of_its_record),
		cmocka_unit_test(a_takeover_without_a_password_and_guessing_are_warnings),
		TEST(lines_are_appended_to_a_file_that_others_do_not_read),
		TEST(a_full_file_makes_room_for_the_next),
		TEST(a_file_that_somebody_else_has_rotated_is_made_anew),
		TEST(a_line_that_a_full_disk_has_cut_spoils_no_other),
		TEST(a_link_in_the_files_place_is_not_followed),
		TEST(a_list_has_only_what_was_asked_for),
		TEST(the_journal_gets_each_member_as_a_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
