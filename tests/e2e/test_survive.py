"""kill -9 of everything at every time, and races: what runs goes on."""

import json
import os
import re
import shutil
import signal

import pytest

import processes
from processes import VICTIMS, kill_all
from server import PROGRAMS, PROMPT, PYTHON, REPOSITORY, error_code
from test_varlink import Client


def wait_ids(server, expected):
    """A new broker lists a session from when its leader has answered, and waits for the slow ones for a second only."""
    server.pump.wait(lambda: sorted(server.ids()) == sorted(expected), lambda: "the sessions %s, not %s" % (expected, server.ids()))


def connect_when_it_can(server, session, name):
    """A door comes back to a new server in its own time; until then, and while another operation lasts, the answer is no."""
    def connected():
        result = server.run("connect %d /dest:%s" % (session, name))
        return result.status == 0 or (error_code(result) not in (5023, 7024) and pytest.fail(str(result)))
    server.pump.wait(connected, "session %d to come to %s" % (session, name))


def numbered(raw):
    return [int(n) for n in re.findall(rb"line (\d{6}) of the program", bytes(raw))]


def numbers(server, **more):
    """A terminal whose session prints numbered lines until check_numbers()."""
    logon = server.logon_fixed if "name" in more else server.logon
    return logon(command="%s %s/numbers.py %s 1" % (PYTHON, PROGRAMS, server.base / "enough"), emulate=False, **more)


def check_numbers(server, terminal):
    """It has shown every line, once and in order, and more come until they are told to end."""
    shown = len(numbered(terminal.raw))
    terminal.wait_until(lambda t: len(numbered(t.raw)) > shown + 100, "more output")
    (server.base / "enough").touch()
    terminal.wait_raw(b" lines\r\n")
    count = int(re.search(rb"the end after (\d+) lines", bytes(terminal.raw)).group(1))
    assert numbered(terminal.raw) == list(range(count))


# --- kill -9 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VICTIMS)
def test_the_next_command_works_by_itself(server, name):
    fixed, transient = server.logon_fixed("TERM01"), server.logon()
    third = server.detached()
    before = {s["id"]: (s["name"], s["pid"], s["created"]) for s in server.sessions()}
    kill_all(server, VICTIMS[name])
    result = server.run("query session --json")
    assert result.status == 0, result
    assert len(json.loads(result.out)["sessions"]) <= len(before)

    def after():
        return {s["id"]: (s["name"], s["pid"], s["created"]) for s in server.sessions()}
    server.pump.wait(lambda: after() == before, lambda: "%s, not %s" % (before, after()))
    connect_when_it_can(server, third, "TERM01")
    server.wait_state(third, "Active", on="TERM01")
    transient.line("echo alive").wait_for("\nalive")
    assert fixed.running


@pytest.mark.parametrize("name", VICTIMS)
def test_no_line_of_output_is_lost_or_doubled(server, name):
    t = numbers(server)
    for turn in range(3):
        t.wait_until(lambda t: len(numbered(t.raw)) > 200 + 200 * turn, "output")
        kill_all(server, VICTIMS[name])
        server.run("query session")
    check_numbers(server, t)


@pytest.mark.parametrize("name", VICTIMS)
def test_no_byte_typed_is_lost(server, name):
    target = server.base / "typed"
    t = server.logon("sh -c 'echo up; exec cat >%s'" % target).wait_for("up")
    lines = ["typed line %04d\r" % n for n in range(300)]
    for number, line in enumerate(lines):
        t.type(line)
        if number % 100 == 50:
            kill_all(server, VICTIMS[name])
            server.start("query session")
    expected = "".join(lines).replace("\r", "\n")
    server.pump.wait(lambda: target.read_text() == expected, lambda: "all that was typed, have %r" % target.read_text()[-100:])


@pytest.mark.parametrize("name", VICTIMS)
def test_terminals_keep_their_names(server, name):
    doors = [server.logon_fixed("TERM01"), server.logon(), server.logon()]
    names = [d.name for d in doors]
    kill_all(server, VICTIMS[name])
    fresh = server.logon()
    assert fresh.name not in names
    for door, name in zip(doors, names):
        server.wait_state(door.session, "Active", on=name)
    third = server.detached("sh -c 'echo on its way; cat'")
    for door, word in zip(doors, names):
        connect_when_it_can(server, third, word)
        door.wait_for("on its way")


def test_ids_are_never_used_again_after_a_restart(server):
    first = server.detached()
    second = server.detached()
    assert server.run("logoff %d" % second).status == 0
    server.wait_state(second, None)
    kill_all(server, VICTIMS["both"])
    assert server.detached() == second + 1
    server.wait_state(first, "Disc")


