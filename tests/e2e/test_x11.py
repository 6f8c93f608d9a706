"""A session's X display: one name for its whole life, whatever terminal shows the session, and the cookie stays at home."""

import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

import processes
import pytest
from server import PROMPT
from terminal import LIMIT

COOKIE = b"MIT-MAGIC-COOKIE-1"
FAMILY_WILD = 0xFFFF

# One group for one worker: none shall stand and wait for the lock of alone().
pytestmark = [pytest.mark.xdist_group("x11"), pytest.mark.skipif(not all(map(shutil.which, ("Xvfb", "xauth", "xdpyinfo"))),
                                reason="Xvfb, xauth and xdpyinfo are not installed")]


class Screen:
    """An X server of a size by which it is known, on the first free number, that wants its cookie."""

    def __init__(self, server, size, *options):
        self.size = size
        self.cookie = secrets.token_bytes(16)
        self.file = server.base / ("cookies-" + size)
        wanted = server.base / ("server-" + size)
        wanted.write_bytes(entry(self.cookie))
        self.process = server.start(["Xvfb", "-displayfd", "1", "-screen", "0", size + "x24", "-auth", wanted, *options])
        server.pump.wait(lambda: self.text().endswith("\n"), lambda: "an X server of size %s" % size)
        self.number = int(self.text())
        self.allow("%s/unix:%d" % (socket.gethostname(), self.number), self.cookie)

    def text(self):
        """Without seeking: the place in the file is the X server's too."""
        return os.pread(self.process.out.fileno(), 64, 0).decode()

    def allow(self, name, cookie):
        self.file.unlink(missing_ok=True)
        subprocess.run(["xauth", "-q", "-f", self.file, "add", name, ".", cookie.hex()], check=True,
                       capture_output=True)

    def environment(self, server, display=":%d", **more):
        return server.environment(DISPLAY=display % self.number, XAUTHORITY=str(self.file), **more)


def entry(cookie):
    def counted(data):
        return struct.pack(">H", len(data)) + data
    return struct.pack(">H", FAMILY_WILD) + counted(b"") + counted(b"") + counted(COOKIE) + counted(cookie)


def serve(screen):
    """An X server that is ended, not killed, takes its lock and its socket with it."""
    yield screen
    screen.process.terminate()
    screen.process.wait()


@pytest.fixture
def here(server):
    yield from serve(Screen(server, "640x480", "-nolisten", "tcp"))


@pytest.fixture
def there(server):
    """As one behind sshd: known to its terminal as localhost:N.0 alone."""
    yield from serve(Screen(server, "800x608", "-listen", "tcp", "-nolisten", "unix", "-nolisten", "local"))


def logon(server, env, command="termserv logon --new"):
    return server.terminal(command, env=env).wait_for(PROMPT)


def shown(server, terminal):
    """The size of the X server that a program of the session meets, or what it says instead."""
    result = server.run("xdpyinfo", in_terminal=terminal)
    found = re.search(r"dimensions:\s+(\d+x\d+)", result.out)
    return found.group(1) if found else result.err


def variable(server, terminal, name):
    return server.run("echo $%s" % name, in_terminal=terminal).out.strip()


def again(server, terminal, env):
    """The window is closed, and the session is shown on another one."""
    terminal.close()
    server.wait_state(1, "Disc")
    return server.connect(1, env=env).wait_for(PROMPT)


def own_socket(display):
    return Path("/tmp/.X11-unix/X" + display.removeprefix(":"))


