"""What a session's start does to the machine: PAM, login records, control groups, the owner's environment and limits."""

import errno
import os
import re
import resource
import socket
import struct
import time
from pathlib import Path

import pytest

import processes
import wire
import world
from control import Control, open_terminal
from puppet import answer_question
from system_server import password_of
from terminal import LIMIT
from test_trust import puppet, uid_of  # noqa: F401

ENTRY = struct.Struct("hi32s4s32s256shhiii4i20s")  # struct utmpx of 64-bit machines
USER_PROCESS, DEAD_PROCESS = 7, 8
PASSWORD_WAIT_S = 30  # WARRANT_PASSWORD_WAIT_MS
ASKED_AT_ONCE = 16  # callers of one session, by its leader


def records(path="/run/utmp"):
    """(type, line, user, host) of each entry."""
    text = Path(path).read_bytes()
    found = [ENTRY.unpack_from(text, at) for at in range(0, len(text), ENTRY.size)]
    return [(e[0], *(x.rstrip(b"\0").decode() for x in (e[2], e[4], e[5]))) for e in found]


def shown(session, path="/run/utmp"):
    """The entry of the session's tty."""
    line = session["tty"].removeprefix("/dev/")
    found = [e for e in records(path) if e[1] == line]
    return found[-1] if found else None


def values(result):
    return dict(line.split("=", 1) for line in result.out.splitlines() if "=" in line)


def may_raise_limits():
    effective = re.search(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text())[1]
    return int(effective, 16) >> 24 & 1  # CAP_SYS_RESOURCE


def test_pam_gives_the_session_its_variables_and_limits_and_the_leader_keeps_its_own(server):
    here = server.alice.logon()
    variables = values(server.alice.run("env", in_terminal=here))
    assert variables[world.PAM_VARIABLE[0]] == world.PAM_VARIABLE[1]
    assert server.alice.run("ulimit -n", in_terminal=here).out.strip() == str(world.PAM_LIMIT)
    leader = server.need("termserv-leader", here.session)
    if not may_raise_limits():
        return  # neither may the leader, in this container
    limits = processes.read(leader.pid, "limits").decode()
    own = int(re.search(r"Max open files +(\d+)", limits)[1])
    assert own == resource.getrlimit(resource.RLIMIT_NOFILE)[0] != world.PAM_LIMIT


def test_the_owners_command_keeps_its_environment_below_that_of_the_login(server):
    alice = server.alice
    here = alice.logon(env=alice.environment(EDITOR="ed", HOME="/nowhere", FROM_PAM="mine", PATH="/usr/bin:/bin:/opt/own"))
    variables = values(alice.run("env", in_terminal=here))
    assert variables["EDITOR"] == "ed" and "/opt/own" in variables["PATH"]
    assert variables["HOME"] == str(alice.home) and variables["USER"] == variables["LOGNAME"] == "alice"
    assert variables[world.PAM_VARIABLE[0]] == world.PAM_VARIABLE[1]


def test_who_is_logged_on_stands_in_utmp_until_the_session_ends(server):
    here = server.alice.logon()
    session = server.alice.session(here.session)
    server.pump.wait(lambda: shown(session), "an entry in utmp")
    assert shown(session)[0] == USER_PROCESS and shown(session)[2] == "alice"
    server.pump.wait(lambda: (shown(session, "/var/log/wtmp") or ())[:3] == shown(session)[:3], "the same in wtmp")
    server.root.run("termserv logoff %d" % here.session)
    server.pump.wait(lambda: shown(session)[0] == DEAD_PROCESS, "the end in utmp")
    assert shown(session)[2] == ""
    server.pump.wait(lambda: [e[0] for e in records("/var/log/wtmp")][-2:] == [USER_PROCESS, DEAD_PROCESS], "the end in wtmp")


def group_of(pid):
    line, = [x for x in processes.read(pid, "cgroup").decode().splitlines() if x.startswith("0::")]
    return line[3:]


def group_root():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    pytest.skip("no cgroup version 2 on this machine")


def test_a_session_has_a_control_group_and_ends_whole_with_it(server):
    root = group_root()
    here = server.alice.logon()
    leader, host = server.need("termserv-leader", here.session), server.need("termserv-host", here.session)
    group = group_of(host.pid)
    assert Path(group).parent == Path(group_of(leader.pid)) and Path(group).name.startswith("session-%d" % here.session)
    told = server.alice.base / "pid"
    deaf = "setsid sh -c 'trap \"\" HUP TERM; echo $$ >%s; exec sleep 1000' &" % told
    here.line(deaf)
    pid = int(server.pump.wait(lambda: told.exists() and told.read_text(), "the process that stays"))
    assert group_of(pid) == group
    assert server.root.run("termserv reset session %d" % here.session).status == 0
    server.pump.wait(lambda: not processes.alive(pid), "the end of what it has left")
    server.pump.wait(lambda: not (root / group.lstrip("/")).exists(), "the group to go")


