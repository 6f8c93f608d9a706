#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "broker/auditlog.h"
#include "broker/session.h"
#include "broker/timelimit.h"
#include "broker_rig.h"
#include "config/server_config.h"

#define MIN 60000

/* What is due at `now` (minutes), of a session that came on its terminal at 100, was typed into at
 * 110 and was never warned. */
static void limits_are_judged_by_the_minute(void **state)
{
	static const struct {
		bool on_terminal, warned_active, warned_idle;
		unsigned active, idle, disconnected, now;
		enum timelimit_step step;
		unsigned next;
	} rows[] = {
		/* nothing is limited */
		{ true, false, false, 0, 0, 0, 1000, TIMELIMIT_NOTHING, 0 },
		{ false, false, false, 0, 0, 0, 1000, TIMELIMIT_NOTHING, 0 },
		/* time on a terminal, whatever is typed */
		{ true, false, false, 30, 0, 0, 111, TIMELIMIT_NOTHING, 128 },
		{ true, false, false, 30, 0, 0, 128, TIMELIMIT_WARN_ACTIVE, 130 },
		{ true, true, false, 30, 0, 0, 128, TIMELIMIT_NOTHING, 130 },
		{ true, true, false, 30, 0, 0, 130, TIMELIMIT_ACTIVE, 0 },
		{ true, false, false, 30, 0, 0, 131, TIMELIMIT_ACTIVE, 0 },
		/* nothing typed */
		{ true, false, false, 0, 30, 0, 111, TIMELIMIT_NOTHING, 138 },
		{ true, false, false, 0, 30, 0, 138, TIMELIMIT_WARN_IDLE, 140 },
		{ true, false, true, 0, 30, 0, 139, TIMELIMIT_NOTHING, 140 },
		{ true, false, true, 0, 30, 0, 140, TIMELIMIT_IDLE, 0 },
		/* a short limit warns at its half */
		{ true, false, false, 0, 2, 0, 110, TIMELIMIT_NOTHING, 111 },
		{ true, false, false, 0, 2, 0, 111, TIMELIMIT_WARN_IDLE, 112 },
		/* the end goes before a warning */
		{ true, false, false, 30, 21, 0, 130, TIMELIMIT_ACTIVE, 131 },
		{ true, false, false, 40, 29, 0, 139, TIMELIMIT_IDLE, 140 },
		/* on no terminal, since 120: only that counts, and nobody is warned */
		{ false, false, false, 1, 1, 10, 129, TIMELIMIT_NOTHING, 130 },
		{ false, false, false, 1, 1, 10, 130, TIMELIMIT_DISCONNECTED, 0 },
		{ true, false, false, 0, 0, 10, 500, TIMELIMIT_NOTHING, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct timelimit t = { .connected = 100 * MIN,
			.input = 110 * MIN,
			.disconnected = 120 * MIN,
			.warned_active = rows[i].warned_active,
			.warned_idle = rows[i].warned_idle };
		const struct timelimit_facts f = { .on_terminal = rows[i].on_terminal,
			.active_ms = rows[i].active * MIN,
			.idle_ms = rows[i].idle * MIN,
			.disconnected_ms = rows[i].disconnected * MIN,
			.warning_ms = TIMELIMIT_WARNING_MINUTES * MIN };
		uint64_t next = 7;
		enum timelimit_step step = timelimit_judge(&t, &f, rows[i].now * MIN, &next);
		if (step != rows[i].step || next != rows[i].next * (uint64_t)MIN) {
			fail_msg("row %zu: step %d, next %g", i, (int)step, (double)next / MIN);
		}
	}
}

#define CONFIG "[listener tty]\n"
#define MINUTE_MS 500 /* takes so long here: two of them are between a warning and its end */

/* On its terminal, or on none, from this moment on. */
static struct rig_leader session(
	struct rig *r, uint32_t id, const char *terminal, const char *listener)
{
	r->broker->limits.minute_ms = 1 << 30; /* what the rig's leader says at first is old */
	struct rig_leader l = rig_session(r, id, terminal);
	l.info.connected = l.info.disconnected = l.info.created = clock_now();
	strcpy(l.info.listener, listener);
	rig_leader_says(&l);
	rig_settle(r);
	r->broker->limits.minute_ms = MINUTE_MS;
	timelimit_look(r->broker);
	return l;
}

static json_t *records(struct rig *r)
{
	return auditlog_read(r->broker->auditlog, 10, NULL, NULL);
}

static void an_idle_session_is_warned_then_taken_off_its_terminal(void **state)
{
	struct rig r;
	if (!rig_start_system(&r, NULL, CONFIG "idle-limit = 4\n")) {
		skip();
	}
	struct rig_leader l = session(&r, 5, "TERM01", "tty");
	struct link_simple notice = rig_leader_gets(&l, LINK_NOTICE);
	assert_int_equal(notice.reason, LINK_REASON_IDLE_LIMIT);
	assert_string_equal(notice.text, "Session 5 will be disconnected in 2 minutes unless you "
					 "press a key.");
	l.info.last_input = clock_now(); /* a key */
	rig_leader_says(&l);
	uint64_t typed = clock_monotonic_ms();
	(void)rig_leader_gets(&l, LINK_NOTICE); /* warned anew, not ended */
	struct link_simple unplug = rig_leader_gets(&l, LINK_UNPLUG);
	assert_true(clock_monotonic_ms() - typed >= 3 * MINUTE_MS);
	assert_int_equal(unplug.reason, LINK_REASON_IDLE_LIMIT);
	assert_string_equal(unplug.terminal, "TERM01");
	assert_string_equal(
		unplug.text, "Session 5 was disconnected: nothing was typed for 4 minutes.");
	rig_settle(&r);
	AUTO(json) json_t *all = records(&r);
	assert_int_equal(json_array_size(all), 1);
	const json_t *record = json_array_get(all, 0);
	assert_string_equal(json_string_value(json_object_get(record, "event")), "IdleLimit");
	assert_int_equal(json_integer_value(json_object_get(record, "session")), 5);
	rig_leader_dies(&l);
	rig_stop(&r);
}

static void typing_does_not_stop_the_time_on_a_terminal(void **state)
{
	struct rig r;
	if (!rig_start_system(&r, NULL, CONFIG "active-limit = 4\nlimit-action = end\n")) {
		skip();
	}
	struct rig_leader l = session(&r, 5, "TERM01", "tty");
	struct link_simple notice = rig_leader_gets(&l, LINK_NOTICE);
	assert_string_equal(notice.text, "Session 5 will be ended in 2 minutes: its time on a "
					 "terminal is over.");
	l.info.last_input = clock_now();
	rig_leader_says(&l);
	struct link_simple logoff = rig_leader_gets(&l, LINK_LOGOFF);
	assert_int_equal(logoff.reason, LINK_REASON_ACTIVE_LIMIT);
	rig_leader_dies(&l);
	rig_stop(&r);
}

static void a_session_on_no_terminal_is_ended_in_time(void **state)
{
	struct rig r;
	if (!rig_start_system(&r, NULL, CONFIG "disconnected-limit = 3\n")) {
		skip();
	}
	struct rig_leader kept = session(&r, 5, "TERM01", "tty");
	struct rig_leader l = session(&r, 6, "", "tty");
	struct link_simple logoff = rig_leader_gets(&l, LINK_LOGOFF);
	assert_string_equal(
		logoff.text, "Session 6 was ended: it was on no terminal for 3 minutes.");
	assert_true(rig_leader_gets_nothing(&kept));
	rig_leader_dies(&l);
	rig_leader_dies(&kept);
	rig_stop(&r);
}

static void the_console_and_other_listeners_know_no_limit(void **state)
{
	struct rig r;
	if (!rig_start_system(&r, NULL, CONFIG "idle-limit = 3\n[console]\nuser = root\n")) {
		skip();
	}
	struct rig_leader console = session(&r, 5, "console", "tty");
	struct rig_leader ssh = session(&r, 6, "TERM02", "ssh");
	struct rig_leader l = session(&r, 7, "TERM01", "tty");
	(void)rig_leader_gets(&l, LINK_NOTICE); /* the limit holds */
	(void)rig_leader_gets(&l, LINK_UNPLUG);
	assert_true(rig_leader_gets_nothing(&console));
	assert_true(rig_leader_gets_nothing(&ssh));
	rig_leader_dies(&l);
	rig_leader_dies(&ssh);
	rig_leader_dies(&console);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_judged_by_the_minute),
		cmocka_unit_test(an_idle_session_is_warned_then_taken_off_its_terminal),
		cmocka_unit_test(typing_does_not_stop_the_time_on_a_terminal),
		cmocka_unit_test(a_session_on_no_terminal_is_ended_in_time),
		cmocka_unit_test(the_console_and_other_listeners_know_no_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
