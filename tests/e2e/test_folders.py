"""What lies in a runtime folder, and which folders are refused."""

import os
import socket
from pathlib import Path

import pytest

from processes import VICTIMS, kill_all


def wait_ids(server, expected):
    """A server that comes up lists a leader from when it has answered, which may be a while."""
    server.pump.wait(lambda: server.ids() == expected, lambda: "the sessions %s, not %s" % (expected, server.ids()))


def age(folder, seconds):
    changed = folder.stat().st_mtime - seconds
    os.utime(folder, (changed, changed))


def test_what_is_left_of_a_session_without_a_leader_is_cleaned(server):
    number = server.detached()
    kill_all(server, VICTIMS["both"])
    kill_all(server, ["termserv-leader", "termserv-host"])
    folder = server.runtime / "sessions" / str(number)
    assert folder.exists()
    age(folder, 7)  # of the ten seconds for which a leader that is just coming up is waited for
    assert server.ids() == []
    server.pump.wait(lambda: not folder.exists(), "the stale folder to be gone")
    assert server.detached() == number + 1


def test_strange_things_in_the_sessions_folder_harm_nobody(server):
    number = server.detached()
    kill_all(server, VICTIMS["both"])
    sessions = server.runtime / "sessions"
    for name in ("77", "abc", "0", "-1", "99999999999999999999", "007"):
        (sessions / name).mkdir(mode=0o700)
    (sessions / "5").symlink_to("/")
    (sessions / "6").write_text("a file")
    (sessions / "8").mkdir(mode=0o700)
    (sessions / "8" / "link").write_text("no socket")
    (sessions / "9").mkdir(mode=0o700)
    ghost = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ghost.bind(str(sessions / "9" / "link"))
    ghost.close()
    (sessions / "10").mkdir(mode=0o700)
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    silent.bind(str(sessions / "10" / "link"))
    silent.listen()
    wait_ids(server, [number])
    assert server.run("connect 10 /dest:NOPE").status == 1
    assert Path("/etc").exists() and os.listdir("/")
    silent.close()


def test_a_leader_that_lies_about_its_id_is_not_believed(server):
    """Somebody's folder 50 whose socket is another session's: the list stays right."""
    number = server.detached()
    kill_all(server, VICTIMS["both"])
    sessions = server.runtime / "sessions"
    (sessions / "50").mkdir(mode=0o700)
    (sessions / "50" / "link").symlink_to(sessions / str(number) / "link")
    wait_ids(server, [number])
    assert server.run("connect 50 /dest:NOPE").status == 1 and server.ids() == [number]


def folder_cases():
    yield "open to the group", lambda p: p.chmod(0o750)
    yield "open to all", lambda p: p.chmod(0o755)
    yield "writable by all", lambda p: p.chmod(0o777)
    yield "a symbolic link", link_to_elsewhere
    yield "a file", lambda p: (p.rmdir(), p.write_text(""))
    if os.getuid() == 0:
        yield "another user's", lambda p: os.chown(p, 54321, 54321)


def link_to_elsewhere(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("name,spoil", list(folder_cases()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_folder_that_is_not_ours_alone_is_refused(server, name, spoil):
    spoil(server.runtime)
    # Without --user a folder of root's that others may enter is that of a server for all users.
    which = ["--user"] if os.getuid() == 0 else ["--user", ""]
    for command in [c % w for w in which for c in ("query session %s", "termserv logon %s --detached -- cat", "termserv stop %s --force")]:
        result = server.run(command)
        assert result.status == 1 and result.out == "", (command, result)
        assert str(server.runtime) in result.err
    assert server.processes() == []
    path = server.runtime
    if path.is_dir() and not path.is_symlink():
        assert list(path.iterdir()) == []
        os.chown(path, os.getuid(), os.getgid())
        path.chmod(0o700)
    else:
        path.unlink()
        path.mkdir(mode=0o700)


def test_a_link_on_the_way_to_the_folder_is_no_reason_to_refuse(server):
    way = server.base / "way"
    way.symlink_to(server.base)
    env = server.environment(TERMSERV_RUNTIME_DIR=str(way / "run"))
    assert server.run("termserv logon --detached -- cat", env=env).status == 0
    assert server.ids() == [1]


def test_two_servers_in_two_folders_know_nothing_of_each_other(server, another):
    server.detached()
    another.detached()
    another.detached()
    assert (server.ids(), another.ids()) == ([1], [1, 2])
    assert server.stop().status == 0
    assert another.ids() == [1, 2]


def test_a_runtime_folder_on_the_command_line_wins(server):
    other = server.base / "other"
    other.mkdir(mode=0o700)
    result = server.run(["termserv", "--runtime-dir", other, "logon", "--detached", "--", "cat"])
    assert result.status == 0, result
    assert server.run(["query", "session", "--runtime-dir", other]).status == 0
    assert server.ids() == []
    assert server.run(["termserv", "stop", "--force", "--runtime-dir", other]).status == 0
