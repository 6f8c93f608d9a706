"""One termserv server in a folder of its own: its commands, its terminals, its processes, its end."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

import processes
from terminal import LIMIT, Pump, Terminal, usual_signals

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).resolve().parent / "programs"
PYTHON = "/usr/bin/python3"
PROMPT = "ready> "
PROFILE = "PS1='%s'; PS2=; unset PROMPT_COMMAND HISTFILE; umask 022\n" % PROMPT

Result = namedtuple("Result", "status out err")


def default_programs():
    return Path(os.environ.get("TERMSERV_BIN", REPOSITORY / "build" / "bin"))


class Watched:
    """The processes that a test started, a server's and its own, and what they said. Needs self.pump and self.log()."""

    def __init__(self):
        self.pump = Pump()
        self.commands = []  # processes of ours, not the server's

    def ours(self):
        return {t.process.pid for t in self.pump.terminals} | {c.pid for c in self.commands}

    def processes(self, name=None):
        """The server's processes and those of its sessions; by a name of ours without what such a one has just forked,
        which is still called as it is and about to become something else."""
        found = [p for p in processes.below(but=self.ours()) if name is None or p.name == name]
        ours = {p.pid for p in found if name is not None and name.startswith("termserv")}
        return [p for p in found if p.parent not in ours]

    def one(self, name, session=None):
        """The one of this kind (of this session), when there is one."""
        found = [p for p in self.processes(name) if session is None or str(session) in p.arguments]
        assert len(found) <= 1, found
        return found[0] if found else None

    def need(self, name, session=None):
        return self.pump.wait(lambda: self.one(name, session), "process %s of session %s" % (name, session))

    def wait_log(self, text):
        """Until the log has it: a process that ends a session writes its line when it likes."""
        self.pump.wait(lambda: text in self.log(), lambda: "%r in the log:\n%s" % (text, self.log()[-4000:]))

    def kill(self, name, session=None, number=signal.SIGKILL):
        """Ends one process of the server and waits until the kernel has."""
        process = self.need(name, session)
        processes.kill(process.pid, number)
        self.pump.wait(lambda: not processes.alive(process.pid), "the end of %r" % process)
        return process.pid

    def breakdowns(self):
        """What a sanitizer or an assertion said, in the log, on a terminal or in a command's output."""
        texts = [self.log().encode()] + [bytes(t.raw) for t in self.pump.terminals]
        texts += [text.encode("utf-8", "surrogateescape") for c in self.commands for text in output(c)]
        return [text[max(0, at.start() - 200):at.start() + 3000].decode("utf-8", "replace")
                for text in texts if (at := BREAKDOWN.search(text))]

    def clear_processes(self):
        """Whatever happened: none is left."""
        for terminal in self.pump.terminals:
            terminal.end()
        for process in self.commands:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.out.close()
            process.err.close()
        self.commands.clear()

        def none_left():
            left = self.processes()
            for process in left:
                processes.kill(process.pid)
            return not left
        self.pump.wait(none_left, lambda: "the end of %r" % self.processes())


