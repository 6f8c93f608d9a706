"""dtach: one process a session, no screen model."""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess

_numbers = itertools.count()


def available(bench):
    return shutil.which("dtach") is not None


def start(bench, command):
    socket = os.path.join(bench.folder, f"dtach-{next(_numbers)}")
    bench.quiet("dtach", "-n", socket, "-r", "winch", *command)
    return socket


def attach(bench, session):
    return ["dtach", "-a", session, "-E", "-r", "winch"]


def processes(bench, sessions):
    pids = []
    for session in sessions:
        pids += [int(pid) for pid in subprocess.run(["pgrep", "-f", f"^dtach -n {session} "], capture_output=True,
                                                    text=True, check=True).stdout.split()]
    return pids


def end(bench, session):
    for pid in processes(bench, [session]) if os.path.exists(session) else []:
        os.kill(pid, signal.SIGTERM)
    pathlib.Path(session).unlink(missing_ok=True)  # it may do so itself at this moment


def stop(bench):
    pass
