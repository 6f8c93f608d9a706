"""Whom the parts trust: a broker that lies gets nothing, and each process is who the manual says, with what it needs."""

import ctypes
import json
import os
import re
import socket
import stat

import pytest

import processes
import wire
import world
from puppet import WAIT, Puppet, answer_question, real_uid
from server import PROMPT
from system_server import LOGS, RUNTIME, USUAL, password_of

ROOT = 0
SIZES = {wire.Header: 8, wire.Warrant: 152, wire.Question: 72, wire.SpecHeader: 28, wire.CableHello: 92}


def uid_of(name):
    return world.ACCOUNTS[name].uid if name != "root" else ROOT


@pytest.fixture
def puppet(request):
    liar = Puppet()
    yield liar.start()
    liar.life.close()
    liar.system.process.terminate()  # it was told nothing that it could be stopped by
    liar.system.process.wait()
    liar.system.process = None
    liar.system.finish(request)


# --- starting sessions -------------------------------------------------------------------------------


def test_the_tests_structs_have_the_manuals_sizes(folder):
    manual = (world.REPOSITORY / "man/termserv-link.7.scd").read_text()
    sizes = {name: int(size) for name, size in re.findall(r"\*struct (\w+)\* \((\d+) bytes\)", manual)}
    for name, kind in {"link_simple": wire.Simple, "link_spawn": wire.Spawn, "link_info": wire.Info}.items():
        assert ctypes.sizeof(kind) == sizes[name]
    assert {kind: ctypes.sizeof(kind) for kind in SIZES} == SIZES


def test_who_asks_for_a_session_gets_it(puppet):
    _, link = puppet.session_of("alice")
    assert puppet.uids_of_programs() == {uid_of("alice")}
    link.close()


@pytest.mark.parametrize("claimed", ["bob", "root", "termserv"])
def test_a_session_belongs_to_who_made_the_proof_whatever_the_broker_claims(puppet, claimed):
    mine, proof = wire.pair_of(uid_of("alice"))
    wire.send(mine, wire.warrant(wire.USE_LOGON), [wire.spec()])
    _, link = puppet.spawn(proof, uid_of(claimed))
    found = puppet.outcome(link)
    assert found is None or found.header.type == wire.ENDED or found.uid == uid_of("alice")
    assert puppet.uids_of_programs() <= {uid_of("alice")}


@pytest.mark.parametrize("user", ["", "alice", "root"])
def test_the_broker_cannot_start_a_session_by_itself(puppet, user):
    mine, proof = wire.pair_of(puppet.uid)
    mine.settimeout(WAIT)
    wire.send(mine, wire.warrant(wire.USE_LOGON, user=user), [wire.spec()])
    _, link = puppet.spawn(proof, uid_of(user or "alice"))
    answer_question(mine, password_of(user) if user == "alice" else "x")  # even with a password that it has learnt
    found = puppet.outcome(link)
    assert found is None or found.header.type == wire.ENDED
    puppet.system.pump.wait(lambda: not puppet.system.processes("termserv-leader"), "the leader to go")
    assert puppet.uids_of_programs() == set()


@pytest.mark.parametrize("password,starts", [(None, False), ("wrong", False), ("alice's secret 1", False), ("bob's secret 22", True)])
def test_a_session_for_somebody_else_needs_his_password(puppet, password, starts):
    mine, proof = wire.pair_of(uid_of("alice"))
    mine.settimeout(WAIT)
    wire.send(mine, wire.warrant(wire.USE_LOGON, user="bob"), [wire.spec()])
    _, link = puppet.spawn(proof, uid_of("bob"))
    assert answer_question(mine, password)
    found = puppet.outcome(link)
    assert (found is not None and found.header.type == wire.INFO and found.uid == uid_of("bob")) == starts
    if not starts:
        assert found.header.type == wire.ENDED and found.error == wire.KEYREJECTED
        assert puppet.uids_of_programs() == set()


