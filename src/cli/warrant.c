#include "cli/warrant.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/password.h"
#include "protocol/error.h"

int warrant_maker_init(struct warrant_maker *ret, bool system, const struct arguments *a,
	struct failure *ret_failure)
{
	struct warrant_maker m = WARRANT_MAKER_NONE;
	m.system = system;
	int r = password_keep(&m.keeper, system, a, ret_failure);
	if (r < 0) {
		return -1;
	}
	*ret = m;
	return 0;
}

void warrant_maker_done(struct warrant_maker *m)
{
	keeper_stop(&m->keeper);
	auto_close(&m->near_fd);
	*m = WARRANT_MAKER_NONE;
}

struct warrant warrant_to_connect(const char *session, const char *terminal)
{
	struct warrant w = {
		.version = WARRANT_VERSION,
		.use = WARRANT_CONNECT,
		.destination = terminal != NULL ? WARRANT_NAMED : WARRANT_OWN,
	};
	/* The session 0 is the one on the console, and its own ID is another. */
	bool console = session != NULL && strcmp(session, "0") == 0;
	link_set_text(w.session, console ? "console" : session != NULL ? session : "");
	link_set_text(w.terminal, terminal != NULL ? terminal : "");
	return w;
}

int warrant_make(struct warrant_maker *m, const struct warrant *w, int spec_fd)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	AUTO_FD int near = pair[0];
	AUTO_FD int far = pair[1];
	int r = warrant_want_credentials(near);
	r = r < 0 ? r : warrant_send(near, w, spec_fd);
	if (r == 0 && m->keeper.pid > 0) {
		r = keeper_watch(&m->keeper, TAKE_FD(near));
	}
	if (r < 0) {
		return r;
	}
	auto_close(&m->near_fd);
	m->near_fd = TAKE_FD(near);
	return TAKE_FD(far);
}

int warrant_add(struct warrant_maker *m, const struct warrant *w, json_t *parameters, int *ret_fd)
{
	if (!m->system) {
		*ret_fd = -1;
		return 0;
	}
	int fd = warrant_make(m, w, -1);
	if (fd < 0) {
		return fd;
	}
	if (json_object_set_new(parameters, "warrant", json_integer(0)) < 0 ||
		json_object_set_new(parameters, "password", json_boolean(m->keeper.pid > 0)) < 0) {
		(void)close(fd);
		return -ENOMEM;
	}
	*ret_fd = fd;
	return 0;
}
