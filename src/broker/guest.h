/* A guest, who may log on and nothing else, leaves no session behind: he could not come back to it.
 */
#pragma once

#include <stdbool.h>

struct broker;
struct config_who;
struct session;

/* Is he one on this listener? In user mode nobody is. */
bool guest_is(const struct broker *b, const struct config_who *who, const char *listener);

/* The session has just lost its terminal: it is logged off when its owner is a guest where it came
 * in. His groups are asked for first; when they cannot be had, it stays. */
void guest_left(struct session *s);
