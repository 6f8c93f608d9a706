"""The inner links, the warrant, the spec and the cable's first words as bytes, for tests that play one of the processes.

After termserv-link(7). The sizes are checked against the manual's by test_trust.py."""

import array
import contextlib
import ctypes
import fcntl
import os
import re
import socket
from pathlib import Path

LINK_HEADER = Path(__file__).resolve().parents[2] / "src/protocol/link.h"
LINK_VERSION = int(re.search(r"#define LINK_VERSION (\d+)", LINK_HEADER.read_text()).group(1))
NAME, TEXT, SHORT, TOKEN = 40, 256, 64, 16

REFUSED, SPAWN, SPAWNED, STOP = 1, 10, 11, 12
HELLO, INFO, PLUG, READY, COMMIT, ABORT, PLUGGED, UNPLUG, UNPLUGGED, LOGOFF, RESET, ENDED, WARRANT, WARRANTED = range(20, 34)
FREE_OF_PASSWORD = 1
USE_LOGON, USE_CONNECT = 1, 2
TO_OWN, TO_NAMED = 1, 2
KEYREJECTED, KEYREVOKED, ACCES = -129, -128, -13

u8, u16, u32, i32, u64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64


def struct_of(name, *fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields)})


def text(size):
    return ctypes.c_char * size


Header = struct_of("Header", ("version", u16), ("type", u16), ("serial", u32))
Simple = struct_of("Simple", ("header", Header), ("error", i32), ("reason", u32), ("status", i32), ("session", u32),
                   ("token", u8 * TOKEN), ("terminal", text(NAME)), ("client", text(SHORT)), ("text", text(TEXT)),
                   ("uid", u32), ("flags", u32))
Spawn = struct_of("Spawn", ("header", Header), ("session", u32), ("uid", u32), ("listener", text(NAME)),
                  ("terminal", text(NAME)), ("client", text(SHORT)))
Info = struct_of("Info", ("header", Header), ("session", u32), ("uid", u32), ("state", u32), ("program", u32),
                 *[(n, u64) for n in ("created", "connected", "disconnected", "last_input", "tty_device", "model_bytes",
                                      "history_lines")],
                 ("rows", u16), ("columns", u16), ("leader", u32), ("token", u8 * TOKEN), ("terminal", text(NAME)),
                 ("client", text(SHORT)), ("tty", text(SHORT)), ("term", text(SHORT)), ("command", text(TEXT)),
                 ("title", text(TEXT)), ("user", text(SHORT)), ("listener", text(NAME)))
Warrant = struct_of("Warrant", ("version", u16), ("use", u16), ("destination", u16), ("reserved", u16),
                    ("session", text(NAME)), ("terminal", text(NAME)), ("user", text(SHORT)))
Question = struct_of("Question", ("version", u16), ("reserved", u16), ("session", u32), ("user", text(SHORT)))
SpecHeader = struct_of("SpecHeader", ("version", u32), ("rows", u16), ("columns", u16), ("history_bytes", u32),
                       ("argument_count", u32), ("environment_count", u32), ("wait_ms", u32), ("umask", u32))
CableSize = struct_of("CableSize", ("rows", u16), ("columns", u16), ("width_pixels", u16), ("height_pixels", u16))
CableHello = struct_of("CableHello", ("version", u16), ("class_", u16), ("colours", u32), ("size", CableSize),
                       ("history_lines", u32), ("flags", u32), ("reserved", u8 * 4), ("term", text(64)))

MFD_ALLOW_SEALING, F_ADD_SEALS, ALL_SEALS = 2, 1033, 0xf


@contextlib.contextmanager
def as_uid(uid):
    """What the kernel records about who makes something is the effective uid."""
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def pair_of(uid, kind=socket.SOCK_SEQPACKET):
    """A socket pair whose maker is, to the kernel, this uid."""
    with as_uid(uid):
        return socket.socketpair(socket.AF_UNIX, kind)


def simple(kind, serial=0, **fields):
    return bytes(Simple(Header(LINK_VERSION, kind, serial), **fields))


def spawn(session, uid, serial=1, **fields):
    return bytes(Spawn(Header(LINK_VERSION, SPAWN, serial), session, uid, **fields))


def packet(data):
    """What came, as the struct of its type."""
    header = Header.from_buffer_copy(data)
    kind = {INFO: Info, SPAWN: Spawn}.get(header.type, Simple)
    assert len(data) == ctypes.sizeof(kind), "%d bytes of type %d" % (len(data), header.type)
    return kind.from_buffer_copy(data)


def warrant(use, session="", user="", terminal="", destination=TO_OWN):
    return bytes(Warrant(1, use, destination, 0, session.encode(), terminal.encode(), user.encode()))


def spec(arguments=("cat",), environment=("A=B",), directory="/", term="xterm-256color"):
    """A sealed memory file."""
    header = SpecHeader(1, 24, 80, 1 << 20, len(arguments), len(environment), 0, 0o22)
    texts = [directory, term, *arguments, *environment]
    fd = os.memfd_create("spec", os.MFD_CLOEXEC | MFD_ALLOW_SEALING)
    os.write(fd, bytes(header) + b"".join(t.encode() + b"\0" for t in texts))
    fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
    return fd


def send(sock, data, fds=()):
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])


def receive(sock, size=65536, most=4):
    """The bytes and the descriptors of one packet."""
    space = socket.CMSG_SPACE(most * 4) + socket.CMSG_SPACE(12)
    data, ancillary, _, _ = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    fds = []
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds += array.array("i", value[:len(value) - len(value) % 4]).tolist()
    return data, fds


def say_hello(door):
    """The first words of a cable."""
    hello = bytes(CableHello(1, 1, 1 << 24, CableSize(24, 80, 0, 0), 0, 0, (u8 * 4)(), b"xterm-256color"))
    for kind, payload in ((1, hello), (2, b"")):
        door.sendall(bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "little") + payload)


def cable(uid):
    """Both ends of a cable that this uid made, its first words written: (the door's, the host's)."""
    door, host = pair_of(uid, socket.SOCK_STREAM)
    say_hello(door)
    return door, host
