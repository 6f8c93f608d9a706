/* One session: its program, pty and screen model, and the terminals that show it.
 *
 * Always holds: what the program writes goes to the viewer first and then into the model; no
 * terminal ever holds the program up; nothing that was typed is dropped; the session ends when its
 * first program ends, with a goodbye to the terminal and LINK_ENDED to the leader. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/environment.h"
#include "host/program.h"
#include "host/pty.h"
#include "host/viewer.h"
#include "protocol/link.h"
#include "protocol/link_queue.h"
#include "protocol/spec.h"
#include "vt/screen.h"

#define SESSION_LEAVING_MAX 4

enum session_stage {
	SESSION_BORN,	 /* LINK_START has not come */
	SESSION_WAITING, /* for the first terminal, before the program starts */
	SESSION_RUNNING,
	SESSION_FINISHING, /* the program has ended; the goodbye is on its way */
	SESSION_OVER,
};

struct session {
	uint32_t id;
	enum session_stage stage;
	uint64_t deadline; /* of the stage, clock_monotonic_ms(); RUNNING: the hang-up is repeated
			      then */

	int link_fd; /* to the leader; -1 = it is gone */
	struct link_queue to_leader;
	uint64_t info_at; /* when LINK_INFO is due, clock_monotonic_ms(); 0 = nothing new */
	uint64_t info_sent;

	struct spec spec;
	struct environment environment;
	struct pty pty;
	struct program program;
	struct vt_screen *screen;
	uint8_t *output; /* what was read from the pty; only while there is output */
	size_t output_since_tidy;
	uint64_t tidy_at;  /* when memory is given back; 0 = nothing to give */
	bool input_failed; /* no memory for an answer of the model; logged once */

	struct viewer *current;	 /* shows the session; NULL = disconnected */
	struct viewer *prepared; /* NULL = none */
	struct viewer *leaving[SESSION_LEAVING_MAX];

	uint64_t connected; /* microseconds since 1970, 0 = never */
	uint64_t disconnected;
	uint64_t last_input;

	uint32_t end_reason; /* enum link_reason, of the LINK_LOGOFF or LINK_RESET */
	char end_text[LINK_TEXT_SIZE];
	bool reset;
	bool system;	/* all users of a machine: terminals may be others' */
	int end_status; /* wait status */
};

/* The earlier of two times, where 0 is never. */
static inline uint64_t session_earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

void session_init(struct session *s, uint32_t id, int link_fd);
void session_done(struct session *s);

/* LINK_START, with its flags: takes both descriptors over. On failure LINK_ENDED says why and the
 * session is over. */
void session_start(struct session *s, uint32_t flags, int spec_fd, int run_fd);

/* Starts the program if it waits; failure ends the session. */
void session_run(struct session *s);

void session_on_output(struct session *s); /* the pty is readable */
void session_on_program_end(struct session *s);
void session_on_time(struct session *s, uint64_t now);
uint64_t session_next_time(const struct session *s); /* clock_monotonic_ms(); 0 = none */

/* The pty and the model take this size. 0 or -errno with nothing changed. */
int session_resize(struct session *s, const struct cable_size *size);

/* Bytes typed at a terminal. */
void session_type(struct session *s, const void *bytes, size_t length);

/* The model answers the program's queries whenever no terminal does. */
void session_set_answering(struct session *s);

/* Something that LINK_INFO tells has changed; it goes out at once, but not sooner than apart_ms
 * after the one before. */
void session_report(struct session *s, unsigned apart_ms);

/* Memory that only what has just happened needed is given back when it is quiet. */
void session_tidy_soon(struct session *s);

/* Sends, or keeps until the leader reads. */
void session_tell_leader(struct session *s, const struct link_simple *message);

/* SIGHUP (kill = false) or SIGKILL to what runs; the session ends when it has ended. */
void session_end(struct session *s, bool kill, uint32_t reason, const char *text);

/* The leader is gone: nobody could ever reach this session again. */
void session_abandon(struct session *s);
