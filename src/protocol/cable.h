/* The cable: door <-> host, the bytes of a session and nobody between them.
 *
 * A stream socket; each frame is an 8-byte header and its payload. Host byte order, all on one
 * machine. The door makes the socket pair, keeps one end and sends the other to the broker, from
 * where it reaches the host.
 *
 *   door                                      host
 *   HELLO, CLIENT                                first, before the end is given away
 *                              WELCOME           prepared; nothing has changed yet
 *                              SCREEN            swapped: from here this cable is the terminal's
 *                                                picture; the lease may ride along
 *                              OUTPUT            bytes for the terminal, as often as there are any
 *   INPUT, SIZE, LISTEN                          only after SCREEN; before it they are ignored
 *   BYE (or just closing)      BYE               one line for the person; reason, status
 *
 * A door that holds a current and a prepared cable swaps when the prepared one brings CABLE_SCREEN,
 * and closes the other. A prepared cable that is closed before that has changed nothing.
 *
 * A door lends its terminal to a session of its own user, so that nobody need copy the OUTPUT.
 * Where HELLO says that it may, a socket of the host's making comes with SCREEN, the lease: whose
 * it is the kernel tells the door, and nobody has held its other end before, as the broker has the
 * cable's. The door sends one byte with a descriptor of the terminal over it, or closes it; until
 * then, or for two seconds, the host shows nothing. The terminal is given back by closing the
 * lease: by the host before its BYE; when the door wants it back it shuts its side, and waits a
 * little for the host to close.
 *
 * A host that LISTENS, as its WELCOME says, can read the keys from a lent terminal too, until it is
 * told to stop, and finds the detach key itself. Each LISTEN has one byte over the lease for an
 * answer. The door asks again while keys lie unread, and when no answer comes in time it reads them
 * itself, whatever the host does. What the host knows of the cable when it reads a key is therefore
 * never older than CABLE_FRESH_MS: keys keep their order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CABLE_VERSION 1
#define CABLE_PAYLOAD_MAX 65536
#define CABLE_TERM_SIZE 64
#define CABLE_CLIENT_MAX 8192 /* the environment that a terminal may bring */

enum cable_type {
	CABLE_HELLO = 1, /* door: struct cable_hello */
	CABLE_CLIENT =
		2, /* door: NAME=VALUE texts, each NUL-ended; the host keeps only those it knows */
	CABLE_INPUT = 3,   /* door: bytes typed */
	CABLE_SIZE = 4,	   /* door: struct cable_size */
	CABLE_BYE = 5,	   /* either: struct cable_bye; the sender closes next */
	CABLE_WELCOME = 6, /* host: struct cable_welcome */
	CABLE_SCREEN = 7,  /* host: no payload; the painted screen follows */
	CABLE_OUTPUT = 8,  /* host: bytes for the terminal */
	CABLE_LISTEN = 9,  /* door: struct cable_listen */
};

/* In cable_hello's flags. */
enum { CABLE_HELLO_LENDS = 1 }; /* the door may lend its terminal */

/* In cable_welcome's flags. */
enum { CABLE_WELCOME_LISTENS = 1 }; /* the host knows CABLE_LISTEN */

/* Over the lease, from the host: one byte each. */
enum cable_word {
	CABLE_WORD_DEAF = 1,	 /* the door reads the keys */
	CABLE_WORD_LISTENS = 2,	 /* the host does */
	CABLE_WORD_DETACHED = 3, /* unasked: the detach key was pressed, the host reads no more */
};

#define CABLE_FRESH_MS 100
#define CABLE_ANSWER_MS 200 /* for a LISTEN; well above CABLE_FRESH_MS */

struct cable_header {
	uint8_t type;
	uint8_t zero[3]; /* must be zero */
	uint32_t length; /* of the payload; at most CABLE_PAYLOAD_MAX */
};

struct cable_size {
	uint16_t rows, columns;		      /* 1-4096 each */
	uint16_t width_pixels, height_pixels; /* 0 = unknown */
};

/* What a terminal can show. PLAIN: no more than a VT100 with the colours given; the host paints for
 * it. */
enum cable_class {
	CABLE_CLASS_PLAIN = 0,
	CABLE_CLASS_XTERM = 1,
};

struct cable_hello {
	uint16_t version; /* CABLE_VERSION; another one gets a CABLE_BYE that says so */
	uint16_t class;	  /* enum cable_class */
	uint32_t colours; /* 0, 8, 16, 256 or 16777216 */
	struct cable_size size;
	uint32_t history_lines; /* how many lines of history the terminal wants in its own
				   scrollback */
	uint32_t flags;
	uint8_t reserved[4];	    /* zero */
	char term[CABLE_TERM_SIZE]; /* TERM; NUL-ended */
};

struct cable_welcome {
	uint16_t version;
	uint16_t flags;
	uint32_t session;
};

struct cable_listen {
	uint32_t on;	    /* 1 = the host reads the keys, 0 = the door does */
	int32_t detach_key; /* the byte that Ctrl and the key send; -1 = none */
};

struct cable_bye {
	uint32_t reason; /* enum link_reason */
	int32_t status;	 /* a wait status when the session ended, else 0 */
	uint32_t ended;	 /* 1: the session is over */
	char text[260];	 /* one line for the person, NUL-ended, may be empty; encoded before it is
			    shown */
};

/* One frame as it lies in the receiver's buffer. */
struct cable_frame {
	enum cable_type type;
	const uint8_t *payload; /* borrowed from the buffer */
	size_t length;
};

/* The first frame in `in`. 1 = a whole, well-formed frame in *ret (cable_next() drops it); 0 = more
 * bytes are needed; -EPROTO = this peer is to be dropped. Structs have exactly their size, texts in
 * them end. */
int cable_parse(const struct buf *in, struct cable_frame *ret);
void cable_next(struct buf *in, const struct cable_frame *frame);

/* Appends one frame. 0, -EMSGSIZE, or as buf_put(). */
int cable_put(struct buf *out, enum cable_type type, const void *payload, size_t length);

/* The header alone, for writers that send a payload from where it lies. */
struct cable_header cable_header_for(enum cable_type type, size_t length);
