/* What the system's configuration says, mistakes and all. Users and groups are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/right.h"
#include "config/server_config.h"

enum { ALICE = 1001, BOB = 1002, DAVE = 1004, DOOR = 900 };
enum { ADMINS = 500, GUESTS = 501, STAFF = 502 };

static int find(const char *const *names, const uint32_t *ids, const char *name, uint32_t *ret)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = ids[i];
			return 0;
		}
	}
	return strcmp(name, "broken") == 0 ? -EIO : -ENOENT;
}

static int find_user(void *context, const char *name, uint32_t *ret)
{
	static const char *const names[] = { "root", "alice", "bob", "dave", "termserv-tty", NULL };
	static const uint32_t ids[] = { 0, ALICE, BOB, DAVE, DOOR };
	return find(names, ids, name, ret);
}

static int find_group(void *context, const char *name, uint32_t *ret)
{
	static const char *const names[] = { "tsadmin", "guests", "staff", NULL };
	static const uint32_t ids[] = { ADMINS, GUESTS, STAFF };
	return find(names, ids, name, ret);
}

static const struct config_names names = { .user = find_user, .group = find_group };

struct heard {
	unsigned count;
	unsigned lines[32];
	char last[512], file[256];
};

static void hear(void *user, const char *file, unsigned line, const char *text)
{
	struct heard *h = user;
	if (h->count < ARRAY_SIZE(h->lines)) {
		h->lines[h->count] = line;
	}
	h->count++;
	(void)snprintf(h->last, sizeof(h->last), "%s", text);
	(void)snprintf(h->file, sizeof(h->file), "%s", file);
}

static struct server_config *parse(const char *text, struct heard *h)
{
	struct server_config *c = NULL;
	*h = (struct heard){ 0 };
	assert_int_equal(server_config_new(&c, &names), 0);
	assert_int_equal(server_config_parse(c, "a.conf", text, &names, hear, h), 0);
	return c;
}

static unsigned granted(const struct server_config *c, const char *listener, uint32_t uid,
	uint32_t group, unsigned *ret_deny)
{
	unsigned allow = 0, deny = 0;
	struct config_who who = { .uid = uid, .groups = &group, .group_count = 1 };
	server_config_rights(c, listener, &who, &allow, &deny);
	if (ret_deny != NULL) {
		*ret_deny = deny;
	}
	return allow;
}

static void nothing_said_means_what_is_built_in(void **state)
{
	struct heard h;
	unsigned deny = 1;
	AUTO(server_config_free) struct server_config *c = parse("", &h);
	assert_int_equal(h.count, 0);
	assert_int_equal(granted(c, "ssh", BOB, BOB, &deny), 0x1a1);
	assert_int_equal(deny, 0);
	assert_int_equal(c->root_connect, ROOT_CONNECT_PASSWORD);
	assert_int_equal(c->failure_delay, 3);
	assert_int_equal(c->sessions_per_user, 64);
	assert_false(c->single_session);
	assert_true(c->console_strict);
	assert_false(c->has_console);
	assert_null(server_config_terminal(c, "console"));
	assert_true(c->user_defaults.chooser);
	uint32_t admins = ADMINS, staff = STAFF;
	assert_true(server_config_is_administrator(
		c, &(struct config_who){ .uid = BOB, .groups = &admins, .group_count = 1 }));
	assert_false(server_config_is_administrator(
		c, &(struct config_who){ .uid = BOB, .groups = &staff, .group_count = 1 }));
	assert_true(server_config_is_administrator(c, &(struct config_who){ .uid = 0 }));
}

static void every_key_is_read(void **state)
{
	struct heard h;
	AUTO(server_config_free)
	struct server_config *c = parse("# who\n"
					"[server]\n"
					"administrators = alice, @staff\n"
					"root-connect = notify\n"
					"failure-delay = 0\n"
					"single-session = YES\n"
					"sessions-per-user = 7\n"
					"[listener ssh]\n"
					"on-steal = login\n"
					"active-limit = 480\n"
					"idle-limit = 60\n"
					"disconnected-limit = 30\n"
					"limit-action = end\n"
					"[console]\n"
					"user = termserv-tty\n"
					"line = /dev/tty1\n"
					"rules = relaxed\n"
					"[terminal TERM03]\n"
					"user = alice, bob\n"
					"group = staff\n"
					"line = /dev/ttyS0\n"
					"listener = serial\n"
					"login-prompt = YES\n"
					"[terminal TERM05]\n"
					"login-prompt = no\n"
					"[terminal]\n"
					"chooser = no\n"
					"[session]\n"
					"history-size = 1M\n",
		&h);
	assert_int_equal(h.count, 0);
	assert_int_equal(c->administrators.count, 2);
	assert_int_equal(c->administrators.items[0].id, ALICE);
	assert_int_equal(c->administrators.items[1].kind, PRINCIPAL_GROUP);
	assert_int_equal(c->root_connect, ROOT_CONNECT_NOTIFY);
	assert_int_equal(c->failure_delay, 0);
	assert_true(c->single_session);
	assert_int_equal(c->sessions_per_user, 7);
	const struct listener_config *l = server_config_listener(c, "SSH");
	assert_int_equal(l->on_steal, ON_STEAL_LOGIN);
	assert_int_equal(l->active_minutes, 480);
	assert_int_equal(l->idle_minutes, 60);
	assert_int_equal(l->disconnected_minutes, 30);
	assert_int_equal(l->limit_action, LIMIT_ENDS);
	assert_int_equal(server_config_listener(c, "tty")->on_steal, ON_STEAL_DEFAULT);
	assert_false(c->console_strict);
	const struct terminal_config *t = server_config_terminal(c, "CONSOLE");
	assert_string_equal(t->line, "/dev/tty1");
	assert_string_equal(t->listener, "console");
	t = server_config_terminal(c, "term03");
	assert_string_equal(t->name, "TERM03");
	assert_string_equal(t->listener, "serial");
	assert_int_equal(t->login_prompt, LOGIN_PROMPT_YES);
	assert_int_equal(server_config_terminal(c, "TERM05")->login_prompt, LOGIN_PROMPT_NO);
	assert_int_equal(server_config_terminal(c, "console")->login_prompt, LOGIN_PROMPT_BY_SHELL);
	assert_int_equal(t->doors.count, 3);
	uint32_t staff = STAFF, other = 1;
	assert_true(principal_list_has(&t->doors,
		&(struct config_who){ .uid = DAVE, .groups = &staff, .group_count = 1 }));
	assert_false(principal_list_has(&t->doors,
		&(struct config_who){ .uid = DAVE, .groups = &other, .group_count = 1 }));
	assert_false(principal_list_has(&t->doors, &(struct config_who){ .uid = 0 }));
	assert_null(server_config_terminal(c, "TERM04"));
	assert_false(c->user_defaults.chooser);
	assert_int_equal(c->user_defaults.history_bytes, 1024 * 1024);
}

static void rights_are_who_may_what(void **state)
{
	struct heard h;
	unsigned deny = 0;
	AUTO(server_config_free)
	struct server_config *c = parse("[rights]\n"
					"* = User\n"
					"@guests = Guest\n"
					"@staff = RESET\n"
					"alice = Full -SHADOW, -message\n"
					"bob = None\n"
					"[rights serial]\n"
					"@staff = Logon Query\n",
		&h);
	assert_int_equal(h.count, 0);
	/* `*` is for whom no other line grants anything. */
	assert_int_equal(granted(c, "tty", DAVE, 1, &deny), 0x1a1);
	assert_int_equal(granted(c, "tty", DAVE, GUESTS, &deny), 0x020);
	assert_int_equal(deny, 0);
	/* A grant about sessions contains QUERY. */
	assert_int_equal(granted(c, "tty", DAVE, STAFF, &deny), 0x005);
	assert_int_equal(granted(c, "tty", ALICE, STAFF, &deny), 0x3ff);
	assert_int_equal(deny, 0x090);
	assert_int_equal(granted(c, "tty", BOB, STAFF, &deny), 0x005);
	assert_int_equal(deny, 0x3ff);
	/* A section for a listener stands in the place of the general one. */
	assert_int_equal(granted(c, "Serial", ALICE, 1, &deny), 0);
	assert_int_equal(deny, 0);
	assert_int_equal(granted(c, "serial", BOB, STAFF, &deny), 0x021);
	assert_int_equal(deny, 0);
}

