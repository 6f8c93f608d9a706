"""What each process holds open and knows: exactly what it needs, nothing of its parents', callers' or neighbours'."""

import os
import re
import stat

import pytest

from server import PROMPT

ANONYMOUS = {"socket", "anon_inode:[eventpoll]", "anon_inode:[signalfd]", "anon_inode:[timerfd]", "anon_inode:[pidfd]",
             "anon_inode:[eventfd]", "/dev/null"}


def busy_server(server):
    """Some of everything: sessions that are active, fixed, detached, connected from elsewhere."""
    first = server.logon()
    server.logon_fixed("TERM05")
    server.detached("cat")
    server.disconnect(first.session)
    server.connect(first.session).wait_for(PROMPT)
    server.run("query session")


def kinds(process, also):
    """The descriptors that are neither anonymous nor match one of these patterns."""
    left = {}
    for number, target in process.descriptors().items():
        if target not in ANONYMOUS and not any(re.fullmatch(pattern, target) for pattern in also):
            left[number] = target
    return left


def test_a_session_program_has_its_tty_and_nothing_else(server):
    busy_server(server)
    for session in server.sessions():
        program = server.program(session["id"])
        tty = session["tty"]
        expected = {0: tty, 1: tty, 2: tty}
        if program.name == "bash":
            expected[255] = tty  # bash's own copy
        # Not looked at once: the program may just be loading its libraries.
        server.pump.wait(lambda: program.descriptors() == expected, lambda: "%r to hold just its tty: %s" % (program, program.descriptors()))


@pytest.mark.parametrize("name", ["termservd", "termserv-broker", "termserv-leader", "termserv-host"])
def test_each_process_holds_only_its_kinds_of_descriptors(server, name):
    busy_server(server)
    runtime = re.escape(str(server.runtime))
    own = {
        "termservd": [runtime, runtime + "/lock", runtime + r"/termservd\.log"],
        "termserv-broker": [runtime, runtime + r"/termservd\.log", runtime + "/last-id", runtime + "/sessions",
                            runtime + r"/audit\.log"],
        "termserv-leader": [runtime, runtime + r"/termservd\.log", runtime + r"/sessions", runtime + r"/sessions/\d+",
                            runtime + r"/sessions/\d+/run", r"/memfd:.*"],
        "termserv-host": [runtime + r"/termservd\.log", runtime + r"/sessions/\d+/run", "/dev/ptmx", "/dev/pts/ptmx",
                          r"/memfd:.*"],
    }[name]
    found = server.processes(name)
    assert found
    ttys = {str(s["id"]): s["tty"] for s in server.sessions()}
    for process in found:
        # Its own, and what is lent to it: see test_lend.
        mine = [ttys[process.arguments[-1]], *[t.path for t in server.pump.terminals]] if name == "termserv-host" else []
        # What it opens for a moment only is none that it holds.
        server.pump.wait(lambda: kinds(process, own + mine) == {}, lambda: "only its kinds: %r %s" % (process, kinds(process, own + mine)))


def test_a_host_knows_one_session_folder_only(server):
    busy_server(server)
    for process in server.processes("termserv-host") + server.processes("termserv-leader"):
        folders = {m.group(1) for t in process.descriptors().values() if (m := re.search(r"/sessions/(\d+)", t))}
        assert len(folders) <= 1, (process, folders)


@pytest.mark.parametrize("name", ["termservd", "termserv-broker", "termserv-leader", "termserv-host"])
def test_connecting_and_leaving_a_few_dozen_times_leaks_no_descriptor(server, name):
    server.logon_fixed("TERM05")
    number = server.detached()

    def count():
        return sorted(len(p.descriptors()) for p in server.processes(name))

    def turn():
        assert server.run("connect %d /dest:TERM05" % number).status == 0
        assert server.run("disconn %d" % number).status == 0
        server.run("connect 99 /dest:TERM05")
        server.run("query session NOPE")
        assert server.run("logoff %d" % server.detached()).status == 0
    turn()
    server.pump.wait(lambda: len(server.ids()) == 2, "the ended session to be gone")
    before = server.pump.rest(count, "the number of descriptors")
    for _ in range(12):
        turn()
    server.pump.wait(lambda: count() == before, lambda: "%s descriptors, have %s" % (before, count()))


