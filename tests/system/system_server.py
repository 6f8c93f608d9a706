"""A server for all users, in this worker's room, and the people who use it.

`SystemServer` is `termservd --system` with its real folders (/run/termserv, /etc/termserv, /var/log/termserv). A `Person`
is one account's view of it: the helpers of tests/e2e, run with that account's uid, groups and home. Everything that is
started is a descendant of the worker and is ended by process ID.
"""

import json
import os
import pwd
import re
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

import processes
import world
from server import Server, Watched, error_code
from terminal import LIMIT, usual_signals

RUNTIME = Path("/run/termserv")
CONFIG = Path("/etc/termserv/termserv.conf")
LOGS = Path("/var/log/termserv")
LOG_TAIL = 6000

SERVER = """\
[server]
administrators = root, @tsadmin
failure-delay = 0
"""
RIGHTS = """\
[rights]
* = User
@tsadmin = Full
@tsguest = Guest
"""
TERMINALS = """\
[console]
user = termserv-tty
line = /dev/tty1
[terminal TERM01]
user = alice
[terminal TERM03]
user = bob
[terminal TERM05]
user = alice, carol, termserv-tty
[terminal TERM07]
user = termserv-tty
line = /dev/ttyS7
[terminal TERM09]
user = termserv-tty
"""
USUAL = SERVER + RIGHTS + TERMINALS


