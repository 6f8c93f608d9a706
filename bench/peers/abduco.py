"""abduco: one process a session, no screen model."""
import itertools
import os
import shutil
import signal
import subprocess

_numbers = itertools.count()


def available(bench):
    return shutil.which("abduco") is not None


def start(bench, command):
    socket = os.path.join(bench.folder, f"abduco-{next(_numbers)}")
    bench.quiet("abduco", "-n", socket, *command)
    return socket


def attach(bench, session):
    return ["abduco", "-a", session]


def processes(bench, sessions):
    pids = []
    for session in sessions:
        pids += [int(pid) for pid in subprocess.run(["pgrep", "-f", f"^abduco -n {session} "], capture_output=True,
                                                    text=True, check=True).stdout.split()]
    return pids


def end(bench, session):
    if os.path.exists(session):
        for pid in processes(bench, [session]):
            os.kill(pid, signal.SIGKILL)
        os.unlink(session)


def stop(bench):
    pass
