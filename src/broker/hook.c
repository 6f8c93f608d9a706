#include "broker/hook.h"

#ifdef TERMSERV_HOOKS

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/limits.h"

#define HOOK_FILE "hook"

/* True when `armed` is `name` or `name:kill`. */
static bool matches(const char *armed, const char *name, bool *ret_kill)
{
	size_t length = strlen(name);
	if (strncmp(armed, name, length) != 0) {
		return false;
	}
	*ret_kill = strcmp(armed + length, ":kill") == 0;
	return armed[length] == '\0' || *ret_kill;
}

static bool armed_by_file(int runtime_fd, const char *name, bool *ret_kill)
{
	char text[128];
	if (fd_read_file_at(runtime_fd, HOOK_FILE, text, sizeof(text)) < 0) {
		return false;
	}
	text[strcspn(text, "\n")] = '\0';
	return matches(text, name, ret_kill) && unlinkat(runtime_fd, HOOK_FILE, 0) == 0;
}

static bool armed_by_environment(int runtime_fd, const char *name, bool *ret_kill)
{
	const char *armed = getenv("TERMSERV_HOOK");
	if (armed == NULL || !matches(armed, name, ret_kill)) {
		return false;
	}
	char file[128];
	(void)snprintf(file, sizeof(file), "%s-%s", HOOK_FILE, name);
	AUTO_FD int fd = openat(runtime_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0;
}

void hook(int runtime_fd, const char *name)
{
	bool dies = false;
	if (armed_by_file(runtime_fd, name, &dies) ||
		armed_by_environment(runtime_fd, name, &dies)) {
		log_warning("hook %s: %s", name, dies ? "kill" : "stop");
		(void)raise(dies ? SIGKILL : SIGSTOP);
	}
}

void hook_limits(struct limits *limits)
{
	const char *minute = getenv("TERMSERV_MINUTE_MS");
	uint32_t ms;
	if (minute != NULL && text_to_u32(minute, &ms) == 0 && ms > 0) {
		limits->minute_ms = ms;
	}
}

#endif