@pytest.mark.parametrize("what", ["nothing", "garbage", "the wrong use", "a stream", "no spec", "an unknown user"])
def test_a_bad_proof_starts_nothing(puppet, what):
    kind = socket.SOCK_STREAM if what == "a stream" else socket.SOCK_SEQPACKET
    mine, proof = wire.pair_of(uid_of("alice"), kind)
    mine.settimeout(WAIT)
    good = wire.warrant(wire.USE_LOGON)
    if what == "garbage":
        wire.send(mine, b"x" * len(good), [wire.spec()])
    elif what == "the wrong use":
        wire.send(mine, wire.warrant(wire.USE_CONNECT, "1"), [wire.spec()])
    elif what == "no spec":
        wire.send(mine, good)
    elif what == "an unknown user":
        wire.send(mine, wire.warrant(wire.USE_LOGON, user="nobodyknows"), [wire.spec()])
    elif what == "a stream":
        wire.send(mine, good, [wire.spec()])
    if what == "nothing":
        mine.close()
    _, link = puppet.spawn(proof, uid_of("alice"))
    if what == "an unknown user":
        answer_question(mine, "x")
    found = puppet.outcome(link)
    assert found is None or found.header.type == wire.ENDED
    assert puppet.uids_of_programs() == set()


# --- cables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maker,taken", [("alice", True), ("bob", False), ("termserv", False), ("root", False), ("erin", False)])
def test_a_cable_is_plugged_only_when_the_owner_made_it(puppet, maker, taken):
    _, link = puppet.session_of("alice")
    door, end = wire.cable(uid_of(maker))
    error = puppet.plug(link, end)
    assert error == 0 if taken else error < 0
    door.settimeout(0.2)
    if not taken:
        assert not shows_anything(door)


def shows_anything(door):
    try:
        return door.recv(4096) != b""
    except (TimeoutError, ConnectionResetError):
        return False


