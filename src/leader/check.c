#include "leader/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "protocol/warrant.h"

#define FIRST_FREE_FD 3

/* The byte that the child answers with, and what it means. */
static const int answers[] = { 0, -EKEYREJECTED, -EKEYREVOKED, -ETIME, -ENOPKG, -EIO };

static uint8_t answer_for(int result)
{
	uint8_t i = 0;
	while (i < ARRAY_SIZE(answers) - 1 && answers[i] != result) {
		i++;
	}
	return i; /* what has no number of its own is -EIO */
}

/* Everything that the password needs is a process that nobody can look into. 0 or -errno. */
static int harden(void)
{
	const struct rlimit none = { 0, 0 };
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0) {
		return -errno;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "termserv-check");
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	struct sigaction action = { .sa_handler = SIG_DFL };
	for (int i = 1; i < NSIG; i++) {
		(void)sigaction(i, &action, NULL); /* fails for KILL and STOP */
	}
	sigset_t all;
	(void)sigemptyset(&all);
	return sigprocmask(SIG_SETMASK, &all, NULL) < 0 ? -errno : 0;
}

/* Up to the end of the pipe. Length, -ETIME, -EKEYREJECTED (none, too long, or not one line of
 * text), or -errno. */
static ssize_t read_password(char *to, size_t size, int fd)
{
	uint64_t limit = clock_monotonic_ms() + WARRANT_PASSWORD_WAIT_MS;
	size_t length = 0;
	for (;;) {
		uint64_t now = clock_monotonic_ms();
		int r = now < limit ? fd_wait_readable(fd, (int)(limit - now)) : 0;
		if (r <= 0) {
			return r < 0 ? r : -ETIME;
		}
		ssize_t n = read(fd, to + length, size - length);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) {
			break;
		}
		length += n > 0 ? (size_t)n : 0;
		if (length == size) {
			return -EKEYREJECTED;
		}
	}
	bool good = length > 0 && memchr(to, '\0', length) == NULL &&
		    memchr(to, '\n', length) == NULL;
	to[length] = '\0';
	return good ? (ssize_t)length : -EKEYREJECTED;
}

static int judge(const struct pam_who *asked, uid_t maker, int password_fd)
{
	char password[WARRANT_PASSWORD_MAX + 1];
	ssize_t n = read_password(password, sizeof(password), password_fd);
	if (n < 0) {
		explicit_bzero(password, sizeof(password));
		return (int)n;
	}
	(void)close(password_fd);
	(void)alarm(WARRANT_CHECK_MS / 1000);
	const struct passwd *entry = getpwuid(maker);
	struct pam_who who = *asked;
	who.by = entry != NULL ? entry->pw_name : "";
	int r = pam_check(&who, password);
	explicit_bzero(password, sizeof(password));
	return r;
}

_Noreturn static void run_child(
	const struct pam_who *who, uid_t maker, int password_fd, int answer_fd)
{
	int result = harden();
	/* Two descriptors, and nothing else of the leader's but where it logs. */
	int high_password = fcntl(password_fd, F_DUPFD, FIRST_FREE_FD + 2);
	int high_answer = fcntl(answer_fd, F_DUPFD, FIRST_FREE_FD + 2);
	if (high_password < 0 || high_answer < 0 || dup2(high_password, FIRST_FREE_FD) < 0 ||
		dup2(high_answer, FIRST_FREE_FD + 1) < 0) {
		_exit(1);
	}
	(void)close_range(FIRST_FREE_FD + 2, ~0U, 0);
	(void)fcntl(FIRST_FREE_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(FIRST_FREE_FD + 1, F_SETFD, FD_CLOEXEC);
	if (result == 0) {
		result = judge(who, maker, FIRST_FREE_FD);
	}
	uint8_t byte = answer_for(result);
	_exit(write(FIRST_FREE_FD + 1, &byte, 1) == 1 ? 0 : 1);
}

int check_start(
	struct check *ret, uint32_t session, const struct pam_who *who, uid_t maker, int warrant_fd)
{
	int password[2];
	if (pipe2(password, O_CLOEXEC) < 0) {
		return -errno;
	}
	AUTO_FD int password_fd = password[0];
	AUTO_FD int write_fd = password[1];
	int answer[2];
	if (pipe2(answer, O_CLOEXEC) < 0) {
		return -errno;
	}
	AUTO_FD int answer_fd = answer[0];
	AUTO_FD int answer_write_fd = answer[1];
	struct warrant_question q = { .version = WARRANT_VERSION, .session = session };
	link_set_text(q.user, who->user);
	int r = warrant_ask(warrant_fd, &q, write_fd);
	if (r < 0) {
		return r;
	}
	(void)close(TAKE_FD(write_fd)); /* the asker has the only one: its end is the end */
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		run_child(who, maker, password_fd, answer_write_fd);
	}
	int pid_fd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (pid_fd < 0) {
		int error = -errno;
		(void)kill(pid, SIGKILL); /* not reaped yet */
		return error;
	}
	*ret = (struct check){ .pid_fd = pid_fd,
		.answer_fd = TAKE_FD(answer_fd),
		.deadline = clock_monotonic_ms() + WARRANT_PASSWORD_WAIT_MS + WARRANT_CHECK_MS };
	return 0;
}

int check_answer(struct check *c)
{
	uint8_t byte = ARRAY_SIZE(answers) - 1;
	ssize_t n = read(c->answer_fd, &byte, 1);
	int result = n == 1 && byte < ARRAY_SIZE(answers) ? answers[byte] : -EIO;
	check_stop(c);
	return result;
}

void check_stop(struct check *c)
{
	if (c->pid_fd >= 0) {
		(void)pidfd_send_signal(c->pid_fd, SIGKILL, NULL, 0);
	}
	auto_close(&c->pid_fd);
	auto_close(&c->answer_fd);
	*c = CHECK_INIT;
}
