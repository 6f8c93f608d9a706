/* The session's first program: its start on the pty, and how its end reads. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "host/pty.h"
#include "protocol/spec.h"

struct program {
	pid_t pid;  /* 0 before it runs; our child until program_reap() */
	int pid_fd; /* readable when it has ended; -1 = none */
};

#define PROGRAM_INIT ((struct program){ .pid_fd = -1 })

/* The login shell that runs when the spec names no program. Static or borrowed from spec. */
const char *program_shell(const struct spec *spec);

/* The command as one line, for a person. */
void program_text(char *text, size_t size, const struct spec *spec);

/* Starts it with this environment (NULL-ended) as leader of its own session on the pty's slave:
 * default signals, no descriptor of ours. What fails in the new process is said on the pty and is
 * exit status 126 (the folder or the device) or 127 (the program). 0 or -errno. */
int program_start(
	struct program *ret, const struct spec *spec, const struct pty *pty, char **environment);

/* Sends a signal to its process group and to the group in the pty's foreground. */
void program_signal(const struct program *p, const struct pty *pty, int signal_number);

/* The wait status once pid_fd is readable; it is gone then. 0 or -errno. */
int program_reap(struct program *p, int *ret_status);

/* "exit status 3" / "signal 9 (Killed)", behind `before_exit` or `before_signal`. */
void program_end_text(
	char *text, size_t size, int status, const char *before_exit, const char *before_signal);
