/* The end of the server: doors are told not to come back, sessions end, then termservd does. */
#pragma once

struct broker;
struct stop;

void stop_session_gone(struct broker *b); /* a session has left the table */
void stop_parent_gone(struct broker *b);  /* termservd has ended, and with it the control socket */
struct stop *stop_free(struct stop *s);
