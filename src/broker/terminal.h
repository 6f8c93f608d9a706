/* A terminal: a name, and the door that holds it. It exists as long as the door's connection.
 * Which session it shows is not written here: the sessions say so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "protocol/link.h"

#define TERMINAL_SECRET_TEXT_SIZE (2 * LINK_TOKEN_SIZE + 1)

struct broker;
struct call;
struct login;
struct operation;

struct terminal {
	struct broker *broker;
	struct call *door; /* the OpenTerminal call that it lives by */
	uid_t uid;
	bool fixed;
	uint16_t rows, columns; /* as the door came; a session knows better */
	uint64_t ticket;	/* of the cable that the door was asked for, 0 = none */
	uint8_t secret[LINK_TOKEN_SIZE];
	char name[LINK_NAME_SIZE];
	char device[LINK_SHORT_SIZE]; /* the line of a fixed terminal; may be empty */
	char term[LINK_SHORT_SIZE];
	char client[LINK_SHORT_SIZE];
	char listener[LINK_NAME_SIZE]; /* where it came in: "tty", "ssh" ... */
	struct login *login;	       /* somebody who has just logged on at it; or NULL */
	struct operation *operation;   /* holds the lock, or NULL */
	TAILQ_ENTRY(terminal) entry;
};

/* Enters the table under `name`; the caller fills in the rest. 0 or -ENOMEM. */
int terminal_new(struct terminal **ret, struct broker *b, const char *name);

/* Leaves the table; tells the operation that holds it. Its call must be answered or gone. */
struct terminal *terminal_free(struct terminal *t);

struct terminal *terminal_find(const struct broker *b, const char *name); /* any case; or NULL */
struct terminal *terminal_by_secret(const struct broker *b, const char *secret); /* or NULL */

/* Does the secret that a caller gives, as text, belong to this terminal? Takes equally long for
 * every wrong one. */
bool terminal_has_secret(const struct terminal *t, const char *secret);

int terminal_secret_new(uint8_t ret[static LINK_TOKEN_SIZE]);			 /* 0 or -errno */
int terminal_secret_read(uint8_t ret[static LINK_TOKEN_SIZE], const char *text); /* 0, -EINVAL */
void terminal_secret_text(
	char text[static TERMINAL_SECRET_TEXT_SIZE], const uint8_t secret[static LINK_TOKEN_SIZE]);
bool terminal_secret_equal(
	const uint8_t a[static LINK_TOKEN_SIZE], const uint8_t b[static LINK_TOKEN_SIZE]);

/* Is the name neither a door's nor in a session's mouth? */
bool terminal_name_is_free(const struct broker *b, const char *name);

/* The names by which terminals come in (`tty`, `ssh`, `rdp-tcp`): never a terminal's own. */
bool terminal_is_listener_name(const char *name);

/* The listener of a terminal of this kind: "ssh" for the kind ssh, else "tty". Static text. */
const char *terminal_listener_of_kind(const char *kind);

/* Names that are kept for what this server does not have yet: `console`, `services`. */
bool terminal_is_reserved_name(const char *name);

/* May this word be the first half of a given name, as in `tty#1`? */
bool terminal_is_kind(const char *kind);

/* The lowest free kind#N, from 1 on. */
void terminal_give_name(const struct broker *b, const char *kind, char name[static LINK_NAME_SIZE]);

/* Asks the door for a cable. False: the door cannot be asked. */
bool terminal_ask_cable(struct terminal *t, uint64_t ticket);
