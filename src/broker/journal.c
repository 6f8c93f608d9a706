#include "broker/journal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define MESSAGE_MAX 8192
#define FACILITY_AUTHPRIV 10

/* 0 or -errno: no journal here. */
static int connect_to(struct journal *j)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", j->path);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	j->fd = TAKE_FD(fd);
	return 0;
}

static void put_name(struct buf *b, const char *name)
{
	(void)buf_put_text(b, "TERMSERV_");
	for (const char *c = name; *c != '\0'; c++) {
		if (isupper((unsigned char)*c)) {
			(void)buf_put_byte(b, '_');
		}
		(void)buf_put_byte(b, (uint8_t)toupper((unsigned char)*c));
	}
}

static void put_fields(struct buf *b, const json_t *record)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)record, name, value)
	{
		if (json_is_string(value)) {
			put_name(b, name);
			(void)buf_printf(b, "=%s\n", json_string_value(value));
		} else if (json_is_integer(value)) {
			put_name(b, name);
			(void)buf_printf(
				b, "=%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
		}
	}
}

void journal_send(struct journal *j, enum journal_priority priority, const char *message,
	const json_t *record)
{
	AUTO(buf_done) struct buf b = BUF_INIT(MESSAGE_MAX);
	(void)buf_printf(&b,
		"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=termserv\nSYSLOG_FACILITY=%d\n",
		message, (int)priority, FACILITY_AUTHPRIV);
	put_fields(&b, record);
	if (b.failed) {
		return;
	}
	/* A journal that was restarted has another socket behind the same name. */
	for (int attempt = 0; attempt < 2; attempt++) {
		if (j->fd < 0 && connect_to(j) < 0) {
			return;
		}
		if (send(j->fd, b.data, b.length, MSG_NOSIGNAL) >= 0 || errno == EAGAIN) {
			return;
		}
		journal_done(j);
	}
}

void journal_done(struct journal *j)
{
	auto_close(&j->fd);
	j->fd = -1;
}
