"""ssh: the manual's lines in sshd_config, the login shell, and /server to another machine, all with real sshd's."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

import processes
import world
from server import PROMPT
from sshd import Sshd, keygen
from system_server import CONFIG, LOGIN, RIGHTS, SERVER, USUAL, descendants, log_in, password_of

NASTY = ["", " ", "a b", "'", "\"", "\\", "$HOME", "$(id)", "`id`", ";id", "*", "~", "-n", "--", "!x", "a\tb", "a\nb", "täglich",
         "'\\''", "#", "&", "|", ">", "\\n", "%s"]


def manual_lines():
    """What the manual tells to put into sshd_config, as it stands there."""
    text = (world.REPOSITORY / "man/termserv-logon.1.scd").read_text()
    blocks = [b for b in re.findall(r"```\n(.*?)```", text, re.S) if "ForceCommand" in b]
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) == 3
    return blocks[0]


@pytest.fixture
def daemon(sshd, server):
    """sshd with the manual's lines; alice may come."""
    daemon = sshd(manual_lines())
    daemon.client(server.alice)
    return daemon


def login(server, **more):
    """alice in her session, by ssh."""
    terminal = server.alice.terminal("ssh here", **more).wait_for(PROMPT)
    terminal.session = server.root.only(state="Active", user="alice")["id"]
    return terminal


def test_a_login_is_in_a_session(server, daemon):
    terminal = login(server)
    session = server.root.session(terminal.session)
    assert session["name"].startswith("ssh#") and session["user"] == "alice"
    assert session["clientAddress"].startswith("127.0.0.1")
    assert server.alice.run("id -un; echo $TERMSERV_SESSION", in_terminal=terminal).out.split() == ["alice", str(terminal.session)]


def test_a_session_outlives_its_ssh_and_the_next_login_is_back_in_it(server, daemon):
    terminal = login(server)
    terminal.line("echo before; sleep 1000 & echo pid $!").wait_for(re.compile(r"\npid \d+"))
    sleeper = int(re.search(r"\npid (\d+)", terminal.screen()).group(1))
    processes.kill(terminal.process.pid)
    server.root.wait_state(terminal.session, "Disc")
    assert processes.alive(sleeper)
    again = server.alice.terminal("ssh here").wait_for("before")
    server.root.wait_state(terminal.session, "Active")
    again.line("kill -0 %d; echo alive=$?" % sleeper).wait_for("alive=0")


def test_leaving_the_session_ends_the_login(server, daemon):
    terminal = login(server)
    terminal.line("exit 7")
    assert terminal.wait_exit() == 7
    server.root.wait_state(terminal.session, None)


def test_disconnecting_ends_the_login_and_keeps_the_session(server, daemon):
    terminal = login(server)
    terminal.line("disconn")
    assert terminal.wait_exit() == 0
    server.root.wait_state(terminal.session, "Disc")


@pytest.mark.parametrize("command,status,out", [
    ("echo hello", 0, "hello\n"), ("exit 3", 3, ""), ("id -un; pwd", 0, "alice\n/opt/termserv/home/alice\n"),
    ("echo 'a  b' \"$0\" | cat", 0, None), ("kill -9 $$", 255, ""),
])
def test_a_command_of_ssh_runs_as_before(server, daemon, command, status, out):
    result = server.alice.run(["ssh", "here", command])
    assert result.status == status and (out is None or result.out == out), result
    assert server.root.sessions() == []


def test_a_command_of_ssh_gets_its_input_untouched(server, daemon):
    data = bytes(range(256)) * 4096
    path = server.alice.base / "in"
    path.write_bytes(data)
    with open(path, "rb") as file:
        process = server.alice.start("ssh here cat", stdin=file)
    server.pump.wait(lambda: process.poll() is not None, "ssh to end")
    process.out.seek(0)
    assert process.out.read() == data


def test_files_go_to_and_fro(server, daemon):
    (server.alice.home / "a").write_bytes(b"x" * 100000)
    for options in ([], ["-O"]):  # sftp, and the protocol of old
        for target in ("b", "c"):
            result = server.alice.run(["scp", "-q", *options, "a", "here:" + target])
            assert result.status == 0, result
            assert (server.alice.home / target).read_bytes() == b"x" * 100000
    batch = server.alice.base / "batch"
    batch.write_text("put a d\nget d e\n")
    batch.chmod(0o644)
    os.chown(batch, server.alice.uid, server.alice.gid)
    assert server.alice.run(["sftp", "-q", "-b", str(batch), "here"]).status == 0
    assert (server.alice.home / "e").read_bytes() == b"x" * 100000
    assert server.root.sessions() == []


