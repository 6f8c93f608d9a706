#include "leader/login.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ROOT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define USER_PATH "PATH=/usr/local/bin:/usr/bin:/bin"
#define VARIABLES_MAX 1024

static bool same_name(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");
	return strncmp(a, b, length) == 0 && b[length] == '=';
}

int login_add(struct login *l, const char *variable)
{
	AUTO(free) char *copy = strdup(variable);
	size_t count = 0;
	if (copy == NULL) {
		return -ENOMEM;
	}
	for (; l->environment != NULL && l->environment[count] != NULL; count++) {
		if (same_name(copy, l->environment[count])) {
			free(l->environment[count]);
			l->environment[count] = TAKE_PTR(copy);
			return 0;
		}
	}
	char **row = count < VARIABLES_MAX ? realloc(l->environment, (count + 2) * sizeof(*row))
					   : NULL;
	if (row == NULL) {
		return -ENOMEM;
	}
	row[count] = TAKE_PTR(copy);
	row[count + 1] = NULL;
	l->environment = row;
	return 0;
}

static int add(struct login *l, const char *name, const char *value)
{
	char variable[ACCOUNT_PATH_SIZE + 16];
	(void)snprintf(variable, sizeof(variable), "%s=%s", name, value);
	return login_add(l, variable);
}

int login_init(struct login *ret, const struct account *account)
{
	struct login l = { .account = account };
	int r = add(&l, "HOME", account->home);
	r = r < 0 ? r : add(&l, "USER", account->name);
	r = r < 0 ? r : add(&l, "LOGNAME", account->name);
	r = r < 0 ? r : add(&l, "SHELL", account->shell);
	r = r < 0 ? r : login_add(&l, account->uid == 0 ? ROOT_PATH : USER_PATH);
	if (r < 0) {
		login_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void login_done(struct login *l)
{
	for (size_t i = 0; l->environment != NULL && l->environment[i] != NULL; i++) {
		free(l->environment[i]);
	}
	free(l->environment);
	*l = (struct login){ 0 };
}

/* What setresuid() leaves: capabilities that a program with some of its own could inherit. */
static void drop_inheritable(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data) == 0) {
		data[0].inheritable = 0;
		data[1].inheritable = 0;
		(void)syscall(SYS_capset, &header, data);
	}
}

static int become(const struct account *a)
{
	if (setgroups(a->group_count, a->groups) < 0 || setresgid(a->gid, a->gid, a->gid) < 0) {
		return -errno;
	}
	drop_inheritable();
	if (setresuid(a->uid, a->uid, a->uid) < 0) {
		return -errno;
	}
	uid_t real;
	uid_t effective;
	uid_t saved;
	bool good = getresuid(&real, &effective, &saved) == 0 && real == a->uid &&
		    effective == a->uid && saved == a->uid && (a->uid == 0 || setuid(0) < 0);
	return good ? 0 : -EPERM;
}

int login_become(const struct login *l)
{
	if (l->cgroup != NULL) {
		(void)cgroup_enter(
			l->cgroup); /* without it the tree of processes is what we have */
	}
	for (int i = 0; l->limited && i < RLIM_NLIMITS; i++) {
		if (setrlimit((__rlimit_resource_t)i, &l->limits[i]) < 0) {
			return -errno;
		}
	}
	if (l->limited) {
		(void)umask(l->mask);
	}
	return become(l->account);
}