def test_ids_are_never_used_again_after_a_stop(server):
    number = server.detached()
    assert server.stop().status == 0
    assert server.detached() == number + 1


def test_the_parent_replaces_a_broker_that_dies_again_and_again(server):
    t = server.logon()
    for _ in range(4):
        server.kill("termserv-broker")
        server.need("termserv-broker")
    assert server.run("query session").status == 0
    t.line("echo alive").wait_for("\nalive")
    server.pump.wait(lambda: len(server.processes("termservd")) == 1, "one parent")


def test_a_killed_door_leaves_its_session_disconnected(server):
    t = server.logon()
    other = server.logon()
    t.kill()
    t.wait_exit()
    server.wait_state(t.session, "Disc")
    other.line("echo alive").wait_for("\nalive")
    server.connect(t.session).wait_for(PROMPT)


def test_a_killed_door_leaves_its_session_disconnected_without_a_broker(server):
    t = server.logon()
    kill_all(server, VICTIMS["both"])
    t.kill()
    t.wait_exit()
    server.wait_state(t.session, "Disc")


@pytest.mark.parametrize("name,word", [("termserv-host", "host"), ("termserv-leader", "")])
def test_a_killed_process_of_one_session_costs_that_session_alone(server, name, word):
    t, other = server.logon(), server.logon()
    program = server.session(t.session)["pid"]
    server.kill(name, t.session)
    server.wait_state(t.session, None)
    t.wait_exit()
    assert re.search(r"session.*\b%d\b|\b%d\b.*session|ended" % (t.session, t.session), t.screen(), re.I), t.report()
    assert t.emulator.lasting() == {} and t.modes_now() == t.settings
    server.pump.wait(lambda: not processes.alive(program), "the session's program to end")
    other.line("echo alive").wait_for("\nalive")
    wait_ids(server, [other.session])

    def recorded():
        record = [line for line in server.log().splitlines() if re.search(r"\b%d\b" % t.session, line) and "end" in line]
        return [line for line in record if not word or (word in line and "9" in line)]
    server.pump.wait(recorded, lambda: "a line about its end\n" + server.log())
    server.pump.wait(lambda: not (server.runtime / "sessions" / str(t.session)).exists(), "its folder to be gone")


def test_a_host_that_is_stopped_holds_up_nobody_else(server):
    t, other = server.logon(), server.logon_fixed("TERM05")
    host = server.need("termserv-host", t.session)
    os.kill(host.pid, signal.SIGSTOP)
    try:
        assert server.run("query session").status == 0
        other.line("echo alive").wait_for("\nalive")
        result = server.run("connect %d /dest:TERM05" % t.session)
        assert error_code(result) in (7040, 7024)
        other.line("echo still here").wait_for("\nstill here")
        server.wait_state(other.session, "Active", on="TERM05")
    finally:
        os.kill(host.pid, signal.SIGCONT)
    t.line("echo and back").wait_for("\nand back")


def test_a_door_that_is_stopped_is_told_from_one_that_answers(server):
    t, number = server.logon_fixed("TERM05"), server.detached()
    os.kill(t.process.pid, signal.SIGSTOP)
    try:
        assert error_code(server.run("connect %d /dest:TERM05" % number)) == 7040
        assert server.session(number)["state"] == "Disc"
        assert server.session(t.session)["name"] == "TERM05"
    finally:
        os.kill(t.process.pid, signal.SIGCONT)
    t.line("echo back").wait_for("\nback")
    connect_when_it_can(server, number, "TERM05")


def test_all_at_once_leaves_sessions_and_terminals_as_they_were(server):
    doors = [server.logon_fixed("TERM0%d" % n) for n in range(1, 4)]
    for turn in range(5):
        victims = VICTIMS[sorted(VICTIMS)[turn % len(VICTIMS)]]
        mover = server.start("connect %d /dest:%s" % (doors[turn % 3].session, doors[(turn + 1) % 3].name))
        kill_all(server, victims)
        server.finish(mover)
    wait_ids(server, [d.session for d in doors])
    for door in doors:
        def back():
            return server.run("connect %d /dest:%s" % (door.session, door.name)).status == 0
        server.pump.wait(back, "session %d back on %s" % (door.session, door.name))
    for door in doors:
        door.line("echo alive %d" % door.session).wait_for("\nalive %d" % door.session)


# --- at each step of connect -----------------------------------------------------------------------


def hooks(operation):
    """The named points of the broker's operation, from its source: a new one is tested without a word here."""
    found = []
    for path in sorted((REPOSITORY / "src" / "broker").glob("*.c")):
        found += re.findall(r'\bhook\([^";]*"([^"]+)"\)', path.read_text())
    return sorted(name for name in set(found) if name.startswith(operation + ":"))


