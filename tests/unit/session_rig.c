#include "session_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "protocol/warrant.h"

#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)

struct rig_terminal rig_terminal(const char *name)
{
	return (struct rig_terminal){
		.name = name,
		.rows = 24,
		.columns = 80,
		.class = CABLE_CLASS_XTERM,
		.colours = 256,
		.history_lines = 500,
	};
}

/* --- the leader ------------------------------------------------------------------------------- */

static void exec_leader(const struct rig *r, int link_fd, int proof_fd)
{
	char path[512];
	char texts[4][16];
	const int fds[3] = { r->runtime_fd, link_fd, proof_fd };
	(void)snprintf(path, sizeof(path), "%s/termserv-leader", getenv("TERMSERV_BIN"));
	for (int i = 0; i < 3; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%d", fds[i]);
		(void)fcntl(fds[i], F_SETFD, 0);
	}
	(void)snprintf(texts[3], sizeof(texts[3]), "%u", (unsigned)geteuid());
	if (r->fds_limit > 0) {
		struct rlimit limit = { r->fds_limit, r->fds_limit };
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
	(void)execl(path, "termserv-leader", "--session", "7", "--runtime-fd", texts[0],
		"--link-fd", texts[1], "--proof-fd", texts[2], "--broker-uid", texts[3],
		(char *)NULL);
	_exit(126);
}

static void send_spec(int proof_fd, const struct spec *spec)
{
	int fd = spec_write(spec);
	assert_true(fd >= 0);
	struct warrant w = {
		.version = WARRANT_VERSION, .use = WARRANT_LOGON, .destination = WARRANT_OWN
	};
	assert_int_equal(warrant_send(proof_fd, &w, fd), 0);
	(void)close(fd);
}

void rig_prepare(struct rig *r)
{
	*r = (struct rig){ .link_fd = -1 };
	(void)snprintf(r->folder, sizeof(r->folder), "/tmp/termserv-test-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	r->runtime_fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->runtime_fd >= 0);
}

static void launch(struct rig *r, const struct spec *spec)
{
	int link[2];
	int proof[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, proof), 0);
	send_spec(proof[0], spec);
	assert_non_null(getenv("TERMSERV_BIN")); /* the folder of the programs; meson sets it */
	r->leader = fork();
	assert_true(r->leader >= 0);
	if (r->leader == 0) {
		exec_leader(r, link[1], proof[1]);
	}
	(void)close(link[1]);
	(void)close(proof[0]);
	(void)close(proof[1]);
	r->link_fd = link[0];
	rig_tell(r, LINK_HELLO, "", "");
}

static void launch_script(struct rig *r, const char *script, uint32_t wait_ms)
{
	char *arguments[] = { "/bin/sh", "-c", (char *)script, NULL };
	char *environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8",
		"SSH_AUTH_SOCK=/nowhere/first", NULL };
	struct spec spec = {
		.header = { .wait_ms = wait_ms, .history_bytes = SPEC_HISTORY_DEFAULT },
		.directory = "/",
		.term = "xterm-256color",
		.arguments = arguments,
		.environment = environment,
	};
	launch(r, &spec);
}

void rig_launch(struct rig *r, const struct spec *spec)
{
	if (spec != NULL) {
		launch(r, spec);
	} else {
		launch_script(r, "read x", 0);
	}
}

void rig_start_spec(struct rig *r, const struct spec *spec)
{
	rig_prepare(r);
	launch(r, spec);
}

void rig_start(struct rig *r, const char *script, uint32_t wait_ms)
{
	rig_prepare(r);
	launch_script(r, script, wait_ms);
}