static void a_line_that_only_denies_leaves_what_everybody_has(void **state)
{
	struct heard h;
	unsigned deny = 0;
	AUTO(server_config_free)
	struct server_config *c = parse("[rights]\n* = User -SHADOW\nalice = -CONNECT\n", &h);
	assert_int_equal(granted(c, "tty", ALICE, 1, &deny), 0x1a1);
	assert_int_equal(deny, 0x110);
}

static void who_writes_the_rights_means_all_of_them(void **state)
{
	struct heard h;
	AUTO(server_config_free) struct server_config *c = parse("[rights]\nalice = User\n", &h);
	assert_int_equal(granted(c, "tty", BOB, 1, NULL), 0);
	AUTO(server_config_free)
	struct server_config *none = parse("[rights]\n# alice = User\n", &h);
	assert_int_equal(granted(none, "tty", BOB, 1, NULL), 0x1a1);
}

static void a_line_of_rights_that_cannot_be_read_denies(void **state)
{
	static const char *const values[] = { "Userr", "", "QUERY, NOTHING", "--QUERY", "-", "STOP",
		"User\001" };
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char text[128];
		struct heard h;
		unsigned deny = 0;
		(void)snprintf(text, sizeof(text), "[rights]\n* = Full\nbob = %s\n", values[i]);
		AUTO(server_config_free) struct server_config *c = parse(text, &h);
		(void)granted(c, "tty", BOB, 1, &deny);
		assert_int_equal(h.count, 1);
		assert_int_equal(h.lines[0], 3);
		assert_int_equal(deny, 0x3ff);
	}
}

