"""/server:NAME: commands run on another server through ssh. The other machine is this one: a real sshd on the loopback, whose
logins have a runtime folder of their own, and the system's ssh with a configuration of the test's."""

import os
import pwd
import random
import shutil
import stat
import subprocess

import pytest

from server import PROMPT, error_code

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin:/bin")
USER = pwd.getpwuid(os.getuid()).pw_name

SSHD_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
UsePAM no
PermitRootLogin yes
PubkeyAuthentication yes
StrictModes no
AuthorizedKeysFile {folder}/authorized
PrintMotd no
PrintLastLog no
SetEnv "PATH={path}" "TERMSERV_RUNTIME_DIR={runtime}" "PS1={prompt}" "HOME={home}"
Subsystem sftp internal-sftp
{extra}
"""
SSH_CONFIG = """\
Host there bob@there
    HostName 127.0.0.1
    Port {port}
Host nobody-there
    HostName 127.0.0.1
    Port 1
Host *
    User {user}
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
"""


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def privilege_folder():
    """Where sshd of root insists on an empty folder of its own."""
    if os.getuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)


class There:
    """The other machine. `here` gets an `ssh` on its PATH that knows the way."""

    extra = ""  # lines of sshd_config
    sshd = None

    def __init__(self, here, other, path=None):
        self.folder = here.base / "ssh"
        self.folder.mkdir()
        host_key = keygen(self.folder / "host_key")
        (self.folder / "authorized").write_text(keygen(self.folder / "key") + "\n")
        settings = dict(folder=self.folder, path=path or "%s:/usr/bin:/bin" % other.programs, runtime=other.runtime, prompt=PROMPT,
                        home=other.home, extra=self.extra)
        privilege_folder()
        here.pump.wait(lambda: self.listens(here, settings), lambda: "sshd to listen: %r" % self.log())
        (self.folder / "known_hosts").write_text("[127.0.0.1]:%d %s\n" % (self.port, host_key))
        (self.folder / "ssh_config").write_text(SSH_CONFIG.format(port=self.port, folder=self.folder, user=USER))
        self.wrapper = self.folder / "bin"
        self.wrapper.mkdir()
        # It also notes what others may see of its arguments.
        (self.wrapper / "ssh").write_text(
            '#!/bin/sh\nprintf "%%s\\n" "$@" >>%s/seen\nexec /usr/bin/ssh -F %s/ssh_config "$@"\n' % (self.folder, self.folder))
        (self.wrapper / "ssh").chmod(stat.S_IRWXU)
        self.env = here.environment(PATH="%s:%s:/usr/bin:/bin" % (self.wrapper, here.programs))

    def listens(self, here, settings):
        """Tries one port after the other: only sshd itself can say whether it has it, and other tests look for one too."""
        if self.sshd is None or self.sshd.poll() is not None:
            self.port = random.randrange(10000, 30000)  # where no outgoing connection has one
            (self.folder / "sshd_config").write_text(SSHD_CONFIG.format(port=self.port, **settings))
            self.sshd = here.start([SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")])
        return b"listening" in self.log()

    def log(self):
        self.sshd.err.seek(0)
        return self.sshd.err.read()

    def seen(self):
        return (self.folder / "seen").read_text()

    def close(self):
        self.sshd.terminate()
        self.sshd.wait()


@pytest.fixture
def there(server, another):
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("openssh is not installed")
    machine = There(server, another)
    yield machine
    machine.close()
    server.stop()  # what is left after the other's end would be taken for its own


def test_a_question_is_answered_by_the_other_server(server, another, there):
    server.detached("sleep 1001")
    number = another.detached("sleep 1002")
    another.detached("sleep 1003")
    result = server.run("query session --json /server:there", env=there.env)
    assert result.status == 0 and result.err == "", result
    assert result.out == another.run("query session --json").out
    assert "1002" in result.out and "1001" not in result.out
    assert server.run("qwinsta %d /server:there" % number, env=there.env).out.count("\n") == 2


def test_an_action_happens_there_and_here_nothing(server, another, there):
    mine, far = server.detached("cat"), another.detached("cat")
    assert mine == far == 1
    result = server.run("logoff 1 /server:there /v", env=there.env)
    assert result.status == 0 and "Session 1 logged off" in result.out, result
    assert another.session(1) is None
    assert server.session(1)["state"] == "Disc"


def test_a_failure_there_is_the_failure_here(server, there):
    assert error_code(server.run("connect 77 /dest:TERM05 /server:there", env=there.env)) == 7022
    assert error_code(server.run("rwinsta 78 --server=there", env=there.env)) == 7022


@pytest.mark.parametrize("word", ["it's", "two  words", "", "*", "$HOME", "-n", "a\nb", "grüß", "`id`", "\\", '"'])
def test_every_word_arrives_as_it_was(server, another, there, word):
    seen = another.base / "words"
    script = 'printf "%s|" "$@" >' + str(seen)
    result = server.run(["termserv", "logon", "--detached", "/server:there", "--", "sh", "-c", script, "sh", word, "end"],
                        env=there.env)
    assert result.status == 0, result
    server.pump.wait(lambda: seen.exists() and "end|" in seen.read_text(), "the words")
    assert seen.read_text() == word + "|end|"


def test_a_session_there_is_shown_here(server, another, there):
    number = another.detached("sh -c 'echo far away; exec cat'")
    here = server.terminal("connect %d /server:there" % number, env=there.env).wait_for("far away")
    assert another.wait_state(number, "Active")["name"].startswith("ssh#")
    assert here.line("hello").wait_for("hello\nhello")
    another.disconnect(number)
    assert here.wait_exit() == 0
    assert "Session %d was disconnected" % number in here.emulator.shown()
    assert here.modes_now() == here.settings


def test_logon_there_has_the_status_of_its_program(server, another, there):
    here = server.terminal("termserv logon /server:there -- sh -c 'echo up; read x; exit 7'", env=there.env).wait_for("up")
    another.wait_state(1, "Active")
    here.line("")
    assert here.wait_exit() == 7


def test_a_resized_window_is_resized_there(server, another, there):
    here = server.terminal("termserv logon /server:there -- sh -c 'echo up; cat'", env=there.env).wait_for("up")
    here.resize(30, 100)
    another.wait_state(1, "Active", lambda s: (s["rows"], s["columns"]) == (30, 100))


def test_standard_input_is_left_to_the_caller(server, there):
    script = "while read -r line; do termserv query session --json /server:there >/dev/null; echo $line; done"
    result = server.run(["sh", "-c", "printf '1\\n2\\n3\\n' | { %s; }" % script], env=there.env)
    assert result.out == "1\n2\n3\n" and result.status == 0, result


def test_a_password_is_in_no_argument_and_the_far_command_gets_it(server, another, there):
    number = another.detached()
    result = server.run("connect %d /dest:NOPE /password:tell-nobody /server:there" % number, env=there.env)
    assert result.status == 1 and "Error [7022]" in result.err, result
    assert "tell-nobody" not in there.seen() and "--password-fd=0" in there.seen()
    assert "warning" in result.err
    read, write = os.pipe()
    os.write(write, b"tell-nobody\n")
    os.close(write)
    with os.fdopen(read) as stdin:
        result = server.run("connect %d /dest:NOPE --password-fd 0 /server:there" % number, env=there.env, stdin=stdin)
    assert error_code(result) == 7022
    assert "tell-nobody" not in there.seen()


def test_a_password_with_a_terminal_is_asked_for_there(server, another, there):
    number = another.detached("sh -c 'echo far away; exec cat'")
    here = server.terminal("connect %d /password:tell-nobody /server:there" % number, env=there.env)
    here.wait_for("Server there will ask for the password itself.").wait_for("Password:")
    here.line("x").wait_for("far away")
    assert "tell-nobody" not in there.seen()
    another.disconnect(number)
    assert here.wait_exit() == 0


def test_a_host_that_cannot_be_reached_is_said_in_two_lines(server, there):
    result = server.run("query session /server:nobody-there", env=there.env)
    assert result.status == 1 and result.out == ""
    lines = result.err.splitlines()
    assert lines[0].startswith("ssh: connect to host 127.0.0.1 port 1")
    assert lines[1] == "Could not reach server nobody-there, Error code 1722"
    assert lines[2].startswith("Error [1722]: ") and len(lines) == 3


def test_a_host_without_termserv_is_said_so(server, another):
    machine = There(server, another, path="/usr/bin:/bin")
    result = server.run("query session /server:there", env=machine.env)
    machine.close()
    server.stop()
    assert result.status == 1 and "Could not reach server there, Error code 1722\n" in result.err, result
    assert "termserv is not installed there" in result.err


def test_no_ssh_here_is_said_so(server):
    result = server.run("query session /server:there", env=server.environment(PATH="/nonexistent"))
    assert result.status == 1 and "Could not reach server there, Error code 1722\n" in result.err, result


@pytest.mark.parametrize("name", ["-oProxyCommand=touch here", "a b", "x;id", "a\x1b[2Jb", "$(id)", "bob@-x"])
def test_a_name_that_is_none_reaches_no_ssh(server, name):
    mark = server.base / "called"
    folder = server.base / "bin"
    folder.mkdir()
    (folder / "ssh").write_text("#!/bin/sh\ntouch %s\n" % mark)
    (folder / "ssh").chmod(0o700)
    result = server.run(["connect", "1", "/server:" + name], env=server.environment(PATH="%s:/usr/bin:/bin" % folder))
    assert error_code(result) == 87
    assert not mark.exists() and "\x1b" not in result.err


def test_ctrl_c_ends_a_watch_on_both_sides(server, another, there):
    another.detached("sleep 1002")
    here = server.terminal("query session --watch /server:there", env=there.env).wait_for("Disc")

    def watchers():
        return [p for p in another.processes() if "--watch" in p.arguments]
    server.pump.wait(watchers, "the far command")
    here.type("\x03")
    here.wait_exit()
    server.pump.wait(lambda: not watchers(), "the far command to end")
