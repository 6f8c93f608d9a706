#include "broker/audit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "broker/control.h"
#include "broker/method.h"

#define RECORD_MAX 900
#define ASKED_MAX 64

/* A value of the caller's: in quotes, with nothing in it that could end them or look like another
 * field on another line. */
static void put_quoted(struct buf *b, const char *name, const char *value)
{
	char safe[ASKED_MAX];
	(void)text_encode(safe, sizeof(safe), value);
	(void)buf_printf(b, " %s=\"", name);
	for (const char *c = safe; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			(void)buf_put_byte(b, '\\');
		}
		(void)buf_put_byte(b, (uint8_t)*c);
	}
	(void)buf_put_byte(b, '"');
}

static void put_asked(
	struct buf *b, const struct call *call, const char *parameter, const char *name)
{
	const char *value = json_string_value(json_object_get(call->parameters, parameter));
	if (value != NULL) {
		put_quoted(b, name, value);
	}
}

static void put_name(struct buf *b, const char *name, const char *value)
{
	if (value[0] != '\0') {
		(void)buf_printf(b, " %s=%s", name, value);
	}
}

static void put_id(struct buf *b, const char *name, uint32_t id)
{
	if (id != 0) {
		(void)buf_printf(b, " %s=%u", name, id);
	}
}

void audit_format(
	char *text, size_t size, const struct call *call, uid_t login_uid, enum error_code result)
{
	const struct audit *a = &call->audit;
	AUTO(buf_done) struct buf b = BUF_INIT(RECORD_MAX);
	(void)buf_printf(&b, "audit: %s uid=%u", call->method->name, (unsigned)call->uid);
	if (login_uid != (uid_t)-1) {
		(void)buf_printf(&b, " login-uid=%u", (unsigned)login_uid);
	}
	(void)buf_printf(&b, " pid=%d", (int)call->pid);
	put_id(&b, "from-session", call->session);
	put_asked(&b, call, "session", "asked-session");
	put_asked(&b, call, "destination", "asked-destination");
	put_id(&b, "session", a->session);
	if (a->session != 0) {
		(void)buf_printf(&b, " owner=%u", (unsigned)a->owner);
	}
	put_name(&b, "terminal", a->terminal);
	put_name(&b, "former-terminal", a->former);
	put_id(&b, "displaced", a->displaced);
	if (a->client[0] != '\0') {
		put_quoted(&b, "client", a->client);
	}
	(void)buf_printf(&b, " right=%s by=%s result=%d", policy_right_text(call->method->right),
		result == ERROR_NONE ? policy_by_text(a->by) : "none", (int)result);
	size_t length = b.length < size ? b.length : size - 1;
	if (length > 0) {
		memcpy(text, b.data, length);
	}
	text[length] = '\0';
}

void audit_write(const struct call *call, enum error_code result)
{
	char text[RECORD_MAX];
	uid_t login_uid = call->connection != NULL ? connection_login_uid(call->connection)
						   : (uid_t)-1;
	audit_format(text, sizeof(text), call, login_uid, result);
	log_info("%s", text);
}
