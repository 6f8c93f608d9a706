#include "broker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
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
	MAY_CHANGE = MAY_READ | FILE_WRITE | FILE_MAKE | FILE_REMOVE | FOLDER_MAKE | FOLDER_REMOVE |
		     TRUNCATE,
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

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

/* What the broker, its libraries and their next versions call. Those with a condition stand in
 * filter_calls(). What is missing here is not there (ENOSYS): libraries know what to do then. */
static const int allowed_calls[] = {
	/* the loop */
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_ppoll,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_timerfd_gettime,
	SYS_signalfd4,
	SYS_eventfd2,
	SYS_pselect6,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
	SYS_poll,
	SYS_select,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	/* messages */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_sendto,
	SYS_recvfrom,
	SYS_accept,
	SYS_accept4,
	SYS_connect,
	SYS_listen,
	SYS_shutdown,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	/* files */
	SYS_openat,
	SYS_close,
	SYS_close_range,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_lseek,
	SYS_getdents64,
	SYS_fcntl,
	SYS_flock,
	SYS_dup,
	SYS_dup3,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_ftruncate,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_renameat2,
	SYS_unlinkat,
	SYS_mkdirat,
	SYS_fsync,
	SYS_fdatasync,
	SYS_umask,
	SYS_getcwd,
	SYS_statfs,
	SYS_fstatfs,
#ifdef SYS_readlink
	SYS_readlink,
	SYS_access,
	SYS_stat,
	SYS_lstat,
	SYS_dup2,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
	/* memory */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_membarrier,
	/* time */
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	/* itself; kill() ends a process that asks for names and no longer answers */
	SYS_getpid,
	SYS_gettid,
	SYS_getppid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrandom,
	SYS_prlimit64,
	SYS_sysinfo,
	SYS_uname,
	SYS_futex,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigtimedwait,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_kill,
	SYS_tgkill,
	SYS_wait4,
	SYS_waitid,
	SYS_pidfd_open,
	SYS_pidfd_send_signal,
	SYS_exit,
	SYS_exit_group,
#ifdef SYS_rseq
	SYS_rseq,
#endif
};

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
/* The lower half of an argument; all that we look at are smaller. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARGUMENT(n) (FIELD(args) + (n)*8)
#else
#define ARGUMENT(n) (FIELD(args) + (n)*8 + 4)
#endif
#define LOAD(at) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at)))
#define IF_EQUAL(value, yes, no)                                                                   \
	((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (yes), (no)))
#define IF_BITS(value, yes, no)                                                                    \
	((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(value), (yes), (no)))
#define RETURN(value) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (value)))
#define FAIL(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define PASS RETURN(SECCOMP_RET_ALLOW)

#define FILTER_MAX (2 * ARRAY_SIZE(allowed_calls) + 32)

struct filter {
	struct sock_filter steps[FILTER_MAX];
	size_t count;
};

static void add(struct filter *f, struct sock_filter step)
{
	f->steps[f->count++] = step;
}

/* `call` passes when its argument `n` is `value`. */
static void add_when_equal(struct filter *f, int call, unsigned n, uint32_t value, int error)
{
	add(f, IF_EQUAL(call, 0, 4));
	add(f, LOAD(ARGUMENT(n)));
	add(f, IF_EQUAL(value, 0, 1));
	add(f, PASS);
	add(f, FAIL((uint32_t)error));
}

/* `call` passes when its argument `n` has none of these bits. */
static void add_without_bits(struct filter *f, int call, unsigned n, uint32_t bits, int error)
{
	add(f, IF_EQUAL(call, 0, 4));
	add(f, LOAD(ARGUMENT(n)));
	add(f, IF_BITS(bits, 1, 0));
	add(f, PASS);
	add(f, FAIL((uint32_t)error));
}

#ifdef ARCHITECTURE
static void write_filter(struct filter *f)
{
	f->count = 0;
	/* The numbers of another architecture's calls mean something else. */
	add(f, LOAD(FIELD(arch)));
	add(f, IF_EQUAL(ARCHITECTURE, 1, 0));
	add(f, RETURN(SECCOMP_RET_KILL_PROCESS));
	add(f, LOAD(FIELD(nr)));
	for (size_t i = 0; i < ARRAY_SIZE(allowed_calls); i++) {
		add(f, IF_EQUAL(allowed_calls[i], 0, 1));
		add(f, PASS);
	}
	add_when_equal(f, SYS_socket, 0, AF_UNIX, EAFNOSUPPORT);
	add_when_equal(f, SYS_socketpair, 0, AF_UNIX, EAFNOSUPPORT);
	add_without_bits(f, SYS_mmap, 2, PROT_EXEC, EACCES);
	add_without_bits(f, SYS_mprotect, 2, PROT_EXEC, EACCES);
	add(f, FAIL(ENOSYS));
}
#endif

/* 0 or -errno; -EINVAL: the kernel has no filters. */
static int filter_calls(void)
{
#ifdef ARCHITECTURE
	static struct filter f;
	write_filter(&f);
	struct sock_fprog program = { .len = (unsigned short)f.count, .filter = f.steps };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
#else
	return -ENOSYS;
#endif
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
