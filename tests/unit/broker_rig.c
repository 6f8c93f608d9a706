#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/runtime.h"
#include "broker/leader_link.h"
#include "broker/session.h"
#include "broker/terminal.h"
#include "broker_rig.h"
#include "config/server_config.h"

#define PATIENCE_MS 30000

static int user_of_name(void *context, const char *name, uint32_t *ret_uid)
{
	for (size_t i = 0; i < ARRAY_SIZE(rig_users); i++) {
		if (strcmp(rig_users[i].name, name) == 0) {
			*ret_uid = rig_users[i].uid;
			return 0;
		}
	}
	return -ENOENT;
}

static int no_group(void *context, const char *name, uint32_t *ret_gid)
{
	return -ENOENT;
}

static const struct config_names names = { .user = user_of_name, .group = no_group };

static void complain(void *user, const char *file, unsigned line, const char *text)
{
	fail_msg("%s:%u: %s", file, line, text);
}

static void start_broker(struct rig *r, const struct limits *limits)
{
	static const struct limits usual = LIMITS_DEFAULT;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fd_set_nonblocking(pair[0], true), 0);
	r->parent_fd = pair[0];
	int control = fd_listen_at(r->runtime_fd, "control", SOCK_STREAM, 0600);
	assert_true(control >= 0);
	if (r->mode == POLICY_SYSTEM_MODE) {
		assert_int_equal(fchmodat(r->runtime_fd, "control", 0666, 0), 0);
	}
	int runtime = fcntl(r->runtime_fd, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(
		broker_new(&r->broker, &(struct broker_setup){ .mode = r->mode,
					       .runtime_fd = runtime,
					       .state_fd = -1,
					       .log_fd = -1,
					       .limits = limits != NULL ? limits : &usual }),
		0);
	if (r->config != NULL) {
		assert_int_equal(server_config_parse(r->broker->config, "test", r->config, &names,
					 complain, NULL),
			0);
	}
	assert_true(broker_start(r->broker, control, pair[1]) >= 0);
}

void rig_start(struct rig *r, const struct limits *limits)
{
	*r = (struct rig){ .folder = "/tmp/broker-rig-XXXXXX" };
	assert_non_null(mkdtemp(r->folder));
	r->runtime_fd = runtime_open(r->folder, false);
	assert_true(r->runtime_fd >= 0);
	start_broker(r, limits);
}

bool rig_start_system(struct rig *r, const struct limits *limits, const char *config)
{
	*r = (struct rig){ .folder = "/tmp/broker-rig-XXXXXX",
		.mode = POLICY_SYSTEM_MODE,
		.config = config,
		.runtime_fd = -1,
		.parent_fd = -1 };
	if (geteuid() != 0) {
		return false;
	}
	assert_non_null(mkdtemp(r->folder));
	assert_int_equal(chmod(r->folder, 0755), 0);
	r->runtime_fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->runtime_fd >= 0);
	assert_int_equal(mkdirat(r->runtime_fd, "sessions", 0700), 0);
	start_broker(r, limits);
	return true;
}

void rig_restart(struct rig *r)
{
	struct limits limits = r->broker->limits;
	r->broker = broker_free(r->broker);
	(void)close(r->parent_fd);
	start_broker(r, &limits);
}

void rig_stop(struct rig *r)
{
	char command[128];
	r->broker = broker_free(r->broker); /* may be gone already */
	(void)close(r->parent_fd);
	(void)close(r->runtime_fd);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", r->folder);
	assert_int_equal(system(command), 0);
}

void rig_end(struct rig *r)
{
	if (r->broker != NULL) {
		assert_true(TAILQ_EMPTY(&r->broker->operations));
		assert_true(TAILQ_EMPTY(&r->broker->inquiries));
		assert_true(TAILQ_EMPTY(&r->broker->lookups));
		rig_stop(r);
	}
}

void rig_turn(struct rig *r)
{
	assert_true(sd_event_run(r->broker->event, 5000) >= 0);
}

void rig_settle(struct rig *r)
{
	while (sd_event_run(r->broker->event, 0) > 0) {
	}
}

