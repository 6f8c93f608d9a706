"""A terminal: a pty with a person's emulator at its end, and the pump that reads all of them without threads.

Always holds: nothing here sleeps; every wait has a condition and a limit, and says on failure what the screen showed.
A terminal that is paused does not read, as a window that hangs.
"""

import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

import processes
from emulator import Emulator

LIMIT = 60.0  # seconds that any wait may last: a slow and loaded machine needs them, a good run none
SLICE = 0.02  # how often a condition outside of our terminals is looked at
PATIENCE = 2.0  # seconds after which a wait asks whether a leak check hangs
REST = 0.5  # seconds without a change that count as rest
MARK = b"\0<all that was written has come>\0"
RAW_MAX = 64 * 1024 * 1024


def usual_signals():
    """A test may run where these are ignored (a job in the background); a person's commands do not."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


class Pump:
    """Reads every terminal of a test while anything is waited for."""

    def __init__(self):
        self.terminals = []

    def turn(self, seconds=0.0):
        by_fd = {t.master: t for t in self.terminals if t.master is not None and not t.paused}
        writers = [t.master for t in by_fd.values() if t.unsent]
        if not by_fd:
            select.select([], [], [], seconds)
            return
        readable, writable, _ = select.select(list(by_fd), writers, [], seconds)
        for fd in writable:
            by_fd[fd].flush()
        for fd in readable:
            by_fd[fd].read()

    def wait(self, condition, what, limit=LIMIT):
        """The first true value of condition(); pumps meanwhile."""
        end = time.monotonic() + limit
        checks, look_at = processes.LeakChecks(), end - limit + PATIENCE
        self.turn(0)
        while True:
            value = condition()
            if value:
                return value
            now = time.monotonic()
            if now > end:
                raise AssertionError("waited %g s for %s" % (limit, what() if callable(what) else what))
            if now > look_at:
                checks.free()
                look_at = now + checks.APART
            self.turn(SLICE)


    def rest(self, look, what):
        """What look() says once it has said the same for REST seconds: for what no event tells the end of."""
        seen = [look(), time.monotonic()]

        def same():
            now = look()
            if now != seen[0]:
                seen[:] = [now, time.monotonic()]
            return time.monotonic() - seen[1] >= REST
        self.wait(same, lambda: "%s to rest: %s" % (what, seen[0]))
        return seen[0]


class Terminal:
    def __init__(self, pump, argv, env, rows=24, columns=80, cwd=None, answers=True, emulate=True):
        self.pump = pump
        self.raw = bytearray()
        self.paused = False
        self.unsent = bytearray()
        self.session = None  # set by who knows it
        self.master, self.slave = os.openpty()
        os.set_inheritable(self.master, False)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)
        self.device = os.fstat(self.slave).st_rdev
        set_size(self.slave, rows, columns)
        self.rows, self.columns = rows, columns
        self.emulator = Emulator(rows, columns, self.type if answers else None) if emulate else None
        self.settings = termios.tcgetattr(self.slave)

        def own_the_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            usual_signals()

        self.process = subprocess.Popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env, cwd=cwd,
                                        start_new_session=True, preexec_fn=own_the_terminal)
        pump.terminals.append(self)

    # --- the wire ------------------------------------------------------------------------------

    def read(self):
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if data == b"":
            self.hang_up()
            return
        self.take(data)

    def take(self, data):
        self.raw += data
        if len(self.raw) > RAW_MAX:
            del self.raw[:len(self.raw) - RAW_MAX]
        if self.emulator:
            self.emulator.feed(data)

    def type(self, text):
        """Types; what the pty does not take now is sent while something is waited for."""
        self.unsent += text.encode() if isinstance(text, str) else text
        self.flush()
        return self

    def flush(self):
        if self.master is None:
            self.unsent.clear()
            return
        try:
            del self.unsent[:os.write(self.master, self.unsent)]
        except BlockingIOError:
            pass

    def line(self, text):
        return self.type(text + "\r")

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        if self.emulator:
            self.emulator.resize(rows, columns)
        set_size(self.master, rows, columns)
        return self

    # --- looking -------------------------------------------------------------------------------

    def screen(self):
        self.pump.turn(0)
        return self.emulator.shown()

    def wait_until(self, predicate, what="the screen to change", limit=LIMIT):
        self.pump.wait(lambda: predicate(self), lambda: "%s\n%s" % (what, self.report()), limit)
        return self

    def wait_for(self, text, limit=LIMIT):
        """Until the screen shows this text (rows end at their last character) or a match of this compiled pattern."""
        def found(_):
            shown = self.emulator.shown()
            return text.search(shown) if isinstance(text, re.Pattern) else text.rstrip(" ") in shown
        return self.wait_until(found, "%r on the screen" % (text,), limit)

    def wait_raw(self, data, limit=LIMIT):
        return self.wait_until(lambda t: data in t.raw, "bytes %r" % (data,), limit)

    def wait_exit(self, limit=LIMIT):
        """The command's exit status (negative: the signal), after its last output was read."""
        self.pump.wait(lambda: self.process.poll() is not None, lambda: "the command to end\n" + self.report(), limit)
        self.drain()
        return self.process.returncode

    def drain(self):
        """Everything that was written before now. The kernel hands a pty's bytes on in its own time, in order: when a
        mark of ours has come, all has."""
        if self.master is None or self.paused:
            return
        fd = os.open(self.path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        data = bytearray()

        def whole():
            if not data.endswith(MARK):
                try:
                    data.extend(os.read(self.master, 65536))
                except BlockingIOError:
                    pass
            return data.endswith(MARK)
        left = bytearray(MARK)

        def written():
            whole()
            try:
                del left[:os.write(fd, left)]
            except BlockingIOError:
                pass
            return not left
        try:
            self.pump.terminals.remove(self)
            self.pump.wait(written, "room for a mark")
            self.pump.wait(whole, "the mark")
        finally:
            os.close(fd)
            self.pump.terminals.append(self)
        self.take(bytes(data[:-len(MARK)]))

    @property
    def exit_status(self):
        return self.process.poll()

    @property
    def running(self):
        return self.process.poll() is None

    def modes_now(self):
        """The line discipline's settings as they are now."""
        return termios.tcgetattr(self.slave if self.slave is not None else self.master)

    def report(self):
        shown = self.emulator.shown().rstrip() if self.emulator else "(no emulator)"
        return "--- screen of %s, exit status %s\n%s\n--- last bytes %r" % (
            self.path, self.process.poll(), shown, bytes(self.raw[-300:]))

    # --- ending --------------------------------------------------------------------------------

    def hang_up(self):
        for name in ("master", "slave"):
            fd = getattr(self, name)
            if fd is not None:
                os.close(fd)
                setattr(self, name, None)
        self.unsent.clear()

    def close(self):
        """Closes the window: the line hangs up, as when a person closes it or the net breaks."""
        self.hang_up()
        return self

    def kill(self, number=signal.SIGKILL):
        if self.running:
            os.kill(self.process.pid, number)
        return self

    def end(self):
        """For the fixture: nothing is left, however it ended."""
        self.hang_up()
        if self.running:
            try:
                self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
