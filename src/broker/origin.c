#include "broker/origin.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

#define STATUS_SIZE 4096
#define ANCESTORS_MAX 64 /* a chain of processes that is longer comes from nowhere */

/* What follows `key` at the beginning of a line, or NULL. */
static const char *value_of(const char *status, const char *key)
{
	size_t length = strlen(key);
	for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0) {
			return line + length;
		}
	}
	return NULL;
}

int origin_parse(struct origin *ret, const char *status)
{
	const char *name = value_of(status, "Name:\t");
	const char *parent = value_of(status, "PPid:\t");
	const char *uid = value_of(status, "Uid:\t");
	struct origin o = { .parent = 0 };
	unsigned parent_number, uid_number;
	/* A name has no newline: the kernel writes it as \n. */
	if (name == NULL || parent == NULL || uid == NULL ||
		sscanf(parent, "%u", &parent_number) != 1 || sscanf(uid, "%u", &uid_number) != 1) {
		return -EINVAL;
	}
	size_t length = strcspn(name, "\n");
	if (length >= sizeof(o.name)) {
		length = sizeof(o.name) - 1;
	}
	memcpy(o.name, name, length);
	o.parent = (pid_t)parent_number;
	o.uid = (uid_t)uid_number;
	*ret = o;
	return 0;
}

static int read_origin(struct origin *ret, int proc_fd, pid_t pid)
{
	char path[32];
	char status[STATUS_SIZE];
	(void)snprintf(path, sizeof(path), "%d/status", (int)pid);
	ssize_t n = fd_read_file_at(proc_fd, path, status, sizeof(status));
	return n < 0 ? (int)n : origin_parse(ret, status);
}

static bool is_ssh(const struct origin *o)
{
	static const char server[] = "sshd";
	return o->uid == 0 && strncmp(o->name, server, strlen(server)) == 0;
}

bool origin_is_ssh(int proc_fd, pid_t pid)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct origin o;
		if (read_origin(&o, proc_fd, pid) < 0) {
			return false;
		}
		if (is_ssh(&o)) {
			return true;
		}
		pid = o.parent;
	}
	return false;
}

bool origin_is_below(int proc_fd, pid_t pid, pid_t ancestor)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct origin o;
		if (pid == ancestor) {
			return true;
		}
		if (read_origin(&o, proc_fd, pid) < 0 || is_ssh(&o)) {
			return false;
		}
		pid = o.parent;
	}
	return false;
}
