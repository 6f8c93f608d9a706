#include "leader/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

int tree_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

bool tree_reap(pid_t watched, int *ret_status, bool *ret_left)
{
	bool seen = false;
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0) {
			*ret_left = pid == 0 || errno != ECHILD;
			return seen;
		}
		if (pid == watched) {
			seen = true;
			*ret_status = status;
		}
	}
}

/* The parent of the process whose folder in /proc is called `name`, or 0. */
static pid_t parent_of(int proc_fd, const char *name)
{
	char path[32];
	char text[2048];
	(void)snprintf(path, sizeof(path), "%s/stat", name);
	if (fd_read_file_at(proc_fd, path, text, sizeof(text)) <= 0) {
		return 0;
	}
	/* `pid (name) state parent ...`, where the name may hold anything, parentheses too. */
	const char *end = strrchr(text, ')');
	if (end == NULL || strlen(end) < 4) {
		return 0;
	}
	return (pid_t)strtol(end + 4, NULL, 10);
}

int tree_signal(int signal_number)
{
	DIR *list = opendir("/proc");
	if (list == NULL) {
		return -errno;
	}
	pid_t self = getpid();
	int signalled = 0;
	for (struct dirent *e; (e = readdir(list)) != NULL;) {
		uint32_t pid;
		if (text_to_u32(e->d_name, &pid) < 0 || pid == 0 || pid > INT32_MAX ||
			parent_of(dirfd(list), e->d_name) != self) {
			continue;
		}
		signalled += kill((pid_t)pid, signal_number) == 0;
	}
	(void)closedir(list);
	return signalled;
}
