#include "broker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* --- files ------------------------------------------------------------------------------------ */

/* The kernel's interface, also what is younger than the headers that we are built with. */
enum {
	FILE_EXECUTE = 1 << 0,
	FILE_WRITE = 1 << 1,
	FILE_READ = 1 << 2,
	FOLDER_READ = 1 << 3,
	FOLDER_REMOVE = 1 << 4,
	FILE_REMOVE = 1 << 5,
	FOLDER_MAKE = 1 << 7,
	FILE_MAKE = 1 << 8,
	ALL_OF_1 = (1 << 13) - 1,
	REFER = 1 << 13,	 /* version 2 */
	TRUNCATE = 1 << 14,	 /* version 3 */
	IOCTL_DEV = 1 << 15,	 /* version 5 */
	TCP_BIND_CONNECT = 3,	 /* version 4 */
	SCOPE_ABSTRACT_UNIX = 1, /* version 6 */
	CREATE_VERSION = 1,
	RULE_PATH_BENEATH = 1,
};

enum {
	MAY_READ = FILE_READ | FOLDER_READ,
	/* what dead sessions have left is moved out of deep folders before it goes (base/dir) */
	MAY_CHANGE = MAY_READ | FILE_WRITE | FILE_MAKE | FILE_REMOVE | FOLDER_MAKE | FOLDER_REMOVE |
		     REFER | TRUNCATE,
	MAY_HAVE_FILE = FILE_READ | FILE_WRITE | FILE_EXECUTE | TRUNCATE | IOCTL_DEV,
};

struct ruleset {
	uint64_t files, net, scopes;
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static struct ruleset rules_of(long version)
{
	struct ruleset r = { .files = ALL_OF_1 };
	r.files |= version >= 2 ? REFER : 0;
	r.files |= version >= 3 ? TRUNCATE : 0;
	r.files |= version >= 5 ? IOCTL_DEV : 0;
	r.net = version >= 4 ? TCP_BIND_CONNECT : 0;
	r.scopes = version >= 6 ? SCOPE_ABSTRACT_UNIX : 0;
	return r;
}

static int allow(int ruleset_fd, const struct ruleset *known, int fd, uint64_t allowed)
{
	struct beneath rule = { .allowed = allowed & known->files, .fd = fd };
	if (fd < 0) {
		return 0;
	}
	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
											   : 0;
}

/* A folder of this path, or a file, which has fewer rights. -ENOENT: there is none. */
static int allow_path(
	int ruleset_fd, const struct ruleset *known, const char *path, uint64_t allowed)
{
	AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return allow(
		ruleset_fd, known, fd, S_ISDIR(st.st_mode) ? allowed : allowed & MAY_HAVE_FILE);
}

/* The folder in which `path` lies; where it is not there yet, the one in which it can come. */
static int allow_folder_of(int ruleset_fd, const struct ruleset *known, const char *path)
{
	char text[PATH_MAX];
	if (strlen(path) >= sizeof(text)) {
		return -ENAMETOOLONG;
	}
	memcpy(text, path, strlen(path) + 1);
	int r;
	const char *folder = text;
	do {
		folder = dirname((char *)folder);
		r = allow_path(ruleset_fd, known, folder, MAY_READ);
	} while (r == -ENOENT && strchr(folder, '/') != NULL && strcmp(folder, "/") != 0);
	return r;
}

/* With its drop-ins; and whoever changes it puts another file in its place. */
static int allow_config(int ruleset_fd, const struct ruleset *known, const char *path)
{
	if (path == NULL) {
		return 0;
	}
	char drop_ins[PATH_MAX];
	(void)snprintf(drop_ins, sizeof(drop_ins), "%.*stermserv.conf.d",
		(int)(strrchr(path, '/') != NULL ? strrchr(path, '/') - path + 1 : 0), path);
	AUTO(free) char *real = realpath(path, NULL);
	int r = allow_folder_of(ruleset_fd, known, path);
	if (r == 0 && real != NULL) {
		r = allow_folder_of(ruleset_fd, known, real);
	}
	if (r == 0) {
		r = allow_path(ruleset_fd, known, drop_ins, MAY_READ);
	}
	return r == -ENOENT || r == -EACCES ? 0 : r; /* what we cannot reach we do not read */
}

static int allow_all(int ruleset_fd, const struct ruleset *known, const struct confine_places *p)
{
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(p->write_fd) && r == 0; i++) {
		r = allow(ruleset_fd, known, p->write_fd[i], MAY_CHANGE);
	}
	if (r == 0) {
		r = allow(ruleset_fd, known, p->read_fd, MAY_READ);
	}
	if (r == 0) {
		r = allow_config(ruleset_fd, known, p->config_path);
	}
	if (r == 0) { /* who a caller is */
		r = allow_path(ruleset_fd, known, "/proc", MAY_READ);
	}
	if (r == 0) { /* keeps a descriptor's place */
		r = allow_path(
			ruleset_fd, known, "/dev/null", MAY_HAVE_FILE & (FILE_READ | FILE_WRITE));
	}
	return r;
}

