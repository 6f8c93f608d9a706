/* The load: bench-generate KIND [MEGABYTES [FILE]].
 *   log, sgr, utf8, redraw  answers each PROBE with READY, starts at any other byte, writes the
 * stream and the final mark; with FILE it starts at once and leaves there how many seconds it took
 *   echo     gives each byte back (READY for a PROBE)
 *   screen   fills the screen with colour, ends with the final mark; again at SIGWINCH and Ctrl-L
 *   flood    log lines until Ctrl-C, then the final mark; Enter starts again
 *   history  10,000 lines of 80 columns
 *   idle     nothing */
#include "streams.h"
#include "tool.h"

#define BLOCK (1 << 20)

static void stream(stream_line *put, size_t bytes)
{
	char *block = malloc(BLOCK + STREAM_LINE_MAX);
	size_t length = stream_fill(put, block, BLOCK);
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

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Log lines until Ctrl-C, as fast as the terminal takes them; then the final mark in the prompt's
 * place, and Enter starts again. */
static void flood(void)
{
	static char block[BLOCK + STREAM_LINE_MAX];
	struct sigaction action = { .sa_handler = on_interrupt };
	(void)sigaction(SIGINT, &action, NULL);
	size_t length = stream_fill(put_log, block, BLOCK);
	for (char byte;;) {
		for (size_t at = 0; !interrupted; at = at + 4096 < length ? at + 4096 : 0) {
			size_t n = length - at < 4096 ? length - at : 4096;
			if (write(STDOUT_FILENO, block + at, n) < 0 && errno != EINTR) {
				return; /* its session is gone, and SIGHUP may be ignored here */
			}
		}
		write_all(STDOUT_FILENO, FINAL_MARK, strlen(FINAL_MARK));
		ssize_t got;
		do {
			got = read(STDIN_FILENO, &byte, 1);
		} while (got < 0 && errno == EINTR);
		if (got <= 0) {
			return;
		}
		interrupted = 0;
	}
}

/* 10,000 lines of 80 columns that no reader waits for. */
static void fill_history(void)
{
	for (int line = 0; line < 10000; line++) {
		printf("%05d ", line);
		for (int i = 0; i < 12; i++) {
			printf("%.6s", words[rnd(20)]);
		}
		printf("\r\n");
	}
	fflush(stdout);
}

/* The stream without a reader: how long the program took, in seconds, goes into the file. */
static void stream_into(stream_line *put, size_t bytes, const char *path)
{
	double start = now_us();
	stream(put, bytes);
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		die(path);
	}
	fprintf(file, "%.6f\n", (now_us() - start) / 1e6);
	fclose(file);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "echo", give_back },
	{ "flood", flood },
	{ "history", fill_history },
	{ "idle", NULL },
	{ "screen", keep_screen },
};

int main(int argc, char **argv)
{
	const char *name = argc < 2 ? "" : argv[1];
	stream_line *put = stream_find(name);
	size_t kind = 0;
	while (kind < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[kind].name, name) != 0) {
		kind++;
	}
	bool known = kind < sizeof(kinds) / sizeof(kinds[0]);
	if (put == NULL && !known) {
		fprintf(stderr, "usage: bench-generate KIND [MEGABYTES [FILE]]\n");
		return 2;
	}
	if (!known || kinds[kind].run != flood) {
		make_raw(STDIN_FILENO);
	}
	size_t bytes = (size_t)(argc > 2 ? atof(argv[2]) * 1e6 : 0);
	if (put != NULL && argc > 3) {
		stream_into(put, bytes, argv[3]);
	} else if (put != NULL && wait_for_go()) {
		stream(put, bytes);
		write_all(STDOUT_FILENO, FINAL_MARK, strlen(FINAL_MARK));
	} else if (known && kinds[kind].run != NULL) {
		kinds[kind].run();
	}
	for (char byte; read(STDIN_FILENO, &byte, 1) == 1;) {
	}
	return 0;
}