@pytest.fixture(autouse=True)
def alone():
    """Display numbers are the whole machine's: one test at a time, whoever else runs these tests."""
    with open(Path(tempfile.gettempdir()) / "termserv-x11-tests", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def has_abstract(display):
    return "@/tmp/.X11-unix/X%s\n" % display.removeprefix(":") in Path("/proc/net/unix").read_text()


def bound(display):
    """The kernel's numbers of the sockets that stand for this display."""
    name = "/tmp/.X11-unix/X" + display.removeprefix(":")
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    return {line[6] for line in lines if line[-1] in (name, "@" + name)}


def client(display):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(LIMIT)
    s.connect("\0/tmp/.X11-unix/X" + display.removeprefix(":"))
    return s


def read_exactly(s, size):
    """However many pieces it comes in."""
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        assert piece, "the end after %d of %d bytes" % (len(data), size)
        data += piece
    return data


def hello(cookie, order="<", name=COOKIE):
    def pad(data):
        return data + bytes(-len(data) % 4)
    head = {"<": b"l\0", ">": b"B\0"}[order] + struct.pack(order + "HHHHH", 11, 0, len(name), len(cookie), 0)
    return head + pad(name) + pad(cookie)


def test_the_display_stays_valid_after_a_reconnect_from_elsewhere(server, here, there):
    t = logon(server, here.environment(server))
    display, authority = variable(server, t, "DISPLAY"), variable(server, t, "XAUTHORITY")
    assert re.fullmatch(r":\d{4}", display) and authority.startswith(str(server.runtime))
    assert shown(server, t) == here.size
    t = again(server, t, there.environment(server, "localhost:%d.0"))
    assert variable(server, t, "DISPLAY") == display and variable(server, t, "XAUTHORITY") == authority
    assert shown(server, t) == there.size
    t = again(server, t, here.environment(server, "unix:%d.0"))
    assert shown(server, t) == here.size


def test_programs_that_were_there_before_keep_their_display(server, here, there):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    cookie = Path(variable(server, t, "XAUTHORITY")).read_bytes()[-16:]
    first = client(display)
    first.sendall(hello(cookie))
    assert first.recv(1) == b"\1"
    t = again(server, t, there.environment(server, "localhost:%d.0"))
    assert shown(server, t) == there.size
    read_exactly(first, struct.unpack("<H", read_exactly(first, 7)[5:])[0] * 4)  # the rest of the greeting
    first.sendall(struct.pack("<BBH", 43, 0, 1))  # GetInputFocus
    assert read_exactly(first, 32)[0] == 1
    first.close()


def test_the_terminals_cookie_never_reaches_the_session(server, here):
    t = logon(server, here.environment(server))
    held = Path(variable(server, t, "XAUTHORITY")).read_bytes()
    assert COOKIE in held and here.cookie not in held and len(held) == len(entry(here.cookie))
    assert os.stat(variable(server, t, "XAUTHORITY")).st_mode & 0o077 == 0


def test_a_wrong_cookie_of_the_terminal_is_refused_by_its_display(server, here):
    here.allow("%s/unix:%d" % (socket.gethostname(), here.number), secrets.token_bytes(16))
    t = logon(server, here.environment(server))
    said = shown(server, t)
    assert "unable to open display" in said


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("cookie, name", [(bytes(16), COOKIE), (b"", b""), (bytes(16), b"XDM-AUTHORIZATION-1"), (b"x", COOKIE)])
def test_a_client_without_the_sessions_cookie_is_refused(server, here, order, cookie, name):
    t = logon(server, here.environment(server))
    c = client(variable(server, t, "DISPLAY"))
    c.sendall(hello(cookie, order, name))
    status, length, major, minor, words = struct.unpack(order + "BBHHH", read_exactly(c, 8))
    assert (status, major, minor) == (0, 11, 0)
    assert read_exactly(c, words * 4)[:length].startswith(b"termserv: ") and c.recv(1) == b""
    c.close()


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.0\r\n\r\n", b"l\0" + b"\xff" * 10, b"l" + bytes(3), hello(bytes(16))[:-1]])
def test_a_client_that_speaks_nonsense_costs_nobody_else(server, here, words):
    t = logon(server, here.environment(server))
    c = client(variable(server, t, "DISPLAY"))
    c.sendall(words)
    c.shutdown(socket.SHUT_WR)
    assert c.recv(1) == b""
    c.close()
    assert shown(server, t) == here.size


def test_more_clients_than_the_limit_are_turned_away_and_places_become_free(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    held = [client(display) for _ in range(64)]
    late = client(display)
    assert late.recv(1) == b""
    for c in [late, *held]:
        c.close()
    server.pump.wait(lambda: shown(server, t) == here.size, "a free place")


def test_a_terminal_without_a_display_says_so(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    t = again(server, t, server.environment())
    assert "has no X display" in shown(server, t)
    assert variable(server, t, "DISPLAY") == display
    assert "unset DISPLAY\n" in server.run("termserv env", in_terminal=t).out


def test_a_display_that_does_not_answer_says_so(server, here):
    env = here.environment(server)
    t = logon(server, env)
    here.process.terminate()
    here.process.wait()
    assert "cannot be reached" in shown(server, t)
    t = again(server, t, server.environment(DISPLAY="'; touch owned; '"))
    assert "cannot be found" in shown(server, t)
    assert not list(server.home.glob("owned"))


def test_a_session_from_a_terminal_without_a_display_has_none(server):
    t = logon(server, server.environment())
    assert variable(server, t, "DISPLAY") == "" and variable(server, t, "XAUTHORITY") == ""
    assert server.processes("termserv-x11") == []


def test_env_gives_a_stable_display_to_a_session_that_began_without(server, here, there):
    t = logon(server, server.environment())
    t = again(server, t, here.environment(server))
    server.run('eval "$(termserv env)"; export DISPLAY XAUTHORITY', in_terminal=t)
    assert re.fullmatch(r":\d{4}", variable(server, t, "DISPLAY"))
    assert shown(server, t) == here.size
    t = again(server, t, there.environment(server, "localhost:%d.0"))
    assert shown(server, t) == there.size


def test_a_session_that_no_terminal_shows_has_its_makers_display(server, here):
    done = server.base / "done"
    result = server.run(["termserv", "logon", "--detached", "--", "sh", "-c", "xdpyinfo >%s.new; mv %s.new %s; cat" % (done, done, done)],
                        env=here.environment(server))
    assert result.status == 0
    server.pump.wait(done.exists, "xdpyinfo to end")
    assert "dimensions:    %s" % here.size in done.read_text()


def test_two_sessions_have_two_displays(server, here, there):
    one = logon(server, here.environment(server))
    two = logon(server, there.environment(server, "localhost:%d.0"))
    assert variable(server, one, "DISPLAY") != variable(server, two, "DISPLAY")
    assert shown(server, one) == here.size and shown(server, two) == there.size


def test_a_terminal_that_sits_in_the_session_changes_nothing(server, here):
    t = logon(server, here.environment(server))
    own = server.environment(DISPLAY=variable(server, t, "DISPLAY") + ".0", XAUTHORITY=variable(server, t, "XAUTHORITY"))
    t = again(server, t, own)
    assert shown(server, t) == here.size


def test_a_display_of_one_session_may_lead_to_that_of_another_in_a_ring(server, here):
    """Two terminals, each in the session that the other shows: the client is turned away, nothing spins or is left."""
    t = [logon(server, here.environment(server)) for _ in range(2)]
    env = [server.environment(DISPLAY=variable(server, x, "DISPLAY"), XAUTHORITY=variable(server, x, "XAUTHORITY")) for x in t]
    for number, terminal in enumerate(t, 1):
        terminal.close()
        server.wait_state(number, "Disc")
    t = [server.connect(1, env=env[1]).wait_for(PROMPT), server.connect(2, env=env[0]).wait_for(PROMPT)]
    assert "unable to open display" in shown(server, t[0])
    back = server.connect(2, env=here.environment(server)).wait_for(PROMPT)
    assert shown(server, back) == here.size
    server.pump.wait(lambda: shown(server, t[0]) == here.size, "the ring to be gone")


def test_descriptors_pass_in_both_directions(server):
    """Shared memory and DRI3 ride on them: what stands for the X server sends back those that it got."""
    folder = server.base / "x"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder))
    listener.listen()
    listener.settimeout(LIMIT)
    t = logon(server, server.environment(DISPLAY="unix:%s" % folder))
    c = client(variable(server, t, "DISPLAY"))
    c.sendall(hello(Path(variable(server, t, "XAUTHORITY")).read_bytes()[-16:]))
    x, _ = listener.accept()
    x.settimeout(LIMIT)
    assert read_exactly(x, 12) == hello(b"", name=b"")  # the terminal has no cookie, and the session's own stays here
    pipes = [os.pipe() for _ in range(16)]
    socket.send_fds(c, [b"request"], [w for _, w in pipes])
    data, fds, _, _ = socket.recv_fds(x, 100, 32)
    assert data == b"request" and len(fds) == 16
    socket.send_fds(x, [b"reply"], fds)
    data, back, _, _ = socket.recv_fds(c, 100, 32)
    assert data == b"reply"
    for number, (fd, pipe) in enumerate(zip(back, pipes, strict=True)):
        os.write(fd, bytes([number]))
        assert os.read(pipe[0], 1) == bytes([number])
    helper = server.need("termserv-x11")
    server.pump.wait(lambda: "pipe" not in helper.descriptors().values(), "no descriptor to be kept")
    for fd in [*fds, *back, *[end for pipe in pipes for end in pipe]]:
        os.close(fd)
    for s in (c, x, listener):
        s.close()


def test_a_large_picture_passes_unchanged_and_a_client_that_ends_is_heard_to_its_end(server):
    folder = server.base / "x"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder))
    listener.listen()
    listener.settimeout(LIMIT)
    t = logon(server, server.environment(DISPLAY=str(folder)))
    c = client(variable(server, t, "DISPLAY"))
    c.sendall(hello(Path(variable(server, t, "XAUTHORITY")).read_bytes()[-16:]))
    x, _ = listener.accept()
    assert read_exactly(x, 12) == hello(b"", name=b"")
    picture = os.urandom(3 << 20)
    c.setblocking(False)
    x.setblocking(False)
    sent, got = 0, bytearray()

    def step():
        nonlocal sent
        try:
            if sent < len(picture):
                sent += c.send(picture[sent:sent + 300000])
                if sent == len(picture):
                    c.close()
        except BlockingIOError:
            pass
        try:
            data = x.recv(50000)
            got.extend(data)
            return data == b""
        except BlockingIOError:
            return False
    server.pump.wait(lambda: any(step() for _ in range(20)), "the end of the picture")
    assert bytes(got) == picture
    x.close()
    listener.close()