def connected_cable(puppet, listening):
    """A cable whose maker seems to be whoever listens: the broker has connected there, and holds both ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with wire.as_uid(uid_of(listening)):
            listener.bind("\0relay")
            listener.listen(1)
        with wire.as_uid(puppet.uid):
            end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            end.connect("\0relay")
        door, _ = listener.accept()
    wire.say_hello(door)
    return door, end


def own_control_cable(puppet):
    """The same through the server's own control socket, whose other end is the broker's to accept: root listens there."""
    with wire.as_uid(puppet.uid):
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        end.connect(str(RUNTIME / "control"))
    door, _ = puppet.control.accept()
    wire.say_hello(door)
    return door, end


@pytest.mark.parametrize("owner", ["alice", "root"])
def test_a_socket_that_somebody_has_connected_to_is_no_cable_of_who_listens_there(puppet, owner):
    """The kernel names the listener as the peer of who connects: a relay of the owner's, or root's control socket."""
    _, link = puppet.session_of(owner)
    cables = ([own_control_cable(puppet)] if owner == "root" else []) + [connected_cable(puppet, owner)]
    for door, end in cables:
        assert puppet.plug(link, end) < 0
        door.settimeout(0.2)
        assert not shows_anything(door)


def test_a_committed_foreign_cable_shows_nothing(puppet):
    """COMMIT without a PLUG that was granted does nothing, whatever the order."""
    _, link = puppet.session_of("alice", arguments=("sh", "-c", "echo the secret of alice; cat"))
    door, end = wire.cable(puppet.uid)
    assert puppet.plug(link, end) < 0
    wire.send(link, wire.simple(wire.COMMIT, 12, terminal=b"tty#1"))
    door.settimeout(1)
    assert not shows_anything(door)


def test_with_the_owners_password_one_cable_of_the_warrants_maker_is_taken_once(puppet):
    number, link = puppet.session_of("alice")
    error, uid, asked = puppet.present(link, uid_of("bob"), wire.warrant(wire.USE_CONNECT, str(number)), password_of("alice"))
    assert (error, uid, asked) == (0, uid_of("bob"), True)
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == 0
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) < 0


@pytest.mark.parametrize("maker", ["carol", "termserv", "root"])
def test_a_grant_is_no_good_for_anybody_elses_cable(puppet, maker):
    number, link = puppet.session_of("alice")
    assert puppet.present(link, uid_of("bob"), wire.warrant(wire.USE_CONNECT, str(number)), password_of("alice"))[0] == 0
    assert puppet.plug(link, wire.cable(uid_of(maker))[1]) < 0


def test_a_grant_for_a_named_terminal_is_for_that_terminal(puppet):
    number, link = puppet.session_of("alice")
    named = wire.warrant(wire.USE_CONNECT, str(number), terminal="TERM05", destination=wire.TO_NAMED)
    for terminal, taken in (("TERM01", False), ("term05", True)):
        error, _, _ = puppet.present(link, uid_of("alice"), named)
        assert error == 0
        code = puppet.plug(link, wire.cable(uid_of("termserv-tty"))[1], terminal)
        assert code == 0 if taken else code < 0


@pytest.mark.parametrize("case,error", [
    (dict(password=None), wire.KEYREJECTED), (dict(password="wrong"), wire.KEYREJECTED),
    (dict(session="4711", password="right"), wire.ACCES), (dict(session="TERM01", password="right"), wire.ACCES),
    (dict(session="", password="right"), wire.ACCES),
    (dict(use=wire.USE_LOGON, password="right"), wire.ACCES),
    (dict(maker="termserv", password="right"), wire.ACCES),
    (dict(maker="bob", flags=wire.FREE_OF_PASSWORD, password=None), wire.KEYREJECTED),
    (dict(maker="erin", flags=wire.FREE_OF_PASSWORD, password=None), wire.KEYREJECTED),
    (dict(maker="root", password=None), wire.KEYREJECTED),
])
def test_a_warrant_that_is_not_good_opens_nothing(puppet, case, error):
    number, link = puppet.session_of("alice")
    password = password_of("alice") if case["password"] == "right" else case["password"]
    maker = uid_of(case.get("maker", "bob"))
    what = wire.warrant(case.get("use", wire.USE_CONNECT), case.get("session", str(number)))
    found, _, _ = puppet.present(link, maker, what, password, case.get("flags", 0))
    assert found == error
    assert puppet.plug(link, wire.cable(maker)[1]) < 0


def test_roots_own_warrant_is_free_when_the_configuration_says_so(puppet):
    number, link = puppet.session_of("alice")
    found = puppet.present(link, ROOT, wire.warrant(wire.USE_CONNECT, str(number)), flags=wire.FREE_OF_PASSWORD)
    assert found == (0, ROOT, False)
    assert puppet.plug(link, wire.cable(ROOT)[1]) == 0


# --- learning a password -----------------------------------------------------------------------------


def ask_as(uid, sock, question):
    """Sends a question with a pipe of our own, from a process that really is this uid; the pipe's reading end."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            wire.send(sock, question, [there])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(there)
    return here


def serve_until(connection, method):
    """Plays the broker on one control connection until this method is called: its parameters and the descriptors."""
    held, fds = bytearray(), []
    while True:
        data, more = wire.receive(connection)
        assert data != b"", "the command went away"
        held += data
        fds += more
        while b"\0" in held:
            text, _, rest = bytes(held).partition(b"\0")
            held = bytearray(rest)
            call = json.loads(text)
            name = call["method"].rpartition(".")[2]
            if name == method:
                return call.get("parameters", {}), fds
            assert name == "GetCaller", call
            answer = dict(uid=uid_of("alice"), session=5, terminal="TERM01", mode="system", version="1", runtimeDirectory=str(RUNTIME))
            connection.sendall(json.dumps({"parameters": answer}).encode() + b"\0")


