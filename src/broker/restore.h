/* How a new broker finds the sessions that live, and how a running one finds a leader again. */
#pragma once

struct broker;
struct session;

/* Makes the folder `sessions` if there is none, walks it, greets every leader in it, and removes
 * what leaders that are gone have left behind. broker_serve() is called when all have answered or
 * the limit is over. 0 or -errno. */
int restore_start(struct broker *b);

/* This session's leader has answered, or is gone for good. */
void restore_settled(struct session *s);

/* The link to this session's leader broke (negative errno): reaches for the leader again, or ends
 * the session when there is none. The session may be gone afterwards. */
void restore_lost(struct session *s, int error);
