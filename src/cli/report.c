#include "cli/report.h"

#include <stdarg.h>

#include "base/text.h"
#include "cli/command.h"

#define LINE_SIZE 2048

static void put_line(FILE *out, const char *format, va_list texts)
	__attribute__((format(printf, 2, 0)));

static void put_line(FILE *out, const char *format, va_list texts)
{
	char line[LINE_SIZE];
	char encoded[LINE_SIZE];
	(void)vsnprintf(line, sizeof(line), format, texts);
	(void)text_encode(encoded, sizeof(encoded), line);
	(void)fprintf(out, "%s\n", encoded);
}

void report_line(FILE *out, const char *format, ...)
{
	va_list texts;
	va_start(texts, format);
	put_line(out, format, texts);
	va_end(texts);
}

char *report_subject(char text[static REPORT_SUBJECT_SIZE], const char *session)
{
	if (session == NULL) {
		(void)snprintf(text, REPORT_SUBJECT_SIZE, "this session");
	} else {
		char name[REPORT_SUBJECT_SIZE - 16];
		(void)text_encode(name, sizeof(name), session);
		(void)snprintf(text, REPORT_SUBJECT_SIZE, "%s %s",
			text_is_digits(session) ? "sessionID" : "sessionname", name);
	}
	return text;
}

int report_failure(const struct failure *f, const char *what, ...)
{
	char subject[LINE_SIZE];
	va_list texts;
	va_start(texts, what);
	(void)vsnprintf(subject, sizeof(subject), what, texts);
	va_end(texts);
	(void)fflush(stdout);
	report_line(stderr, "Could not %s, Error code %d", subject, f->code);
	report_line(stderr, "Error [%d]: %s", f->code, f->text);
	return EXIT_FAILED;
}

void report_verbose(const struct arguments *a, const char *format, ...)
{
	if (a->values[OPTION_VERBOSE] == NULL) {
		return;
	}
	va_list texts;
	va_start(texts, format);
	put_line(stdout, format, texts);
	va_end(texts);
	(void)fflush(stdout); /* it is to stand on the screen before that one is swapped */
}
