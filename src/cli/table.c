#include "cli/table.h"

#include <langinfo.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4096

/* Columns that the character takes on a screen. */
static int width_of(uint32_t code)
{
	int width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : width;
}

/* Appends the text, cut to fit width - 1, and blanks up to the column's end. */
static void put_left(struct buf *line, const char *text, int width)
{
	int used = 0;
	while (*text != '\0') {
		uint32_t code = '?';
		size_t n = text_decode(text, strlen(text), &code);
		int columns = width_of(code);
		if (used + columns > width - 1) {
			break;
		}
		(void)buf_put(line, text, n > 0 ? n : 1);
		used += columns;
		text += n > 0 ? n : 1;
	}
	(void)buf_printf(line, "%*s", width - used, "");
}

static void put_line(FILE *out, struct buf *line)
{
	while (line->length > 0 && line->data[line->length - 1] == ' ') {
		line->length--;
	}
	(void)fwrite(line->data, 1, line->length, out);
	(void)fputc('\n', out);
}

static void put_session(FILE *out, char mark, const struct table_row *row)
{
	AUTO(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	(void)buf_put_byte(&line, (uint8_t)mark);
	put_left(&line, row->name, 18);
	put_left(&line, row->user, 22);
	(void)buf_printf(&line, "%5s  ", row->id);
	put_left(&line, row->state, 8);
	put_left(&line, row->type, 12);
	(void)buf_put_text(&line, row->device);
	put_line(out, &line);
}

void table_session_header(FILE *out)
{
	static const struct table_row header = {
		.name = "SESSIONNAME",
		.user = "USERNAME",
		.id = "ID",
		.state = "STATE",
		.type = "TYPE",
		.device = "DEVICE",
	};
	put_session(out, ' ', &header);
}

void table_session(FILE *out, const struct table_row *row)
{
	put_session(out, row->current ? '>' : ' ', row);
}

static void put_user(FILE *out, char mark, const struct table_row *row)
{
	AUTO(buf_done) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	(void)buf_put_byte(&line, (uint8_t)mark);
	put_left(&line, row->user, 21);
	(void)buf_put_byte(&line, ' ');
	put_left(&line, row->name, 16);
	(void)buf_printf(&line, "%5s  ", row->id);
	put_left(&line, row->state, 8);
	(void)buf_printf(&line, "%9s  %s", row->idle, row->logon);
	put_line(out, &line);
}

void table_user_header(FILE *out)
{
	static const struct table_row header = {
		.user = "USERNAME",
		.name = "SESSIONNAME",
		.id = "ID",
		.state = "STATE",
		.idle = "IDLE TIME",
		.logon = "LOGON TIME",
	};
	put_user(out, ' ', &header);
}

void table_user(FILE *out, const struct table_row *row)
{
	put_user(out, row->current ? '>' : ' ', row);
}

void table_idle(char text[static TABLE_IDLE_SIZE], int64_t seconds)
{
	long long minutes = seconds / 60;
	if (seconds < 0) {
		(void)snprintf(text, TABLE_IDLE_SIZE, "none");
	} else if (minutes == 0) {
		(void)snprintf(text, TABLE_IDLE_SIZE, ".");
	} else if (minutes < 60) {
		(void)snprintf(text, TABLE_IDLE_SIZE, "%lld", minutes);
	} else if (minutes < 24 * 60) {
		(void)snprintf(text, TABLE_IDLE_SIZE, "%lld:%02lld", minutes / 60, minutes % 60);
	} else {
		(void)snprintf(text, TABLE_IDLE_SIZE, "%lld+%02lld:%02lld", minutes / (24 * 60),
			minutes / 60 % 24, minutes % 60);
	}
}

/* Seconds since 1970, or -1. */
static time_t parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL) {
		return -1;
	}
	if (*rest == '.') {
		rest += 1 + strspn(rest + 1, "0123456789");
	}
	int hours = 0;
	int minutes = 0;
	if (*rest != 'Z' && sscanf(rest + (*rest != '\0'), "%2d:%2d", &hours, &minutes) != 2) {
		return -1;
	}
	long offset = hours * 3600L + minutes * 60L;
	return timegm(&tm) - (*rest == '-' ? -offset : offset);
}

/* Whether the locale's own way to write a time has hours up to twelve. */
static bool is_twelve_hours(void)
{
	const char *clock = nl_langinfo(T_FMT);
	return strstr(clock, "%r") != NULL || strstr(clock, "%I") != NULL ||
	       strstr(clock, "%l") != NULL;
}

/* The plain locale's date would have a year of two digits, and nobody's order. */
static bool is_plain_locale(void)
{
	return strcmp(nl_langinfo(D_FMT), "%m/%d/%y") == 0 && !is_twelve_hours();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-y2k" /* how a year is written is the locale's business */
void table_time(char text[static TABLE_TIME_SIZE], const char *rfc3339)
{
	struct tm tm;
	time_t time = rfc3339 != NULL ? parse_time(rfc3339) : -1;
	text[0] = '\0';
	if (time == -1 || localtime_r(&time, &tm) == NULL) {
		return;
	}
	size_t n;
	if (is_plain_locale()) {
		n = strftime(text, TABLE_TIME_SIZE, "%Y-%m-%d %H:%M", &tm);
	} else if (is_twelve_hours()) {
		n = strftime(text, TABLE_TIME_SIZE, "%x %I:%M %p", &tm);
	} else {
		n = strftime(text, TABLE_TIME_SIZE, "%x %H:%M", &tm);
	}
	if (n == 0) {
		text[0] = '\0';
	}
}
#pragma GCC diagnostic pop

static void take_text(char to[static TABLE_TEXT_SIZE], const json_t *session, const char *key)
{
	const char *text = json_string_value(json_object_get(session, key));
	(void)text_encode(to, TABLE_TEXT_SIZE, text != NULL ? text : "");
}

/* Seconds since the last input. Who has typed nothing yet came to the keyboard when the terminal
 * did. -1 = nobody was ever there. */
static int64_t idle_of(const json_t *session)
{
	const json_t *idle = json_object_get(session, "idle");
	const char *state = json_string_value(json_object_get(session, "state"));
	const char *connected = json_string_value(json_object_get(session, "connected"));
	if (json_is_integer(idle)) {
		return json_integer_value(idle);
	}
	time_t since = connected != NULL ? parse_time(connected) : -1;
	if (since == -1 || state == NULL || strcmp(state, "Active") != 0) {
		return -1;
	}
	time_t now = time(NULL);
	return now > since ? now - since : 0;
}

void table_row_from(struct table_row *ret, const json_t *session)
{
	const json_t *id = json_object_get(session, "id");
	const json_t *uid = json_object_get(session, "uid");
	*ret = (struct table_row){
		.current = json_is_true(json_object_get(session, "current")),
	};
	take_text(ret->name, session, "name");
	if (json_is_integer(id)) { /* at a terminal that waits nobody is logged on */
		take_text(ret->user, session, "user");
	}
	take_text(ret->state, session, "state");
	take_text(ret->type, session, "type");
	take_text(ret->device, session, "device");
	if (json_is_integer(id)) {
		(void)snprintf(ret->id, sizeof(ret->id), "%lld", json_integer_value(id));
	}
	if (ret->user[0] == '\0' && json_is_integer(id) && json_is_integer(uid)) {
		(void)snprintf(ret->user, sizeof(ret->user), "%lld", json_integer_value(uid));
	}
	table_idle(ret->idle, idle_of(session));
	table_time(ret->logon, json_string_value(json_object_get(session, "created")));
}