def test_without_a_server_a_login_is_a_plain_shell(server, sshd):
    """Without --system it would be the user's own server."""
    sshd(manual_lines().replace("termserv logon", "termserv logon --system")).client(server.alice)
    assert server.root.run("termserv stop --force").status == 0
    server.process.wait()
    server.process = None
    terminal = server.alice.terminal("ssh here").wait_for(PROMPT)
    assert server.alice.run("id -un; echo x$TERMSERV_SESSION", in_terminal=terminal).out.split() == ["alice", "x"]


def test_a_refusal_of_the_server_stays_one(configured):
    server = configured(USUAL.replace("[rights]\n", "[rights]\nalice = None\n"))
    daemon = Sshd(server, manual_lines()).start()
    try:
        daemon.client(server.alice)
        terminal = server.alice.terminal("ssh here")
        assert terminal.wait_exit() == 1
        assert "Error code 5" in terminal.screen()
    finally:
        daemon.end()


def test_who_is_not_meant_comes_in_as_before(server, daemon):
    daemon.client(server.carol)
    terminal = server.carol.terminal("ssh here").wait_for(PROMPT)
    assert server.carol.run("echo x$TERMSERV_SESSION", in_terminal=terminal).out == "x\n"
    assert server.root.sessions() == []


def test_a_session_moves_from_ssh_to_a_fixed_terminal_and_back(server, daemon):
    terminal = login(server)
    fixed = server.person("termserv-tty").login_terminal("TERM05")
    terminal.line("echo it moves").wait_for("\nit moves")
    terminal.line("connect /dest:TERM05")
    fixed.wait_for("it moves")
    assert terminal.wait_exit() == 0
    server.alice.terminal("ssh here", env=server.alice.environment()).wait_for(PROMPT)


# --- a terminal for a key ------------------------------------------------------------------------------


def blocks_for_a_key():
    """What the manual tells to put into sshd_config and termserv.conf."""
    text = (world.REPOSITORY / "man/termserv.conf.5.scd").read_text().split("## A terminal for an ssh key")[1].split("\n# ")[0]
    blocks = re.findall(r"```\n(.*?)```", text, re.S)
    daemon, = [b for b in blocks if b.startswith("Match User term03\n")]
    terminal, = [b for b in blocks if b.startswith("[terminal TERM03]\n")]
    return daemon, terminal


@pytest.fixture
def keyed(configured):
    """A server and an sshd with these lines; term03 has a key, and so has alice."""
    lines, terminal = blocks_for_a_key()
    server = configured(SERVER + RIGHTS + terminal)
    daemon = Sshd(server, lines).start()
    daemon.client(server.term03)
    daemon.client(server.alice)
    yield server
    daemon.end()


def test_a_key_has_a_fixed_terminal_that_asks_who_is_there(keyed):
    terminal = log_in(keyed.term03.terminal("ssh here"), "bob", password_of("bob")).wait_for(PROMPT)
    session = keyed.root.only(state="Active")
    assert (session["name"], session["user"], session["listener"]) == ("TERM03", "bob", "ssh")
    assert keyed.bob.run("id -un", in_terminal=terminal).out == "bob\n"
    idle = keyed.alice.detached("sh -c 'echo found in the hall; cat'")
    terminal.line("exit")
    keyed.root.wait_state(session["id"], None)
    terminal.wait_until(lambda t: LOGIN.search(t.screen()), "the prompt again")
    assert keyed.alice.code("connect %d /dest:TERM03" % idle) == 0
    terminal.wait_for("found in the hall")


def test_another_users_login_cannot_have_that_terminal(keyed):
    terminal = keyed.alice.terminal(["ssh", "-t", "here", "termserv logon --terminal TERM03"])
    assert terminal.wait_exit() == 1
    assert "Error code 5" in terminal.screen()
    log_in(keyed.term03.terminal("ssh here"), "bob", password_of("bob")).wait_for(PROMPT)


def test_the_key_is_good_for_nothing_else(keyed):
    for words in (["ssh", "here", "id"], ["ssh", "-t", "here", "sh"], ["scp", "-q", "/etc/motd", "here:motd"]):
        if "-t" in words:
            keyed.term03.terminal(words).wait_for(LOGIN).close()
        else:
            result = keyed.term03.run(words)
            assert result.status != 0 and "uid=" not in result.out, result
    assert not (keyed.term03.home / "motd").exists()


def test_the_key_gets_no_shell_while_the_terminal_cannot_be_had(keyed):
    """Neither when another login holds it nor when no server runs, where others get a plain shell."""
    first = keyed.term03.terminal("ssh here").wait_for(LOGIN)
    second = keyed.term03.terminal("ssh here")
    assert second.wait_exit() == 1 and "Error code 7023" in second.screen()
    assert keyed.root.run("termserv stop --force").status == 0
    keyed.process.wait()
    keyed.process = None
    first.wait_until(lambda t: not t.running, "the first to end")
    last = keyed.term03.terminal("ssh here")
    assert last.wait_exit() == 1 and "plain shell" not in last.screen()