def need_hooks(server):
    if b"TERMSERV_HOOK" not in (server.programs / "termserv-broker").read_bytes():
        pytest.skip("the programs were built without -Dhooks=true")


def under_output(server):
    """Output on TERM01, a shell on TERM05, a third session that no terminal shows."""
    noisy = numbers(server, name="TERM01")
    five = server.logon_fixed("TERM05")
    third = server.detached("sh -c 'echo the third; exec cat'")
    noisy.wait_until(lambda t: len(numbered(t.raw)) > 50, "output")
    return noisy, five, third


def check_nothing_was_lost(server, noisy, five, third):
    """Every session lives, each terminal shows one, the next connect works, and no output is missing."""
    wait_ids(server, [noisy.session, five.session, third])
    server.wait_state(noisy.session, "Active", on="TERM01")
    connect_when_it_can(server, third, "TERM05")
    five.wait_for("the third").line("typed").wait_for("typed\ntyped")
    server.wait_state(five.session, "Disc")
    server.wait_state(third, "Active", on="TERM05")
    server.connect(five.session).wait_for(PROMPT).line("echo alive").wait_for("\nalive")
    check_numbers(server, noisy)


@pytest.mark.parametrize("name", hooks("connect"))
def test_a_broker_that_is_killed_at_a_step_of_connect_loses_nothing(server, name):
    need_hooks(server)
    noisy, five, third = under_output(server)
    broker = server.need("termserv-broker").pid
    (server.runtime / "hook").write_text(name + ":kill")
    mover = server.start("connect %d /dest:TERM05" % third)
    server.pump.wait(lambda: not processes.alive(broker), "the broker to reach %s" % name)
    result = server.finish(mover)
    assert result.status == 0 or error_code(result) > 0
    check_nothing_was_lost(server, noisy, five, third)


@pytest.mark.parametrize("name", hooks("connect"))
def test_parent_and_broker_that_are_killed_at_a_step_of_connect_lose_nothing(server, name):
    need_hooks(server)
    noisy, five, third = under_output(server)
    broker = server.need("termserv-broker").pid
    (server.runtime / "hook").write_text(name)
    mover = server.start("connect %d /dest:TERM05" % third)
    server.pump.wait(lambda: processes.table()[broker].state == "T", "the broker to stop at %s" % name)
    kill_all(server, VICTIMS["both"])
    result = server.finish(mover)
    assert result.status == 0 or error_code(result) > 0
    check_nothing_was_lost(server, noisy, five, third)


@pytest.mark.parametrize("name", hooks("connect"))
def test_a_door_that_is_killed_at_a_step_of_connect_costs_only_its_terminal(server, name):
    need_hooks(server)
    noisy, five, third = under_output(server)
    broker = server.need("termserv-broker").pid
    (server.runtime / "hook").write_text(name)
    mover = server.start("connect %d /dest:TERM05" % third)
    server.pump.wait(lambda: processes.table()[broker].state == "T", "the broker to stop at %s" % name)
    five.kill()
    five.wait_exit()
    os.kill(broker, signal.SIGCONT)
    result = server.finish(mover)
    assert result.status == 0 or error_code(result) in (5023, 7022, 7040), result
    server.wait_state(third, "Disc")
    server.wait_state(five.session, "Disc")
    server.connect(third).wait_for("the third")
    server.connect(five.session).wait_for(PROMPT)
    check_numbers(server, noisy)


@pytest.mark.parametrize("name", hooks("create"))
@pytest.mark.parametrize("victims", ["broker", "both"])
def test_a_server_that_is_killed_while_it_makes_a_session_leaves_a_whole_one_or_none(server, name, victims):
    need_hooks(server)
    t = server.logon()
    broker = server.need("termserv-broker").pid
    (server.runtime / "hook").write_text(name)
    maker = server.start("termserv logon --detached -- cat")
    server.pump.wait(lambda: processes.table()[broker].state == "T", "the broker to stop at %s" % name)
    kill_all(server, VICTIMS[victims])
    result = server.finish(maker)
    assert result.status == 0 or error_code(result) > 0

    def settled():
        count = len(server.ids())
        return len(server.processes("termserv-leader")) == len(server.processes("termserv-host")) == count and server.ids()
    for number in server.pump.wait(settled, "a leader and a host for each session"):
        server.program(number)
    newest = max(server.ids())
    assert server.detached() > newest
    t.line("echo alive").wait_for("\nalive")


# --- races ---------------------------------------------------------------------------------------