static void two_lines_for_one_user_keep_what_was_denied(void **state)
{
	struct heard h;
	unsigned deny = 0;
	AUTO(server_config_free)
	struct server_config *c = parse("[rights]\nbob = None\nbob = Full\n", &h);
	(void)granted(c, "tty", BOB, 1, &deny);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.lines[0], 3);
	assert_int_equal(deny, 0x3ff);
	assert_int_equal(
		server_config_parse(c, "b.conf", "[rights]\nbob = Full\n", &names, hear, &h), 0);
	assert_int_equal(h.count, 1); /* a later file may */
	assert_int_equal(granted(c, "tty", BOB, 1, &deny), 0x3ff);
	assert_int_equal(deny, 0);
}

static void each_mistake_has_its_line_and_the_rest_counts(void **state)
{
	struct heard h;
	AUTO(server_config_free)
	struct server_config *c = parse("stray = 1\n"			    /* 1 */
					"[server]\n"			    /* 2 */
					"administrators = alice, nobody1\n" /* 3 */
					"root-connect = maybe\n"	    /* 4 */
					"failure-delay = 61\n"		    /* 5 */
					"sessions-per-user = 0\n"	    /* 6 */
					"colour = blue\n"		    /* 7 */
					"single-session = yes\n"	    /* 8 */
					"[rights]\n"			    /* 9 */
					"@nogroup1 = User\n"		    /* 10 */
					"= =\n"				    /* 11 */
					"broken = User\n"		    /* 12 */
					"[terminal #1]\n"		    /* 13 */
					"user = alice\n"		    /* 14 */
					"[terminal 123]\n"		    /* 15 */
					"[terminal tty]\n"		    /* 16 */
					"[terminal console]\n"		    /* 17 */
					"[terminal TERM03]\n"		    /* 18 */
					"user = alice\n"		    /* 19 */
					"line = ttyS0\n"		    /* 20 */
					"line = /dev/../etc/x\n"	    /* 21 */
					"[terminal term03]\n"		    /* 22 */
					"user = bob\n"			    /* 23 */
					"[listener]\n"			    /* 24 */
					"[listener ssh]\n"		    /* 25 */
					"idle-limit = -1\n"		    /* 26 */
					"limit-action = explode\n"	    /* 27 */
					"[nonsense x]\n"		    /* 28 */
					"a = b\n"			    /* 29 */
					"[console x]\n"			    /* 30 */
					"[terminal A]\n"		    /* 31 */
					"login-prompt = maybe\n",	    /* 32 */
		&h);
	static const unsigned lines[] = { 1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 15, 16, 17, 20, 21, 22,
		24, 26, 27, 28, 30, 32 };
	assert_int_equal(h.count, ARRAY_SIZE(lines));
	assert_memory_equal(h.lines, lines, sizeof(lines));
	assert_string_equal(h.file, "a.conf");
	assert_int_equal(c->administrators.count, 1);
	assert_true(c->single_session);
	assert_int_equal(c->failure_delay, 3);
	assert_int_equal(c->terminal_count, 2);
	assert_int_equal(c->terminals[1].login_prompt, LOGIN_PROMPT_BY_SHELL);
	assert_int_equal(c->terminals[0].doors.count, 1);
	assert_int_equal(c->terminals[0].doors.items[0].id, ALICE);
}