@pytest.fixture
def certified(configured):
    """As `keyed`, with the manual's lines for a certificate; certify() gives term03's key one, and its key alone opens nothing."""
    lines, terminal = blocks_for_a_key()
    text = (world.REPOSITORY / "man/termserv.conf.5.scd").read_text()
    words = re.search(r"```\n( +TrustedUserCAKeys .*?)```.*?```\n(restrict.*?)```.*?```\n(ssh-keygen -s .*?)\n```", text, re.S)
    trust, principals, sign = words.groups()
    server = configured(SERVER + RIGHTS + terminal)
    daemon = Sshd(server)
    etc = daemon.folder  # in the place of /etc/ssh, which the workers share
    daemon.extra = (lines + trust).replace("/etc/ssh", str(etc))
    (etc / "principals").mkdir()
    (etc / "principals/term03").write_text(principals)
    for name in ("terminals_ca", "another_ca"):
        keygen(etc / name)
    daemon.start()
    for person in (server.term03, server.alice):
        daemon.client(person)

    def certify(old="", new="", person=server.term03):
        command = sign.replace("hall.pub", "keys/%s.pub" % person.name)
        assert old in command
        subprocess.run(shlex.split(command.replace(old, new, 1)), cwd=etc, check=True, stderr=subprocess.DEVNULL)
        os.chown(etc / ("keys/%s-cert.pub" % person.name), person.uid, person.gid)
    yield server, certify
    daemon.end()


def test_a_certificate_has_a_fixed_terminal_as_a_key_has(certified):
    server, certify = certified
    certify()
    terminal = log_in(server.term03.terminal("ssh here"), "bob", password_of("bob")).wait_for(PROMPT)
    session = server.root.only(state="Active")
    assert (session["name"], session["user"], session["listener"]) == ("TERM03", "bob", "ssh")
    terminal.close()
    server.root.wait_state(session["id"], "Disc")
    result = server.term03.run("ssh here id")
    assert result.status != 0 and "uid=" not in result.out


@pytest.mark.parametrize("old,new", [(None, None), ("-n hall", "-n yard"), ("-n hall", "-n term03"), ("-n hall", ""),
                                     ("-s terminals_ca", "-s another_ca"), ("-V +52w", "-V -2d:-1d")])
def test_a_certificate_that_is_not_the_terminals_opens_nothing(certified, old, new):
    server, certify = certified
    if old:
        certify(old, new)
    result = server.term03.run("ssh -v here")
    assert result.status == 255 and "Permission denied" in result.err
    certify()
    server.term03.terminal("ssh here").wait_for(LOGIN)


def test_the_terminals_authority_makes_nobody_else(certified):
    server, certify = certified
    certify("-n hall", "-n alice,hall")
    result = server.term03.run("ssh alice@here id")
    assert result.status == 255 and "uid=" not in result.out


@pytest.mark.parametrize("who,word,asks", [("alice", "yes", True), ("termserv-tty", "no", False)])
def test_who_is_asked_for_may_be_configured(configured, who, word, asks):
    server = configured(SERVER + RIGHTS + "[terminal TERM03]\nuser = %s\nlogin-prompt = %s\n" % (who, word))
    terminal = server.person(who).terminal("termserv logon --terminal TERM03")
    terminal.wait_for(re.compile("login:|termserv-tty@"))
    assert ("login:" in terminal.screen()) == asks


# --- the login shell -----------------------------------------------------------------------------------


@pytest.fixture
def shelled(server, sshd):
    """alice's login shell is termserv-shell."""
    world.give_shell("alice", world.PROGRAMS / "termserv-shell")
    daemon = sshd()
    daemon.client(server.alice)
    return daemon


def test_as_a_login_shell_it_brings_a_session(server, shelled):
    terminal = server.alice.terminal("ssh here").wait_for(PROMPT)
    session = server.root.only(state="Active", user="alice")
    result = server.alice.run("echo $TERMSERV_SESSION; ps -o comm= -p $$", in_terminal=terminal)
    assert result.out.split() == [str(session["id"]), "bash"]


def test_as_a_login_shell_it_runs_commands_as_before(server, shelled):
    assert server.alice.run(["ssh", "here", "echo 'a  b'; exit 5"]) == (5, "a  b\n", "")
    (server.alice.home / "a").write_bytes(b"x" * 1000)
    assert server.alice.run(["scp", "-q", "a", "here:b"]).status == 0
    assert server.root.sessions() == []