def test_of_two_that_race_for_one_session_one_wins(server):
    one, two = server.logon_fixed("TERM01"), server.logon_fixed("TERM02")
    third = server.detached("sh -c 'echo prize; cat'")
    lost = 0
    for _ in range(10):
        racing = [server.start("connect %d /dest:%s" % (third, name)) for name in ("TERM01", "TERM02")]
        results = [server.finish(p) for p in racing]
        assert 0 in [r.status for r in results], results
        for result in results:
            if result.status != 0:
                assert error_code(result) == 7024
                lost += 1
        winners = [name for name, result in zip(("TERM01", "TERM02"), results) if result.status == 0]
        server.wait_state(third, "Active", lambda s: s["name"] in winners)
    print("%d of 10 races had a loser" % lost)
    assert one.running and two.running


def test_a_second_operation_on_what_is_being_connected_is_busy_at_once(server):
    """TERM05's door is held, so that the first connect is under way for the five seconds in which it may answer. We ask
    without commands, which may take longer where the machine is slow."""
    five, one = server.logon_fixed("TERM05"), server.logon_fixed("TERM01")
    third, fourth = server.detached("sh -c 'echo prize; cat'"), server.detached()
    os.kill(five.process.pid, signal.SIGSTOP)
    client = Client(server)
    first = server.start("connect %d /dest:TERM05" % third)
    try:
        def code(method, session, **parameters):
            return client.call("io.termserv.Control." + method, session=str(session), **parameters)["parameters"].get("code")

        def busy():
            nonlocal first
            if first.poll() is not None:
                first = server.start("connect %d /dest:TERM05" % third)
            return code("Disconnect", third) == 7024  # else that is no session to be disconnected
        server.pump.wait(busy, "the first connect to be under way")
        for method, session, more in (("Connect", third, {"destination": "TERM01"}), ("Connect", fourth, {"destination": "TERM05"}),
                                      ("Logoff", third, {}), ("Reset", third, {})):
            assert code(method, session, **more) == 7024, (method, more)
        assert first.poll() is None
    finally:
        client.close()
        os.kill(five.process.pid, signal.SIGCONT)
    assert server.finish(first).status == 0
    five.wait_for("prize")
    server.wait_state(fourth, "Disc")
    assert one.running


def test_many_that_race_leave_a_right_table(server):
    doors = [server.logon_fixed("TERM%02d" % n) for n in range(1, 5)]
    moves = [server.start("connect %d /dest:%s" % (s.session, d.name)) for s in doors for d in doors]
    results = [server.finish(p) for p in moves]
    for result in results:
        assert result.status == 0 or error_code(result) == 7024, result
    def names():
        return sorted(s["name"] for s in server.sessions() if s["state"] in ("Active", "Conn"))
    server.pump.wait(lambda: names() == [d.name for d in doors], lambda: "each terminal to be shown once: %s" % names())
    assert sorted(server.ids()) == [d.session for d in doors]


def test_the_caller_that_dies_in_the_middle_aborts_nothing(server):
    here = server.logon_fixed("TERM01")
    third = server.detached("sh -c 'echo third; cat'")
    broker = server.need("termserv-broker")
    os.kill(broker.pid, signal.SIGSTOP)
    caller = server.start("connect %d /dest:TERM01" % third)
    server.pump.wait(lambda: processes.table()[caller.pid].state == "S", "the caller to wait")
    caller.kill()
    caller.wait()
    os.kill(broker.pid, signal.SIGCONT)
    assert server.run("query session").status == 0
    state = server.session(third)
    assert state["state"] in ("Active", "Disc")
    if state["state"] == "Active":
        here.wait_for("third")
    connect_when_it_can(server, third, "TERM01")  # the one that nobody waits for may still be under way
    here.wait_for("third")


# --- another build ---------------------------------------------------------------------------------


def test_a_new_builds_broker_takes_over_the_sessions_of_the_old_one(server):
    old = server.logon()
    third = server.detached("sh -c 'echo of the old build; cat'")
    copy = server.base / "new-build"
    shutil.copytree(server.programs, copy, symlinks=True)
    os.kill(old.process.pid, signal.SIGSTOP)  # so that the old door does not start the old build's server first
    kill_all(server, VICTIMS["both"])
    server.programs = copy.resolve()
    try:
        wait_ids(server, [old.session, third])
        for name in ("termservd", "termserv-broker"):
            assert os.readlink("/proc/%d/exe" % server.need(name).pid).startswith(str(server.programs))
        os.kill(old.process.pid, signal.SIGCONT)
        server.connect(third).wait_for("of the old build").line("typed").wait_for("typed\ntyped")
        server.connect(old.session).wait_for(PROMPT)
        fresh = server.logon()
        fresh.line("echo both builds").wait_for("\nboth builds")
        assert old.wait_exit() == 0
    finally:
        server.stop()