def next_call(puppet, method):
    """The next connection that calls this method."""
    while True:
        connection, _ = puppet.control.accept()
        connection.settimeout(WAIT)
        try:
            return connection, *serve_until(connection, method)
        except AssertionError as gone:
            if "went away" not in str(gone):
                raise


@pytest.mark.parametrize("asker,learns", [("termserv", False), ("alice", False), ("root", True)])
def test_a_command_tells_a_password_to_root_only(puppet, asker, learns):
    alice = puppet.system.alice
    command = alice.start(["/bin/sh", "-c", alice.with_password("connect 12 /dest:TERM01", password_of("bob"))])
    connection, parameters, fds = next_call(puppet, "Connect")
    sock = socket.socket(fileno=fds[parameters["warrant"]])
    sock.settimeout(WAIT)
    data, _ = wire.receive(sock)
    asked = wire.Warrant.from_buffer_copy(data)
    assert asked.use == wire.USE_CONNECT and asked.session == b"12"
    pipe = ask_as(uid_of(asker), sock, bytes(wire.Question(1, 0, 12, b"bob")))
    sock.close()
    with os.fdopen(pipe, "rb") as reader:
        text = reader.read()
    assert text == (password_of("bob").encode() if learns else b"")
    assert password_of("bob") not in json.dumps(parameters)
    connection.close()
    processes.kill(command.pid)  # it would wait for another broker


@pytest.mark.parametrize("claimed", ["5", "7"])
@pytest.mark.parametrize("door,to", [("alice", wire.TO_OWN), ("termserv-tty", wire.TO_NAMED), (None, wire.TO_NAMED)])
def test_no_broker_tells_a_command_where_its_own_terminal_is(puppet, door, to, claimed):
    """Where the door is the caller's own the warrant is for his cables alone, whatever terminal (TERM01) the broker names."""
    alice = puppet.system.alice
    run = RUNTIME / "sessions" / claimed / "run"
    run.mkdir(parents=True)
    os.chown(run, alice.uid, alice.gid)
    if door:
        (run / "door").write_text("%d\n" % uid_of(door))
    # The broker says that this is session 5; what is in the own environment is believed first.
    command = alice.start("connect 12", env=alice.environment(**({} if claimed == "5" else {"TERMSERV_SESSION": claimed})))
    connection, parameters, fds = next_call(puppet, "Connect")
    sock = socket.socket(fileno=fds[parameters["warrant"]])
    asked = wire.Warrant.from_buffer_copy(wire.receive(sock)[0])
    assert (asked.destination, asked.terminal) == (to, b"TERM01" if to == wire.TO_NAMED else b"")
    sock.close()
    connection.close()
    processes.kill(command.pid)  # it would wait for another broker


def test_a_session_knows_as_whom_its_terminals_door_runs(server):
    here = server.alice.logon()
    door = RUNTIME / "sessions" / str(here.session) / "run/door"
    assert door.read_text() == "%d\n" % server.alice.uid
    for who in ("alice", "termserv-tty"):
        fixed = server.person(who).terminal("termserv logon --terminal TERM05", emulate=False)
        server.pump.wait(lambda: server.alice.run("connect %d /dest:TERM05" % here.session).status == 0, "TERM05 to be there")
        server.pump.wait(lambda: door.read_text() == "%d\n" % uid_of(who), "the door's note")
        fixed.close()
        server.root.wait_state(here.session, "Disc")


