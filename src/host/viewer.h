/* One cable: a terminal that shows the session, is about to, or has just left it.
 *
 * Two kinds. A terminal that speaks the session's own language gets the program's bytes unchanged;
 * any other one is painted from the screen model. Whoever reads too slowly is `behind`: what waits
 * is dropped and a repaint follows as soon as the cable has room, so that no terminal ever holds
 * the program up.
 *
 * A door of the session's own user may lend its terminal: until the viewer leaves it is written to,
 * and its keys are read, without a detour over the cable.
 *
 * Always holds: nothing blocks; what a door sends is taken only in the states that allow it; the
 * model has eaten every byte that was forwarded before anything is painted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "host/keyboard.h"
#include "host/outlet.h"
#include "protocol/cable.h"
#include "protocol/link.h"
#include "vt/painter.h"

enum viewer_state {
	VIEWER_NEW,	 /* its hello has not come yet */
	VIEWER_PREPARED, /* welcomed; nothing has changed */
	VIEWER_CURRENT,
	VIEWER_LEAVING, /* has got its goodbye; what was typed before it saw that is still read */
};

struct viewer {
	int fd;
	enum viewer_state state;
	uint64_t deadline;    /* clock_monotonic_ms(); 0 = none */
	uint32_t plug_serial; /* of the LINK_PLUG that waits for its answer */
	char terminal[LINK_NAME_SIZE];
	char address[LINK_SHORT_SIZE];
	uint8_t token[LINK_TOKEN_SIZE];
	uid_t maker; /* of the cable */
	struct cable_hello hello;
	const char *term;  /* the session's TERM; borrowed, since it is shown */
	struct buf client; /* the payload of CABLE_CLIENT */
	struct buf in;
	bool closed; /* the door has closed its end: what is in `in` is the last */
	bool paused; /* the program takes no input: nothing more is read for now */
	bool hung;   /* closed while paused: not to be polled, its last bytes still count */
	int lease;   /* its door has not yet said over it whether it lends its terminal; -1 = none:
			until then nothing is shown */
	struct outlet out;
	struct keyboard keys; /* of a terminal that is lent */
	bool lags;	      /* its socket is small: see set_socket() */
	bool painted;	      /* else it gets the program's own bytes */
	bool behind;	      /* what it shows is old; a repaint is due */
	bool changed;	      /* the model has changed since the last paint */
	size_t skipped;	      /* bytes that came since the last paint, while it was behind */
	uint64_t painted_at;  /* clock_monotonic_ms() of the last paint */
	uint64_t history_at;  /* of the last one that brought history, too */
	bool owes;	      /* history: all that is missing of the picture */
	size_t history_limit; /* lines that the next repaint may bring */
	bool hurried;	      /* the last paint was a short one, made because of a key */
	uint64_t paint_end;   /* the place in `out` behind the last paint */
	struct vt_paint_target target;
	struct vt_paint_state state_shown; /* of a painted one */
	/* How many lines had left the screen at two places of the stream: the newer mark is set
	 * when the older place is delivered, so that at any time it is known what the terminal
	 * has seen at least. */
	struct viewer_mark {
		uint64_t place;
		uint64_t lines;
	} seen, next;
	char *notice;	       /* what stands over the picture; NULL = nothing */
	uint64_t notice_until; /* clock_monotonic_ms() */
};

/* `fd` is the viewer's from here on, also on failure. 0 or -errno. */
int viewer_new(struct viewer **ret, int fd, const struct link_simple *plug);
struct viewer *viewer_free(struct viewer *v); /* NULL is fine; returns NULL */
AUTO_DEFINE(struct viewer, viewer_free);

enum { VIEWER_READ_SOME = 1, VIEWER_READ_ALL = 2 };

/* Reads what the door has sent. SOME: there may be more; ALL: nothing more was there; 0 = nothing
 * now (or closed), -errno: drop it. */
int viewer_read(struct viewer *v);

/* Judges the hello: 0 and CABLE_WELCOME is on its way, or the errno for LINK_READY. */
int viewer_welcome(struct viewer *v, const struct cable_frame *hello, uint32_t session);

/* The session is on this terminal now: SCREEN, and, at once or when the door has answered it,
 * history, picture, the open sequence. `term` is the session's TERM, borrowed. */
void viewer_show(struct viewer *v, struct vt_screen *screen, const char *term);

/* Whether its door has still to say whether it lends its terminal. */
static inline bool viewer_awaits(const struct viewer *v)
{
	return v->lease >= 0;
}
/* It has said something, or its time is over. */
void viewer_begin(struct viewer *v, struct vt_screen *screen);

/* The door has left: nothing more goes there, and a terminal that it has lent is its own again. */
void viewer_hang(struct viewer *v);

/* The program's output, before the model is fed with it. */
void viewer_forward(
	struct viewer *v, const struct vt_screen *screen, const uint8_t *bytes, size_t length);

/* The model has been fed, or resized. */
void viewer_changed(struct viewer *v);

/* A key was pressed: what waits for a slow terminal is of no interest any more. */
void viewer_hurry(struct viewer *v);

/* Shows one line of harmless text over the picture until a key is pressed, 10 s at most. Meanwhile
 * the terminal is painted from the model, whatever kind it is; afterwards it is as if nothing had
 * been. 0 or -ENOMEM. */
int viewer_notice(struct viewer *v, const char *text);

void viewer_resize(struct viewer *v, const struct cable_size *size);

/* Sends what there is room for, repaints when that is due. */
void viewer_work(struct viewer *v, struct vt_screen *screen, uint64_t now);

/* When viewer_work() has something to do though nothing happens on the cable; 0 = not. */
uint64_t viewer_due(const struct viewer *v, const struct vt_screen *screen);

/* Whether the program's queries reach a terminal that can answer them. */
bool viewer_answers(const struct viewer *v);

/* Undoes what the session has set there and says goodbye. screen may be NULL (never shown). */
void viewer_bye(struct viewer *v, struct vt_screen *screen, const struct cable_bye *bye);
