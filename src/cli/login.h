/* The login prompt of a fixed terminal: whoever sits there says who he is, and gets a session of
 * that user. The server and the session's leader decide; nothing that is typed is believed here. */
#pragma once

#include "cli/launch.h"
#include "cli/server.h"
#include "config/user_config.h"

/* Whether this process is a terminal's door and nobody's own: its account has no shell that a
 * person could get. Then the terminal asks who is there. */
bool login_is_wanted(void);

/* Asks and shows, again and again, until the terminal or the server is gone. An exit status. */
int login_run(struct server *server, struct attach *attach, const struct launch *launch);
