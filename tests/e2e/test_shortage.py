"""No descriptors, no memory, no processes, no disk: a clear error, and what runs goes on."""

import os
import re
import resource
import socket
import subprocess

import pytest

from processes import VICTIMS, kill_all
from server import Server, error_code


def set_limit(pid, what, value):
    former = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, former[1]))
    return former


def check_clear_error(result):
    assert result.status == 1 and result.out == "", result
    lines = result.err.splitlines()
    assert 1 <= len(lines) <= 2 and all(line.strip() for line in lines), result
    return result.err


def take_all_descriptors(server, process):
    """No number below the limit is free: not one descriptor more. Gives back what was, for give_back()."""
    used = server.pump.rest(process.descriptors, "what %r holds" % process)
    return set_limit(process.pid, resource.RLIMIT_NOFILE, min(set(range(len(used) + 1)) - set(used)))


def give_back(process, former):
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, former)


@pytest.mark.parametrize("left", [1, 2])
def test_a_broker_without_descriptors_says_so_and_recovers(server, left):
    """Idle callers take what its limit has left. Each takes two: at the end the broker can accept one and no more, or none."""
    t = server.logon()
    broker = server.need("termserv-broker")
    limit = max(server.pump.rest(broker.descriptors, "what the broker holds")) + left
    former = set_limit(broker.pid, resource.RLIMIT_NOFILE, limit)
    idle = []

    def full():
        if len(broker.descriptors()) < limit - 1:
            idle.append(socket.socket(socket.AF_UNIX))
            idle[-1].connect(str(server.runtime / "control"))
        return len(broker.descriptors()) >= limit - 1
    server.pump.wait(full, "the broker to have no descriptor left")
    commands = [server.start(c) for c in ("query session", "termserv logon --detached -- cat")]  # either takes its time
    for command in commands:
        assert re.search(r"\[(4|8|1722)\]", check_clear_error(server.finish(command)))
    t.line("echo alive").wait_for("\nalive")
    for one in idle:
        one.close()
    give_back(broker, former)
    assert server.detached() > t.session
    assert server.need("termserv-broker").pid == broker.pid
    assert server.session(t.session)["state"] == "Active"


def test_a_parent_without_descriptors_starts_no_session_and_says_so(server):
    t = server.logon()
    parent = server.need("termservd")
    former = take_all_descriptors(server, parent)
    check_clear_error(server.run("termserv logon --detached -- cat"))
    t.line("echo alive").wait_for("\nalive")
    give_back(parent, former)
    assert server.detached() > t.session
    assert len(server.ids()) == 2 and server.need("termservd").pid == parent.pid


def test_a_parent_without_descriptors_starts_its_broker_when_there_are_some_again(server):
    t = server.logon()
    parent = server.need("termservd")
    former = take_all_descriptors(server, parent)
    server.kill("termserv-broker")
    waiting = server.start("query session --json")
    t.line("echo alive").wait_for("\nalive")
    assert server.processes("termserv-broker") == [] or server.finish(waiting).status == 0
    give_back(parent, former)
    assert server.finish(waiting).status == 0
    assert server.ids() == [t.session] and server.need("termservd").pid == parent.pid


@pytest.mark.parametrize("name", ["termserv-leader", "termserv-host"])
def test_a_session_without_descriptors_cannot_be_connected_but_goes_on(server, name):
    t = server.logon_fixed("TERM01")
    five = server.logon_fixed("TERM05")
    process = server.need(name, t.session)
    former = take_all_descriptors(server, process)
    result = server.run("connect %d /dest:TERM05" % t.session)
    assert error_code(result) in (4, 7024, 7040), result
    t.line("echo alive").wait_for("\nalive")
    five.line("echo five too").wait_for("\nfive too")
    assert server.session(t.session)["name"] == "TERM01"
    give_back(process, former)
    assert server.run("connect %d /dest:TERM05" % t.session).status == 0
    five.wait_for("alive")


def test_no_memory_for_a_new_session_is_a_clear_error(server):
    t = server.logon()
    parent = server.need("termservd")
    former = set_limit(parent.pid, resource.RLIMIT_AS, 1 << 20)
    check_clear_error(server.run("termserv logon --detached -- cat"))
    assert server.ids() == [t.session]
    t.line("echo alive").wait_for("\nalive")
    resource.prlimit(parent.pid, resource.RLIMIT_AS, former)
    assert server.detached() > t.session
    server.pump.wait(lambda: len(server.processes("termserv-leader")) == 2, "no half session to be left")


def test_no_process_for_a_new_session_is_a_clear_error():
    if os.getuid() != 0:
        pytest.skip("needs root to run the server as a user of its own, whose processes can be counted")
    server = Server(user=54321)
    try:
        assert server.run("termserv logon --detached -- cat").out == "1\n"
        parent = server.need("termservd").pid
        assert server.run("prlimit --pid %d --nproc=1:" % parent).status == 0
        check_clear_error(server.run("termserv logon --detached -- cat"))
        assert server.session(1)["state"] == "Disc"
        most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        assert server.run("prlimit --pid %d --nproc=%d:" % (parent, most)).status == 0
        assert server.run("termserv logon --detached -- cat").status == 0
        assert server.end() == []
    finally:
        server.clear()


@pytest.fixture
def tiny(server):
    """The server's folder on a file system of 64 pages."""
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=64,mode=0700", "tmpfs", str(server.runtime)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield server
    server.stop()
    subprocess.run(["umount", "-l", str(server.runtime)], check=True)


def fill(folder):
    """Until not one byte fits."""
    with open(folder / "full", "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def test_a_full_disk_is_a_clear_error(tiny):
    assert tiny.ids() == []
    fill(tiny.runtime)
    result = tiny.run("termserv logon --detached -- cat")
    assert "[112]" in check_clear_error(result), result
    assert tiny.ids() == []
    tiny.pump.wait(lambda: tiny.processes("termserv-leader") == [], "no leader to be left")
    (tiny.runtime / "full").unlink()
    assert tiny.detached() in (1, 2)


def test_what_runs_goes_on_though_the_disk_is_full(tiny):
    server = tiny
    t, five = server.logon(), server.logon_fixed("TERM05")
    fill(server.runtime)
    result = server.run("termserv logon --detached -- cat")
    assert result.status == 0 or "[112]" in check_clear_error(result), result
    before = server.ids()
    t.line("echo alive").wait_for("\nalive")
    assert server.run("connect %d /dest:TERM05" % t.session).status == 0
    five.wait_for("alive")
    kill_all(server, VICTIMS["broker"])
    server.pump.wait(lambda: server.ids() == before, "all sessions")
    (server.runtime / "full").unlink()
    assert server.detached() > max(before)


def test_a_disk_without_inodes_is_a_clear_error(tiny):
    server = tiny
    t = server.logon()
    made = 0
    try:
        while True:
            (server.runtime / ("inode%d" % made)).touch()
            made += 1
    except OSError:
        pass
    assert "[112]" in check_clear_error(server.run("termserv logon --detached -- cat"))
    t.line("echo alive").wait_for("\nalive")
    for number in range(made):
        (server.runtime / ("inode%d" % number)).unlink()
    assert server.run("termserv logon --detached -- cat").status == 0
