/* The tables of `query session` and `query user`: NT's columns to the byte, no blanks at a line's
 * end. A text that does not fit is cut one character before its column ends. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_TEXT_SIZE 256
#define TABLE_IDLE_SIZE 24
#define TABLE_TIME_SIZE 64

/* One session as people see it: texts encoded, "" = none. */
struct table_row {
	bool current;
	char name[TABLE_TEXT_SIZE];
	char user[TABLE_TEXT_SIZE];
	char id[24];
	char state[TABLE_TEXT_SIZE];
	char type[TABLE_TEXT_SIZE];
	char device[TABLE_TEXT_SIZE];
	char idle[TABLE_IDLE_SIZE];
	char logon[TABLE_TIME_SIZE];
};

/* From one element of ListSessions' answer; what is missing or of another type is "". */
void table_row_from(struct table_row *ret, const json_t *session);

void table_session_header(FILE *out);
void table_session(FILE *out, const struct table_row *row);
void table_user_header(FILE *out);
void table_user(FILE *out, const struct table_row *row);

/* `.` below a minute, minutes, H:MM, D+HH:MM; `none` for seconds below 0. */
void table_idle(char text[static TABLE_IDLE_SIZE], int64_t seconds);

/* An RFC 3339 time in the locale's form and the local zone; "" when it is none. */
void table_time(char text[static TABLE_TIME_SIZE], const char *rfc3339);
