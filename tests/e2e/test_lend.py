"""A terminal is lent to the session that it shows, and to no other; whoever leaves it leaves it alone."""

import fcntl
import os
import signal
import struct
import subprocess
import termios
import time

import pytest

import processes
from server import PROMPT


def held(server, session):
    """The terminals that the session's host holds: {path: its flags}"""
    own = server.session(session)["tty"]
    host = server.need("termserv-host", session)
    found = {}
    for number, target in host.descriptors().items():
        if target.startswith("/dev/pts/") and target not in (own, "/dev/pts/ptmx"):
            with open("/proc/%d/fdinfo/%d" % (host.pid, number), encoding="ascii") as info:
                found[target] = int(dict(line.split(":", 1) for line in info)["flags"], 8)
    return found


def wait_held(server, session, *terminals):
    paths = {t.path for t in terminals}
    server.pump.wait(lambda: set(held(server, session)) == paths,
                     lambda: "session %s to hold %s, it holds %s" % (session, paths, held(server, session)))


def test_a_session_holds_the_terminal_that_shows_it(server):
    here = server.logon()
    wait_held(server, here.session, here)
    flags, = held(server, here.session).values()
    assert flags & os.O_ACCMODE == os.O_RDWR
    assert flags & os.O_NONBLOCK


def test_a_key_needs_no_door(server):
    here = server.logon()
    for turn in range(20):  # on a loaded machine the door may just be reading for a host that was slow
        here.line("clear; echo a\\wake %d" % turn).wait_for("awake %d" % turn)
        os.kill(here.process.pid, signal.SIGSTOP)
        here.line("echo without %d" % turn)
        try:
            here.wait_for("\nwithout %d" % turn, limit=3)
            break
        except AssertionError:
            os.kill(here.process.pid, signal.SIGCONT)
            here.wait_for("\nwithout %d" % turn)
    else:
        raise AssertionError("no key without the door")
    os.kill(here.process.pid, signal.SIGCONT)
    here.type("\x1d\x1d\x1d")
    here.wait_exit()
    server.wait_state(here.session, "Disc")


def unread(terminal):
    """How many keys lie in the terminal."""
    return struct.unpack("i", fcntl.ioctl(terminal.slave, termios.FIONREAD, b"0000"))[0]


def test_keys_that_are_typed_while_the_host_hangs_come_once_and_in_order(server, tmp_path):
    to = tmp_path / "keys"
    to.touch()
    here = server.logon("sh -c 'stty raw -echo; echo ready; exec cat > %s'" % to)
    here.wait_for("ready")
    host = server.need("termserv-host", here.session)
    expected = ""
    for turn in "abc":
        here.type(turn + "1 ")
        expected += turn + "1 "
        server.pump.wait(lambda: to.read_text() == expected, lambda: "%r, it is %r" % (expected, to.read_text()))
        os.kill(host.pid, signal.SIGSTOP)
        server.pump.wait(lambda: server.need("termserv-host", here.session).state == "T", "the host to stop")
        for number in "234":
            here.type(turn + number + " ")
            expected += turn + number + " "
            server.pump.wait(lambda: not unread(here), "the door to read what its host does not")
        os.kill(host.pid, signal.SIGCONT)
        server.pump.wait(lambda: to.read_text() == expected, lambda: "%r, it is %r" % (expected, to.read_text()))


BY_HOST_MAX = 160 * 1024  # keys that wait for a program in its host and in the terminal, at most


def test_a_paste_into_a_program_that_takes_nothing_for_a_while_is_whole(server, tmp_path):
    go = tmp_path / "go"
    os.mkfifo(go)
    text = "".join("%05d," % i for i in range(70000))
    here = server.logon("sh -c 'stty raw -echo; echo ready; read x < %s; head -c %d | cksum; read x'" % (go, len(text)))
    here.wait_for("ready")
    here.type(text)
    server.pump.wait(lambda: len(text) - len(here.unsent) > BY_HOST_MAX, "the door to read what its host does not")
    go.write_text("\n")
    sum_of_it = subprocess.run(["cksum"], input=text, capture_output=True, text=True, check=True).stdout.split()[0]
    here.wait_for(sum_of_it)
    server.pump.wait(lambda: not here.unsent and not unread(here), "the paste to be read")


def test_each_key_goes_to_one_session_while_the_terminal_changes_between_two(server, tmp_path):
    files = [tmp_path / "first", tmp_path / "second"]
    for f in files:
        f.touch()
    sessions = [server.detached("sh -c 'stty raw -echo; exec cat > %s'" % f) for f in files]
    here = server.connect(sessions[0])
    server.wait_state(sessions[0], "Active")
    count = 0
    for turn in range(20):
        mover = server.start("connect %d /dest:%s" % (sessions[(turn + 1) % 2], here.name))
        while mover.poll() is None:
            here.type("%05d," % count)
            count += 1
            server.pump.turn(0.001)
        assert server.finish(mover).status == 0

    def got():
        return [f.read_text().split(",")[:-1] for f in files]
    server.pump.wait(lambda: sum(len(keys) for keys in got()) == count, lambda: "%d keys: %s" % (count, got()))
    assert all(keys == sorted(keys) and keys for keys in got())
    assert sorted(got()[0] + got()[1]) == ["%05d" % i for i in range(count)]