def test_descriptors_of_the_starter_reach_nobody(server):
    """The first command starts the server; a descriptor that it got by accident must not live on there."""
    secret = server.base / "secret"
    secret.write_text("secret")
    result = server.run(["sh", "-c", "exec 7<%s 8>%s.out; termserv logon --detached -- cat" % (secret, secret)])
    assert result.status == 0
    for process in server.processes():
        assert not [t for t in process.descriptors().values() if "secret" in t], process


def test_nothing_of_the_server_is_open_to_others(server):
    busy_server(server)
    found = [server.runtime, *server.runtime.rglob("*")]
    assert len(found) > 8
    for path in found:
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue  # it was there for a moment
        if stat.S_ISLNK(status.st_mode):
            continue
        assert status.st_uid == os.getuid(), path
        if stat.S_ISDIR(status.st_mode):
            assert stat.S_IMODE(status.st_mode) == 0o700, path
        else:
            readers = 0o040 if path.name == "audit.log" else 0  # its group may; only the owner gets here
            assert status.st_mode & 0o077 == readers, path


def test_the_sessions_tty_is_closed_to_others(server):
    busy_server(server)
    for session in server.sessions():
        assert os.stat(session["tty"]).st_mode & 0o007 == 0


def test_the_session_has_the_environment_of_its_caller_and_two_words_more(server):
    env = server.environment(EXTRA="täglich", EMPTY="", NOTIFY_SOCKET="/nowhere", LISTEN_FDS="3", LISTEN_PID="1")
    result = server.run("termserv logon --detached -- cat", env=env)
    found = server.program(int(result.out)).environment
    assert found["TERMSERV_SESSION"] == result.out.strip()
    assert found["EXTRA"] == "täglich" and found["EMPTY"] == ""
    assert set(found) <= set(env) | {"TERMSERV_SESSION", "TERM", "SSH_AUTH_SOCK", "WAYLAND_DISPLAY"}
    assert not set(found) & {"LISTEN_FDS", "LISTEN_PID"}


@pytest.mark.parametrize("name", ["termservd", "termserv-broker", "termserv-leader", "termserv-host"])
def test_the_servers_processes_know_no_secrets_of_the_first_caller(server, name):
    env = server.environment(AWS_SECRET="hunter2-SECRET", SSH_AUTH_SOCK="/tmp/agent-SECRET")
    assert server.run("query session --json", env=env).status == 0
    server.detached()
    for process in server.processes(name):
        assert "SECRET" not in "".join(process.environment.values()), (process, process.environment)


@pytest.mark.parametrize("name", ["termservd", "termserv-broker", "termserv-leader", "termserv-host"])
def test_the_servers_processes_have_left_the_callers_session_and_folder(server, name):
    here = server.shell()
    server.run("termserv logon --detached -- cat", in_terminal=here)
    for process in server.processes(name):
        assert os.readlink("/proc/%d/cwd" % process.pid) == "/"
        stat_fields = open("/proc/%d/stat" % process.pid).read().rpartition(")")[2].split()
        assert stat_fields[4] == "0", "%r has a controlling terminal" % process
        assert here.path not in process.descriptors().values()
        umask = re.search(r"^Umask:\s*(\d+)", open("/proc/%d/status" % process.pid).read(), re.M).group(1)
        assert umask == "0077"


def test_the_program_has_its_callers_umask_and_default_signals(server):
    result = server.run(["sh", "-c", "trap '' INT HUP; umask 037; exec termserv logon --detached -- cat"])
    status = open("/proc/%d/status" % server.program(int(result.out)).pid).read()
    masks = dict(re.findall(r"^(Umask|SigBlk|SigIgn):\s*([0-9a-f]+)", status, re.M))
    assert int(masks["SigBlk"], 16) == 0 and int(masks["SigIgn"], 16) == 0
    assert masks["Umask"] == "0037"
