"""Which processes belong to a test: everything below the test's own process, which adopts what daemonizes.

The worker becomes a child subreaper, so that no process of a server can leave the tree unseen."""

import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def read(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            return file.read()
    except OSError:
        return b""


class Process:
    def __init__(self, pid, name, state, parent):
        self.pid, self.name, self.state, self.parent = pid, name, state, parent

    @property
    def arguments(self):
        return read(self.pid, "cmdline").decode("utf-8", "replace").rstrip("\0").split("\0")

    @property
    def environment(self):
        items = read(self.pid, "environ").decode("utf-8", "surrogateescape").split("\0")
        return dict(item.partition("=")[::2] for item in items if item)

    def descriptors(self):
        """fd -> what it is, e.g. "/dev/pts/3", "socket", "anon_inode:[eventpoll]"."""
        folder = "/proc/%d/fd" % self.pid
        found = {}
        try:
            names = os.listdir(folder)
        except OSError:
            return found
        for name in names:
            try:
                target = os.readlink("%s/%s" % (folder, name))
            except OSError:
                continue
            found[int(name)] = target.split(":[")[0] if target.startswith(("socket:", "pipe:")) else target
        return found

    def __repr__(self):
        return "%s[%d %s] %s" % (self.name, self.pid, self.state, " ".join(self.arguments))


def table():
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        text = read(int(name), "stat").decode("utf-8", "replace")
        start, end = text.find("("), text.rfind(")")
        if end < 0:
            continue
        state, parent = text[end + 2:].split()[:2]
        found[int(name)] = Process(int(name), text[start + 1:end], state, int(parent))
    return found


def below(root=None, but=()):
    """All living processes below root (default: this one), without those in `but` and what is below them only."""
    processes = table()
    root = root or os.getpid()
    children = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found, queue = [], [root]
    while queue:
        for process in children.get(queue.pop(), []):
            if process.pid in but:
                continue
            queue.append(process.pid)
            if process.state != "Z":
                found.append(process)
            elif process.parent == os.getpid():
                reap(process.pid)
    return found


def reap(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


class LeakChecks:
    """Frees programs of ours whose leak check hangs for ever, by the sanitizer's fault and not by ours.

    Before a program ends, LeakSanitizer lets a child of it attach to it and waits, yielding, until the child is done.
    The child waits for the SIGSTOP that attaching sends; a SIGCONT that comes before it takes it away, and a terminal
    that hangs up sends SIGHUP and SIGCONT. Such a pair stays as it is until somebody sends that SIGSTOP again."""

    APART = 1.0  # seconds between the two looks; no leak check of ours lasts so long by itself

    def __init__(self):
        self.seen = {}  # (program, who traces it): since when, None: it was freed

    def free(self):
        """One look at all that is below us; answers with the programs that it has freed."""
        now = time.monotonic()
        found = traced_by_a_child(table())
        self.seen = {pair: self.seen.get(pair, now) for pair in found}
        stuck = [pair for pair, since in self.seen.items() if since is not None and now - since >= self.APART]
        for pair in stuck:
            kill(pair[0], signal.SIGSTOP)
            self.seen[pair] = None
        return [pid for pid, _ in stuck]


def traced_by_a_child(processes):
    """(pid, tracer) of those below this process that run and are traced by a child of their own name."""
    found = []
    for process in processes.values():
        if process.state != "R" or not is_below(processes, process):
            continue
        status = read(process.pid, "status").decode("utf-8", "replace").splitlines()
        tracer = processes.get(next((int(x.split()[1]) for x in status if x.startswith("TracerPid:")), 0))
        if tracer and tracer.parent == process.pid and tracer.name == process.name:
            found.append((process.pid, tracer.pid))
    return found


def is_below(processes, process):
    while process and process.pid != os.getpid():
        process = processes.get(process.parent)
    return process is not None


def alive(pid):
    process = table().get(pid)
    return process is not None and process.state != "Z"


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


VICTIMS = {"broker": ["termserv-broker"], "parent": ["termservd"], "both": ["termservd", "termserv-broker"],
           "both, broker first": ["termserv-broker", "termservd"]}


def kill_all(server, names):
    """All at once, without waiting between them."""
    pids = [p.pid for name in names for p in server.processes(name)]
    for pid in pids:
        kill(pid)
    server.pump.wait(lambda: not any(alive(pid) for pid in pids), "the end of %s" % names)