def start_as(puppet, maker, user, password, **spec):  # noqa: F811
    """A session of `user` that `maker` asks for: what came of it, the maker's end, the link."""
    mine, proof = wire.pair_of(uid_of(maker))
    mine.settimeout(LIMIT)
    wire.send(mine, wire.warrant(wire.USE_LOGON, user=user), [wire.spec(**spec)])
    _, link = puppet.spawn(proof, uid_of(user))
    proof.close()
    assert answer_question(mine, password)
    return puppet.outcome(link), link


def test_a_strangers_spec_starts_the_owners_shell_and_little_else(puppet):  # noqa: F811
    found, link = start_as(
        puppet, "termserv-tty", "alice", password_of("alice"), arguments=("cat", "/etc/motd"), directory="/etc",
        environment=("TERM=xterm", "LC_TIME=C", "LD_PRELOAD=/tmp/evil.so", "HOME=/tmp", "PATH=/tmp", "SSH_AUTH_SOCK=/tmp/x",
                     "SHELL=/bin/evil"))
    assert found.header.type == wire.INFO and found.uid == uid_of("alice") and found.command == b"/bin/bash"
    assert found.user == b"alice"
    program = [p for p in puppet.system.processes() if p.pid == found.program][0]
    puppet.system.pump.wait(lambda: "TERMSERV_SESSION" in program.environment, "the shell to be executed")
    variables = program.environment
    assert variables["LC_TIME"] == "C" and variables["HOME"] == "/opt/termserv/home/alice"
    assert variables["SHELL"] == "/bin/bash" and "/tmp" not in variables["PATH"]
    assert "LD_PRELOAD" not in variables and "SSH_AUTH_SOCK" not in variables
    assert os.readlink("/proc/%d/cwd" % found.program) == "/opt/termserv/home/alice"
    # The first cable is the maker's, once.
    assert puppet.plug(link, wire.cable(uid_of("termserv-tty"))[1]) == 0
    assert puppet.plug(link, wire.cable(uid_of("termserv-tty"))[1]) == wire.ACCES


@pytest.mark.parametrize("user,password,error", [
    ("lena", password_of("lena"), wire.KEYREJECTED), ("xavier", password_of("xavier"), wire.KEYREVOKED),
    ("xavier", "wrong", wire.KEYREJECTED), ("alice", "", wire.KEYREJECTED), ("alice", password_of("alice") + "\n", wire.KEYREJECTED),
    ("alice", "x" * 5000, wire.KEYREJECTED), ("termserv", "x", wire.KEYREJECTED)])
def test_a_password_that_is_not_good_starts_nothing(puppet, user, password, error):  # noqa: F811
    found, _ = start_as(puppet, "termserv-tty", user, password)
    assert found.header.type == wire.ENDED and found.error == error


def asked(puppet):  # noqa: F811
    """A caller who has been asked for a password and has not answered: the pipe, and what must stay open meanwhile."""
    number, link = puppet.session_of("alice")
    mine, theirs = wire.pair_of(uid_of("bob"))
    mine.settimeout(LIMIT)
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(number)))
    wire.send(link, wire.simple(wire.WARRANT, 31), [theirs.fileno()])
    theirs.close()
    _, fds = wire.receive(mine)
    return fds[0], mine, link


def test_the_process_that_takes_the_password_is_closed_and_has_two_pipes(puppet):  # noqa: F811
    pipe, mine, link = asked(puppet)
    check = puppet.system.pump.wait(lambda: puppet.system.one("termserv-check"), "the check")
    puppet.system.pump.wait(lambda: sorted(check.descriptors()) == [0, 1, 2, 3, 4], lambda: "its descriptors: %s" % check.descriptors())
    held = check.descriptors()
    assert held[0] == held[1] == "/dev/null" and held[3] == held[4] == "pipe"
    assert re.search(r"Max core file size +0 +0", processes.read(check.pid, "limits").decode())
    if b"__asan_init" not in (world.PROGRAMS / "termserv-leader").read_bytes():  # which does not let anything be locked
        def locked():
            return int(re.search(r"VmLck:\s*(\d+)", processes.read(check.pid, "status").decode())[1])
        puppet.system.pump.wait(locked, "nothing of it to be swapped out")
    assert "TERMSERV" not in " ".join(check.environment)
    with wire.as_uid(uid_of("alice")), pytest.raises(PermissionError):
        os.listdir("/proc/%d/fd" % check.pid)
    os.close(pipe)
    assert puppet.expect(link, wire.WARRANTED).error == wire.KEYREJECTED
    puppet.system.pump.wait(lambda: puppet.system.one("termserv-check") is None, "its end")
    mine.close()