void rig_stop(struct rig *r)
{
	if (r->link_fd >= 0 && r->ended.header.type == 0) {
		rig_tell(r, LINK_RESET, "", "");
		(void)rig_wait(r, LINK_ENDED);
	}
	int status = -1;
	assert_int_equal(waitpid(r->leader, &status, 0), r->leader);
	assert_true(WIFEXITED(status));
	if (r->ended.error == 0 && !r->host_killed) { /* else its host has something to say */
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	if (r->link_fd >= 0) {
		(void)close(r->link_fd);
	}
	/* One that failed early has made none. */
	assert_true(unlinkat(r->runtime_fd, "sessions", AT_REMOVEDIR) == 0 ||
		    (errno == ENOENT && r->ended.error < 0));
	(void)close(r->runtime_fd);
	assert_int_equal(rmdir(r->folder), 0);
}

/* --- the broker ------------------------------------------------------------------------------- */

void rig_tell(struct rig *r, enum link_type type, const char *terminal, const char *text)
{
	struct link_simple message = link_make(type, ++r->serial);
	link_set_text(message.terminal, terminal);
	link_set_text(message.text, text);
	assert_int_equal(link_send_simple(r->link_fd, &message), 0);
}

/* One packet, or a failed test. */
static union link_packet next_packet(struct rig *r, uint64_t limit, const char *what)
{
	uint64_t now = clock_monotonic_ms();
	struct fd_set_received set = FD_SET_NONE;
	union link_packet packet = { 0 };
	if (now >= limit || fd_wait_readable(r->link_fd, (int)(limit - now)) != 1) {
		fail_msg("waited too long for %s", what);
	}
	int n = link_receive(r->link_fd, &packet, &set);
	if (n != 1) {
		fail_msg("the link ended while waiting for %s: %d", what, n);
	}
	assert_int_equal(set.count, 0);
	if (packet.header.type == LINK_INFO) {
		r->info = packet.info;
		r->infos++;
	} else if (packet.header.type == LINK_ENDED) {
		r->ended = packet.simple;
	}
	return packet;
}

union link_packet rig_wait(struct rig *r, enum link_type type)
{
	char what[64];
	(void)snprintf(what, sizeof(what), "a packet of type %d", (int)type);
	uint64_t limit = clock_monotonic_ms() + RIG_LIMIT_MS;
	for (;;) {
		union link_packet packet = next_packet(r, limit, what);
		if (packet.header.type == type) {
			return packet;
		}
		if (packet.header.type == LINK_ENDED || packet.header.type == LINK_REFUSED) {
			fail_msg("instead of %s: %s", what, packet.simple.text);
		}
	}
}

void rig_next(struct rig *r)
{
	(void)next_packet(r, clock_monotonic_ms() + RIG_LIMIT_MS, "anything");
}

void rig_wait_info(struct rig *r, bool (*good)(const struct link_info *info))
{
	uint64_t limit = clock_monotonic_ms() + RIG_LIMIT_MS;
	while (r->infos == 0 || !good(&r->info)) {
		(void)next_packet(r, limit, "the session's state");
	}
}

static bool runs(const struct link_info *info)
{
	return info->program > 0;
}

pid_t rig_program(struct rig *r)
{
	rig_wait_info(r, runs);
	return (pid_t)r->info.program;
}

int rig_plug_cable(struct rig *r, const char *terminal, int cable_fd)
{
	union link_packet packet = { .simple = link_make(LINK_PLUG, ++r->serial) };
	link_set_text(packet.simple.terminal, terminal);
	link_set_text(packet.simple.client, "192.0.2.7");
	memset(packet.simple.token, 0x5a, sizeof(packet.simple.token));
	assert_int_equal(link_send(r->link_fd, &packet, &cable_fd, 1), 0);
	union link_packet ready = rig_wait(r, LINK_READY);
	assert_int_equal(ready.header.serial, packet.header.serial);
	return ready.simple.error;
}

int rig_plug(struct rig *r, struct door *ret, const struct rig_terminal *t)
{
	int cable_fd;
	door_open(ret, &cable_fd, t);
	int error = rig_plug_cable(r, t->name, cable_fd);
	(void)close(cable_fd);
	return error;
}

int rig_commit(struct rig *r, const char *text)
{
	rig_tell(r, LINK_COMMIT, "", text);
	union link_packet plugged = rig_wait(r, LINK_PLUGGED);
	assert_int_equal(plugged.header.serial, r->serial);
	return plugged.simple.error;
}

void rig_connect(struct rig *r, struct door *ret, const char *terminal)
{
	struct rig_terminal t = rig_terminal(terminal);
	assert_int_equal(rig_plug(r, ret, &t), 0);
	assert_int_equal(rig_commit(r, "taken by a test"), 0);
}

/* --- the door --------------------------------------------------------------------------------- */

static void door_put(struct door *d, enum cable_type type, const void *payload, size_t length)
{
	struct buf out = BUF_INIT(CABLE_PAYLOAD_MAX + sizeof(struct cable_header));
	assert_int_equal(cable_put(&out, type, payload, length), 0);
	for (size_t done = 0; done < out.length;) {
		ssize_t n = send(d->fd, out.data + done, out.length - done, MSG_NOSIGNAL);
		assert_true(n > 0);
		done += (size_t)n;
	}
	buf_done(&out);
}

void door_send(struct door *d, enum cable_type type, const void *payload, size_t length)
{
	door_put(d, type, payload, length);
}

void door_lend(struct door *d, int fd)
{
	struct iovec iov = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	assert_true(d->lease >= 0);
	assert_int_equal(fd_send(d->lease, &iov, 1, &fd, fd >= 0 ? 1 : 0), 1);
}

void door_open(struct door *ret, int *ret_cable_fd, const struct rig_terminal *t)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*ret = (struct door){
		.fd = pair[0],
		.lease = -1,
		.in = BUF_INIT(1024 * 1024),
		.output = BUF_INIT(OUTPUT_MAX),
	};
	struct cable_hello hello = {
		.version = CABLE_VERSION,
		.class = (uint16_t)t->class,
		.colours = t->colours,
		.size = { .rows = t->rows, .columns = t->columns },
		.history_lines = t->history_lines,
		.flags = t->lends ? CABLE_HELLO_LENDS : 0,
		.term = "xterm-256color",
	};
	door_put(ret, CABLE_HELLO, &hello, sizeof(hello));
	door_put(ret, CABLE_CLIENT, t->client, t->client_length);
	*ret_cable_fd = pair[1];
}