def test_as_a_login_shell_it_serves_su_too(server, shelled):
    terminal = server.root.terminal(["su", "-", "alice"]).wait_for(PROMPT)
    server.root.only(state="Active", user="alice")
    terminal.close()


# --- another machine -------------------------------------------------------------------------------------


class Machine:
    """A second machine, as far as termserv can tell: other /run and /var/log, its own server and sshd on 127.0.0.2."""

    def __init__(self, server):
        self.server = server
        script = "mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/log && mkdir /run/sshd /run/lock && echo ready && cat"
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"ready\n"
        self.enter = ["nsenter", "--target", str(self.holder.pid), "--mount"]
        process = server.root.start([*self.enter, str(world.PROGRAMS / "termservd"), "--system"])
        root = "/proc/%d/root" % self.holder.pid
        server.pump.wait(lambda: os.path.exists(root + "/run/termserv/control") or process.poll() is not None, "the other server")
        assert process.poll() is None, server.root.finish(process)
        self.daemon = Sshd(server, address="127.0.0.2", name="there", enter=self.enter).start()

    def run(self, person, command):
        """On that machine itself."""
        return person.run(["ssh", "there", command])

    def sessions(self, person):
        result = self.run(person, "termserv query session --json")
        assert result.status == 0, result
        return json.loads(result.out)["sessions"]

    def end(self):
        self.server.root.run([*self.enter, str(world.PROGRAMS / "termserv"), "stop", "--force"])
        self.daemon.end()
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


@pytest.fixture
def there(server):
    machine = Machine(server)
    machine.daemon.client(server.alice)
    yield machine
    machine.end()


def test_another_machines_sessions_are_listed_there(server, there):
    here = server.alice.detached("sleep 1001")
    result = there.run(server.alice, "termserv logon --detached -- sleep 1002")
    assert result.status == 0, result
    text = server.alice.run("query session --json /server:there").out
    commands = [s["command"] for s in json.loads(text)["sessions"]]
    assert commands == ["sleep 1002"]
    assert [s["id"] for s in server.alice.sessions()] == [here]


@pytest.mark.parametrize("word", NASTY)
def test_arguments_arrive_exactly(server, there, word):
    path = server.alice.base / "arguments"
    code = "import json,sys;json.dump(sys.argv[2:],open(sys.argv[1],'w'));sys.stdin.read()"
    words = ["termserv", "logon", "--detached", "--server", "there", "--", sys.executable, "-I", "-c", code, str(path), word, "end"]
    result = server.alice.run(words)
    assert result.status == 0 and int(result.out) > 0, result
    server.pump.wait(lambda: path.exists() and path.stat().st_size, "the arguments")
    assert json.loads(path.read_text()) == [word, "end"]


@pytest.mark.parametrize("name", ["-oProxyCommand=touch /tmp/pwned", "--", "-v", "there -v", "a;id", "there\nthere", ""])
def test_no_name_is_an_option_or_a_command(server, there, name):
    result = server.alice.run(["query", "session", "/server:" + name])
    assert result.status != 0 and result.out == ""
    assert not os.path.exists("/tmp/pwned")


def test_a_session_there_is_shown_on_this_terminal(server, there):
    result = there.run(server.alice, "termserv logon --detached -- sh -c 'echo far away; exec cat'")
    terminal = server.alice.terminal("connect %d /server:there" % int(result.out)).wait_for("far away")
    server.pump.wait(lambda: [s["state"] for s in there.sessions(server.alice)] == ["Active"], "the session there to be active")
    assert there.sessions(server.alice)[0]["name"].startswith("ssh#")
    assert server.alice.sessions() == []
    terminal.line("it answers").wait_for("it answers")


def test_failures_there_have_their_code_here(server, there):
    result = server.alice.run("disconn 4711 /server:there")
    assert result.status == 1 and "Error [7022]" in result.err
    result = server.alice.run("disconn 1 /server:nowhere.invalid")
    assert result.status == 1 and "Error [1722]" in result.err


def test_a_password_reaches_the_other_machine_through_a_pipe_only(server, there):
    there.daemon.client(server.bob)
    result = there.run(server.bob, "termserv logon --detached -- cat")
    assert result.status == 0, result
    command = server.alice.with_password("connect %s /server:there /dest:TERM09" % result.out.strip(), "a-secret-word")
    process = server.alice.start(["/bin/sh", "-c", command])

    def ended():
        assert not [p for p in descendants() if "a-secret-word" in " ".join(p.arguments)]
        return process.poll() is not None
    server.pump.wait(ended, "the command")
    assert server.alice.finish(process).status == 1


def test_the_other_machine_reads_the_same_configuration(there):
    assert CONFIG.read_text() == USUAL