def test_a_check_that_dies_is_no_yes(puppet):  # noqa: F811
    pipe, mine, link = asked(puppet)
    check = puppet.system.pump.wait(lambda: puppet.system.one("termserv-check"), "the check")
    processes.kill(check.pid)
    assert puppet.expect(link, wire.WARRANTED).error == -5
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == wire.ACCES
    os.close(pipe)
    mine.close()


def test_a_session_goes_on_while_somebody_is_asked(puppet):  # noqa: F811
    pipe, mine, link = asked(puppet)
    begun = time.monotonic()
    assert puppet.plug(link, wire.cable(uid_of("alice"))[1]) == 0
    assert time.monotonic() - begun < PASSWORD_WAIT_S
    os.write(pipe, password_of("alice").encode())  # that plug() ended with LINK_ABORT is nothing to him
    os.close(pipe)
    assert puppet.expect(link, wire.WARRANTED).error == 0
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == 0
    mine.close()


def test_after_a_wrong_password_the_leader_asks_later_and_later(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    warrant = wire.warrant(wire.USE_CONNECT, str(number))
    begun = time.monotonic()
    for tries, least in ((1, 0), (2, 1), (3, 3)):
        assert puppet.present(link, uid_of("bob"), warrant, "wrong")[0] == wire.KEYREJECTED
        assert time.monotonic() - begun >= least, tries


def ask_leader(link, number, maker, serial):
    """A warrant of this uid's is given to the leader: the end at which he is asked for the password."""
    mine, theirs = wire.pair_of(maker)
    mine.settimeout(LIMIT)
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(number)))
    wire.send(link, wire.simple(wire.WARRANT, serial), [theirs.fileno()])
    theirs.close()
    return mine


def test_one_caller_is_asked_for_one_password_at_a_time(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    ends = [ask_leader(link, number, uid_of("bob"), serial) for serial in (31, 32)]
    busy = puppet.expect(link, wire.WARRANTED)
    assert (busy.header.serial, busy.error) == (32, -16)
    answer_question(ends[0], password_of("alice"))
    good = puppet.expect(link, wire.WARRANTED)
    assert (good.header.serial, good.error, good.uid) == (31, 0, uid_of("bob"))


def test_a_caller_who_does_not_answer_keeps_nobody_out(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    slow = ask_leader(link, number, uid_of("bob"), 31)
    warrant = wire.warrant(wire.USE_CONNECT, str(number))
    begun = time.monotonic()
    for who, password, flags in (("carol", "alice", 0), ("alice", None, 0), ("root", None, wire.FREE_OF_PASSWORD), ("root", "alice", 0)):
        maker = uid_of(who)
        error, uid, _ = puppet.present(link, maker, warrant, password and password_of(password), flags)
        assert (error, uid) == (0, maker)
        assert puppet.plug(link, wire.cable(maker)[1]) == 0
    assert time.monotonic() - begun < PASSWORD_WAIT_S  # for which his question stays open
    answer_question(slow, password_of("alice"))
    good = puppet.expect(link, wire.WARRANTED)
    assert (good.header.serial, good.error, good.uid) == (31, 0, uid_of("bob"))
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == 0


def test_so_many_callers_are_asked_and_no_more(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    ends = [ask_leader(link, number, 4000 + n, 100 + n) for n in range(ASKED_AT_ONCE + 1)]
    busy = puppet.expect(link, wire.WARRANTED)
    assert (busy.header.serial, busy.error) == (100 + ASKED_AT_ONCE, -16)
    assert puppet.present(link, uid_of("alice"), wire.warrant(wire.USE_CONNECT, str(number)))[:2] == (0, uid_of("alice"))
    puppet.system.pump.wait(lambda: len(puppet.system.processes("termserv-check")) == ASKED_AT_ONCE, "a check for each")
    for mine in ends:
        mine.close()


def test_what_one_was_granted_nobody_elses_warrant_takes_away(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    warrant = wire.warrant(wire.USE_CONNECT, str(number))
    assert puppet.present(link, uid_of("bob"), warrant, password_of("alice"))[0] == 0
    assert puppet.present(link, uid_of("carol"), wire.warrant(wire.USE_CONNECT, "4711"))[0] == wire.ACCES
    assert puppet.present(link, uid_of("carol"), warrant, "wrong")[0] == wire.KEYREJECTED
    assert puppet.present(link, uid_of("alice"), warrant)[0] == 0
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == 0
    assert puppet.plug(link, wire.cable(uid_of("bob"))[1]) == wire.ACCES


def test_a_caller_who_holds_his_question_open_keeps_nobody_from_connecting(server):
    """The same with the real broker: alice never answers, and carol has the session at once."""
    session = server.bob.detached("sh -c 'echo the session of bob; cat'")
    door, answer = open_terminal(server.alice.uid)
    mine, theirs = wire.pair_of(server.alice.uid)
    mine.settimeout(LIMIT)
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(session)))
    slow = Control(server.alice.uid).send("Connect", fds=[theirs.fileno()], session=str(session), warrant=0, password=True,
                                          secret=answer["parameters"]["secret"])
    theirs.close()
    _, fds = wire.receive(mine)  # she is asked
    here = server.carol.logon()
    begun = time.monotonic()
    server.carol.type_command(server.carol.with_password("connect %d" % session, password_of("bob")), here)
    here.wait_for("the session of bob")
    assert time.monotonic() - begun < PASSWORD_WAIT_S
    os.close(fds[0])
    assert slow.receive()["parameters"]["code"] == 1326
    for end in (mine, slow, door):
        end.close()


def test_a_caller_who_goes_is_a_wrong_password_and_blocks_nobody(puppet):  # noqa: F811
    number, link = puppet.session_of("alice")
    mine, theirs = wire.pair_of(uid_of("bob"))
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(number)))
    wire.send(link, wire.simple(wire.WARRANT, 31), [theirs.fileno()])
    theirs.close()
    mine.close()
    assert puppet.expect(link, wire.WARRANTED).error in (wire.KEYREJECTED, -32)
    assert puppet.plug(link, wire.cable(uid_of("alice"))[1]) == 0


