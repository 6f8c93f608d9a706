"""A lying broker: a program in termserv-broker's place that hands all its descriptors to the test and then only lives.

What the test does with them is what a broker could do that was taken over: it speaks to termservd and to leaders, passes
sockets on, and forges what it likes. What the kernel says about it stays true: it is the broker's account."""

import contextlib
import os
import re
import shutil
import socket

import processes
import wire
import world
from system_server import RUNTIME, SystemServer
from terminal import LIMIT

BROKER_TEXT = """\
#!/usr/bin/python3 -I
import array, re, socket, sys
fds = [int(n) for flag, n in zip(sys.argv, sys.argv[1:]) if re.fullmatch("--(control|parent|runtime|state|log)-fd", flag)]
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.connect(%r)
link.sendmsg(["\\0".join(sys.argv[1:]).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
link.recv(1)
"""
WAIT = LIMIT


class Puppet:
    def __init__(self):
        self.system = None

    def start(self):
        system = self.system = SystemServer()
        system.settles = False  # nobody answers on its socket but the test
        system.programs = system.base / "bin"
        shutil.copytree(world.PROGRAMS, system.programs, symlinks=True)
        stage = system.base / "stage"
        stage.mkdir(mode=0o711)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(stage / "socket"))
        (stage / "socket").chmod(0o666)
        listener.listen(1)
        listener.settimeout(WAIT)
        (system.programs / "termserv-broker").unlink()
        world.write(system.programs / "termserv-broker", BROKER_TEXT % str(stage / "socket"), 0o755)
        system.launch()
        self.life, _ = listener.accept()
        listener.close()
        words, fds = wire.receive(self.life, most=8)
        words = words.decode().split("\0")
        names = [re.fullmatch("--(.*)-fd", w).group(1) for w in words if re.fullmatch(".*-fd", w)]
        self.arguments = words
        self.fds = dict(zip(names, fds))
        self.parent = socket.socket(fileno=self.fds["parent"])
        self.control = socket.socket(fileno=self.fds["control"])
        for s in (self.parent, self.control):
            s.settimeout(WAIT)
        self.uid = system.person("termserv").uid
        self.last = 0
        return self

    def spawn(self, proof, uid, session=None):
        """Asks termservd for a leader; answers with the session's ID and our end of the link to it."""
        self.last = session or self.last + 1
        ours, theirs = wire.pair_of(self.uid)
        wire.send(self.parent, wire.spawn(self.last, uid, listener=b"tty"), [theirs.fileno(), proof.fileno()])
        answer = wire.packet(wire.receive(self.parent)[0])
        assert (answer.header.type, answer.error) == (wire.SPAWNED, 0)
        theirs.close()
        proof.close()
        ours.settimeout(WAIT)
        return self.last, ours

    def session_of(self, name, **more):
        """A session that this person asked for: its ID and the link to its leader."""
        uid = self.system.person(name).uid
        mine, proof = wire.pair_of(uid)
        spec = wire.spec(**more)
        wire.send(mine, wire.warrant(wire.USE_LOGON), [spec])
        os.close(spec)
        number, link = self.spawn(proof, uid)
        wire.send(link, wire.simple(wire.HELLO, 7))
        info = self.expect(link, wire.INFO)
        while info.program == 0:
            info = self.expect(link, wire.INFO)
        assert (info.session, info.uid) == (number, uid)
        return number, link

    def expect(self, link, *kinds):
        """The next packet of one of these types."""
        while True:
            data, _ = wire.receive(link)
            if data == b"":
                return None
            found = wire.packet(data)
            if found.header.type in kinds:
                return found

    def outcome(self, link):
        """How the start of a session ended: its first INFO with a program, or ENDED, or None when the leader just went."""
        try:
            wire.send(link, wire.simple(wire.HELLO, 7))
        except (BrokenPipeError, ConnectionResetError):
            pass
        while True:
            try:
                found = self.expect(link, wire.INFO, wire.ENDED)
            except ConnectionResetError:
                continue  # it never read our HELLO; what it had sent before comes next
            if found is None or found.header.type == wire.ENDED or found.program:
                return found

    def plug(self, link, cable_end, terminal="tty#1", serial=11):
        """0 when the cable was taken (and is forgotten again), else the error."""
        wire.send(link, wire.simple(wire.PLUG, serial, terminal=terminal.encode()), [cable_end.fileno()])
        answer = self.expect(link, wire.READY)
        assert answer.header.serial == serial
        if answer.error == 0:
            wire.send(link, wire.simple(wire.ABORT, serial))
        return answer.error

    def present(self, link, maker, warrant, password=None, flags=0):
        """A warrant that `maker` made is given to the leader; his command answers with this password. The answer."""
        mine, theirs = wire.pair_of(maker)
        mine.settimeout(WAIT)
        wire.send(mine, warrant)
        wire.send(link, wire.simple(wire.WARRANT, 21, flags=flags), [theirs.fileno()])
        theirs.close()
        asked = answer_question(mine, password)
        answer = self.expect(link, wire.WARRANTED)
        return answer.error, answer.uid, asked

    def uids_of_programs(self):
        """The uids of all session programs and hosts that run."""
        uids = set()
        for process in self.system.processes():
            if process.name in ("termserv-host", "cat", "sh"):
                with contextlib.suppress(FileNotFoundError):  # it has just ended
                    uids.add(os.stat("/proc/%d" % process.pid).st_uid)
        return uids

    def runs_as(self, uid):
        """Does any process below termservd run as this uid?"""
        return [p for p in processes.below(self.system.process.pid) if real_uid(p.pid) == uid]

    def link_path(self, session):
        return RUNTIME / "sessions" / str(session) / "link"


def real_uid(pid):
    for line in processes.read(pid, "status").decode().splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[1])
    return None


def answer_question(sock, password):
    """What a command does that is asked: writes the password, or nothing. Was it asked?"""
    try:
        data, fds = wire.receive(sock)
    except ConnectionResetError:
        return False
    if data == b"":
        return False
    wire.Question.from_buffer_copy(data)
    with os.fdopen(fds[0], "wb") as pipe:
        pipe.write((password or "").encode())
    return True
