/* The load: bench-generate KIND MEGABYTES. Prints READY, waits for one byte, writes the stream,
 * prints the final mark, and waits for end of input. Kinds: log, sgr, utf8, redraw; and the small
 * ones: echo (gives each byte back), screen (fills the screen with colour, ends with the final
 * mark, stays), flood (log lines until killed), idle. */
#include "tool.h"

#define BLOCK (1 << 20)

static uint32_t seed = 12345;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static const char *const words[] = { "connection", "from", "session", "opened", "for", "user",
	"daemon", "started", "unit", "failed", "with", "result", "timeout", "retry", "kernel",
	"device", "link", "up", "down", "cache" };
static const char *const foreign[] = { "größe", "naïve", "привет", "мир", "漢字", "かな", "한국어",
	"Ελλάδα", "ação", "żółć", "שלום", "cafe\xcc\x81", "日本語", "данные", "😀" };

static size_t put_log(char *to, unsigned line)
{
	int n = sprintf(to, "2026-11-22T10:%02u:%02u.%03u host%u app[%u]: ", line / 60 % 60,
		line % 60, rnd(1000), rnd(9), 1000 + rnd(9000));
	for (unsigned i = 4 + rnd(8); i > 0; i--) {
		n += sprintf(to + n, "%s ", words[rnd(20)]);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static size_t put_sgr(char *to, unsigned line)
{
	int n = 0;
	for (int i = 0; i < 10; i++) {
		n += sprintf(to + n, "\x1b[%u;38;5;%um%s\x1b[0m \x1b[48;2;%u;%u;%um%u\x1b[m ",
			rnd(2), rnd(256), words[rnd(20)], rnd(256), rnd(256), rnd(256), line % 10);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static size_t put_utf8(char *to, unsigned line)
{
	int n = sprintf(to, "%u ", line % 1000);
	for (int i = 0; i < 9; i++) {
		n += sprintf(to + n, "%s ", foreign[rnd(15)]);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static size_t put_redraw(char *to, unsigned line)
{
	int n = line % 24 == 0 ? sprintf(to, "\x1b[?25l\x1b[H") : 0;
	n += sprintf(to + n, "\x1b[%u;1H\x1b[7m%4u\x1b[27m \x1b[3%um", line % 24 + 1, rnd(10000),
		rnd(8));
	for (int i = 0; i < 5; i++) {
		n += sprintf(to + n, "%-10s", words[rnd(20)]);
	}
	return (size_t)n +
	       (size_t)sprintf(to + n, "\x1b[39m\x1b[K\x1b[%u;%uH*", rnd(24) + 1, rnd(80) + 1);
}

static void stream(size_t (*put)(char *, unsigned), size_t bytes)
{
	char *block = malloc(BLOCK + 4096);
	size_t length = 0;
	for (unsigned line = 0; length < BLOCK; line++) {
		length += put(block + length, line);
	}
	for (size_t done = 0; done < bytes; done += length) {
		write_all(STDOUT_FILENO, block, length);
	}
	free(block);
}

static void say_ready(void)
{
	write_all(STDOUT_FILENO, READY_MARK, strlen(READY_MARK));
}

/* Answers each probe with READY (a peer without a screen model shows nothing of the past); true at
 * any other byte. */
static bool wait_for_go(void)
{
	char byte;
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		if (byte != PROBE) {
			return true;
		}
		say_ready();
	}
	return false;
}

static void give_back(void)
{
	char byte;
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		if (byte == PROBE) {
			say_ready();
		} else {
			write_all(STDOUT_FILENO, &byte, 1);
		}
	}
}

static void fill_screen(void)
{
	struct winsize size = { 0 };
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	printf("\x1b[2J");
	for (unsigned row = 1; row < size.ws_row; row++) {
		printf("\x1b[%u;1H", row);
		for (unsigned column = 0; column + 10 < size.ws_col; column += 10) {
			printf("\x1b[38;5;%um%-9.9s ", rnd(256), words[rnd(20)]);
		}
	}
	printf("\x1b[%u;1H\x1b[m%s", size.ws_row, FINAL_MARK);
	fflush(stdout);
}

static void on_size(int signal)
{
	(void)signal; /* only there to end read() early */
}

/* Draws again when asked to: peers without a screen model let the program paint. */
static void keep_screen(void)
{
	struct sigaction action = { .sa_handler = on_size };
	(void)sigaction(SIGWINCH, &action, NULL);
	fill_screen();
	for (;;) {
		char byte;
		ssize_t n = read(STDIN_FILENO, &byte, 1);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return;
		}
		if (n < 0 || byte == '\f') {
			fill_screen();
		}
	}
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	size_t bytes = (size_t)(argc > 2 ? atof(argv[2]) * 1e6 : 0);
	size_t (*put)(char *, unsigned) = strcmp(kind, "log") == 0	? put_log
					  : strcmp(kind, "sgr") == 0	? put_sgr
					  : strcmp(kind, "utf8") == 0	? put_utf8
					  : strcmp(kind, "redraw") == 0 ? put_redraw
									: NULL;
	char byte;
	if (strcmp(kind, "flood") == 0) {
		for (;;) {
			stream(put_log, 1 << 24);
		}
	}
	make_raw(STDIN_FILENO);
	if (put != NULL) {
		if (wait_for_go()) {
			stream(put, bytes);
			write_all(STDOUT_FILENO, FINAL_MARK, strlen(FINAL_MARK));
		}
	} else if (strcmp(kind, "echo") == 0) {
		give_back();
	} else if (strcmp(kind, "screen") == 0) {
		keep_screen();
	} else if (strcmp(kind, "idle") != 0) {
		fprintf(stderr, "usage: bench-generate log|sgr|utf8|redraw|echo|screen|flood|idle "
				"[MEGABYTES]\n");
		return 2;
	}
	while (read(STDIN_FILENO, &byte, 1) == 1) {
	}
	return 0;
}
