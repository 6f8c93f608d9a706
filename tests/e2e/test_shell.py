"""termserv in place of a shell: `ForceCommand termserv logon`, and termserv-shell as a login shell. Commands that come along run
as ever (scp, sftp, git); a login with a terminal is in a session; nobody is locked out."""

import os
import re
import shutil
import subprocess

import pytest

from server import PROMPT
from test_server import SSHD, There


class Forced(There):
    """The other machine forces everyone into `termserv logon`."""

    def __init__(self, here, other, lines="ForceCommand {programs}/termserv logon\n"):
        self.extra = lines.format(programs=other.programs)
        super().__init__(here, other)

    def ssh(self, server, *words, **more):
        return server.run([str(self.wrapper / "ssh"), "there", *words], env=self.env, **more)


@pytest.fixture(params=["ForceCommand {programs}/termserv logon\n"], ids=["ForceCommand"])
def forced(request, server, another):
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("openssh is not installed")
    machine = Forced(server, another, request.param)
    yield machine
    machine.close()
    server.stop()


def test_a_login_is_in_a_session_and_comes_back_to_it(server, another, forced):
    first = server.terminal("%s/ssh there" % forced.wrapper, env=forced.env).wait_for(PROMPT)
    first.line("echo it was me").wait_for("\nit was me")
    another.wait_state(1, "Active")
    first.close()
    another.wait_state(1, "Disc")
    second = server.terminal("%s/ssh there" % forced.wrapper, env=forced.env).wait_for("it was me")
    another.wait_state(1, "Active")
    second.line("exit 5")
    assert second.wait_exit() == 5


def test_a_command_that_came_along_runs_without_a_session(server, another, forced):
    result = forced.ssh(server, "echo", "'a  b'", ";", "exit", "3")
    assert (result.status, result.out, result.err) == (3, "a  b\n", "")
    assert another.ids() == []


def test_a_command_reads_its_input_to_the_byte(server, forced):
    data = bytes(range(256)) * 999
    path = server.base / "data"
    path.write_bytes(data)
    with path.open("rb") as stdin:
        assert forced.ssh(server, "cat | sha256sum | cut -c 1-64", stdin=stdin).out.strip() == \
            subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]


def test_files_are_copied_by_scp_and_sftp(server, forced):
    path = server.base / "one"
    path.write_bytes(os.urandom(100000))
    for number, how in enumerate((["-O"], ["-s"])):
        if not how == ["-O"] and not os.path.exists("/usr/lib/openssh/sftp-server"):
            continue
        target = server.base / ("two%d" % number)
        words = ["/usr/bin/scp", "-q", *how, "-S", str(forced.wrapper / "ssh"), str(path), "there:%s" % target]
        result = server.run(words, env=forced.env)
        assert result.status == 0, (how, result)
        assert target.read_bytes() == path.read_bytes()


def test_git_works_over_it(server, forced):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    source = server.base / "source"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", "-C", str(source)]
    subprocess.run(["git", "init", "-q", source], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    env = dict(forced.env, GIT_SSH_COMMAND=str(forced.wrapper / "ssh"))
    result = server.run(["git", "clone", "-q", "there:%s" % source, str(server.base / "clone")], env=env)
    assert result.status == 0 and (server.base / "clone" / ".git").is_dir(), result


def test_a_command_of_the_family_is_run_there(server, another, forced):
    number = another.detached("sleep 1002")
    assert '"id":%d' % number in server.run("query session --json /server:there", env=forced.env).out
    here = server.terminal("connect %d /server:there" % another.detached("sh -c 'echo far away; exec cat'"), env=forced.env)
    here.wait_for("far away")


def test_without_a_terminal_and_without_a_command_it_is_a_plain_shell(server, another, forced):
    script = server.base / "script"
    script.write_text("echo plain $((6 * 7))\nexit 4\n")
    with script.open("rb") as stdin:
        result = forced.ssh(server, "-T", stdin=stdin)
    assert result.status == 4 and "plain 42" in result.out, result
    assert another.ids() == []


def test_whoever_can_have_no_session_gets_a_shell(server, another):
    """The runtime folder cannot be used: a person at a terminal is told so, and works on."""
    machine = Forced(server, another, "ForceCommand env TERMSERV_RUNTIME_DIR=/dev/null {programs}/termserv logon\n")
    here = server.terminal("%s/ssh there" % machine.wrapper, env=machine.env)
    here.wait_for("Here is a plain shell instead").wait_for(PROMPT)
    assert "Could not log on, Error code" in here.screen()
    here.line("tty; echo it is $((40 + 2))").wait_for("it is 42")
    here.line("exit 6")
    assert here.wait_exit() == 6
    machine.close()
    server.stop()


def test_who_types_logon_in_a_shell_gets_no_second_shell(server):
    env = server.environment(SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22", TERMSERV_RUNTIME_DIR="/dev/null")
    result = server.typed("termserv logon", server.shell(env=env))
    assert result.status == 1 and "Here is a plain shell" not in result.err, result


# --- as a login shell ----------------------------------------------------------------------------


def test_the_login_shell_runs_commands_with_the_real_shell(server):
    result = server.run(["termserv-shell", "-c", "echo $0 $SHELL; exit 3"])
    assert (result.status, result.out) == (3, "bash /bin/bash\n"), result
    script = server.base / "script"
    script.write_text("echo script $1\n")
    assert server.run(["termserv-shell", str(script), "x"]).out == "script x\n"
    with script.open("rb") as stdin:
        assert server.run(["termserv-shell"], stdin=stdin).out == "script\n"
    assert server.ids() == []


def test_the_configuration_names_the_real_shell(server):
    folder = server.home / ".config" / "termserv"
    folder.mkdir(parents=True)
    (folder / "termserv.conf").write_text("[session]\nshell = /bin/sh\n")
    assert server.run(["termserv-shell", "-c", "echo $0 $SHELL"]).out == "sh /bin/sh\n"
    (folder / "termserv.conf").write_text("[session]\nshell = %s\n" % (server.programs / "termserv-shell"))
    assert server.run(["termserv-shell", "-c", "echo $SHELL"]).out == "/bin/bash\n"


def test_a_login_with_the_login_shell_is_in_a_session_whose_shell_is_the_real_one(server):
    env = server.environment(SHELL=str(server.programs / "termserv-shell"))
    here = server.terminal(["/bin/bash", "-c", "exec -a -termserv-shell %s/termserv-shell" % server.programs], env=env)
    here.wait_for(PROMPT)
    server.wait_state(1, "Active")
    assert server.typed("echo $SHELL $0", here).out.split()[0] == "/bin/bash"
    # The host starts what the account names: in a session that is the real shell at once.
    here.line("exec -a -termserv-shell %s/termserv-shell" % server.programs).wait_for(PROMPT)
    assert server.typed("echo $SHELL", here).out == "/bin/bash\n"
    assert server.ids() == [1]


def test_the_login_shell_lets_nobody_stand_outside(server):
    here = server.terminal("termserv-shell", env=server.environment(TERMSERV_RUNTIME_DIR="/dev/null"))
    here.wait_for("Here is a plain shell instead").wait_for(PROMPT)
    here.line("sh -c 'echo $((40 + 2)); exec cat'").wait_for("\n42")
    here.type("\x03").wait_for(re.compile(r"\^C\n.*ready>", re.S))  # the keys work: no signal stayed blocked
    here.line("exit 7")
    assert here.wait_exit() == 7
