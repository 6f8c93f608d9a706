#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LOG_LINE_MAX 1024

static const char *log_program = "termserv";
static enum log_level log_limit = LOG_LEVEL_INFO;
static bool log_to_journal;

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const int syslog_levels[] = { 3, 4, 6, 7 };

/* Whether the service manager has connected our stderr to the journal: $JOURNAL_STREAM says to
 * which device and inode. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *program)
{
	log_program = program;
	log_to_journal = is_journal();
	const char *wanted = getenv("TERMSERV_LOG");
	for (int i = 0; wanted != NULL && i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(wanted, level_names[i]) == 0) {
			log_limit = (enum log_level)i;
		}
	}
}

bool log_enabled(enum log_level level)
{
	return level <= log_limit;
}

void log_message(enum log_level level, const char *format, ...)
{
	if (!log_enabled(level)) {
		return;
	}
	int kept = errno;
	char message[LOG_LINE_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	char safe[LOG_LINE_MAX];
	(void)text_encode(safe, sizeof(safe), message);
	char when[CLOCK_TEXT_SIZE];
	char line[2 * LOG_LINE_MAX];
	int n = log_to_journal /* which knows the rest itself */
			? snprintf(line, sizeof(line), "<%d>%s: %s\n", syslog_levels[level],
				  log_program, safe)
			: snprintf(line, sizeof(line), "%s %s[%d]: %s: %s\n",
				  clock_text(when, clock_now()), log_program, (int)getpid(),
				  level_names[level], safe);
	if (n > 0) {
		(void)!write(STDERR_FILENO, line, (size_t)n);
	}
	errno = kept;
}