/* The test runs in a session of its own, with a pty as its controlling tty. */
uint64_t rig_own_tty(void)
{
	static uint64_t device;
	if (device == 0) {
		int master, slave;
		struct stat st;
		assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
		/* A session's leader (a test runner makes us one) has what we want already. */
		if (getsid(0) != getpid() && setsid() < 0) {
			/* A group's leader may not: let the group have another one. */
			pid_t pid = fork();
			assert_true(pid >= 0);
			if (pid == 0) {
				(void)setpgid(0, 0);
				(void)pause();
				_exit(0);
			}
			(void)setpgid(pid, pid);
			assert_int_equal(setpgid(0, pid), 0);
			assert_true(setsid() > 0);
			assert_int_equal(kill(pid, SIGKILL), 0);
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		}
		assert_int_equal(ioctl(slave, TIOCSCTTY, 0), 0);
		assert_int_equal(fstat(slave, &st), 0);
		device = (uint64_t)st.st_rdev;
	}
	return device;
}

static bool patient(uint64_t since)
{
	return clock_monotonic_ms() - since < PATIENCE_MS;
}

static _Noreturn void give_up(const char *why)
{
	fail_msg("%s", why);
	abort();
}

static union link_packet next_packet(struct rig_leader *l, int *ret_fd)
{
	uint64_t since = clock_monotonic_ms();
	while (patient(since)) {
		union link_packet packet;
		AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
		int r = link_receive(l->fd, &packet, &set);
		if (r == 1) {
			if (ret_fd != NULL) {
				assert_int_equal(set.count, 1);
				*ret_fd = TAKE_FD(set.fds[0]);
			}
			return packet;
		}
		assert_int_equal(r, -EAGAIN);
		rig_turn(l->rig);
	}
	give_up("no packet came");
}

struct link_simple rig_leader_gets_fd(struct rig_leader *l, enum link_type type, int *ret_fd)
{
	union link_packet packet = next_packet(l, ret_fd);
	assert_int_equal(packet.header.type, type);
	return packet.simple;
}

struct link_simple rig_leader_gets(struct rig_leader *l, enum link_type type)
{
	return rig_leader_gets_fd(l, type, NULL);
}

bool rig_leader_gets_nothing(struct rig_leader *l)
{
	union link_packet packet;
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	rig_settle(l->rig);
	return link_receive(l->fd, &packet, &set) == -EAGAIN;
}

struct rig_leader rig_session(struct rig *r, uint32_t id, const char *terminal)
{
	return rig_session_of(r, geteuid(), id, terminal);
}

struct rig_leader rig_session_of(struct rig *r, uid_t owner, uint32_t id, const char *terminal)
{
	int pair[2];
	struct session *s = NULL;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(session_new(&s, r->broker, id), 0);
	assert_int_equal(leader_link_new(&s->link, s, pair[0]), 0);
	struct rig_leader l = { .rig = r, .fd = pair[1] };
	l.info = (struct link_info){
		.header = { LINK_VERSION, LINK_INFO, 0 },
		.session = id,
		.uid = owner,
		.created = 1000000 + id,
		.program = 4242,
		.rows = 24,
		.columns = 80,
		.tty_device = 0x880000 + id,
	};
	link_set_text(l.info.command, "bash");
	link_set_text(l.info.listener, "tty");
	(void)rig_leader_gets(&l, LINK_HELLO);
	rig_leader_moves(&l, terminal);
	return l;
}

void rig_leader_says(struct rig_leader *l)
{
	union link_packet packet = { .info = l->info };
	assert_int_equal(link_send(l->fd, &packet, NULL, 0), 0);
	rig_settle(l->rig);
}

void rig_leader_moves(struct rig_leader *l, const char *terminal)
{
	static uint64_t clock;
	link_set_text(l->info.terminal, terminal);
	l->info.state = terminal[0] != '\0' ? SESSION_ACTIVE : SESSION_DISCONNECTED;
	if (terminal[0] != '\0') {
		l->info.connected = 2000000 + ++clock;
	} else {
		l->info.disconnected = 2000000 + ++clock;
	}
	rig_leader_says(l);
}

void rig_leader_sends(struct rig_leader *l, enum link_type type, uint32_t serial, int error)
{
	struct link_simple packet = link_make(type, serial);
	packet.error = error;
	assert_int_equal(link_send_simple(l->fd, &packet), 0);
	rig_settle(l->rig);
}

void rig_leader_dies(struct rig_leader *l)
{
	(void)close(TAKE_FD(l->fd));
	rig_settle(l->rig);
}

struct rig_peer rig_caller(struct rig *r)
{
	return rig_caller_as(r, geteuid());
}

/* By its path: the folders of /proc are closed to who has changed his uid. */
static int connect_as(const struct rig *r, uid_t uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", r->folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	uid_t own = geteuid();
	/* The kernel keeps who connected. */
	assert_int_equal(seteuid(uid), 0);
	int failed = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	assert_int_equal(seteuid(own), 0);
	assert_int_equal(failed, 0);
	return fd;
}

