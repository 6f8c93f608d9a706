#include "leader/pam.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define LIBRARY "libpam.so.0"
#define MESSAGES_MAX 32 /* of one prompt, as the library has it */

/* What the library is called with: numbers of its binary interface, so that no header of it is
 * needed to build us. */
enum {
	RESULT_SUCCESS = 0,
	RESULT_BUF_ERR = 5,
	RESULT_CONV_ERR = 19,
	PROMPT_HIDDEN = 1,
	PROMPT_SHOWN = 2,
	TEXT_ERROR = 3,
	TEXT_INFO = 4,
	ITEM_USER = 2,
	ITEM_TTY = 3,
	ITEM_RHOST = 4,
	ITEM_RUSER = 8,
	NO_EMPTY_PASSWORD = 0x1,
	CREDENTIALS_ESTABLISH = 0x2,
	CREDENTIALS_DELETE = 0x4,
	SILENT = 0x8000,
};

struct message {
	int style;
	const char *text;
};

struct response {
	char *text; /* the module frees it */
	int zero;
};

struct conversation {
	int (*converse)(
		int count, const struct message **messages, struct response **ret, void *user);
	void *user;
};

struct handle;

struct library {
	int (*start)(const char *service, const char *user, const struct conversation *c,
		struct handle **ret);
	int (*end)(struct handle *h, int result);
	int (*set_item)(struct handle *h, int item, const void *value);
	int (*get_item)(const struct handle *h, int item, const void **ret);
	int (*authenticate)(struct handle *h, int flags);
	int (*acct_mgmt)(struct handle *h, int flags);
	int (*setcred)(struct handle *h, int flags);
	int (*open_session)(struct handle *h, int flags);
	int (*close_session)(struct handle *h, int flags);
	char **(*getenvlist)(struct handle *h);
};

struct pam_login {
	struct library library;
	struct conversation conversation;
	struct handle *handle;
	int result;
	bool credentials, session;
};

/* 0 or -ENOPKG. It stays loaded: modules do not like to be unloaded. */
static int load(struct library *ret)
{
	void *file = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (file == NULL) {
		log_error("%s", dlerror());
		return -ENOPKG;
	}
	struct library l;
	const struct {
		void *place;
		const char *name;
	} symbols[] = {
		{ &l.start, "pam_start" },
		{ &l.end, "pam_end" },
		{ &l.set_item, "pam_set_item" },
		{ &l.get_item, "pam_get_item" },
		{ &l.authenticate, "pam_authenticate" },
		{ &l.acct_mgmt, "pam_acct_mgmt" },
		{ &l.setcred, "pam_setcred" },
		{ &l.open_session, "pam_open_session" },
		{ &l.close_session, "pam_close_session" },
		{ &l.getenvlist, "pam_getenvlist" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *found = dlsym(file, symbols[i].name);
		if (found == NULL) {
			log_error("%s has no %s", LIBRARY, symbols[i].name);
			return -ENOPKG;
		}
		memcpy(symbols[i].place, &found, sizeof(found));
	}
	*ret = l;
	return 0;
}

/* --- the conversation ------------------------------------------------------------------------- */

static void forget(struct response *responses, int count)
{
	for (int i = 0; responses != NULL && i < count; i++) {
		if (responses[i].text != NULL) {
			explicit_bzero(responses[i].text, strlen(responses[i].text));
			free(responses[i].text);
		}
	}
	free(responses);
}

/* The password to the first hidden prompt (a pointer to it is `user`, and NULL once it was given);
 * every other question fails. What a module has to say reaches nobody's terminal. */
static int converse(int count, const struct message **messages, struct response **ret, void *user)
{
	const char **password = user;
	if (count < 1 || count > MESSAGES_MAX) {
		return RESULT_CONV_ERR;
	}
	struct response *responses = calloc((size_t)count, sizeof(*responses));
	if (responses == NULL) {
		return RESULT_BUF_ERR;
	}
	int result = RESULT_SUCCESS;
	for (int i = 0; i < count && result == RESULT_SUCCESS; i++) {
		int style = messages[i]->style;
		if (style == PROMPT_HIDDEN && *password != NULL) {
			responses[i].text = strdup(*password);
			*password = NULL;
			result = responses[i].text != NULL ? RESULT_SUCCESS : RESULT_BUF_ERR;
		} else if (style != TEXT_ERROR && style != TEXT_INFO) {
			result = RESULT_CONV_ERR;
		}
	}
	if (result != RESULT_SUCCESS) {
		forget(responses, count);
		return result;
	}
	*ret = responses;
	return RESULT_SUCCESS;
}

/* --- a handle --------------------------------------------------------------------------------- */

/* `password` must live as long as the handle and may point to NULL. */
static int begin(struct pam_login *p, const struct pam_who *who, const char **password)
{
	int r = load(&p->library);
	if (r < 0) {
		return r;
	}
	const struct library *l = &p->library;
	p->conversation = (struct conversation){ converse, password };
	p->result = l->start(PAM_SERVICE_NAME, who->user, &p->conversation, &p->handle);
	if (p->result != RESULT_SUCCESS || p->handle == NULL) {
		p->handle = NULL;
		return -EIO;
	}
	/* What is not known is said to be empty: some modules take no item at all for a local
	 * console.
	 */
	if (l->set_item(p->handle, ITEM_TTY, who->tty[0] != '\0' ? who->tty : PAM_SERVICE_NAME) !=
			RESULT_SUCCESS ||
		l->set_item(p->handle, ITEM_RHOST, who->from) != RESULT_SUCCESS ||
		l->set_item(p->handle, ITEM_RUSER, who->by) != RESULT_SUCCESS) {
		return -ENOMEM;
	}
	return 0;
}

static void end(struct pam_login *p)
{
	if (p->handle != NULL) {
		(void)p->library.end(p->handle, p->result);
		p->handle = NULL;
	}
}

/* A module may have mapped the user to another one, who was not asked for. */
static bool is_still(const struct pam_login *p, const char *user)
{
	const void *name = NULL;
	return p->library.get_item(p->handle, ITEM_USER, &name) == RESULT_SUCCESS && name != NULL &&
	       strcmp(name, user) == 0;
}

int pam_check(const struct pam_who *who, const char *password)
{
	struct pam_login p = { 0 };
	int r = begin(&p, who, &password);
	if (r == 0) {
		p.result = p.library.authenticate(p.handle, SILENT | NO_EMPTY_PASSWORD);
		r = p.result == RESULT_SUCCESS && is_still(&p, who->user) ? 0 : -EKEYREJECTED;
	}
	if (r == 0) {
		p.result = p.library.acct_mgmt(p.handle, SILENT | NO_EMPTY_PASSWORD);
		r = p.result == RESULT_SUCCESS && is_still(&p, who->user) ? 0 : -EKEYREVOKED;
	}
	end(&p);
	return r;
}

/* --- the session ------------------------------------------------------------------------------ */

static void get_limits(struct rlimit *limits)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		(void)getrlimit((__rlimit_resource_t)i, &limits[i]);
	}
}

