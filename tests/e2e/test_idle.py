"""Nothing to do, nothing done: a session that rests wakes no process."""

import time

import pytest

import processes

REST_S = 6  # longer than any interval after which a host may have something to tell
CODE_KB = 16  # four pages: two, or where a function lies across a border one more


def switches(pid):
    """How often the process has been switched to or away from, and the time that it has used."""
    status = processes.read(pid, "status").decode()
    counts = [int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line]
    assert len(counts) == 2, "process %d is gone" % pid
    used = processes.read(pid, "stat").decode().rpartition(")")[2].split()[11:13]
    return counts, used


def rests(server, pids, since):
    """Whether none of them has been switched to for REST_S; `since` holds what was seen, and when."""
    now = [switches(pid) for pid in pids]
    if since.get("seen") != now:
        since.update(seen=now, at=time.monotonic())
    return time.monotonic() - since["at"] >= REST_S


@pytest.mark.parametrize("shown", [True, False], ids=["on a terminal", "disconnected"])
def test_an_idle_session_wakes_no_process(server, shown):
    t = server.logon()
    t.line("seq 30000").wait_for("\n30000")  # enough that memory is given back behind it
    if not shown:
        server.disconnect(t.session)
    names = ["termserv-host", "termserv-leader", "termserv-broker", "termservd"]
    pids = [server.need(name).pid for name in names]
    since = {}
    server.pump.wait(lambda: rests(server, pids, since), lambda: "%s to rest: %s" % (names, since), 240)
    t.line("echo a''live") if shown else server.connect(t.session).line("echo a''live").wait_for("\nalive")
    server.pump.wait(lambda: switches(pids[0]) != since["seen"][0], "the host to do something: else the count means nothing")


def code_kb(pid):
    """KB of program and libraries' code that the process has mapped."""
    code, total = False, 0
    for line in processes.read(pid, "smaps").decode("utf-8", "replace").splitlines():
        words = line.split()
        if "-" in words[0]:
            code = "x" in words[1] and not words[-1].startswith("[v")
        elif code and words[0] == "Rss:":
            total += int(words[1])
    return total


@pytest.mark.parametrize("shown", [True, False], ids=["on a terminal", "disconnected"])
def test_a_session_that_was_used_maps_no_code_at_rest_but_what_it_sleeps_in(server, shown):
    t = server.logon()
    t.line("echo a''live").wait_for("\nalive")
    if not shown:
        server.disconnect(t.session)
    pids = [server.need(name).pid for name in ("termserv-host", "termserv-leader")]
    mapped = []

    def small():
        mapped[:] = [code_kb(pid) for pid in pids]
        return all(0 < kb <= CODE_KB for kb in mapped)
    server.pump.wait(small, lambda: "%s to map no more than %s KB of code each" % (mapped, CODE_KB), 60)
    t = t if shown else server.connect(t.session)
    t.line("echo still a''live").wait_for("\nstill alive")