struct rig_peer rig_caller_as(struct rig *r, uid_t uid)
{
	struct rig_peer p = { .rig = r };
	assert_int_equal(varlink_new(&p.v, connect_as(r, uid), VARLINK_REPLY_MAX), 0);
	return p;
}

void rig_leave(struct rig_peer *p)
{
	p->v = varlink_free(p->v);
	rig_settle(p->rig);
}

void rig_ask_full(struct rig_peer *p, const char *method, json_t *parameters, bool more, int fd)
{
	char name[96];
	(void)snprintf(name, sizeof(name), "%s%s",
		strchr(method, '.') != NULL ? "" : CONTROL_INTERFACE ".", method);
	assert_int_equal(
		varlink_send_call(p->v, name, parameters != NULL ? parameters : json_object(), more,
			&fd, fd >= 0 ? 1 : 0),
		0);
	rig_settle(p->rig);
}

void rig_ask(struct rig_peer *p, const char *method, json_t *parameters)
{
	rig_ask_full(p, method, parameters, false, -1);
}

/* 1 = *ret, 0 = the broker hung up, -EAGAIN. */
static int poll_message(struct rig_peer *p, json_t **ret)
{
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	int r = varlink_next(p->v, ret, &set);
	assert_true(r >= 0);
	if (r > 0) {
		return 1;
	}
	r = varlink_read(p->v);
	if (r <= 0) {
		return r;
	}
	r = varlink_next(p->v, ret, &set);
	assert_true(r >= 0);
	return r > 0 ? 1 : -EAGAIN;
}

json_t *rig_message(struct rig_peer *p)
{
	uint64_t since = clock_monotonic_ms();
	while (patient(since)) {
		json_t *message = NULL;
		int r = poll_message(p, &message);
		if (r == 1) {
			return message;
		}
		assert_int_equal(r, -EAGAIN);
		rig_turn(p->rig);
	}
	give_up("no answer came");
}

json_t *rig_answer(struct rig_peer *p)
{
	json_t *message = rig_message(p);
	const char *error = json_string_value(json_object_get(message, "error"));
	if (error != NULL) {
		fail_msg("%s: %s", error,
			json_string_value(json_object_get(
				json_object_get(message, "parameters"), "message")));
	}
	json_t *parameters = json_incref(json_object_get(message, "parameters"));
	json_decref(message);
	return parameters;
}

int rig_refusal(struct rig_peer *p)
{
	AUTO(json) json_t *message = rig_message(p);
	json_t *parameters = json_object_get(message, "parameters");
	if (json_object_get(message, "error") == NULL) {
		return 0;
	}
	const char *text = json_string_value(json_object_get(parameters, "message"));
	assert_non_null(text);
	assert_true(strlen(text) > 10);
	return (int)json_integer_value(json_object_get(parameters, "code"));
}

json_t *rig_call(struct rig *r, const char *method, json_t *parameters)
{
	struct rig_peer p = rig_caller(r);
	rig_ask(&p, method, parameters);
	json_t *answer = rig_answer(&p);
	rig_leave(&p);
	return answer;
}

int rig_call_code(struct rig *r, const char *method, json_t *parameters)
{
	struct rig_peer p = rig_caller(r);
	rig_ask(&p, method, parameters);
	int code = rig_refusal(&p);
	rig_leave(&p);
	return code;
}

bool rig_silent(struct rig_peer *p)
{
	rig_settle(p->rig);
	json_t *message = NULL;
	int r = poll_message(p, &message);
	json_decref(message);
	return r == -EAGAIN;
}

bool rig_closed(struct rig_peer *p)
{
	uint64_t since = clock_monotonic_ms();
	while (patient(since)) {
		json_t *message = NULL;
		int r = poll_message(p, &message);
		json_decref(message);
		if (r == 0) {
			return true;
		}
		rig_turn(p->rig);
	}
	return false;
}

static struct rig_door open_door(struct rig *r, uid_t uid, const char *name, const char *secret)
{
	struct rig_door d = { .peer = rig_caller_as(r, uid), .uid = uid };
	json_t *parameters = json_pack("{s:s?, s:b, s:s, s:s, s:i, s:i, s:s?}", "name", name,
		"fixed", name != NULL, "kind", "tty", "term", "xterm", "rows", 24, "columns", 80,
		"secret", secret);
	rig_ask_full(&d.peer, "OpenTerminal", parameters, true, -1);
	AUTO(json) json_t *ready = rig_answer(&d.peer);
	assert_string_equal(json_string_value(json_object_get(ready, "event")), "ready");
	link_set_text(d.name, json_string_value(json_object_get(ready, "terminal")));
	(void)snprintf(d.secret, sizeof(d.secret), "%s",
		json_string_value(json_object_get(ready, "secret")));
	return d;
}