class Server(Watched):
    def __init__(self, programs=None, folder=None, user=None):
        super().__init__()
        self.programs = Path(programs or default_programs()).resolve()
        self.user = user
        self.base = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))  # short: socket paths end at 107 bytes
        self.base.chmod(0o755 if user else 0o700)
        self.home = self.base / "home"
        self.home.mkdir()
        for name in (".bash_profile", ".bashrc"):
            (self.home / name).write_text(PROFILE)
        self.runtime = Path(folder) if folder else self.base / "run"
        if not folder:
            self.runtime.mkdir(mode=0o700)
        if user:
            # The folder of the build may lie where only we may go.
            self.programs = Path(shutil.copytree(self.programs, self.base / "bin", symlinks=True,
                                                 ignore=shutil.ignore_patterns("*.p")))
            for path in (self.home, self.runtime):
                os.chown(path, user, user)
        self.serial = 0
        self.fixed = 0

    # --- commands --------------------------------------------------------------------------------

    def environment(self, **more):
        path = "%s:/usr/bin:/bin" % self.programs
        env = {
            "PATH": path, "HOME": str(self.home), "SHELL": "/bin/bash", "LANG": "C.UTF-8",
            "TERM": "xterm-256color", "COLORTERM": "truecolor", "TERMSERV_RUNTIME_DIR": str(self.runtime), "PS1": PROMPT,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TERMSERV_LOG"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return {name: value for name, value in env.items() if value is not None}

    def argv(self, command):
        words = shlex.split(command) if isinstance(command, str) else [os.fspath(w) for w in command]
        name = os.fsdecode(words[0])
        if "/" not in name and (self.programs / name).exists():
            words[0] = str(self.programs / name)
        return words

    def start(self, command, env=None, stdin=None, cwd=None):
        """A command without a terminal, not waited for; its output lies in files `out` and `err` of the result."""
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(self.argv(command), stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=env or self.environment(), cwd=cwd or self.home, start_new_session=True,
                                   preexec_fn=usual_signals, user=self.user, group=self.user)
        process.out, process.err = out, err
        self.commands.append(process)
        return process

    def finish(self, process, limit=LIMIT):
        self.pump.wait(lambda: process.poll() is not None, lambda: "%s to end: %s" % (process.args, output(process)), limit)
        return Result(process.returncode, *output(process))

    def run(self, command, in_terminal=None, limit=LIMIT, **more):
        """Runs a command to its end: without a terminal, or typed into the shell that this terminal shows."""
        if in_terminal is not None:
            return self.typed(command, in_terminal, limit)
        return self.finish(self.start(command, **more), limit)

    def typed(self, command, terminal, limit=LIMIT):
        """The command runs in the shell of the session (or of the plain tty); output goes to files."""
        at = self.type_command(command, terminal)
        return self.typed_result(at, terminal, limit)

    def type_command(self, command, terminal):
        self.serial += 1
        at = self.base / ("typed%d" % self.serial)
        text = command if isinstance(command, str) else shlex.join(os.fspath(w) for w in command)
        terminal.line("%s >%s.out 2>%s.err; echo $? >%s.new; mv %s.new %s.rc" % (text, at, at, at, at, at))
        return at

    def typed_result(self, at, terminal, limit=LIMIT):
        status = Path("%s.rc" % at)
        self.pump.wait(status.exists, lambda: "a typed command to end\n" + terminal.report(), limit)
        return Result(int(status.read_text()), Path("%s.out" % at).read_text("utf-8", "replace"),
                      Path("%s.err" % at).read_text("utf-8", "replace"))

    # --- terminals -------------------------------------------------------------------------------

    def terminal(self, command, env=None, **more):
        """A new terminal that runs this command."""
        cwd = more.pop("cwd", self.home)
        return Terminal(self.pump, self.argv(command), env or self.environment(), cwd=cwd, **more)

    def shell(self, **more):
        """A plain tty with a shell, as any window: it is nobody's terminal yet."""
        return self.terminal(["/bin/bash", "--norc", "--noprofile", "-i"], **more).wait_for(PROMPT)

    def logon(self, command="", **more):
        """A terminal with a new session; with a command (text after --) that, else the login shell at its prompt."""
        known = set(self.ids())
        options = more.pop("options", "")
        words = "termserv logon --new %s" % options + (" -- %s" % command if command else "")
        terminal = self.terminal(words, **more)
        self.note_session(terminal, known)
        if not command and terminal.emulator:
            terminal.wait_for(PROMPT)
        return terminal

    def logon_fixed(self, name, command="", **more):
        return self.logon(command, options="--terminal %s" % name, **more)

    def note_session(self, terminal, known):
        def fresh():
            return [s for s in self.sessions() if s["id"] is not None and s["id"] not in known and s["state"] == "Active"]
        found = self.pump.wait(fresh, lambda: "a new session\n" + terminal.report())
        terminal.session = found[0]["id"]
        terminal.name = found[0]["name"]

    def connect(self, session, **more):
        """A new terminal that shows this session."""
        former = self.pump.wait(lambda: self.session(session), "session %s" % session)["name"]
        terminal = self.terminal("connect %s" % session, **more)
        terminal.session = session
        found = self.wait_state(session, "Active", lambda s: s["name"] != former)
        terminal.name = found["name"]
        return terminal

    def detached(self, command="cat", options=""):
        """The ID of a new session that no terminal shows."""
        command = command if isinstance(command, str) else shlex.join(command)
        result = self.run("termserv logon --detached %s -- %s" % (options, command))
        assert result.status == 0, result
        return int(result.out)

    def disconnect(self, session):
        result = self.run("disconn %s" % session)
        assert result.status == 0, result
        self.wait_state(session, "Disc")

    # --- the list --------------------------------------------------------------------------------

    def query(self, arguments=""):
        result = self.run("query session --json %s" % arguments)
        assert result.status == 0, result
        return json.loads(result.out)

    def sessions(self):
        result = self.run("query session --json")
        if result.status != 0:
            assert not json_rows(result), result
            return []
        return json.loads(result.out)["sessions"]

    def ids(self):
        return [s["id"] for s in self.sessions() if s["id"] is not None]

    def session(self, number):
        for session in self.sessions():
            if session["id"] == number:
                return session
        return None

    def states(self):
        """{ID: (state, name of its terminal)}"""
        return {s["id"]: (s["state"], s["name"]) for s in self.sessions() if s["id"] is not None}

    def wait_state(self, number, state, also=lambda session: True, limit=LIMIT, on=None):
        """Until the session is in this state (None: it is gone), and on this terminal. A picture, a prompt and the answer
        to `connect` come before the server knows: what they say is waited for, not looked at."""
        seen = []

        def reached():
            session = self.session(number)
            seen[:] = [session]
            if state is None or session is None:
                return session is None and state is None
            return session["state"] == state and on in (None, session["name"]) and also(session)
        self.pump.wait(reached, lambda: "session %s to be %s on %s, is %s" % (number, state, on or "any", seen), limit)
        return seen[0]

    # --- processes -------------------------------------------------------------------------------

    def only(self, **fields):
        """The one row of the list, once there is just one and it is like this."""
        rows = []

        def alone():
            rows[:] = self.sessions()
            return len(rows) == 1 and all(rows[0][name] == value for name, value in fields.items())
        self.pump.wait(alone, lambda: "one session alone with %s, not %s" % (fields, rows))
        return rows[0]

    def program(self, session):
        """The process of the session's program. The session is listed before that is executed: until then it is a host."""
        def executed():
            row = self.session(session)
            return [p for p in self.processes() if p.pid == row["pid"] and not p.name.startswith("termserv")]
        return self.pump.wait(executed, "the program of session %d" % session)[0]

    def log(self):
        path = self.runtime / "termservd.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # --- the end ---------------------------------------------------------------------------------

    def stop(self):
        return self.run("termserv stop --force")

    def end(self):
        """Stops the server; answers with what was wrong: a failed stop, processes that are still there."""
        faults = []
        try:
            result = self.stop()
            if result.status != 0:
                faults.append("termserv stop --force: %r" % (result,))
            self.pump.wait(lambda: not self.processes(), lambda: "the end of %r" % self.processes())
        except (AssertionError, OSError) as error:
            faults.append("termserv stop --force: %s" % error)
        return faults

    def clear(self):
        self.clear_processes()
        shutil.rmtree(self.base, ignore_errors=True)


def output(process):
    texts = []
    for file in (process.out, process.err):
        file.seek(0)
        texts.append(file.read().decode("utf-8", "surrogateescape"))
    return texts


def json_rows(result):
    return result.out.strip() and json.loads(result.out).get("sessions")


BREAKDOWN = re.compile(rb"(Address|Leak|UndefinedBehavior|Memory)Sanitizer|runtime error: |Assertion .* failed|buffer overflow detected")
ERROR = re.compile(r"Could not ([^\n]+), Error code (\d+)\nError \[(\d+)\]: ([^\n]+)\n")


def error_code(result):
    """The code of a failed command, after its form was checked: two lines on stderr, exit status 1, nothing else."""
    match = ERROR.fullmatch(result.err)
    assert match, "not the two lines of an error: %r" % (result,)
    assert match.group(2) == match.group(3), result
    assert result.status == 1 and result.out == "", result
    return int(match.group(2))
