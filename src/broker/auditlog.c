#include "broker/auditlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define LOG_FILE "audit.log"
#define OLD_FILE "audit.log.1"
#define LOG_MODE 0640

struct auditlog {
	int dir_fd;
	int fd; /* -1 = not open */
	size_t max;
	bool torn;    /* the last line was cut by a full disk */
	bool failing; /* and it has been said */
};

int auditlog_new(struct auditlog **ret, int dir_fd, size_t max)
{
	struct auditlog *a = calloc(1, sizeof(*a));
	if (a == NULL) {
		return -ENOMEM;
	}
	*a = (struct auditlog){ .dir_fd = dir_fd, .fd = -1, .max = max };
	*ret = a;
	return 0;
}

struct auditlog *auditlog_free(struct auditlog *a)
{
	if (a != NULL) {
		auto_close(&a->fd);
		free(a);
	}
	return NULL;
}

/* Made anew it gets its mode whatever the umask; one that is there keeps what the administrator
 * gave it. */
static int open_file(struct auditlog *a)
{
	static const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				 O_NOCTTY;
	AUTO_FD int fd = openat(a->dir_fd, LOG_FILE, flags | O_CREAT | O_EXCL, LOG_MODE);
	if (fd >= 0 && fchmod(fd, LOG_MODE) < 0) {
		return -errno;
	}
	if (fd < 0 && errno == EEXIST) {
		fd = openat(a->dir_fd, LOG_FILE, flags);
	}
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	a->fd = TAKE_FD(fd);
	return 0;
}

/* Is the file that we hold still the one of that name? Somebody else may rotate it too. */
static bool is_current(const struct auditlog *a, struct stat *ret)
{
	struct stat named;
	return a->fd >= 0 && fstat(a->fd, ret) == 0 &&
	       fstatat(a->dir_fd, LOG_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == ret->st_dev && named.st_ino == ret->st_ino;
}

/* An open file with room for `length` more bytes. 0 or -errno. */
static int make_ready(struct auditlog *a, size_t length)
{
	struct stat st;
	if (!is_current(a, &st)) {
		auto_close(&a->fd);
		a->fd = -1;
		a->torn = false;
		int r = open_file(a);
		if (r < 0) {
			return r;
		}
		if (fstat(a->fd, &st) < 0) {
			return -errno;
		}
	}
	if (st.st_size == 0 || (size_t)st.st_size + length <= a->max) {
		return 0;
	}
	if (renameat(a->dir_fd, LOG_FILE, a->dir_fd, OLD_FILE) < 0) {
		return -errno;
	}
	auto_close(&a->fd);
	a->fd = -1;
	a->torn = false;
	return open_file(a);
}

static int append(struct auditlog *a, const char *line)
{
	size_t length = strlen(line);
	int r = make_ready(a, length + 2);
	if (r < 0) {
		return r;
	}
	struct iovec parts[] = {
		{ .iov_base = (char *)"\n", .iov_len = a->torn ? 1 : 0 },
		{ .iov_base = (char *)line, .iov_len = length },
		{ .iov_base = (char *)"\n", .iov_len = 1 },
	};
	ssize_t whole = (ssize_t)(parts[0].iov_len + length + 1);
	ssize_t n = writev(a->fd, parts, ARRAY_SIZE(parts));
	if (n < 0) {
		return -errno;
	}
	a->torn = n > 0 && n < whole;
	return n < whole ? -ENOSPC : 0;
}

void auditlog_write(struct auditlog *a, const char *line)
{
	int r = append(a, line);
	if (r < 0 && !a->failing) {
		log_error("records cannot be written to %s: %s", LOG_FILE, strerror(-r));
	} else if (r >= 0 && a->failing) {
		log_info("records are written to %s again", LOG_FILE);
	}
	a->failing = r < 0;
}

/* The last bytes of a file, from the beginning of a line on, NUL-ended; owned by the caller. NULL:
 * there is no such file, or no memory. */
static char *read_end(int dir_fd, const char *name)
{
	AUTO_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return NULL;
	}
	size_t size = st.st_size > AUDITLOG_LOOK_BACK ? AUDITLOG_LOOK_BACK : (size_t)st.st_size;
	off_t from = st.st_size - (off_t)size;
	AUTO(free) char *text = malloc(size + 1);
	ssize_t n = text != NULL ? pread(fd, text, size, from) : -1;
	if (n < 0) {
		return NULL;
	}
	text[n] = '\0';
	if (from > 0) {
		const char *line = memchr(text, '\n', (size_t)n);
		size_t cut = line != NULL ? (size_t)(line + 1 - text) : (size_t)n;
		memmove(text, text + cut, (size_t)n - cut + 1);
	}
	return TAKE_PTR(text);
}

/* From the last line to the first, until `records` is full. */
static void take_lines(json_t *records, char *text, size_t most,
	bool (*wanted)(const json_t *record, const void *user), const void *user)
{
	size_t end = text != NULL ? strlen(text) : 0;
	while (end > 0 && json_array_size(records) < most) {
		size_t begin = end;
		while (begin > 0 && text[begin - 1] != '\n') {
			begin--;
		}
		json_t *record = json_loadb(text + begin, end - begin, 0, NULL);
		if (json_is_object(record) && (wanted == NULL || wanted(record, user))) {
			(void)json_array_append(records, record);
		}
		json_decref(record);
		end = begin > 0 ? begin - 1 : 0;
	}
}

static void reverse(json_t *array)
{
	size_t count = json_array_size(array);
	for (size_t i = 0; i < count / 2; i++) {
		json_t *low = json_incref(json_array_get(array, i));
		json_t *high = json_incref(json_array_get(array, count - 1 - i));
		(void)json_array_set_new(array, i, high);
		(void)json_array_set_new(array, count - 1 - i, low);
	}
}

json_t *auditlog_read(const struct auditlog *a, size_t most,
	bool (*wanted)(const json_t *record, const void *user), const void *user)
{
	json_t *records = json_array();
	static const char *const files[] = { LOG_FILE, OLD_FILE };
	for (size_t i = 0; records != NULL && i < ARRAY_SIZE(files); i++) {
		AUTO(free) char *text = read_end(a->dir_fd, files[i]);
		take_lines(records, text, most, wanted, user);
	}
	reverse(records);
	return records;
}
