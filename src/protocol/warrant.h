/* A warrant: what a caller asks of a session's leader itself, past the broker.
 *
 * It is one end of a SOCK_SEQPACKET pair that the caller made; its other end has sent one packet,
 * struct warrant. The kernel tells the leader who made the pair, and nobody but its maker can have
 * written the packet, so that a broker can neither forge what was asked nor use it for something
 * else. The leader's side never waits, whatever the socket's flags are: its maker may hold both
 * ends. Where a password is needed the leader makes a pipe and sends its write end back (struct
 * warrant_question): the caller learns from the kernel that root is asking and writes the password
 * into a pipe that the broker never held. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "protocol/link.h"

#define WARRANT_VERSION 1
#define WARRANT_PASSWORD_MAX 1024 /* bytes, without the NUL that is not sent */
#define WARRANT_GRANT_MS 30000	  /* what a warrant has allowed is good for so long */

/* How long a warrant may take, for all who wait for one: each waits longer than the one that it
 * waits for, so that a person hears what came of it and not that nothing came.
 *
 * The leader's part: a rest after wrong passwords, the password, the modules. */
#define WARRANT_REST_MAX_MS 30000
#define WARRANT_PASSWORD_WAIT_MS 30000
#define WARRANT_CHECK_MS 30000
/* The broker's: so long it waits for a leader. An answer to a wrong password that it keeps back
 * comes earlier (ATTEMPTS_DELAY_MAX_MS). */
#define WARRANT_LEADER_MS (WARRANT_REST_MAX_MS + WARRANT_PASSWORD_WAIT_MS + WARRANT_CHECK_MS + 5000)
/* A command waits for the broker: names are looked up before, a session is started or plugged in
 * afterwards. */
#define WARRANT_CALL_MS (WARRANT_LEADER_MS + 25000)

enum warrant_use {
	WARRANT_LOGON = 1,   /* start a session (the proof of CreateSession); brings the spec */
	WARRANT_CONNECT = 2, /* show the session on a terminal */
};

enum warrant_destination {
	WARRANT_OWN = 1,   /* a terminal whose door runs as who made the warrant */
	WARRANT_NAMED = 2, /* the terminal `terminal`, whoever holds it */
};

/* Texts are UTF-8 and NUL-ended, unused bytes zero. */
struct warrant {
	uint16_t version;
	uint16_t use;	      /* enum warrant_use */
	uint16_t destination; /* enum warrant_destination; WARRANT_LOGON: WARRANT_OWN */
	uint16_t reserved;
	char session[LINK_NAME_SIZE];  /* WARRANT_CONNECT: as the person named it, an ID or a
					  terminal; empty: the one that the caller sits in */
	char terminal[LINK_NAME_SIZE]; /* WARRANT_NAMED */
	char user[LINK_SHORT_SIZE];    /* WARRANT_LOGON: whose session; empty: the maker's own */
};

/* The leader to the caller, with the write end of a pipe. */
struct warrant_question {
	uint16_t version;
	uint16_t reserved;
	uint32_t session;
	char user[LINK_SHORT_SIZE]; /* whose password */
};

/* Caller's side. Sends the warrant over `fd`, with the spec's descriptor where spec_fd >= 0
 * (borrowed). 0 or -errno. */
int warrant_send(int fd, const struct warrant *w, int spec_fd);

/* Caller's side: makes the kernel say who asks. Before warrant_receive_question(). 0 or -errno. */
int warrant_want_credentials(int fd);

/* Caller's side: one question. 1 and *ret, *ret_pipe_fd (the caller's from then on), *ret_asker;
 * 0 = the leader is gone and asks nothing (more); -EAGAIN, -EPROTO, or -errno. Whether the asker
 * may be believed (uid 0 in system mode) is the caller's to decide. */
int warrant_receive_question(
	struct warrant_question *ret, int *ret_pipe_fd, struct ucred *ret_asker, int fd);

/* Leader's side: the warrant that came, and its spec's descriptor (-1 = none came). 1, 0 = the
 * maker is gone without a word, -EAGAIN, -EPROTO (form, version, or more than one descriptor),
 * -EMFILE, or -errno. Who made it: fd_peer(). */
int warrant_receive(struct warrant *ret, int *ret_spec_fd, int fd);

/* Leader's side: asks for a password; pipe_fd (borrowed) is the write end. 0 or -errno. */
int warrant_ask(int fd, const struct warrant_question *q, int pipe_fd);
