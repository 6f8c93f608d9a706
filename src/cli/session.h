/* The calls that several commands make, and what they say of a connect. */
#pragma once

#include <stdint.h>

#include "cli/server.h"
#include "cli/warrant.h"
#include "door/tty/attach.h"

/* Who the caller is to the server. */
struct caller {
	bool system;	     /* of all users of this machine; else the user's own */
	bool administrator;  /* has all rights, and may stop the server */
	bool single_session; /* a user has one session at most, wherever it is shown */
	bool in_session;
	char session[24];  /* the ID in digits */
	char terminal[64]; /* where that session is; "" = nowhere */
	bool own_door;	   /* system: that terminal's door runs as we do; not the server's word */
};

/* R/sessions/ID/run, step by step, never through a link. fd or -errno. */
int session_open_run(const struct server *server, const char *session);

int session_caller(struct server *server, struct caller *ret, struct failure *ret_failure);

/* ListSessions' answer. filter NULL: all. */
int session_list(
	struct server *server, const char *filter, json_t **ret, struct failure *ret_failure);

/* The same, but of all sessions the caller's own alone: what a person may choose from. */
int session_list_own(struct server *server, json_t **ret, struct failure *ret_failure);

/* A request to show a session, whoever sends it. */
struct showing {
	const char *session;	 /* as the person named it; NULL: the caller's own */
	const char *destination; /* NULL: the terminal that the caller's session is on */
	const char *here;	 /* that one's name, or "" */
	bool own_door;		 /* that one's door runs as we do */
	struct warrant_maker *maker;
};

/* Connects by message alone (no door), with both lines of /v. An exit status. */
int session_connect(
	struct server *server, const struct arguments *a, const struct showing *showing);

/* Connects to the door's own terminal, as attach_connect() does. */
enum attach_step session_show_here(
	struct attach *attach, const struct showing *showing, struct failure *ret_failure);
