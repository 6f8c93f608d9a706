/* What a session's host tells termserv-x11, its own X display's other half: one packet whenever
 * another terminal shows the session. Both are of one build, and live and end together. */
#pragma once

#include <stdint.h>

#define X11_SOCKET_FOLDER "/tmp/.X11-unix" /* where every X client looks for a display's socket */
#define X11_COOKIE_NAME "MIT-MAGIC-COOKIE-1"
#define X11_COOKIE_SIZE 16

/* The descriptors that termserv-x11 is started with. */
#define X11_HOST_FD 3	  /* SOCK_SEQPACKET to the host; its end is the helper's */
#define X11_ABSTRACT_FD 4 /* the display's listening sockets: the abstract name, */
#define X11_FILE_FD 5	  /* and the file, where there is one */

struct x11_packet {
	uint8_t cookie[X11_COOKIE_SIZE]; /* what a client of the session must bring */
	char display[256];		 /* the terminal's DISPLAY; empty = it has none */
	char authority[4096];		 /* its XAUTHORITY; empty = ~/.Xauthority */
};
