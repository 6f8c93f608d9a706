/* The person's real shell, where termserv stands in for it: as a login shell (`termserv-shell`),
 * and where sshd starts `termserv logon` in place of everything else. Commands that came along run
 * as ever; whoever wants a session and can have none gets a plain shell, so that nobody is locked
 * out. */
#pragma once

#include <stdbool.h>

#include "cli/options.h"
#include "config/user_config.h"
#include "door/tty/registration.h"

#define SHELL_NAME "termserv-shell"

/* Whether a program of this name (argv[0]) was started as a login shell. */
bool shell_is_own_name(const char *name);

/* `termserv-shell` with these arguments: becomes the real shell where it is to run something, or
 * where it already is in a session. Returns only if the person is to log on. */
void shell_stand_aside(char **argv);

/* The real shell: what the configuration says, else the account's, else bash or sh. Never
 * ourselves; static or the configuration's. */
const char *shell_real(const struct config *config);

/* Becomes the real shell where sshd brought a command along, or gave no terminal; a is that of
 * logon. Returns where there is nothing to stand aside for. */
void shell_make_way(const struct config *config, const struct arguments *a);

/* After a failure that was said: becomes a plain login shell, where this process is all that the
 * person has got, unless the server has refused the person. Returns otherwise. */
void shell_instead(const struct config *config, const struct failure *why);
