/* A viewer alone, without its session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/viewer.h"

struct rig {
	struct vt_screen *screen;
	struct viewer *viewer;
	int far;
};

static void begin(struct rig *r)
{
	static const struct vt_screen_events events;
	int pair[2];
	struct link_simple plug = link_make(LINK_PLUG, 1);
	assert_int_equal(vt_screen_new(&r->screen, 24, 80, 1 << 20, &events, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->far = pair[1];
	assert_int_equal(viewer_new(&r->viewer, pair[0], &plug), 0);
	r->viewer->hello = (struct cable_hello){
		.class = CABLE_CLASS_XTERM,
		.colours = 256,
		.size = { .rows = 24, .columns = 80 },
	};
	viewer_show(r->viewer, r->screen, "xterm-256color");
}

static void end(struct rig *r)
{
	(void)viewer_free(r->viewer);
	(void)vt_screen_free(r->screen);
	(void)close(r->far);
}

/* What viewer_work() has nothing to do about must not be due, or the host's loop would never rest.
 */
static void a_notice_that_is_over_is_not_due_for_ever(void **state)
{
	struct rig r;
	uint8_t bytes[4096];
	begin(&r);
	memset(bytes, 'x', sizeof(bytes));
	while (outlet_waiting(&r.viewer->out) == 0) { /* the terminal takes nothing */
		viewer_forward(r.viewer, r.screen, bytes, sizeof(bytes));
	}
	assert_int_equal(viewer_notice(r.viewer, "a word"), 0);
	uint64_t over = r.viewer->notice_until;
	assert_int_equal(viewer_due(r.viewer, r.screen), over);
	viewer_work(r.viewer, r.screen, over);
	uint64_t due = viewer_due(r.viewer, r.screen);
	assert_true(due == 0 || due > over);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_that_is_over_is_not_due_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
