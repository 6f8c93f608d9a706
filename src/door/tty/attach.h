/* The door of a tty: makes the terminal that a person sits at one of the server's, asks for a
 * session, and shows what is plugged in until it leaves.
 *
 * Always holds: at most one cable is the terminal's picture and at most one more is prepared; the
 * terminal is raw only while a session is on it; whatever ends the door, attach_free() gives the
 * terminal back as it was. Never decides who may see what, and never starts a program but through
 * the caller's `server`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "door/tty/registration.h"

struct attach_setup {
	struct attach_server server;
	const char *terminal; /* the wanted name; NULL: the server gives one */
	bool fixed;
	int detach_key; /* the byte that Ctrl and the key send; -1 = none */
	uint32_t history_lines;
};

struct attach;

enum attach_step {
	ATTACH_DONE,	/* it is done */
	ATTACH_SHOWN,	/* a session is on the terminal: attach_show() next */
	ATTACH_FAILED,	/* *ret_failure says why; the terminal is as it was */
	ATTACH_LEAVE,	/* the person left (end of input, Ctrl-C), or a signal ended us */
	ATTACH_STOPPED, /* the server was ended on purpose */
};

/* Opens standard input's tty as a terminal of the server, and waits until it is one. ATTACH_DONE
 * and *ret; otherwise nothing is left behind. */
enum attach_step attach_open(
	struct attach **ret, const struct attach_setup *setup, struct failure *ret_failure);
struct attach *attach_free(struct attach *a); /* NULL is fine; returns NULL */

const char *attach_terminal(const struct attach *a); /* its name */

/* Writes the prompt and reads one line (cut to fit, without its end). A session may be put on the
 * terminal meanwhile: ATTACH_SHOWN. */
enum attach_step attach_ask(struct attach *a, const char *prompt, char *line, size_t size);

/* The same without echo, for a password; nothing of it stays here. ATTACH_FAILED: it was not typed
 * within limit_ms. */
enum attach_step attach_ask_password(
	struct attach *a, const char *prompt, char *line, size_t size, unsigned limit_ms);

/* One call of the server that the door makes while it goes on serving its terminal. */
struct attach_call {
	const char *method; /* without the interface */
	unsigned tries;	    /* how often it is sent when the server went away before it answered */
	unsigned limit_ms;  /* for the answer */
	/* Fills the parameters for one try; *ret_fd is the descriptor that rides along (the door
	 * closes it), -1 = none. secret: the terminal's. 0 or -errno (-EILSEQ: the text is not
	 * UTF-8). */
	int (*fill)(void *user, const char *secret, json_t *parameters, int *ret_fd);
	void *user;
};

/* Connect, which shows a session here. ATTACH_SHOWN, or what else came. */
enum attach_step attach_connect(
	struct attach *a, const struct attach_call *call, struct failure *ret_failure);

/* Any other call. ATTACH_DONE and *ret (the caller's); ATTACH_SHOWN: somebody has put a session
 * here meanwhile, and what became of the call is not known. */
enum attach_step attach_call(struct attach *a, const struct attach_call *call, json_t **ret,
	struct failure *ret_failure);

/* Why a session is on the terminal no more. */
enum attach_how {
	ATTACH_KEY,	  /* the detach key */
	ATTACH_GOODBYE,	  /* the host said so: reason, ended, status, text */
	ATTACH_HOST_GONE, /* the cable broke */
	ATTACH_SIGNAL,	  /* we were ended by a signal */
	ATTACH_HUNG_UP,	  /* the terminal itself is gone */
};

struct attach_end {
	enum attach_how how;
	uint32_t session;
	uint32_t reason; /* enum link_reason */
	bool ended;	 /* the session is over */
	int status;	 /* then: a wait status */
	int signal;	 /* ATTACH_SIGNAL: which one */
	char text[260];	 /* foreign text for the person, may be empty */
};

/* Shows until the session leaves the terminal; the terminal is then as it was, on a new line. */
void attach_show(struct attach *a, struct attach_end *ret);

bool attach_stopped(const struct attach *a); /* the server said that it ends */
bool attach_stays(const struct attach *a);   /* it waits when its session was taken away */
bool attach_asks(const struct attach *a, bool otherwise); /* who is there; where it is not set */
bool attach_left(const struct attach *a); /* the terminal is gone, or a signal ended us */

static inline void auto_attach_free(struct attach **a)
{
	(void)attach_free(*a);
}
