/* The control socket and its connections: Varlink framing, one call at a time on each, limits. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct broker;
struct connection;
struct control;
struct varlink;

/* Takes the listening socket, but lets nobody in before control_listen(). 0 or -errno. */
int control_new(struct control **ret, struct broker *b, int fd);
struct control *control_free(struct control *c);

/* Lets callers in; a second call changes nothing. */
void control_listen(struct broker *b);

/* Serves a connected socket (taken on success). 0, -EUSERS (this uid has too many), or -errno. */
int connection_new(struct connection **ret, struct broker *b, int fd);
struct connection *connection_free(struct connection *c);

struct varlink *connection_varlink(struct connection *c);
void connection_sent(struct connection *c, int result); /* of varlink_send() and the like */
bool connection_is_congested(const struct connection *c);
void connection_release(struct connection *c); /* its call is over: the next one may come */
uid_t connection_login_uid(const struct connection *c);
void connection_drop(struct connection *c); /* soon, from the loop */