class SystemServer(Watched):
    def __init__(self, config=USUAL, programs=world.PROGRAMS):
        assert world.inside(), "its folders are the machine's out here"
        self.programs = programs  # of the server; people use the usual ones
        super().__init__()
        self.people = {}
        self.config = config
        self.process = None
        self.settles = True
        self.base = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))
        self.base.chmod(0o755)
        self.log_path = self.base / "log"
        self.log_path.touch(0o600)
        world.own_homes()
        world.fresh_accounts()

    # --- its life ----------------------------------------------------------------------------------

    def configure(self, config):
        self.config = config
        CONFIG.write_text(config)
        return self

    def start(self, *options, limit=LIMIT):
        """Starts it, and waits until it serves."""
        here, there = os.pipe()
        self.launch("--ready-fd", str(there), *options, keep=[there])
        os.close(there)
        os.set_blocking(here, False)

        def ready():
            try:
                return os.read(here, 1) or self.process.poll() is not None
            except BlockingIOError:
                return False
        try:
            self.pump.wait(ready, lambda: "termservd --system to serve:\n" + self.log(), limit)
        finally:
            os.close(here)
        assert self.process.poll() is None, "termservd --system ended with %s:\n%s" % (self.process.returncode, self.log())
        return self

    def launch(self, *options, keep=()):
        """Starts it, and waits for nothing."""
        self.configure(self.config)
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        env.update((n, os.environ[n]) for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TERMSERV_LOG", "TERMSERV_MINUTE_MS") if n in os.environ)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "termservd", "--system", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, cwd="/", pass_fds=keep, start_new_session=True, preexec_fn=usual_signals)
        return self

    def reload(self, config):
        # Until it has read one, and lets callers in, another one is no reload but the one that it starts with.
        self.pump.wait(lambda: ": serving\n" in self.log(), "the broker to serve")
        self.configure(config)
        os.kill(self.process.pid, signal.SIGHUP)

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def audit(self):
        """The records, oldest first; a line that is no JSON object fails the test."""
        path = LOGS / "audit.log"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        records = [json.loads(line) for line in lines]
        assert all(isinstance(r, dict) for r in records)
        return records

    def last_audit(self, event, **fields):
        found = [r for r in self.audit() if r["event"] == event and all(r.get(k) == v for k, v in fields.items())]
        assert found, "no record of %s %s in %s" % (event, fields, self.audit())
        return found[-1]

    # --- its processes -----------------------------------------------------------------------------

    def processes(self, name=None):
        """The server's processes and those of its sessions."""
        found = super().processes(name)
        if self.process and self.process.poll() is not None:
            found = [p for p in found if p.pid != self.process.pid]
        return found

    def kill(self, name, session=None, number=signal.SIGKILL):
        pid = super().kill(name, session, number)
        if self.process and pid == self.process.pid:
            self.process.wait()
        return pid

    # --- people ------------------------------------------------------------------------------------

    def settle(self):
        """What the server has answered anybody stands in its list from here on: a command of somebody else's could come
        before. A prompt, a picture and the answer to `connect` are there earlier than a swap is done, and only who was
        answered is made to wait for that by the server. So each of the people asks it something."""
        from control import Control
        if not self.settles or self.process is None or self.process.poll() is not None:
            return
        for person in self.people.values():
            try:
                link = Control(person.uid)
            except OSError:
                continue  # it does not serve
            try:
                link.call("GetCaller")
            except ConnectionError:
                pass  # nor now
            finally:
                link.close()

    def person(self, name):
        if name not in self.people:
            self.people[name] = Person(self, name)
        return self.people[name]

    def __getattr__(self, name):
        """server.alice is server.person("alice")."""
        if name in world.ACCOUNTS or name == "root":
            return self.person(name)
        raise AttributeError(name)

    # --- the end -----------------------------------------------------------------------------------

    def end(self):
        """Stops the server; answers with what was wrong: a failed stop, processes and folders that are still there."""
        faults = []
        if self.process is None or self.process.poll() is not None:
            return ["termservd has ended: %s" % self.process.returncode] if self.process else []
        try:
            result = self.root.run("termserv stop --force")
            if result.status != 0:
                faults.append("termserv stop --force: %r" % (result,))
            self.pump.wait(lambda: not self.processes(), lambda: "the end of %r" % self.processes())
            left = sorted(str(p) for p in RUNTIME.glob("sessions/*"))
            faults += ["left after termserv stop --force: %s" % p for p in left]
        except (AssertionError, OSError) as error:
            faults.append("termserv stop --force: %s" % error)
        return faults

    def show(self):
        print("--- log of the server\n" + self.log()[-LOG_TAIL:])
        if (LOGS / "audit.log").exists():
            print("--- audit\n" + (LOGS / "audit.log").read_text("utf-8", "replace")[-LOG_TAIL:])
        for process in self.processes():
            print(process)
        for terminal in self.pump.terminals:
            print(terminal.report())

    def finish(self, request):
        """After a test: shows all when it failed, else fails it for what is left or has broken down."""
        try:
            report = getattr(request.node, "report_call", None)
            bad = report is None or report.failed
            if bad:
                self.show()
            faults = self.end() + self.breakdowns()
            log = self.log()
        finally:
            self.clear()
        if faults and not bad:
            pytest.fail("\n".join(faults) + "\n--- log\n" + log[-LOG_TAIL:])

    def clear(self):
        """Whatever happened: no process, no file."""
        self.clear_processes()
        if self.process:
            self.process.wait()
        for folder in (RUNTIME, CONFIG.parent, LOGS, self.base):
            empty(folder)
        self.base.rmdir()


def descendants():
    """All processes of this worker, its commands too; other workers have theirs. Reaps none: who waits for one needs it."""
    table = processes.table()
    found = {os.getpid()}
    before = 0
    while len(found) != before:
        before = len(found)
        found |= {p.pid for p in table.values() if p.parent in found}
    return [p for p in table.values() if p.pid in found and p.pid != os.getpid()]


def empty(folder):
    """Removes what is in a folder, and nothing behind a link."""
    for name in os.listdir(folder) if folder.is_dir() else []:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            empty(path)
            path.rmdir()
        else:
            path.unlink()


class Person(Server):
    """One account's view of the server: commands and terminals with its uid, groups, home and nothing else of ours."""

    def __init__(self, system, name):
        self.system = system
        self.name = name
        entry = pwd.getpwnam(name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        self.home = Path(entry.pw_dir)
        self.programs = world.PROGRAMS
        self.runtime = RUNTIME
        self.base = system.base / name  # for what commands write
        self.base.mkdir(mode=0o700)
        os.chown(self.base, self.uid, self.gid)
        self.pump = system.pump
        self.commands = system.commands
        self.serial = 0

    def environment(self, **more):
        env = super().environment(TERMSERV_RUNTIME_DIR=None, USER=self.name, LOGNAME=self.name)
        if not self.home.is_dir():
            env["HOME"] = "/"
        env.update(more)
        return {name: value for name, value in env.items() if value is not None}

    def become(self, command):
        return [str(world.AS_USER), self.name, *self.argv(command)]

    def start(self, command, env=None, stdin=None, cwd=None):
        self.system.settle()
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(self.become(command), stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=env or self.environment(), cwd=cwd or self.folder(), start_new_session=True,
                                   preexec_fn=usual_signals)
        process.out, process.err = out, err
        self.commands.append(process)
        return process

    def terminal(self, command, env=None, **more):
        more.setdefault("cwd", self.folder())
        return super().terminal(self.become(command), env, **more)

    def folder(self):
        return self.home if self.home.is_dir() else "/"

    def processes(self, name=None):
        return self.system.processes(name)

    def log(self):
        return self.system.log()

    def type_command(self, command, terminal):
        """As there; of several commands in one line all write into the files."""
        self.system.settle()
        text = command if isinstance(command, str) else shlex.join(os.fspath(w) for w in command)
        return super().type_command("{ %s; }" % text, terminal)

    # --- passwords ---------------------------------------------------------------------------------

    def with_password(self, command, password):
        """The command as text for a shell; it reads the password from a descriptor."""
        self.serial += 1
        path = self.base / ("password%d" % self.serial)
        world.write(path, password + "\n", 0o600, self.uid, self.gid)
        text = command if isinstance(command, str) else shlex.join(command)
        return "%s --password-fd 3 3<%s" % (text, path)

    def code(self, command, in_terminal=None, password=None, limit=LIMIT):
        """0, or the error's code, of a command that must be silent when it succeeds. `password` is given by descriptor."""
        if password is not None:
            command = self.with_password(command, password)
            if in_terminal is None:
                command = ["/bin/sh", "-c", command]
        result = self.run(command, in_terminal=in_terminal, limit=limit)
        if result.status == 0:
            assert (result.out, result.err) == ("", ""), result
            return 0
        return error_code(result)

    def assert_refused(self, arguments, code, in_terminal=None, password=None):
        """The command fails with this code and changes nothing in the list that root sees."""
        before = self.system.root.states()
        assert self.code(arguments, in_terminal, password) == code
        self.wait_unchanged(before)

    def wait_unchanged(self, before):
        """The list that root sees is as it was, without the terminals of commands that are just ending."""
        root = self.system.root
        self.pump.wait(lambda: root.states() == before, lambda: "%s, not %s" % (before, root.states()))

    def states(self):
        return {s["id"]: (s["state"], s["name"], s["user"]) for s in self.sessions()}

    # --- a fixed terminal's door ---------------------------------------------------------------------

    def login_terminal(self, name, **more):
        """A fixed terminal that waits at its login prompt; for the account that is its door."""
        terminal = self.terminal("termserv logon --terminal %s" % name, **more)
        terminal.name = name
        return terminal.wait_for(LOGIN)


LOGIN = re.compile(r"login: ?", re.IGNORECASE)
PASSWORD = re.compile(r"[Pp]assword: ?")


def log_in(terminal, user, password):
    """Types a name and a password at a fixed terminal's login."""
    terminal.wait_for(LOGIN)
    terminal.line(user)
    terminal.wait_for(PASSWORD)
    terminal.line(password)
    return terminal


def password_of(name):
    return world.ACCOUNTS[name].password
