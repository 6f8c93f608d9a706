/* The login prompt of a fixed terminal: whoever sits there says who he is, and gets a session of
 * that user. The server and the session's leader decide; nothing that is typed is believed here. */
#pragma once

#include "cli/launch.h"
#include "cli/server.h"
#include "config/user_config.h"

/* Whether the terminal asks who is there: as it is configured (login-prompt), else when this
 * process is nobody's own, because its account has no shell that a person could get. */
bool login_is_wanted(const struct attach *attach);

/* Asks and shows, again and again, until the terminal or the server is gone. An exit status. */
int login_run(struct server *server, struct attach *attach, const struct launch *launch);
