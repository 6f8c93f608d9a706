/* What people read when somebody else has moved their session: who it was, from where, what he did.
 * Names and addresses in it are foreign text; the hosts encode what they show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/link.h"

struct call;
struct session;
struct terminal;

/* "alice at tty#1 (192.0.2.7)"; "uid 1000" where nobody has that number. */
void notice_who(char *text, size_t size, const struct call *call);

/* On the terminal that S leaves. */
void notice_moved(char text[static LINK_TEXT_SIZE], const struct call *call, uint32_t session,
	const char *terminal);

/* In S itself, with the first picture on the terminal that it comes to: a takeover without the
 * password, or whom it has displaced there. False: nothing. `shown` is what the terminal shows
 * until then, or NULL. */
bool notice_arrival(char text[static LINK_TEXT_SIZE], const struct call *call,
	const struct session *s, const struct session *shown);

/* For the owner of the displaced session, when he sees it again. False: it was he himself. */
bool notice_displaced(char text[static LINK_TEXT_SIZE], const struct call *call,
	const struct session *shown, const char *terminal);

/* For the owner of S, when he sees it again: it was taken over without his password, and
 * root-connect says that he is told. False: neither. */
bool notice_takeover(
	char text[static LINK_TEXT_SIZE], const struct call *call, const struct session *s);

/* On the terminal of a session that somebody disconnects. */
void notice_disconnected(
	char text[static LINK_TEXT_SIZE], const struct call *call, const struct session *s);