static int take_variables(struct pam_login *p, struct login *login)
{
	char **list = p->library.getenvlist(p->handle);
	int r = 0;
	for (char **v = list; v != NULL && *v != NULL; v++) {
		if (r == 0 && strchr(*v, '=') != NULL) {
			r = login_add(login, *v);
		}
		free(*v);
	}
	free(list);
	return r;
}

/* The groups that are ours now are the session's: a module may have added some. */
static int take_groups(struct account *account)
{
	int count = getgroups(0, NULL);
	gid_t *groups = count >= 0 ? malloc(((size_t)count + 1) * sizeof(*groups)) : NULL;
	if (groups == NULL) {
		return count < 0 ? -errno : -ENOMEM;
	}
	count = getgroups(count, groups);
	if (count < 0) {
		int error = -errno;
		free(groups);
		return error;
	}
	free(account->groups);
	account->groups = groups;
	account->group_count = (size_t)count;
	return 0;
}

/* The steps up to an open session. */
static int open_steps(struct pam_login *p, const struct account *account)
{
	const struct library *l = &p->library;
	p->result = l->acct_mgmt(p->handle, SILENT);
	if (p->result != RESULT_SUCCESS || !is_still(p, account->name)) {
		return -EKEYREVOKED;
	}
	if (setgroups(account->group_count, account->groups) < 0) {
		return -errno;
	}
	p->result = l->setcred(p->handle, CREDENTIALS_ESTABLISH | SILENT);
	if (p->result != RESULT_SUCCESS) {
		return -EPERM;
	}
	p->credentials = true;
	p->result = l->open_session(p->handle, SILENT);
	if (p->result != RESULT_SUCCESS) {
		return -EPERM;
	}
	p->session = true;
	return 0;
}

int pam_login_open(struct pam_login **ret, const struct pam_who *who, struct account *account,
	struct login *login)
{
	static const char *no_password = NULL;
	struct pam_login *p = calloc(1, sizeof(*p));
	if (p == NULL) {
		return -ENOMEM;
	}
	struct rlimit ours[RLIM_NLIMITS];
	get_limits(ours);
	mode_t mask = umask(022); /* what a login has where no module says otherwise */
	int r = begin(p, who, &no_password);
	if (r == 0) {
		r = open_steps(p, account);
	}
	if (r == 0) {
		r = take_variables(p, login);
	}
	if (r == 0) {
		r = take_groups(account);
	}
	get_limits(login->limits);
	login->mask = umask(mask);
	login->limited = true;
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		(void)setrlimit((__rlimit_resource_t)i, &ours[i]);
	}
	if (r < 0) {
		(void)pam_login_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct pam_login *pam_login_close(struct pam_login *p)
{
	if (p == NULL) {
		return NULL;
	}
	if (p->session) {
		p->result = p->library.close_session(p->handle, SILENT);
	}
	if (p->credentials) {
		p->result = p->library.setcred(p->handle, CREDENTIALS_DELETE | SILENT);
	}
	end(p);
	free(p);
	return NULL;
}