static int find_named(void *context, const char *name, uint32_t *ret)
{
	assert_true(name[0] != '\0'); /* nobody is asked for no name */
	return find_group(context, name, ret);
}

static void a_group_without_a_name_is_a_mistake_of_its_line(void **state)
{
	static const struct config_names named = { .user = find_named, .group = find_named };
	struct heard h = { 0 };
	AUTO(server_config_free) struct server_config *c = NULL;
	assert_int_equal(server_config_new(&c, &named), 0);
	assert_int_equal(server_config_parse(c, "a.conf",
				 "[server]\n"
				 "administrators = @staff, @ \n" /* 2 */
				 "[rights]\n"
				 "@ = None\n" /* 4 */
				 "[terminal A]\n"
				 "group = @\n"	      /* 6 */
				 "user = @,@staff\n", /* 7 */
				 &named, hear, &h),
		0);
	static const unsigned lines[] = { 2, 4, 6, 7 };
	assert_int_equal(h.count, ARRAY_SIZE(lines));
	assert_memory_equal(h.lines, lines, sizeof(lines));
	assert_string_equal(h.file, "a.conf");
	assert_string_equal(h.last, "`@` is no name of a user or a group");
	assert_int_equal(c->administrators.count, 1);
	assert_int_equal(c->terminals[0].doors.count, 1);
}

static void a_name_in_use_is_said_with_its_number(void **state)
{
	struct heard h;
	AUTO(server_config_free)
	struct server_config *c = parse(
		"[terminal A]\nuser = alice\n[terminal a]\nuser = bob\n", &h);
	assert_int_equal(h.count, 1);
	assert_non_null(strstr(h.last, "7023"));
}

/* --- files -------------------------------------------------------------------------------------
 */

static char folder[64];

static void put(const char *name, const char *text, mode_t mode)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static struct server_config *load(struct heard *h, size_t *mistakes)
{
	char path[256];
	struct server_config *c = NULL;
	*h = (struct heard){ 0 };
	(void)snprintf(path, sizeof(path), "%s/termserv.conf", folder);
	assert_int_equal(server_config_load(&c, path, &names, hear, h, mistakes), 0);
	assert_int_equal(*mistakes, h->count);
	return c;
}

