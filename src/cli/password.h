/* The one password that a command may be given: taken out of argv, asked for at the terminal, or
 * read from a descriptor; handed on as a pipe's end and never as text. One object for the whole
 * program, because it must be taken before anything else is done. */
#pragma once

#include "cli/keeper.h"
#include "cli/options.h"
#include "door/tty/registration.h"

#define PASSWORD_MAX WARRANT_PASSWORD_MAX

/* Finds /password:text, --password=text and --password text in argv (NULL-ended, up to `--`),
 * keeps the text and overwrites it there; `*` stays. */
void password_take_from(char **argv);

/* 0 and *ret_fd (owned by the caller; -1 = no password was given), or -1 and *ret_failure. Warns on
 * stderr about a password that stood in argv. */
int password_open(int *ret_fd, const struct arguments *a, struct failure *ret_failure);

/* The same, but into a keeper, where it is wanted; *ret is untouched where there is no password. 0,
 * or -1 and *ret_failure. */
int password_keep(
	struct keeper *ret, bool wanted, const struct arguments *a, struct failure *ret_failure);

void password_forget(void); /* wipes it */
