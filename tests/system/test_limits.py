"""Time limits of a listener: warned on the terminal, then taken off it or ended. A minute is 100 ms here (hooks)."""

import pytest

from system_server import USUAL

MINUTE = 100


@pytest.fixture
def limited(configured, monkeypatch):
    monkeypatch.setenv("TERMSERV_MINUTE_MS", str(MINUTE))
    return lambda lines: configured(USUAL + "[listener tty]\n" + lines)


def gone(server, session):
    return session not in [s["id"] for s in server.root.sessions()]


def test_nothing_typed_warns_and_then_disconnects(limited):
    server = limited("idle-limit = 20\n")
    here = server.alice.logon()
    here.wait_for("Session %d will be disconnected in 2 minutes" % here.session)
    here.wait_for("Session %d was disconnected: nothing was typed for 20 minutes." % here.session)
    server.root.wait_state(here.session, "Disc")
    record = server.last_audit("IdleLimit")
    assert (record["session"], record["ownerName"], record["by"]) == (here.session, "alice", "policy")
    server.alice.run("connect %d" % here.session)  # it lives, and comes back
    assert not gone(server, here.session)


def test_the_warning_leaves_no_trace_once_a_key_is_pressed(limited, monkeypatch):
    monkeypatch.setenv("TERMSERV_MINUTE_MS", "1000")  # two of them to press the key in
    server = limited("idle-limit = 4\n")
    here = server.alice.logon()
    here.line("printf 'the %s\\n' picture").wait_for("the picture")
    here.wait_for("will be disconnected in 2 minutes")
    here.type("x")
    server.pump.wait(lambda: "will be disconnected" not in here.screen(), "the warning to go")
    assert "the picture" in here.screen()
    assert server.root.session(here.session)["state"] == "Active"


def test_output_does_not_count_as_input(limited):
    server = limited("idle-limit = 20\n")
    here = server.alice.logon()
    here.line("while :; do echo busy; read -t 0.05 x; done").wait_for("busy")
    server.root.wait_state(here.session, "Disc")


def test_the_active_limit_may_end_the_session(limited):
    server = limited("active-limit = 20\nlimit-action = end\n")
    here = server.alice.logon()
    here.wait_for("Session %d will be ended in 2 minutes" % here.session)
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
