"""What one user does to his own processes and folders, and with many connections: it costs nobody else anything."""

import contextlib
import json
import os
import re
import signal

import control
import pytest
import wire
import world
from server import PROMPT
from system_server import LOGIN, RUNTIME, log_in, password_of
from test_trust import puppet  # noqa: F401 - the broker that is played by the test

ALICE, BOB = (world.ACCOUNTS[name].uid for name in ("alice", "bob"))


def test_one_users_watchers_leave_room_for_anothers(server):
    held = []
    for _ in range(100):
        link = control.Control(BOB)
        held.append((link, link.call("ListSessions", more=True, watch=True)))
    assert any("error" in answer for _, answer in held)
    assert "error" not in control.Control(ALICE).call("ListSessions", more=True, watch=True)


def flood(count):
    """In a process of its own, until it is killed: requests on so many connections, more than are ever answered."""
    child = os.fork()
    if child == 0:
        try:
            links = [control.Control(BOB).socket for _ in range(count)]
            request = json.dumps({"method": control.INTERFACE + "ListSessions"}).encode() + b"\0"
            for link in links:
                link.setblocking(False)
            while True:
                for link in links:
                    with contextlib.suppress(OSError):
                        link.send(request)
                        link.recv(65536)
        finally:
            os._exit(1)
    return child


def test_one_users_flood_of_calls_lets_others_be_served(server):
    child = flood(50)
    try:
        server.pump.wait(lambda: len(server.need("termserv-broker").descriptors()) > 60, "the flood")
        for _ in range(50):
            link = control.Control(ALICE)
            assert "error" not in link.call("ListSessions") and "error" not in link.call("GetCaller")
            link.close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def again(terminal, pattern, at):
    terminal.wait_until(lambda t: re.search(pattern, t.raw[at:].decode("utf-8", "replace"), re.S), "%s again" % pattern)


def stop_host(server, session):
    host = server.need("termserv-host", session)
    os.kill(host.pid, signal.SIGSTOP)
    return host


def test_a_stopped_host_keeps_no_terminal(server):
    """The host is its owner's: he may stop it, leave the terminal, and the next one must be able to log on there."""
    door = server.person("termserv-tty").login_terminal("TERM07")
    log_in(door, "alice", password_of("alice")).wait_for(PROMPT)
    session, = server.root.ids()
    host = stop_host(server, session)
    at = len(door.raw)
    door.type("\x1d\x1d\x1d")
    again(door, "login: ", at)
    at = len(door.raw)
    log_in(door, "bob", password_of("bob"))
    again(door, "try again", at)
    server.root.wait_state(session, "Disc")
    again(door, "try again.*login: ", at)
    at = len(door.raw)
    door.line("bob")
    again(door, "Password: ", at)
    door.line(password_of("bob"))
    again(door, re.escape(PROMPT), at)
    assert server.bob.run("id -un", in_terminal=door).out == "bob\n"
    os.kill(host.pid, signal.SIGCONT)


def test_a_stopped_host_does_not_keep_a_door_out_that_comes_anew(server):
    """The door was restarted, with its machine or its unit: nobody knows the old one's secret any more."""
    person = server.person("termserv-tty")
    door = person.login_terminal("TERM07")
    log_in(door, "alice", password_of("alice")).wait_for(PROMPT)
    session, = server.root.ids()
    host = stop_host(server, session)
    door.close()
    server.pump.wait(lambda: not door.running, "the door to go")
    tries = []

    def comes():  # as its unit would, again and again
        tries.append(person.terminal("termserv logon --terminal TERM07"))
        server.pump.wait(lambda: not tries[-1].running or LOGIN.search(tries[-1].screen()), tries[-1].report)
        return tries[-1].running

    server.pump.wait(comes, "the terminal's name")
    assert len(tries) > 1
    server.root.wait_state(session, "Disc")
    log_in(tries[-1], "bob", password_of("bob")).wait_for(PROMPT)
    os.kill(host.pid, signal.SIGCONT)


def test_what_an_owner_leaves_in_his_folder_is_removed_and_nothing_outside(server):
    session = server.alice.logon()
    number = session.session
    run = RUNTIME / "sessions" / str(number) / "run"
    victim = world.Path("/run/victim")
    victim.mkdir()
    (victim / "file").write_text("x")
    (victim / "file").chmod(0o600)
    script = """
import os
os.chdir(%r)
os.symlink("/run/victim", "link"); os.symlink("/run/victim/file", "flink")
for n in os.listdir("."):
    pass
d = "."
for i in range(60):
    os.mkdir("d"); open("f", "w").close(); os.symlink("/run/victim", "l"); os.chdir("d")
os.makedirs("closed/in", 0o700); os.chmod("closed", 0)
""" % str(run)
    server.alice.run("/usr/bin/python3 -c '%s'" % script.replace("'", '"'))
    assert "closed" in (os.path.basename(p) for p, _, _ in os.walk(run))
    server.alice.run("logoff %d" % number)
    server.pump.wait(lambda: number not in server.root.ids(), "the session to end")
    server.pump.wait(lambda: not (RUNTIME / "sessions" / str(number)).exists(), "the folder to go")
    assert (victim / "file").stat().st_mode & 0o777 == 0o600 and (victim / "file").stat().st_uid == 0


def test_nobody_looks_into_the_door_that_takes_passwords(server):
    """Not even another door: those of all fixed terminals are one account's."""
    door = server.person("termserv-tty").login_terminal("TERM07")
    assert os.readlink("/proc/%d/exe" % door.process.pid).endswith("/termserv")
    with wire.as_uid(world.ACCOUNTS["termserv-tty"].uid), pytest.raises(PermissionError):
        open("/proc/%d/mem" % door.process.pid, "rb").close()


LIAR = """\
#!/usr/bin/python3 -I
import os, socket, time
link = socket.socket(fileno=3)
link.setblocking(True)
link.recv(4096)
ours = [os.ttyname(os.openpty()[1]) for _ in range(2)]
for tty, title in (("/dev/pts/ptmx", "wrong"), (ours[0], "first"), (ours[1], "last")):
    packet = bytearray.fromhex(%r)
    for (at, size), text in zip(%r, (tty, title, ours[0])):
        packet[at:at + len(text)] = text.encode()
    link.send(packet)
time.sleep(1000)
"""


def test_a_host_names_one_tty_of_its_owners_and_no_second_one(puppet):  # noqa: F811
    """It goes into utmp: its owner would be logged on wherever he likes."""
    info = wire.Info(wire.Header(wire.LINK_VERSION, wire.INFO, 0), state=4, program=1)
    fields = [(f.offset, f.size) for f in (wire.Info.tty, wire.Info.title, wire.Info.term)]
    host = puppet.system.programs / "termserv-host"
    host.unlink()
    world.write(host, LIAR % (bytes(info).hex(), fields), 0o755)
    mine, proof = wire.pair_of(ALICE)
    wire.send(mine, wire.warrant(wire.USE_LOGON), [wire.spec()])
    _, link = puppet.spawn(proof, ALICE)
    wire.send(link, wire.simple(wire.HELLO, 7))
    found = puppet.expect(link, wire.INFO)
    while found.title != b"last":
        found = puppet.expect(link, wire.INFO)
    assert found.tty == found.term != b""
    wire.send(link, wire.simple(wire.RESET, 8))