void door_close(struct door *d)
{
	if (d->fd >= 0) {
		(void)close(d->fd);
	}
	d->fd = -1;
	auto_close(&d->lease);
	d->lease = -1;
	buf_done(&d->in);
	buf_done(&d->output);
}

void door_type(struct door *d, const char *text)
{
	door_put(d, CABLE_INPUT, text, strlen(text));
}

static void on_frame(struct door *d, const struct cable_frame *frame)
{
	switch (frame->type) {
	case CABLE_WELCOME:
		d->welcome = true;
		break;
	case CABLE_SCREEN:
		assert_true(d->welcome);
		d->screen = true;
		break;
	case CABLE_OUTPUT:
		assert_true(d->screen);
		assert_int_equal(buf_put(&d->output, frame->payload, frame->length), 0);
		break;
	case CABLE_BYE:
		memcpy(&d->bye, frame->payload, sizeof(d->bye));
		d->has_bye = true;
		break;
	default:
		fail_msg("a door was sent a frame of type %d", (int)frame->type);
	}
}

bool door_read(struct door *d, int timeout_ms)
{
	if (d->closed || fd_wait_readable(d->fd, timeout_ms) != 1) {
		return false;
	}
	assert_int_equal(buf_reserve(&d->in, 65536), 0);
	AUTO(fd_set_done) struct fd_set_received set = FD_SET_NONE;
	ssize_t n = fd_receive_now(d->fd, d->in.data + d->in.length, 65536, &set);
	if (set.count > 0) {
		assert_int_equal(d->lease, -1);
		d->lease = TAKE_FD(set.fds[0]);
	}
	if (n <= 0) {
		d->closed = true;
		return true;
	}
	d->in.length += (size_t)n;
	struct cable_frame frame;
	int r;
	while ((r = cable_parse(&d->in, &frame)) == 1) {
		assert_false(d->has_bye);
		on_frame(d, &frame);
		cable_next(&d->in, &frame);
	}
	assert_int_equal(r, 0);
	return true;
}

bool door_has(const struct door *d, const char *text)
{
	return d->output.length > 0 &&
	       memmem(d->output.data, d->output.length, text, strlen(text)) != NULL;
}

void door_wait_text(struct door *d, const char *text)
{
	uint64_t limit = clock_monotonic_ms() + RIG_LIMIT_MS;
	while (!door_has(d, text)) {
		uint64_t now = clock_monotonic_ms();
		if (now >= limit || d->closed || !door_read(d, (int)(limit - now))) {
			fail_msg("waited for \"%s\", has \"%.*s\"", text, (int)d->output.length,
				d->output.data != NULL ? (char *)d->output.data : "");
		}
	}
}

void door_wait_flag(struct door *d, const bool *flag)
{
	uint64_t limit = clock_monotonic_ms() + RIG_LIMIT_MS;
	while (!*flag) {
		uint64_t now = clock_monotonic_ms();
		if (now >= limit || (d->closed && flag != &d->closed) ||
			!door_read(d, (int)(limit - now))) {
			fail_msg("waited for a frame that did not come (bye: %s)", d->bye.text);
		}
	}
}

/* --- processes -------------------------------------------------------------------------------- */

static bool read_stat(pid_t pid, char *ret_state, pid_t *ret_parent)
{
	char path[32];
	char text[2048];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		return false;
	}
	int parent;
	if (sscanf(strrchr(text, ')') + 1, " %c %d", ret_state, &parent) != 2) {
		return false;
	}
	*ret_parent = parent;
	return true;
}

bool rig_alive(pid_t pid)
{
	char state;
	pid_t parent;
	return read_stat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

pid_t rig_parent(pid_t pid)
{
	char state;
	pid_t parent = 0;
	return read_stat(pid, &state, &parent) ? parent : 0;
}