def test_commands_speak_to_roots_socket_only(folder):
    """A control socket that somebody else has put there is not believed, before a byte is sent."""
    RUNTIME.mkdir(mode=0o755, exist_ok=True)
    for owner in ("termserv", "bob"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            with wire.as_uid(ROOT):
                listener.bind(str(RUNTIME / "control"))
            (RUNTIME / "control").chmod(0o666)
            with wire.as_uid(uid_of(owner)):
                listener.listen(5)
            command = folder.alice.start("query session --system")
            listener.settimeout(WAIT)
            connection, _ = listener.accept()
            connection.settimeout(WAIT)
            assert connection.recv(100) == b""
            assert folder.alice.finish(command).status == 1
        (RUNTIME / "control").unlink()


# --- the leader's own socket -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "bob", "termserv-tty"])
def test_nobody_but_the_broker_reaches_a_leader(server, name):
    number = server.alice.detached()
    path = str(RUNTIME / "sessions" / str(number) / "link")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock, wire.as_uid(uid_of(name)):
        with pytest.raises(PermissionError):
            sock.connect(path)


def test_a_leader_asks_the_kernel_who_its_broker_is(server):
    """Even with the file mode out of the way: another uid in the broker's group."""
    number = server.alice.detached()
    path = str(RUNTIME / "sessions" / str(number) / "link")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        os.setegid(uid_of("termserv"))
        os.seteuid(uid_of("bob"))
        try:
            sock.connect(path)
        finally:
            os.seteuid(0)
            os.setegid(0)
        sock.settimeout(WAIT)
        try:
            wire.send(sock, wire.simple(wire.HELLO, 7))
            data, _ = wire.receive(sock)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        assert data == b"" or wire.packet(data).header.type == wire.REFUSED
    server.root.wait_state(number, "Disc")


# --- who runs as whom, with what ---------------------------------------------------------------------


def busy(server):
    """Some of everything: two people's sessions, at a fixed terminal and disconnected, and one that has changed its terminal."""
    here = server.alice.logon_fixed("TERM01")
    first = server.bob.logon()
    first.close()
    server.root.wait_state(first.session, "Disc")
    server.bob.connect(first.session).wait_for(PROMPT)
    server.bob.detached()
    return here


def status_of(process):
    text = processes.read(process.pid, "status").decode()
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.M))


OWNERS = {"termservd": {ROOT}, "termserv-broker": {uid_of("termserv")}, "termserv-leader": {ROOT},
          "termserv-host": {uid_of("alice"), uid_of("bob")}}


@pytest.mark.parametrize("name", OWNERS)
def test_every_process_runs_as_who_the_manual_says(server, name):
    busy(server)
    found = server.processes(name)
    assert found
    assert {real_uid(p.pid) for p in found} == OWNERS[name]
    for process in found:
        status = status_of(process)
        assert len(set(status["Uid"].split())) == 1 and len(set(status["Gid"].split())) == 1
        if OWNERS[name] != {ROOT}:
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapAmb"], 16) == 0
        if name == "termserv-broker":
            assert status["NoNewPrivs"] == "1" and status["Groups"].split() in ([], [str(uid_of("termserv"))])
        if name == "termserv-host":
            owner = [a for a in world.ACCOUNTS.values() if a.uid == real_uid(process.pid)][0]
            expected = {owner.uid} | {world.GROUPS[g] for g in owner.groups}
            assert {int(g) for g in status["Groups"].split()} | {owner.uid} == expected
            assert status["NoNewPrivs"] == "0"  # sudo must work in a session


def test_the_broker_has_no_shell_and_no_tty_and_starts_nothing(server):
    busy(server)
    broker = server.need("termserv-broker")
    assert not [t for t in broker.descriptors().values() if t.startswith("/dev/pts") or t == "/dev/ptmx"]
    for process in processes.below(broker.pid):
        assert process.name.startswith("termserv"), process  # the names helper is a fork of the broker
        assert real_uid(process.pid) == uid_of("termserv")


def test_no_root_process_holds_a_users_tty(server):
    here = busy(server)
    server.alice.run("true", in_terminal=here)
    for name in ("termservd", "termserv-leader", "termserv-broker"):
        for process in server.processes(name):
            def held():
                return [t for t in process.descriptors().values() if t.startswith("/dev/pts/") or t in ("/dev/ptmx", "/dev/tty")]
            server.pump.wait(lambda: held() == [], lambda: "%r to hold none: %s" % (process, held()))


