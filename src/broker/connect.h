/* The operation `connect`: puts a session on a terminal. See connect.c for its states. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;
struct session;
struct terminal;

/* Starts it; the call is answered when the swap is certain, or when it fails. Rights and locks were
 * checked. `shown` is what the terminal shows now, or NULL. */
void connect_start(struct call *call, struct session *s, struct terminal *t, struct session *shown);

/* Has the session's leader heard the password for this call? */
bool connect_is_proven(const struct call *call, const struct session *s);

/* The door's answer: the cable (borrowed) for this ticket. 0 or -EINVAL: no such cable was asked
 * for. */
int connect_give_cable(struct terminal *t, uint64_t ticket, int cable_fd);
