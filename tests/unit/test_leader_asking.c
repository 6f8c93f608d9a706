/* Who is asked for a password, one by one, and the rest after a guess, whoever ends it. */
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
#include "leader/asking.h"
#include "protocol/warrant.h"

/* Nobody gives a password here. */
int pam_check(const struct pam_who *who, const char *password)
{
	return -EIO;
}

/* Our warrant for somebody else's session 7 comes to its leader. True = decided; else he is asked,
 * or will be. *ret_asker is our end. */
static bool ask(struct asking *a, int *ret_asker)
{
	const struct asking_about about = {
		.session = { .system = true,
			.id = 7,
			.owner = geteuid() + 1,
			.broker = geteuid() + 2,
			.terminal = "TERM03" },
		.user = "somebody",
		.tty = "pts/9",
	};
	const struct asking_question question = { .serial = 1, .from = "" };
	struct warrant w = {
		.version = WARRANT_VERSION, .use = WARRANT_CONNECT, .destination = WARRANT_OWN
	};
	link_set_text(w.session, "7");
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[0], &w, sizeof(w), 0), (ssize_t)sizeof(w));
	*ret_asker = pair[0];
	struct asking_answer answer;
	return asking_begin(a, &about, pair[1], &question, &answer);
}

static size_t asked(const struct asking *a)
{
	int fds[ASKING_MAX];
	return asking_fds(a, fds);
}

static void who_is_asked_and_then_dropped_has_used_up_a_try(void **state)
{
	struct asking a = ASKING_INIT;
	AUTO_FD int first = -1;
	AUTO_FD int second = -1;
	assert_false(ask(&a, &first));
	assert_int_equal(asked(&a), 1);
	uint64_t before = clock_monotonic_ms();
	asking_stop(&a); /* as when a broker goes in the very moment in which a guess was written */
	assert_true(a.next_check_at > before);
	assert_false(ask(&a, &second));
	assert_int_equal(asked(&a), 0); /* not yet */
	assert_true(asking_time(&a) == a.next_check_at);
	asking_stop(&a);
}

static void who_waits_for_his_turn_has_tried_nothing(void **state)
{
	struct asking a = ASKING_INIT;
	a.next_check_at = clock_monotonic_ms() + 60000;
	uint64_t before = a.next_check_at;
	AUTO_FD int asker = -1;
	struct asking_answer answer;
	assert_false(ask(&a, &asker));
	assert_true(asking_cancel(&a, -ECANCELED, &answer));
	assert_int_equal(answer.result, -ECANCELED);
	assert_int_equal(a.failures, 0);
	assert_true(a.next_check_at == before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_asked_and_then_dropped_has_used_up_a_try),
		cmocka_unit_test(who_waits_for_his_turn_has_tried_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
