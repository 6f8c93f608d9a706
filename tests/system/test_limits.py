"""Time limits of a listener: warned on the terminal, then taken off it or ended. A minute is 100 ms here (hooks), and a
second where a warning shall be seen: two minutes are left for that. What was on the screen may be over before it is looked
at: it is found in the bytes that came."""

import pytest

from server import PROMPT
from system_server import USUAL


@pytest.fixture
def limited(configured, monkeypatch):
    def start(lines, minute=100):
        monkeypatch.setenv("TERMSERV_MINUTE_MS", str(minute))
        return configured(USUAL + "[listener tty]\n" + lines)
    return start


def first_session(server):
    """alice in session 1, by the bytes alone: it may have been disconnected before the list tells that it is active."""
    here = server.alice.terminal("termserv logon --new").wait_raw(PROMPT.encode())
    here.session = 1
    return here


def gone(server, session):
    return session not in [s["id"] for s in server.root.sessions()]


def test_nothing_typed_warns_and_then_disconnects(limited):
    server = limited("idle-limit = 4\n", minute=1000)
    here = first_session(server)
    here.wait_raw(b"Session 1 will be disconnected in 2 minutes")
    here.wait_raw(b"Session 1 was disconnected: nothing was typed for 4 minutes.")
    server.root.wait_state(here.session, "Disc")
    record = server.last_audit("IdleLimit")
    assert (record["session"], record["ownerName"], record["by"]) == (here.session, "alice", "policy")
    server.alice.run("connect %d" % here.session)  # it lives, and comes back
    assert not gone(server, here.session)


def test_the_warning_leaves_no_trace_once_a_key_is_pressed(limited):
    server = limited("idle-limit = 3\n", minute=5000)  # two of them to press the key in
    here = first_session(server)
    here.line("printf 'the %s\\n' picture").wait_for("the picture")
    here.wait_for("will be disconnected in 2 minutes")
    here.type("x")
    server.pump.wait(lambda: "will be disconnected" not in here.screen(), "the warning to go")
    assert "the picture" in here.screen()
    server.root.wait_state(here.session, "Active")


def test_output_does_not_count_as_input(limited):
    server = limited("idle-limit = 20\n")
    here = first_session(server)
    here.line("while :; do echo busy; read -t 0.05 x; done")
    server.root.wait_state(here.session, "Disc")


def test_the_active_limit_may_end_the_session(limited):
    server = limited("active-limit = 4\nlimit-action = end\n", minute=1000)
    here = first_session(server)
    here.wait_raw(b"Session 1 will be ended in 2 minutes")
    server.pump.wait(lambda: gone(server, here.session), "the session's end")
    assert server.last_audit("ActiveLimit")["session"] == here.session


def test_a_session_on_no_terminal_is_ended_in_time(limited):
    server = limited("disconnected-limit = 10\n")
    here = server.alice.logon()
    forgotten = server.bob.detached()
    server.pump.wait(lambda: gone(server, forgotten), "the end of the session that nobody looks at")
    assert not gone(server, here.session)
    assert server.last_audit("DisconnectedLimit")["ownerName"] == "bob"


def test_limits_hold_from_a_reload_on(limited):
    server = limited("")
    forgotten = server.bob.detached()
    server.reload(USUAL + "[listener tty]\ndisconnected-limit = 5\n")
    server.pump.wait(lambda: gone(server, forgotten), "the end of the session that nobody looks at")
