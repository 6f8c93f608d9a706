/* The machine's own rules for who may log on (PAM). The library is loaded in system mode alone, by
 * name, so that a user's own server does without it.
 *
 * Always holds: whatever is not a clear yes is a no; nothing but a password is ever answered to a
 * module, and that once. */
#pragma once

#include "leader/login.h"

#define PAM_SERVICE_NAME "termserv"

/* Texts are borrowed; none is NULL. */
struct pam_who {
	const char *user;
	const char *by;	  /* who asks: a user's name */
	const char *from; /* his client's address; may be empty */
	const char *tty;  /* may be empty */
};

/* Is this the user's password, and may he log on? Blocks as long as the modules like: to be called
 * in a process that can be killed. 0, -EKEYREJECTED (unknown user, wrong password), -EKEYREVOKED
 * (the account may not), -ENOPKG (there is no libpam.so.0), or -errno. */
int pam_check(const struct pam_who *who, const char *password);

/* An open login session: opened and closed by the same process. NULL = none. */
struct pam_login;

/* Opens it for login->account: may he log on (nobody's password is checked here), his credentials,
 * the session. His variables, limits and umask are put into `login`, his groups into `account`;
 * ours are afterwards as they were, but for the groups. 0, -EKEYREVOKED, -ENOPKG, -EPERM (a module
 * refuses the session), or -errno. */
int pam_login_open(struct pam_login **ret, const struct pam_who *who, struct account *account,
	struct login *login);
struct pam_login *pam_login_close(struct pam_login *p); /* NULL is fine; returns NULL */
