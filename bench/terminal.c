/* The terminal: bench-terminal WHAT [ROWS COLUMNS] -- COMMAND...
 * Runs COMMAND on a pty of its own and drains it fast, as a quick terminal emulator would. Prints
 * one line of figures. throughput BYTES  probes until READY, sends one byte, reads until the final
 * mark: seconds echo COUNT        probes until READY, then COUNT times one key and its echo: p50
 * and p99 in microseconds paint             from before the fork until the final mark is on the
 * screen: microseconds */
#include "tool.h"

#define LIMIT_S 60

static char chunk[1 << 18];

/* Reads until the mark, sending `probe` (0 = nothing) whenever it was silent for a while; -1 when
 * the program left or time is over. */
static int read_until(int fd, const char *mark, char probe)
{
	size_t state = 0;
	double end = now_us() + LIMIT_S * 1e6;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, 100) < 0 || now_us() > end) {
			return -1;
		}
		if (p.revents == 0) {
			if (probe != 0) {
				write_all(fd, &probe, 1);
			}
			continue;
		}
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n <= 0) {
			return -1;
		}
		if (mark_seen(mark, &state, chunk, (size_t)n)) {
			return 0;
		}
	}
}

static void drain(int fd, int quiet_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (poll(&p, 1, quiet_ms) > 0 && read(fd, chunk, sizeof(chunk)) > 0) {
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int throughput(int fd)
{
	if (read_until(fd, READY_MARK, PROBE) < 0) {
		return -1;
	}
	drain(fd, 100);
	double start = now_us();
	write_all(fd, "g", 1);
	if (read_until(fd, FINAL_MARK, 0) < 0) {
		return -1;
	}
	printf("%.6f\n", (now_us() - start) / 1e6);
	return 0;
}

static int echo(int fd, int count)
{
	if (read_until(fd, READY_MARK, PROBE) < 0) {
		return -1;
	}
	drain(fd, 100);
	double *times = calloc((size_t)count, sizeof(*times));
	for (int i = 0; i < count; i++) {
		char key = (char)('a' + i % 26);
		double start = now_us();
		write_all(fd, &key, 1);
		bool seen = false;
		while (!seen) {
			ssize_t n = read(fd, chunk, sizeof(chunk));
			if (n <= 0) {
				return -1;
			}
			seen = memchr(chunk, key, (size_t)n) != NULL;
		}
		times[i] = now_us() - start;
		(void)usleep(2000); /* a fast typist still leaves the machine time to sleep */
	}
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%.1f %.1f\n", times[count / 2], times[count * 99 / 100]);
	free(times);
	return 0;
}

/* Reads at most as fast as `rate` allows (0 = as it comes) until the mark, or, without one, for
 * half a second. */
static int read_at_rate(int fd, double rate, const char *mark)
{
	size_t state = 0;
	double start = now_us(), taken = 0;
	for (;;) {
		double now = now_us();
		if (mark == NULL && now - start > 5e5) {
			return 0;
		}
		if (now - start > LIMIT_S * 1e6) {
			return -1;
		}
		if (rate > 0 && taken > rate * (now - start) / 1e6) {
			(void)usleep(500);
			continue;
		}
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, 100) <= 0) {
			continue;
		}
		ssize_t n = read(fd, chunk, 4096);
		if (n <= 0) {
			return -1;
		}
		taken += (double)n;
		if (mark != NULL && mark_seen(mark, &state, chunk, (size_t)n)) {
			return 0;
		}
	}
}

static int interrupt(int fd, double rate)
{
	double times[10];
	for (int i = 0; i < 10; i++) {
		if (read_at_rate(fd, rate, NULL) < 0) {
			return -1;
		}
		double start = now_us();
		write_all(fd, "\x03", 1);
		if (read_at_rate(fd, rate, FINAL_MARK) < 0) {
			return -1;
		}
		times[i] = now_us() - start;
		write_all(fd, "\r", 1);
	}
	qsort(times, 10, sizeof(*times), compare);
	printf("%.1f %.1f\n", times[5], times[9]);
	return 0;
}

int main(int argc, char **argv)
{
	int dashes = 1;
	while (dashes < argc && strcmp(argv[dashes], "--") != 0) {
		dashes++;
	}
	if (dashes < 3 || dashes + 1 >= argc) {
		fprintf(stderr,
			"usage: bench-terminal throughput|echo|interrupt|paint N [ROWS COLUMNS] -- "
			"COMMAND...\n");
		return 2;
	}
	unsigned short rows = dashes > 4 ? (unsigned short)atoi(argv[3]) : 24;
	unsigned short columns = dashes > 4 ? (unsigned short)atoi(argv[4]) : 80;
	pid_t pid;
	double start = now_us();
	int fd = start_on_pty(argv + dashes + 1, rows, columns, &pid);
	int r;
	if (strcmp(argv[1], "throughput") == 0) {
		r = throughput(fd);
	} else if (strcmp(argv[1], "echo") == 0) {
		r = echo(fd, atoi(argv[2]));
	} else if (strcmp(argv[1], "interrupt") == 0) {
		r = interrupt(fd, atof(argv[2]));
	} else {
		r = read_until(fd, FINAL_MARK, 0);
		if (r == 0) {
			printf("%.1f\n", now_us() - start);
		}
	}
	(void)kill(pid, SIGHUP);
	(void)close(fd);
	(void)waitpid(pid, NULL, 0);
	if (r < 0) {
		fprintf(stderr, "bench-terminal: the mark never came\n");
	}
	return r < 0 ? 1 : 0;
}