@pytest.mark.parametrize("how", ["the broker goes", "the session ends"])
def test_the_check_stops_when_nobody_waits_for_it(puppet, how):  # noqa: F811
    number, link = puppet.session_of("alice")
    mine = ask_leader(link, number, uid_of("bob"), 31)
    _, fds = wire.receive(mine)
    if how == "the broker goes":
        link.close()
    else:
        wire.send(link, wire.simple(wire.LOGOFF, 32))
        assert puppet.expect(link, wire.WARRANTED).error == -errno.ESHUTDOWN
    with pytest.raises(BrokenPipeError), os.fdopen(fds[0], "wb", 0) as pipe:
        puppet.system.pump.wait(lambda: pipe.write(b"x") == 0, "the check's end")
    assert isinstance(mine, socket.socket) and mine.recv(1) == b""


def test_a_caller_who_lets_nothing_in_holds_nobody_up(puppet):  # noqa: F811
    """He keeps the other end too: its queue is full, and whoever writes into it would wait."""
    number, link = puppet.session_of("alice")
    mine, theirs = wire.pair_of(uid_of("bob"))
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(number)))
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            theirs.send(b"x" * 4000)
    theirs.setblocking(True)
    wire.send(link, wire.simple(wire.WARRANT, 31), [theirs.fileno()])
    assert puppet.expect(link, wire.WARRANTED).error < 0
    assert puppet.plug(link, wire.cable(uid_of("alice"))[1]) == 0


def test_a_proof_that_lets_nothing_in_holds_no_leader(puppet):  # noqa: F811
    mine, proof = wire.pair_of(uid_of("bob"))
    wire.send(mine, wire.warrant(wire.USE_LOGON, user="alice"), [wire.spec()])
    proof.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            proof.send(b"x" * 4000)
    proof.setblocking(True)
    _, link = puppet.spawn(proof, uid_of("alice"))
    found = puppet.outcome(link)
    assert found.header.type == wire.ENDED and found.error < 0


def test_a_cable_that_its_door_makes_blocking_holds_no_session_up(puppet):  # noqa: F811
    """A door that does not read, and has turned the host's end into a blocking one: the program goes on."""
    number, link = puppet.session_of("alice", arguments=("sh", "-c", "while :; do echo 0123456789; read -t 0.01 x; done"))
    door, end = wire.cable(uid_of("alice"))
    wire.send(link, wire.simple(wire.PLUG, 11, terminal=b"tty#1"), [end.fileno()])
    assert puppet.expect(link, wire.READY).error == 0
    wire.send(link, wire.simple(wire.COMMIT, 12))
    assert puppet.expect(link, wire.PLUGGED).error == 0
    before = puppet.expect(link, wire.INFO)
    end.setblocking(True)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def goes_on():
        wire.send(link, wire.simple(wire.HELLO, 7))
        now = puppet.expect(link, wire.INFO)
        return now.history_lines > before.history_lines + 1000
    puppet.system.pump.wait(goes_on, "the program to go on while nobody reads")
    door.close()
