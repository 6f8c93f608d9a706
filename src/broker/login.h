/* A person who has proven at a fixed terminal who he is, from his password until a session of his
 * has come to the terminal. Meanwhile the terminal's door, which runs as an account of its own,
 * speaks for him in one matter: which of his sessions comes to this terminal.
 *
 * The session that the password was checked for is there already, and nothing runs in it. When it
 * is not what comes to the terminal, it is ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct call;
struct caller_groups;
struct session;
struct terminal;

struct login {
	struct terminal *terminal;
	uid_t uid;
	struct caller_groups *groups;
	uint32_t session; /* the one that was made with the password */
	sd_event_source *timer;
};

/* He has proven it; takes the place of whoever was there before. `groups` may be NULL. 0 or -errno.
 */
int login_set(struct terminal *t, uint32_t session, uid_t uid, struct caller_groups *groups);

/* It is over; the terminal has forgotten him. NULL is fine; returns NULL. */
struct login *login_free(struct login *l);

/* Does this call come from the terminal's own door, with somebody logged on there? From now on it
 * is his: his uid, his groups. */
bool login_act(struct call *call, const struct terminal *t);

/* From now on it is its real caller's again. Any call. */
void login_act_no_more(struct call *call);

/* Is this the session that somebody has just been given at this terminal? */
bool login_made(const struct terminal *t, const struct session *s);

/* Groups of a user for a call: the gid first. NULL = no memory. */
struct caller_groups *login_groups(const uint32_t *ids, size_t count);

/* May a user log on where this listener is? */
bool login_allowed(const struct call *call, const char *listener, uid_t uid,
	const struct caller_groups *groups);