static void make_folder(void)
{
	char path[256];
	(void)snprintf(folder, sizeof(folder), "/tmp/termserv-config-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/termserv.conf.d", folder);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void remove_folder(void)
{
	static const char *const made[] = { "termserv.conf.d/10-a.conf",
		"termserv.conf.d/20-b.conf", "termserv.conf.d/30.conf.bak",
		"termserv.conf.d/.hidden.conf", "termserv.conf" };
	char path[256];
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, made[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/termserv.conf.d", folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void drop_ins_count_in_their_order(void **state)
{
	struct heard h;
	size_t mistakes = 1;
	char place[256], expected[256];
	make_folder();
	put("termserv.conf.d/20-b.conf", "[server]\nfailure-delay = 20\n[rights]\nbob = Full\n",
		0644);
	put("termserv.conf.d/10-a.conf", "[server]\nfailure-delay = 10\nsessions-per-user = 5\n",
		0644);
	put("termserv.conf.d/30.conf.bak", "nonsense\n", 0644);
	put("termserv.conf.d/.hidden.conf", "nonsense\n", 0644);
	put("termserv.conf", "[server]\nfailure-delay = 1\n[rights]\n* = Guest\n", 0644);
	AUTO(server_config_free) struct server_config *c = load(&h, &mistakes);
	assert_int_equal(mistakes, 0);
	assert_int_equal(c->failure_delay, 20);
	assert_int_equal(c->sessions_per_user, 5);
	assert_int_equal(granted(c, "tty", ALICE, 1, NULL), 0x020);
	assert_int_equal(granted(c, "tty", BOB, 1, NULL), 0x3ff);
	(void)snprintf(expected, sizeof(expected), "%s/termserv.conf.d/20-b.conf:4", folder);
	assert_string_equal(server_config_place_text(c, &c->acls[0].entries[1].principal.place,
				    place, sizeof(place)),
		expected);
	remove_folder();
}

static void a_missing_file_is_no_mistake_and_one_that_others_can_write_is_not_read(void **state)
{
	struct heard h;
	size_t mistakes = 1;
	make_folder();
	AUTO(server_config_free) struct server_config *none = load(&h, &mistakes);
	assert_int_equal(mistakes, 0);
	put("termserv.conf", "[server]\nfailure-delay = 1\n", 0666);
	AUTO(server_config_free) struct server_config *unsafe = load(&h, &mistakes);
	assert_int_equal(mistakes, 1);
	assert_int_equal(unsafe->failure_delay, 3);
	put("termserv.conf", "[server]\nfailure-delay = 1\n", 0644);
	AUTO(server_config_free) struct server_config *safe = load(&h, &mistakes);
	assert_int_equal(mistakes, 0);
	assert_int_equal(safe->failure_delay, 1);
	remove_folder();
}

static void a_folder_that_cannot_be_read_is_named(void **state)
{
	struct heard h;
	size_t mistakes = 0;
	char path[256];
	make_folder();
	(void)snprintf(path, sizeof(path), "%s/termserv.conf.d", folder);
	assert_int_equal(rmdir(path), 0);
	AUTO(server_config_free) struct server_config *without = load(&h, &mistakes);
	assert_int_equal(mistakes, 0);
	assert_int_equal(symlink("termserv.conf.d", path), 0); /* leads to itself: also for root */
	AUTO(server_config_free) struct server_config *c = load(&h, &mistakes);
	assert_int_equal(mistakes, 1);
	assert_int_equal(h.lines[0], 0);
	assert_string_equal(h.file, path);
	assert_int_equal(strncmp(h.last, "cannot be read: ", 16), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	remove_folder();
}

static void what_only_the_whole_can_tell_is_told(void **state)
{
	struct heard h;
	size_t mistakes = 0;
	make_folder();
	put("termserv.conf",
		"[rights shh]\n* = None\n[listener serial]\n[listener nope]\n[terminal A]\n"
		"listener = serial\nline = /dev/ttyS1\n[rights serial]\n* = User\n[console]\n",
		0644);
	AUTO(server_config_free) struct server_config *c = load(&h, &mistakes);
	static const unsigned lines[] = { 1, 4, 5, 10 };
	assert_int_equal(mistakes, ARRAY_SIZE(lines));
	assert_memory_equal(h.lines, lines, sizeof(lines));
	remove_folder();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_means_what_is_built_in),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(rights_are_who_may_what),
		cmocka_unit_test(a_line_that_only_denies_leaves_what_everybody_has),
		cmocka_unit_test(who_writes_the_rights_means_all_of_them),
		cmocka_unit_test(a_line_of_rights_that_cannot_be_read_denies),
		cmocka_unit_test(two_lines_for_one_user_keep_what_was_denied),
		cmocka_unit_test(each_mistake_has_its_line_and_the_rest_counts),
		cmocka_unit_test(a_group_without_a_name_is_a_mistake_of_its_line),
		cmocka_unit_test(a_name_in_use_is_said_with_its_number),
		cmocka_unit_test(drop_ins_count_in_their_order),
		cmocka_unit_test(
			a_missing_file_is_no_mistake_and_one_that_others_can_write_is_not_read),
		cmocka_unit_test(a_folder_that_cannot_be_read_is_named),
		cmocka_unit_test(what_only_the_whole_can_tell_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
