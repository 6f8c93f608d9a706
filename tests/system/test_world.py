"""The harness keeps what it promises: real accounts and passwords, a real sshd, and nothing of it on the machine."""

import os
import subprocess
from pathlib import Path

import pytest

import world
from server import PROMPT
from sshd import Sshd
from system_server import password_of


def test_the_world_is_apart_from_the_machine(folder):
    assert os.readlink("/proc/1/ns/mnt") != os.readlink("/proc/self/ns/mnt") or os.getpid() == 1
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    kinds = {line.split()[4]: line.split(" - ")[1].split()[0] for line in lines}
    for path in ("/run", "/tmp", "/opt", "/var/log", "/etc", "/etc/termserv", str(world.HOMES)):
        assert kinds[path] == "tmpfs", path
    assert all("shared:" not in line for line in lines)


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "dave", "erin"])
def test_every_account_has_its_uid_groups_and_no_capability(folder, name):
    result = folder.person(name).run(["sh", "-c", "id -un; id -Gn; grep ^CapEff /proc/self/status; echo $HOME; pwd"])
    me, groups, capabilities, home, here = result.out.splitlines()
    assert me == name and home == here == "/opt/termserv/home/" + name
    assert groups.split() == [name, *world.ACCOUNTS[name].groups]
    assert int(capabilities.split()[1], 16) == 0


def test_a_persons_terminal_is_his_own(folder):
    shell = folder.alice.shell()
    result = folder.alice.run("stat -c '%U %a' $(tty)", in_terminal=shell)
    assert result.out.split() == ["alice", "620"]


@pytest.mark.parametrize("name,password,right", [
    ("bob", password_of("bob"), True), ("bob", "wrong", False), ("bob", "", False), ("lena", password_of("lena"), False),
    ("xavier", password_of("xavier"), False), ("keyla", "", False),
])
def test_pam_knows_right_from_wrong(folder, name, password, right):
    shell = folder.alice.shell()
    shell.line("su %s -c 'id -un' ; echo status=$?" % name).wait_for("Password:")
    shell.line(password)
    shell.wait_for("status=0" if right else "status=1")


def test_a_real_ssh_login_works(folder, tmp_path):
    daemon = Sshd(folder).start()
    try:
        daemon.client(folder.alice)
        assert folder.alice.run("ssh here id -un") == (0, "alice\n", "")
        terminal = folder.alice.terminal("ssh here").wait_for(PROMPT)
        terminal.line("tty; exit").wait_exit()
        assert folder.bob.run("ssh here id").status != 0
    finally:
        daemon.end()


def test_programs_are_within_everybodys_reach(folder):
    for name in ("alice", "termserv", "termserv-tty"):
        assert folder.person(name).run("termserv --version").status == 0


def test_nothing_is_left_of_a_terminal(folder):
    folder.alice.shell()
    folder.clear()
    left = subprocess.run(["ps", "-o", "args", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    assert "setpriv" not in left and "bash" not in left
    folder.base.mkdir()
    folder.log_path.touch()


@pytest.mark.parametrize("outside", ["", "nonsense", None])
def test_nothing_is_mounted_where_the_world_was_started_from(outside):
    before = Path("/proc/self/mountinfo").read_text()
    with pytest.raises(SystemExit, match="nothing was mounted"):
        world.build(world.PROGRAMS, world.namespace() if outside is None else outside)
    assert Path("/proc/self/mountinfo").read_text() == before


def test_the_environment_alone_makes_no_world(monkeypatch):
    monkeypatch.setenv(world.MARK, world.namespace())
    assert not world.inside()
    with pytest.raises(SystemExit):
        world.own_room()