ANONYMOUS = {"socket", "pipe", "anon_inode:[eventpoll]", "anon_inode:[signalfd]", "anon_inode:[timerfd]", "anon_inode:[pidfd]",
             "anon_inode:[eventfd]", "/dev/null"}


def test_what_a_host_says_stands_in_the_log_harmless_and_bounded(server):
    """Its owner may use that way too, and can neither read what is in it nor hold his session up with it."""
    here = server.alice.logon()
    host = server.need("termserv-host", here.session)
    way = "/proc/%d/fd/2" % host.pid
    with wire.as_uid(uid_of("alice")), pytest.raises(PermissionError):
        open(way, "rb")
    with open(way, "wb", 0) as pipe:
        pipe.write(b"some\x1b[2Jthing\nand ")
        pipe.write(b"more\n\n")
        server.pump.wait(lambda: "session %d host: and more\n" % here.session in server.log(), "both lines")
        assert "session %d host: some?[2Jthing\n" % here.session in server.log()
        for number in range(100):
            pipe.write(b"line %d\n" % number)
    server.alice.run("true", in_terminal=here)
    server.pump.wait(lambda: "host: line 17\n" in server.log(), "the last line of this minute")
    assert server.root.run("termserv logoff %d" % here.session).status == 0
    server.root.wait_state(here.session, None)
    assert "host: line 18\n" not in server.log()


@pytest.mark.parametrize("name", OWNERS)
def test_descriptors_are_exactly_the_documented_ones(server, name):
    busy(server)
    run, log = re.escape(str(RUNTIME)), re.escape(str(server.log_path))
    own = {
        "termservd": [run, run + "/lock", run + "/broker", str(LOGS), run + "/sessions"],
        "termserv-broker": [run, run + "/broker", run + "/broker/last-id", str(LOGS), str(LOGS) + "/audit.log", run + "/sessions"],
        "termserv-leader": [run, run + "/sessions", run + r"/sessions/\d+", run + r"/sessions/\d+/run", r"/memfd:.*",
                            r"/sys/fs/cgroup.*", "/run/utmp"],
        "termserv-host": [run + r"/sessions/\d+/run", "/dev/ptmx", "/dev/pts/ptmx", r"/dev/pts/\d+", r"/memfd:.*"],
    }[name]
    for process in server.processes(name):
        def left():
            return {n: t for n, t in process.descriptors().items()
                    if t not in ANONYMOUS and not any(re.fullmatch(p, t) for p in [*own, log])}
        # What it opens for a moment only is none that it holds.
        server.pump.wait(lambda: left() == {}, lambda: "%r to hold no more than these: %s" % (process, left()))


def test_a_terminal_is_lent_to_a_session_of_its_own_user_and_to_no_other(configured):
    server = configured(USUAL.replace("failure-delay", "root-connect = free\nfailure-delay"))
    here = server.alice.logon()
    own = server.root.session(here.session)["tty"]

    def held():
        host, = [p for p in server.processes("termserv-host") if p.arguments[-1] == str(here.session)]
        return {t for t in host.descriptors().values() if t.startswith("/dev/pts/")} - {own, "/dev/pts/ptmx"}
    server.pump.wait(lambda: held() == {here.path}, lambda: "the host to hold alice's terminal: %s" % held())
    roots = server.root.logon()
    roots.line("connect %d" % here.session).wait_for("was taken over without a password by root")
    roots.line("echo over the c''able").wait_for("\nover the cable")
    assert held() == set()


def test_a_session_program_has_its_tty_and_nothing_else(server):
    busy(server)
    for session in [s for s in server.root.sessions() if s["id"] is not None]:
        program = server.root.program(session["id"])
        tty = session["tty"]
        expected = {0: tty, 1: tty, 2: tty}
        if program.name == "bash":
            expected[255] = tty
        server.pump.wait(lambda: program.descriptors() == expected, lambda: "%r to hold just its tty: %s" % (program, program.descriptors()))
        assert real_uid(program.pid) == session["uid"]