/* 0 or -errno; -ENOSYS: the kernel has none, or it is switched off. */
static int confine_files(const struct confine_places *places)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	if (version < 1) {
		return -ENOSYS;
	}
	struct ruleset known = rules_of(version);
	/* An older kernel takes the longer structure when it is 0 where it does not look. */
	AUTO_FD int fd = (int)syscall(SYS_landlock_create_ruleset, &known, sizeof(known), 0);
	if (fd < 0) {
		return -errno;
	}
	int r = allow_all(fd, &known, places);
	if (r < 0) {
		return r;
	}
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

/* --- system calls ----------------------------------------------------------------------------- */

/* What the broker, its libraries and their next versions call. Those with a condition stand in
 * filter_calls(). What is missing here is not there (ENOSYS): libraries know what to do then. */
static const int allowed_calls[] = {
	/* the loop */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(signalfd4),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(poll),
	SCMP_SYS(select),
	SCMP_SYS(epoll_pwait2),
	/* messages */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(listen),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	/* files */
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(getdents64),
	SCMP_SYS(fcntl),
	SCMP_SYS(flock),
	SCMP_SYS(dup),
	SCMP_SYS(dup3),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(faccessat),
	SCMP_SYS(readlinkat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat),
	SCMP_SYS(mkdirat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(umask),
	SCMP_SYS(getcwd),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(readlink),
	SCMP_SYS(access),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(dup2),
	SCMP_SYS(renameat),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(membarrier),
	/* time */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	/* itself; kill() ends a process that asks for names and no longer answers */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(prlimit64),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(kill),
	SCMP_SYS(tgkill),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rseq),
};

static int allow_calls(scmp_filter_ctx filter)
{
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(allowed_calls) && r == 0; i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	}
	return r;
}

/* The calls that pass with some arguments only; for the others they fail as they might do anyway.
 */
static int allow_conditions(scmp_filter_ctx filter)
{
	static const int sockets[] = { SCMP_SYS(socket), SCMP_SYS(socketpair) };
	static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(sockets) && r == 0; i++) {
		r = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, sockets[i], 1, SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
		r = r < 0 ? r
			  : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), sockets[i], 1,
				    SCMP_A0_32(SCMP_CMP_NE, AF_UNIX));
	}
	for (size_t i = 0; i < ARRAY_SIZE(mappings) && r == 0; i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mappings[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		r = r < 0 ? r
			  : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), mappings[i], 1,
				    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	return r;
}

/* 0 or -errno; -EINVAL or -ENOSYS: the kernel has no filters. */
static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		return -ENOMEM;
	}
	/* The numbers of another architecture's calls mean something else. */
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	r = r < 0 ? r : allow_calls(filter);
	r = r < 0 ? r : allow_conditions(filter);
	r = r < 0 ? r : seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* --- both ------------------------------------------------------------------------------------- */

bool confine_is_built(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return false;
#else
	return true;
#endif
#else
	return true;
#endif
}

/* What libraries read once, when they need it first. */
static void read_ahead(void)
{
	json_object_seed(0);
	tzset();
}

int confine(const struct confine_places *places)
{
	if (!confine_is_built()) {
		return 0;
	}
	read_ahead();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	int missing = 0;
	/* Where a container forbids it, that is as if the kernel did not have it. */
	int r = confine_files(places);
	if (r == -ENOMEM) {
		return r;
	}
	missing |= r < 0 ? CONFINE_NO_LANDLOCK : 0;
	r = filter_calls();
	if (r == -ENOMEM) {
		return r;
	}
	missing |= r < 0 ? CONFINE_NO_FILTER : 0;
	return missing;
}
