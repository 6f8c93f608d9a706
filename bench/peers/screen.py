"""GNU screen: one process a session with a screen model; it opens the client's terminal itself."""
import itertools
import os
import shutil
import subprocess

_numbers = itertools.count()


def _environment(bench):
    folder = os.path.join(bench.folder, "screen")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    bench.environment["SCREENDIR"] = folder


def available(bench):
    return shutil.which("screen") is not None


def start(bench, command):
    _environment(bench)
    name = f"bench{next(_numbers)}"
    bench.quiet("screen", "-c", "/dev/null", "-h", "10000", "-dmS", name, *command)
    return name


def attach(bench, session):
    return ["screen", "-c", "/dev/null", "-d", "-r", session]


def processes(bench, sessions):
    names = os.listdir(os.path.join(bench.folder, "screen"))
    return [int(name.split(".")[0]) for name in names]


def end(bench, session):
    subprocess.run(["screen", "-S", session, "-X", "quit"], env=bench.environment, capture_output=True, check=False)


def stop(bench):
    shutil.rmtree(os.path.join(bench.folder, "screen"), ignore_errors=True)
