#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "protocol/error.h"

static struct {
	char text[PASSWORD_MAX + 1];
	bool from_argv;
	bool too_long;
} store;

/* From here on no core file and no other process of ours may show it. */
static void guard(void)
{
	(void)mlock(&store, sizeof(store));
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static void take(char *text)
{
	size_t length = strlen(text);
	if (strcmp(text, "*") == 0) {
		return;
	}
	guard();
	store.from_argv = true;
	store.too_long = length > PASSWORD_MAX;
	if (!store.too_long) {
		memcpy(store.text, text, length + 1);
	}
	explicit_bzero(text, length);
}

void password_take_from(char **argv)
{
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		if (strncasecmp(*argv, "/password:", 10) == 0) {
			take(*argv + 10);
		} else if (strncmp(*argv, "--password=", 11) == 0) {
			take(*argv + 11);
		} else if (strcmp(*argv, "--password") == 0 && argv[1] != NULL) {
			take(*++argv);
		}
	}
}

void password_forget(void)
{
	explicit_bzero(&store, sizeof(store));
}

/* Reads up to a line's end. 0, -E2BIG, or -errno. */
static int read_line(int fd)
{
	size_t length = 0;
	for (;;) {
		char byte;
		ssize_t n = read(fd, &byte, 1);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0 || byte == '\n') {
			store.text[length] = '\0';
			return 0;
		}
		if (length == PASSWORD_MAX || byte == '\0') {
			return byte == '\0' ? -EINVAL : -E2BIG;
		}
		store.text[length++] = byte;
	}
}

static int ask(void)
{
	AUTO_FD int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	struct termios mode;
	if (tcgetattr(fd, &mode) < 0) {
		return -errno;
	}
	struct termios silent = mode;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	silent.c_lflag |= ECHONL;
	if (tcsetattr(fd, TCSADRAIN, &silent) < 0) {
		return -errno;
	}
	(void)dprintf(fd, "Password: ");
	int r = read_line(fd);
	(void)tcsetattr(fd, TCSADRAIN, &mode);
	return r;
}

/* A pipe that holds the password and nothing more. */
static int to_pipe(int *ret_fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	size_t length = strlen(store.text);
	ssize_t n = write(ends[1], store.text, length);
	int error = n == (ssize_t)length ? 0 : -EIO;
	(void)close(ends[1]);
	if (error < 0) {
		(void)close(ends[0]);
		return error;
	}
	*ret_fd = ends[0];
	return 0;
}

static int obtain(const struct arguments *a)
{
	uint32_t fd;
	const char *number = a->values[OPTION_PASSWORD_FD];
	guard();
	if (number != NULL) {
		return text_to_u32(number, &fd) < 0 || fd > INT32_MAX ? -EBADF : read_line((int)fd);
	}
	if (store.from_argv) {
		(void)fprintf(stderr,
			"warning: others can see a password in the arguments of a command; use "
			"/password:* or --password-fd\n");
		return store.too_long ? -E2BIG : 0;
	}
	return ask();
}

/* 1 = there is one in the store, 0 = none was given, or -1 and *ret_failure. */
static int obtain_given(const struct arguments *a, struct failure *ret_failure)
{
	char text[FAILURE_TEXT_SIZE];
	if (a->values[OPTION_PASSWORD] == NULL && a->values[OPTION_PASSWORD_FD] == NULL) {
		return 0;
	}
	int r = obtain(a);
	if (r == 0) {
		return 1;
	}
	password_forget();
	(void)snprintf(text, sizeof(text), "The password could not be read: %s.",
		r == -E2BIG ? "it is too long" : strerror(-r));
	failure_set(ret_failure, ERROR_LOGON_FAILURE, text);
	return -1;
}

/* What the pipe or the keeper said; the store is wiped. */
static int handed_on(int r, struct failure *ret_failure)
{
	password_forget();
	if (r < 0) {
		failure_from_errno(ret_failure, r);
		return -1;
	}
	return 0;
}

int password_open(int *ret_fd, const struct arguments *a, struct failure *ret_failure)
{
	int r = obtain_given(a, ret_failure);
	if (r <= 0) {
		*ret_fd = r == 0 ? -1 : *ret_fd;
		return r;
	}
	return handed_on(to_pipe(ret_fd), ret_failure);
}

int password_keep(
	struct keeper *ret, bool wanted, const struct arguments *a, struct failure *ret_failure)
{
	int r = obtain_given(a, ret_failure);
	if (r <= 0) {
		return r;
	}
	return handed_on(wanted ? keeper_start(ret, store.text, NULL) : 0, ret_failure);
}
