"""termservd for all users: what may die under it, what it refuses, which server the commands take."""

import os
import re
import signal
import subprocess

import pytest

import world
from server import error_code
from system_server import LOGS, RUNTIME, USUAL
from terminal import LIMIT


def make_runtime(mode=0o755, uid=0):
    RUNTIME.mkdir(exist_ok=True)
    os.chown(RUNTIME, uid, 0)
    RUNTIME.chmod(mode)


def start(*options, uid=0):
    return subprocess.run([world.PROGRAMS / "termservd", "--system", *options], user=uid, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)


def test_a_broker_that_is_killed_costs_nobody_a_session(server):
    mine, theirs = server.alice.detached(), server.bob.detached()
    before = server.root.states()
    server.kill("termserv-broker")
    server.root.wait_unchanged(before)
    assert set(before) == {mine, theirs}


def test_a_server_that_is_killed_is_followed_by_one_that_finds_the_sessions(server):
    session = server.alice.detached()
    server.kill("termservd")
    server.pump.wait(lambda: not server.processes("termserv-broker"), "the broker's end")
    server.start()
    assert server.root.wait_state(session, "Disc")["user"] == "alice"
    assert server.bob.detached() == session + 1  # no ID is given twice


def test_what_a_killed_leader_leaves_behind_is_removed(server):
    session = server.alice.detached()
    server.kill("termserv-leader", session)
    server.pump.wait(lambda: not (RUNTIME / "sessions" / str(session)).exists(), "the folder to go")
    server.pump.wait(lambda: server.root.sessions() == [], "the session to leave the list")


def test_what_a_killed_leader_of_an_earlier_server_leaves_behind_is_removed_too(server):
    session, other = server.alice.detached(), server.bob.detached()
    server.kill("termservd")
    server.pump.wait(lambda: not server.processes("termserv-broker"), "the broker's end")
    server.start()
    for number in (session, other):
        server.root.wait_state(number, "Disc")
    server.kill("termserv-leader", session)
    server.pump.wait(lambda: not (RUNTIME / "sessions" / str(session)).exists(), "the folder to go")
    server.pump.wait(lambda: set(server.root.states()) == {other}, "the session to leave the list")
    assert server.root.code("logoff %d" % other) == 0
    server.pump.wait(lambda: not (RUNTIME / "sessions" / str(other)).exists(), "the other's folder to go")


def test_what_was_left_while_no_server_ran_is_removed_by_the_next(server):
    session = server.alice.detached()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.kill("termserv-leader", session)
    folder = RUNTIME / "sessions" / str(session)
    old = folder.stat().st_mtime - 100
    os.utime(folder, (old, old))  # else it may belong to a leader that is just coming up
    server.start()
    server.pump.wait(lambda: not folder.exists(), "the folder to go")


def test_a_hangup_makes_it_read_its_configuration_again(server):
    assert server.carol.run("termserv logon --detached -- cat").status == 0
    server.reload(USUAL.replace("* = User", "* = User\ncarol = None"))
    server.pump.wait(lambda: "read again" in server.log(), "the new configuration")
    assert server.carol.run("termserv logon --detached -- cat").status == 1
    assert server.process.poll() is None


def test_a_configuration_with_mistakes_changes_nothing(server):
    assert server.root.run("query session").status == 0  # the broker has read the good one
    server.reload(USUAL.replace("* = User", "* = None") + "[nonsense]\n")
    server.pump.wait(lambda: "stays as it was" in server.log(), "the complaint")
    server.pump.wait(lambda: re.search(r"termserv\.conf:\d+", server.log()), "the line that is wrong")
    assert server.carol.run("termserv logon --detached -- cat").status == 0


def test_a_second_server_on_the_same_folder_is_refused(server):
    result = start()
    assert result.returncode == 1 and "another server serves" in result.stdout
    assert server.root.run("query session").status == 0


def test_only_root_starts_it(folder):
    result = start(uid=world.ACCOUNTS["alice"].uid)
    assert result.returncode == 2 and "root" in result.stdout


@pytest.mark.parametrize("account,reason", [("root", "root's rights"), ("nobody-of-this-name", "does not exist")])
def test_the_brokers_account_must_be_one_without_rights(folder, account, reason):
    result = start("--account", account)
    assert result.returncode == 1 and reason in result.stdout


@pytest.mark.parametrize("owner,mode,reason", [("alice", 0o755, "belongs to another user"), ("root", 0o777, "may be written"),
                                               ("root", 0o775, "may be written")])
def test_a_folder_that_others_could_change_is_refused_and_left_alone(folder, owner, mode, reason):
    uid = world.ACCOUNTS[owner].uid if owner != "root" else 0
    make_runtime(mode, uid)
    result = start()
    assert result.returncode == 1 and reason in result.stdout
    assert list(RUNTIME.iterdir()) == [] and RUNTIME.stat().st_uid == uid
    make_runtime()


@pytest.mark.parametrize("name", ["broker", "sessions"])
def test_a_folder_of_its_own_is_never_a_users_or_a_link(folder, name):
    make_runtime()
    (RUNTIME / name).symlink_to(LOGS)
    assert start().returncode == 1
    (RUNTIME / name).unlink()
    (RUNTIME / name).mkdir()
    os.chown(RUNTIME / name, world.ACCOUNTS["alice"].uid, 0)
    assert start().returncode == 1


def test_commands_take_the_server_of_all_users_where_one_runs(server):
    session = server.alice.detached()
    assert server.alice.run("termserv query session --system %d" % session).status == 0
    assert server.alice.session(session)["id"] == session
    assert "No session" in server.alice.run("termserv query session --user %d" % session).err
    server.alice.run("termserv stop --user --force")


def test_without_a_server_of_all_users_commands_take_the_users_own(folder):
    assert folder.alice.run("termserv query session").status == 0  # and start it
    assert folder.alice.run("termserv stop --force").status == 0


def test_nobody_starts_the_server_of_all_users_by_a_command(folder):
    if RUNTIME.exists():
        RUNTIME.rmdir()
    result = folder.alice.run("termserv query session --system")
    assert error_code(result) == 1722 and not RUNTIME.exists()
    make_runtime()
    result = folder.root.run("termserv query session --system")
    assert error_code(result) == 1722 and "termservd --system" in result.err
