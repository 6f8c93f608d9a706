/* The raw limit: a session holder without a screen model and without any feature. Two processes, a
 * socket between them: pty <-> copying process <-> socket <-> copying process <-> our terminal.
 * bench-relay COMMAND... */
#include "tool.h"

#include <sys/socket.h>

static char chunk[1 << 16];

/* Copies a -> b and c -> d until one side ends. */
static void copy_both(int a, int b, int c, int d)
{
	struct pollfd p[2] = { { .fd = a, .events = POLLIN }, { .fd = c, .events = POLLIN } };
	for (;;) {
		if (poll(p, 2, -1) < 0) {
			return;
		}
		for (int i = 0; i < 2; i++) {
			if (p[i].revents == 0) {
				continue;
			}
			ssize_t n = read(p[i].fd, chunk, sizeof(chunk));
			if (n <= 0) {
				return;
			}
			write_all(i == 0 ? b : d, chunk, (size_t)n);
		}
	}
}

int main(int argc, char **argv)
{
	int pair[2];
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	if (argc < 2) {
		return 2;
	}
	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	make_raw(STDIN_FILENO);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		die("socketpair");
	}
	if (fork() == 0) {
		(void)close(pair[0]);
		pid_t pid;
		int master = start_on_pty(argv + 1, size.ws_row, size.ws_col, &pid);
		copy_both(master, pair[1], pair[1], master);
		return 0;
	}
	(void)close(pair[1]);
	copy_both(pair[0], STDOUT_FILENO, STDIN_FILENO, pair[0]);
	return 0;
}
