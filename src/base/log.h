/* Messages for the person who runs the server, one line each, to stderr (which a service manager or
 * termservd turns into a journal or a file). A message is written once, where it is decided. base,
 * protocol and vt never log. To the journal a line carries its level as sd-daemon(3) has it, and no
 * time. */
#pragma once

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* `program` (static text) stands in each line. TERMSERV_LOG=error|warning|info|debug chooses the
 * level, else info. */
void log_open(const char *program);
bool log_enabled(enum log_level level);

/* Foreign text in the arguments is made harmless here (base/text.h). */
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)