FOLDERS = {  # path below the runtime folder -> owner, group, mode; None: the session's owner
    "": ("root", "root", 0o755), "control": ("root", "root", 0o666), "lock": ("root", "root", 0o600),
    "broker": ("termserv", "termserv", 0o700), "sessions": ("root", "termserv", 0o751), "sessions/ID": ("root", "termserv", 0o751),
    "sessions/ID/link": ("root", "termserv", 0o660), "sessions/ID/run": (None, None, 0o700),
}


def test_folders_and_sockets_have_the_documented_owners_and_modes(server):
    here = server.alice.logon()
    gids = {"root": 0, "termserv": uid_of("termserv")}
    for path, (owner, group, mode) in FOLDERS.items():
        found = os.lstat(RUNTIME / path.replace("ID", str(here.session)))
        uid = uid_of(owner) if owner else uid_of("alice")
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (uid, mode), path
        if group:
            assert found.st_gid == gids[group], path
    logs = os.stat(LOGS)
    assert (logs.st_uid, stat.S_IMODE(logs.st_mode)) == (uid_of("termserv"), 0o750)
    assert stat.S_IMODE(os.stat(LOGS / "audit.log").st_mode) == 0o640


def test_nothing_but_the_control_socket_is_open_to_the_world(server):
    busy(server)
    for path in [RUNTIME, *RUNTIME.rglob("*"), LOGS, *LOGS.rglob("*")]:
        if not path.is_symlink() and path != RUNTIME / "control":
            assert path.lstat().st_mode & 0o002 == 0, path


def test_the_sessions_tty_belongs_to_its_owner_and_is_closed_to_others(server):
    busy(server)
    for session in [s for s in server.root.sessions() if s["id"] is not None]:
        found = os.stat(session["tty"])
        assert found.st_uid == session["uid"]
        assert stat.S_IMODE(found.st_mode) in (0o600, 0o620) and (found.st_mode & 0o070 == 0 or found.st_gid == 5)


@pytest.mark.parametrize("name", ["termservd", "termserv-broker", "termserv-leader"])
def test_the_servers_processes_are_closed_to_the_users(server, name):
    """No user reads their memory or environment, nor sends them a signal."""
    here = busy(server)
    for process in server.processes(name):
        script = "kill -9 %d; cat /proc/%d/environ /proc/%d/mem; ls /proc/%d/fd" % ((process.pid,) * 4)
        result = server.alice.run("sh -c '%s'" % script, in_terminal=here)
        assert result.status != 0 and result.out == ""
        assert processes.alive(process.pid)


def test_the_broker_cannot_reach_a_users_session(server):
    """What its account may not: the session's folder of links, the host's memory, the tty, PAM's files."""
    here = busy(server)
    host = server.need("termserv-host", here.session)
    session = server.root.session(here.session)
    targets = [RUNTIME / "sessions" / str(here.session) / "run", "/proc/%d/mem" % host.pid, session["tty"], "/etc/shadow",
               RUNTIME / "lock"]
    for target in targets:
        with wire.as_uid(uid_of("termserv")), pytest.raises(PermissionError):
            os.close(os.open(target, os.O_RDONLY | os.O_NOCTTY))


def test_a_host_has_nothing_of_roots_environment(server):
    here = busy(server)
    found = server.need("termserv-host", here.session).environment
    assert found["HOME"] == "/opt/termserv/home/alice" and found["USER"] == found["LOGNAME"] == "alice"
    assert not {n for n in found if n.startswith(("ASAN", "UBSAN", "NOTIFY", "LISTEN", "TERMSERV_LOG", "SUDO"))} - {
        n for n in os.environ if n.startswith(("ASAN", "UBSAN"))}
    here.wait_for(PROMPT)