def test_it_lets_go_of_the_one_and_takes_the_other_when_it_is_moved(server):
    here = server.logon()
    wait_held(server, here.session, here)
    there = server.connect(here.session).wait_for(PROMPT)
    wait_held(server, here.session, there)
    here.wait_exit()
    server.disconnect(here.session)
    wait_held(server, here.session)


def test_a_session_that_loses_the_terminal_to_another_loses_it_whole(server):
    here = server.logon()
    second = server.detached("sh -c 'echo second; exec cat'")
    here.line("yes")
    here.wait_for("y\ny\ny")
    assert server.run("connect %d /dest:%s" % (second, here.name)).status == 0
    here.wait_until(lambda t: t.screen().split() == ["second"])  # and no y of the flood behind it
    wait_held(server, second, here)
    wait_held(server, here.session)
    here.line("word").wait_until(lambda t: t.screen().split() == ["second", "word", "word"])


def in_a_shell(server):
    """A shell whose foreground job is a door, and the session there."""
    shell = server.shell()
    shell.line("termserv logon --new")
    found = server.pump.wait(lambda: [s["id"] for s in server.sessions() if s["state"] == "Active"], shell.report)
    shell.wait_until(lambda t: t.screen().strip() == PROMPT.strip())
    return shell, found[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_door_that_is_ended_takes_the_terminal_with_it(server, number):
    here = server.logon()
    wait_held(server, here.session, here)
    os.kill(here.process.pid, number)
    here.wait_exit()
    server.wait_state(here.session, "Disc")
    wait_held(server, here.session)


def test_the_shell_behind_it_has_the_terminal_alone_again(server):
    shell, session = in_a_shell(server)
    shell.line("yes").wait_for("y\ny\ny")
    shell.type("\x1d\x1d\x1d")  # the detach key
    shell.wait_for("disconnected. To come back")
    shell.line("clear; echo mine").wait_until(lambda t: t.screen().split() == ["mine", PROMPT.strip()])
    wait_held(server, session)


def test_a_host_that_is_stopped_is_not_waited_for_and_writes_nothing_later(server):
    shell, session = in_a_shell(server)
    shell.line("yes").wait_for("y\ny\ny")
    host = server.need("termserv-host", session)
    os.kill(host.pid, signal.SIGSTOP)
    shell.type("\x1d\x1d\x1d")
    shell.wait_for("disconnected. To come back")
    shell.line("clear; echo mine").wait_until(lambda t: t.screen().split() == ["mine", PROMPT.strip()])
    os.kill(host.pid, signal.SIGCONT)
    server.wait_state(session, "Disc")
    wait_held(server, session)
    shell.line("echo still").wait_until(lambda t: t.screen().split() == ["mine", PROMPT.strip(), "echo", "still", "still",
                                                                        PROMPT.strip()])


def test_a_door_is_not_suspended_while_a_session_is_on_its_terminal(server):
    shell, _ = in_a_shell(server)
    door, = [p for p in processes.below(shell.process.pid) if p.name == "termserv"]
    os.kill(door.pid, signal.SIGTSTP)
    shell.line("echo a\\wake").wait_for("\nawake")
    shell.type("\x1d\x1d\x1d")
    shell.wait_for("disconnected. To come back")
    shell.line("clear; jobs; echo mine").wait_until(lambda t: t.screen().split() == ["mine", PROMPT.strip()])


def test_a_door_that_comes_to_the_background_leaves(server):
    shell, session = in_a_shell(server)
    door, = [p for p in processes.below(shell.process.pid) if p.name == "termserv"]
    os.kill(door.pid, signal.SIGSTOP)
    shell.wait_for("Stopped")
    os.kill(door.pid, signal.SIGCONT)
    server.wait_state(session, "Disc")
    shell.line("clear; echo mine").wait_until(lambda t: t.screen().split()[-2:] == ["mine", PROMPT.strip()])


@pytest.mark.parametrize("command", ["connect %d", "termserv logon --new"])
def test_no_door_is_opened_in_the_background(server, tmp_path, command):
    to = tmp_path / "keys"
    to.touch()
    session = server.detached("sh -c 'stty raw -echo; exec cat > %s'" % to)
    shell = server.shell()
    shell.line((command % session if "%" in command else command) + " &")
    shell.wait_for("The terminal belongs to another job: start this in the foreground.")
    shell.line("wait; clear; echo a''live").wait_until(lambda t: t.screen().split() == ["alive", PROMPT.strip()])
    assert [s["connected"] for s in server.sessions()] == [None]
    assert to.read_text() == ""


def test_a_door_brings_its_sessions_end_from_a_terminal_that_rests(server):
    """The terminal takes nothing while the program ends, for longer than the host's patience lasts."""
    here = server.terminal("termserv logon --new -- sh -c 'echo ready; read x; seq 1 3000; exit 7'", emulate=False)
    here.wait_raw(b"ready")
    session = server.only(state="Active")["id"]
    here.paused = True
    here.line("go")
    server.wait_state(session, None)
    end = time.monotonic() + 3  # longer than a goodbye waits for its reader
    server.pump.wait(lambda: time.monotonic() > end, "the goodbye to be given up")
    here.paused = False
    assert here.wait_exit() == 7


def test_root_lends_no_terminal_of_somebody_else(server):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    here = server.logon()
    wait_held(server, here.session, here)
    there = server.shell()
    os.chown(there.path, 65534, -1)
    there.line("connect %d" % here.session)
    here.wait_exit()
    there.line("echo over the c''able").wait_for("\nover the cable")
    assert held(server, here.session) == {}