struct rig_door rig_door(struct rig *r, const char *name)
{
	return open_door(r, geteuid(), name, NULL);
}

struct rig_door rig_door_as(struct rig *r, uid_t uid, const char *name)
{
	return open_door(r, uid, name, NULL);
}

struct rig_door rig_door_back(struct rig *r, struct rig_leader *l, const char *name)
{
	char secret[TERMINAL_SECRET_TEXT_SIZE];
	memset(l->info.token, (int)l->info.session, sizeof(l->info.token));
	rig_leader_says(l);
	terminal_secret_text(secret, l->info.token);
	struct rig_door d = open_door(r, geteuid(), name, secret);
	assert_string_equal(d.name, name);
	assert_string_equal(d.secret, secret);
	return d;
}

void rig_door_waits_for_cable(struct rig_door *d)
{
	AUTO(json) json_t *event = rig_answer(&d->peer);
	assert_string_equal(json_string_value(json_object_get(event, "event")), "cable");
	assert_string_equal(json_string_value(json_object_get(event, "terminal")), d->name);
	d->ticket = json_integer_value(json_object_get(event, "ticket"));
	assert_true(d->ticket > 0);
}

int rig_door_gives(struct rig_door *d)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct rig_peer p = rig_caller_as(d->peer.rig, d->uid);
	rig_ask_full(&p, "GiveCable",
		json_pack("{s:s, s:s, s:I, s:i}", "terminal", d->name, "secret", d->secret,
			"ticket", (json_int_t)d->ticket, "cable", 0),
		false, pair[1]);
	int code = rig_refusal(&p);
	rig_leave(&p);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return code;
}

struct rig_asking rig_ask_connect(
	struct rig *r, uid_t uid, const char *session, const char *destination, enum rig_with with)
{
	struct rig_asking a = { .peer = rig_caller_as(r, uid), .warrant_fd = -1 };
	json_t *parameters = json_pack(
		"{s:s?, s:s?}", "session", session, "destination", destination);
	int pair[2] = { -1, -1 };
	if (with != RIG_NO_WARRANT) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		(void)json_object_set_new(parameters, "warrant", json_integer(0));
		(void)json_object_set_new(
			parameters, "password", json_boolean(with == RIG_PASSWORD));
	}
	rig_ask_full(&a.peer, "Connect", parameters, false, pair[1]);
	if (pair[1] >= 0) {
		(void)close(pair[1]);
	}
	a.warrant_fd = pair[0];
	return a;
}

void rig_asking_done(struct rig_asking *a)
{
	rig_leave(&a->peer);
	if (a->warrant_fd >= 0) {
		(void)close(TAKE_FD(a->warrant_fd));
	}
}

struct link_simple rig_leader_warrants(struct rig_leader *l, int error)
{
	AUTO_FD int warrant = -1;
	struct link_simple packet = rig_leader_gets_fd(l, LINK_WARRANT, &warrant);
	assert_true(warrant >= 0);
	rig_leader_sends(l, LINK_WARRANTED, packet.header.serial, error);
	return packet;
}

struct link_simple rig_connect_noticed(
	struct rig_asking *a, struct rig_leader *l, struct rig_door *d, const char *notice)
{
	rig_door_waits_for_cable(d);
	assert_int_equal(rig_door_gives(d), 0);
	AUTO_FD int cable = -1;
	struct link_simple plug = rig_leader_gets_fd(l, LINK_PLUG, &cable);
	rig_leader_sends(l, LINK_READY, plug.header.serial, 0);
	assert_int_equal(rig_refusal(&a->peer), 0);
	if (notice != NULL) {
		struct link_simple told = rig_leader_gets(l, LINK_NOTICE);
		assert_non_null(strstr(told.text, notice));
		assert_int_equal(told.flags, 0);
	}
	struct link_simple commit = rig_leader_gets(l, LINK_COMMIT);
	rig_leader_sends(l, LINK_PLUGGED, commit.header.serial, 0);
	rig_leader_moves(l, d->name);
	return commit;
}

struct link_simple rig_connect_done(struct rig_asking *a, struct rig_leader *l, struct rig_door *d)
{
	return rig_connect_noticed(a, l, d, NULL);
}
