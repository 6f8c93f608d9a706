"""shpool: one daemon for all sessions, with a screen model to paint from.

Written after its command line (`attach --background` is there from 0.9 on) and not tried: the machine that these figures come
from has no package of it. Elsewhere it takes part when `shpool` is on PATH.
"""
import itertools
import os
import shlex
import shutil
import subprocess
import time

_numbers = itertools.count()
_daemon = None


def _shpool(bench, *arguments):
    return ["shpool", "--no-daemonize", "--socket", os.path.join(bench.folder, "shpool"), *arguments]


def available(bench):
    if shutil.which("shpool") is None:
        return False
    return "--background" in bench.quiet("shpool", "attach", "--help")


def _start_daemon(bench):
    global _daemon
    _daemon = subprocess.Popen(_shpool(bench, "daemon"), env=bench.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while not os.path.exists(os.path.join(bench.folder, "shpool")):
        if time.monotonic() > end:
            raise RuntimeError("shpool's daemon did not come up")
        time.sleep(0.01)


def start(bench, command):
    if _daemon is None:
        _start_daemon(bench)
    name = f"bench-{next(_numbers)}"
    bench.quiet(*_shpool(bench, "attach", "--background", "--cmd", shlex.join(command), name))
    return name


def attach(bench, session):
    return _shpool(bench, "attach", "--force", session)


def listing(bench):
    return _shpool(bench, "list")


def processes(bench, sessions):
    """One for all sessions."""
    return [_daemon.pid]


def end(bench, session):
    subprocess.run(_shpool(bench, "kill", session), env=bench.environment, capture_output=True, check=False)


def stop(bench):
    global _daemon
    if _daemon is not None:
        _daemon.kill()
        _daemon.wait()
        _daemon = None
        if os.path.exists(os.path.join(bench.folder, "shpool")):
            os.unlink(os.path.join(bench.folder, "shpool"))
