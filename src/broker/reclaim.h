/* A fixed terminal whose door has come anew, while a session says that it is on it: its host does
 * not see that the former door is gone, because somebody has stopped it, or does not want to. */
#pragma once

struct session;

/* Asks the session's host whether it lives, unless somebody is at work on the session. One that
 * does not answer in time is made to leave its terminal, so that the door's next try succeeds; one
 * that answers keeps it: its door lives. */
void reclaim_start(struct session *s);

/* Makes the session leave its terminal: its leader counts it as gone from there at once, whatever
 * the host says. Only in a server for all users. */
void reclaim_push_out(struct session *s);
