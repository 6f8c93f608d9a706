"""tmux: one server for all sessions, a screen model, the client repaints. Status line off, as the others have none."""
import itertools
import os
import shutil
import subprocess

_numbers = itertools.count()


def _tmux(bench, *arguments):
    return ["tmux", "-S", os.path.join(bench.folder, "tmux"), "-f", "/dev/null", *arguments]


def available(bench):
    return shutil.which("tmux") is not None


def start(bench, command):
    name = f"bench{next(_numbers)}"
    # 10,000 lines of history, as the measure of memory asks for; it counts for sessions made after it was set.
    if name.endswith("bench0"):
        bench.quiet(*_tmux(bench, "new-session", "-d", "-s", "first", "sleep", "100000"))
        bench.quiet(*_tmux(bench, "set-option", "-g", "history-limit", "10000"))
    bench.quiet(*_tmux(bench, "new-session", "-d", "-s", name, "-x", "80", "-y", "24", *command))
    bench.quiet(*_tmux(bench, "set-option", "-g", "status", "off"))
    return name


def attach(bench, session):
    return _tmux(bench, "attach-session", "-d", "-t", session)


def listing(bench):
    return _tmux(bench, "list-sessions")


def processes(bench, sessions):
    return [int(bench.quiet(*_tmux(bench, "display-message", "-p", "#{pid}")))]


def end(bench, session):
    subprocess.run(_tmux(bench, "kill-session", "-t", session), capture_output=True, check=False)


def stop(bench):
    subprocess.run(_tmux(bench, "kill-server"), capture_output=True, check=False)
    path = os.path.join(bench.folder, "tmux")
    if os.path.exists(path):
        os.unlink(path)