def test_a_killed_helper_harms_nothing_and_the_next_connect_starts_another(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    server.kill("termserv-x11")
    server.pump.wait(lambda: not has_abstract(display), "its sockets to be gone")
    assert "unable to open display" in shown(server, t)
    t = again(server, t, here.environment(server))
    assert variable(server, t, "DISPLAY") == display and shown(server, t) == here.size


def test_the_helper_and_its_names_go_with_the_session(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    helper = server.need("termserv-x11")
    assert has_abstract(display)
    t.line("exit").wait_exit()
    server.pump.wait(lambda: not processes.alive(helper.pid), "the helper to go")
    server.pump.wait(lambda: not has_abstract(display) and not own_socket(display).exists(), "its names to go")


def test_the_helper_and_its_names_go_with_a_killed_host(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    helper = server.need("termserv-x11")
    ours = bound(display)
    assert ours
    server.kill("termserv-host", number=signal.SIGKILL)
    server.pump.wait(lambda: not processes.alive(helper.pid), "the helper to go")
    server.pump.wait(lambda: not ours & bound(display), "its names to go")  # another test may have taken the number since


def test_the_helper_has_three_sockets_and_no_terminal(server, here):
    t = logon(server, here.environment(server))
    helper = server.need("termserv-x11")
    found = server.pump.rest(helper.descriptors, "what the helper holds")
    assert {found[fd] for fd in found if fd > 2} == {"socket"} and set(found) <= set(range(6))
    assert t.path not in found.values() and not [f for f in found.values() if f.startswith("/dev/pts")]
    assert helper.arguments[1] == variable(server, t, "DISPLAY")


def test_the_socket_is_closed_to_others(server, here):
    t = logon(server, here.environment(server))
    path = own_socket(variable(server, t, "DISPLAY"))
    assert path.is_socket() and path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_heard(server, here):
    t = logon(server, here.environment(server))
    display = variable(server, t, "DISPLAY")
    cookie = Path(variable(server, t, "XAUTHORITY")).read_bytes()[-16:]
    code = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('\\0/tmp/.X11-unix/X' + sys.argv[1][1:])\n"
            "try: s.sendall(bytes.fromhex(sys.argv[2])); print(s.recv(1))\n"
            "except (BrokenPipeError, ConnectionResetError): print(b'')")
    result = subprocess.run(["/usr/bin/python3", "-c", code, display, hello(cookie).hex()], user=65534, capture_output=True,
                            text=True, check=True, timeout=LIMIT)
    assert result.stdout == "b''\n"
    assert shown(server, t) == here.size
