"""A server for all users at work: whose the processes are, who the caller is, what survives, and that nothing is left."""

import os
import re
import signal
import subprocess

import pytest

import control
import processes
import wire
import world
from puppet import real_uid
from server import PROMPT, error_code
from system_server import LOGIN, RUNTIME, USUAL, log_in, password_of
from terminal import LIMIT

BOBS = password_of("bob")


def become(server, terminal, name, password):
    """`su NAME` in the shell of this terminal: its commands are NAME's from now on, in a session that is not."""
    terminal.line("su %s" % name).wait_for("Password:")
    terminal.line(password).wait_until(lambda t: t.screen().rstrip().endswith(PROMPT.rstrip()), "the prompt of %s" % name)
    terminal.line("PS1='%s> '" % name).wait_for("\n%s> " % name)
    return terminal


# --- the processes of a session ------------------------------------------------------------------------


def test_a_session_is_its_owners_with_groups_limits_and_pams_environment(server):
    here = server.alice.logon()
    result = server.alice.run("id -un; id -Gn; ulimit -n; echo $FROM_PAM; echo $HOME $USER $LOGNAME $SHELL; pwd", in_terminal=here)
    me, groups, limit, pam, names, folder = result.out.splitlines()
    assert me == "alice" and groups.split() == ["alice", "staffroom", "termserv-users"]
    assert limit == str(world.PAM_LIMIT) and pam == world.PAM_VARIABLE[1]
    assert names == "%s/alice alice alice /bin/bash" % world.HOMES and folder == "%s/alice" % world.HOMES


def test_the_callers_environment_comes_along_but_not_what_pam_has_set(server):
    env = server.alice.environment(EXTRA="täglich", FROM_PAM="mine", HOME="/nowhere", USER="root", LOGNAME="root")
    result = server.alice.run("termserv logon --detached -- cat", env=env)
    assert result.status == 0, result
    found = server.root.program(int(result.out)).environment
    assert found["EXTRA"] == "täglich" and found["FROM_PAM"] == world.PAM_VARIABLE[1]
    assert (found["HOME"], found["USER"], found["LOGNAME"]) == ("%s/alice" % world.HOMES, "alice", "alice")


def test_a_fixed_terminals_login_brings_nothing_of_its_doors_environment(server):
    door = server.person("termserv-tty")
    env = door.environment(EVIL="1", LD_PRELOAD="", BASH_ENV="/tmp/evil", LANG="de_DE.UTF-8", TERM="vt220")
    terminal = door.terminal("termserv logon --terminal TERM07", env=env).wait_for(LOGIN)
    log_in(terminal, "alice", password_of("alice")).wait_for(PROMPT)
    session = server.root.only(name="TERM07", state="Active")
    found = server.root.program(session["id"]).environment
    assert not {"EVIL", "BASH_ENV", "LD_PRELOAD"} & set(found)
    assert found["LANG"] == "de_DE.UTF-8" and found["USER"] == "alice"
    assert real_uid(session["pid"]) == server.alice.uid


def test_leaders_keep_roots_limits(server):
    """pam_limits holds for the session, not for its guard."""
    session = server.alice.detached()
    limits = processes.read(server.need("termserv-leader", session).pid, "limits").decode()
    ours = processes.read(os.getpid(), "limits").decode()
    pattern = r"Max open files\s+(\d+)"
    assert re.search(pattern, limits).group(1) == re.search(pattern, ours).group(1)
    program = server.root.program(session)
    assert re.search(pattern, processes.read(program.pid, "limits").decode()).group(1) == str(world.PAM_LIMIT)


@pytest.mark.parametrize("how", ["logoff", "termserv reset session", "exit"])
def test_the_end_of_a_session_is_the_end_of_its_tree(server, how):
    here = server.alice.logon()
    here.line("setsid sh -c 'trap \"\" HUP TERM; sleep 1001 & exec sleep 1002' & (sleep 1003 &) ; echo star''ted").wait_for("started")

    def sleepers():
        return [p for p in server.processes("sleep") if p.arguments[1:] and p.arguments[1].startswith("100")]
    server.pump.wait(lambda: len(sleepers()) == 3, "three processes")
    if how == "exit":
        here.line("exit")
    else:
        assert server.root.code("%s %d" % (how, here.session)) == 0
    server.root.wait_state(here.session, None)
    server.pump.wait(lambda: not sleepers(), lambda: "their end: %s" % sleepers())
    server.pump.wait(lambda: not (RUNTIME / "sessions" / str(here.session)).exists(), "its folder to go")


def test_a_setuid_program_works_in_a_session(server):
    here = become(server, server.alice.logon(), "bob", BOBS)
    here.line("id -un; exit").wait_for("\nbob")


# --- who the caller is -----------------------------------------------------------------------------------


def test_root_in_somebodys_session_is_root_and_still_needs_the_password(server):
    foreign = server.bob.detached("sh -c 'echo the secret of bob; cat'")
    here = become(server, server.alice.logon(), "root", world.ROOTS_PASSWORD)
    here.line("connect %d" % foreign).wait_for("Error code 1326")
    record = server.last_audit("Connect")
    assert (record["uid"], record["fromSession"], record["result"]) == (0, here.session, 1326)
    here.line("clear; connect %d '/password:*'" % foreign)
    here.wait_until(lambda t: "root>" not in t.screen() and "Password:" in t.screen(), "to be asked")
    here.line(BOBS).wait_for("the secret of bob")
    record = server.last_audit("Connect")
    assert (record["uid"], record["fromSession"], record["by"], record["displaced"]) == (0, here.session, "password", here.session)


def test_another_user_in_my_session_is_himself(server):
    """su bob in alice's session: bob may not displace alice, nor end her session; his own sessions are his."""
    his = server.bob.detached()
    here = become(server, server.alice.logon(), "bob", BOBS)
    here.line("connect %d" % his).wait_for("Error code 5")
    here.line("clear; logoff").wait_for("Error code 5")
    here.line("clear; disconn").wait_for("Error code 5")
    assert server.root.session(here.session)["state"] == "Active"
    here.line("clear; logoff %d; echo status=$?" % his).wait_for("status=0")
    server.root.wait_state(his, None)
    record = server.last_audit("Logoff", result=0)
    assert (record["uid"], record["fromSession"]) == (server.bob.uid, here.session)


def test_the_list_marks_the_session_that_one_sits_in_whoever_one_is(server):
    here = become(server, server.alice.logon(), "root", world.ROOTS_PASSWORD)
    here.line("clear; query session").wait_for(re.compile(r"(?m)^>tty#\d+ +alice"))


def test_the_environment_tells_the_server_nothing(server):
    mine = server.alice.logon()
    env = server.bob.environment(TERMSERV_SESSION=str(mine.session), SESSIONNAME="tty#1", USER="alice", LOGNAME="alice")
    assert error_code(server.bob.run("logoff", env=env)) in (5, 7022, 5023) or server.root.session(mine.session)
    assert server.root.session(mine.session)["state"] == "Active"
    assert server.bob.code("logoff %d" % mine.session) == 5


# --- what survives ---------------------------------------------------------------------------------------


def test_a_caller_that_is_killed_does_not_undo_a_connect(server):
    here = server.alice.logon_fixed("TERM01")
    idle = server.alice.detached("sh -c 'echo seen at last; cat'")
    host = server.need("termserv-host", idle)
    os.kill(host.pid, signal.SIGSTOP)
    command = server.alice.start("connect %d /dest:TERM01" % idle)
    server.pump.wait(lambda: server.root.code("connect %d /dest:TERM01" % idle) == 7024, "the connect to be under way")
    processes.kill(command.pid)
    os.kill(host.pid, signal.SIGCONT)
    here.wait_for("seen at last")
    server.root.wait_state(idle, "Active", on="TERM01")


def crowd(server):
    """Sessions of three people under load, some shown: owner -> ID."""
    shown = {name: server.person(name).logon(command="sh -c 'while :; do echo %s is working; done'" % name) for name in ("alice", "bob")}
    ids = {name: terminal.session for name, terminal in shown.items()}
    ids["carol"] = server.carol.detached("sh -c 'while :; do echo carol; done'")
    return ids


KILLED = {"broker": ["termserv-broker"], "parent": ["termservd"], "both": ["termservd", "termserv-broker"]}


@pytest.mark.parametrize("victims", KILLED)
def test_sessions_of_all_people_survive_the_servers_death(server, victims):
    ids = crowd(server)
    before = {i: server.root.session(i) for i in ids.values()}
    for _ in range(3):
        kill_and_restart(server, KILLED[victims])
        for name, number in ids.items():
            found = server.root.wait_state(number, before[number]["state"])
            assert (found["user"], found["uid"], found["pid"]) == (name, world.ACCOUNTS[name].uid, before[number]["pid"])
            assert found["name"] == before[number]["name"]
    for number in ids.values():
        assert processes.alive(before[number]["pid"])


@pytest.mark.parametrize("victims", KILLED)
def test_rights_are_the_same_after_the_servers_death(server, victims):
    ids = crowd(server)
    kill_and_restart(server, KILLED[victims])
    for name, state in (("alice", "Active"), ("bob", "Active"), ("carol", "Disc")):
        server.root.wait_state(ids[name], state)
    for operation in ("disconn", "logoff", "termserv reset session"):
        assert server.bob.code("%s %d" % (operation, ids["alice"])) == 5
    assert server.dave.sessions() == []
    assert server.alice.code("logoff %d" % ids["alice"]) == 0
    assert server.erin.code("termserv reset session %d" % ids["bob"]) == 0
    new = server.alice.detached()
    assert new > max(ids.values())  # no number is used twice


def kill_and_restart(server, names):
    pids = [p.pid for name in names for p in server.processes(name) if p.parent == os.getpid() or name != "termserv-broker"
            or p.parent == server.process.pid]
    for pid in pids:
        processes.kill(pid)
    server.pump.wait(lambda: not any(processes.alive(pid) for pid in pids), "their end")
    if "termservd" in names:
        server.process.wait()
        server.start()
    server.pump.wait(lambda: server.root.run("query session").status == 0, "the server to be back")


def test_a_dead_leader_or_host_costs_one_session(server):
    ids = crowd(server)
    server.kill("termserv-host", ids["alice"])
    server.root.wait_state(ids["alice"], None)
    assert server.root.session(ids["bob"])["state"] == "Active"
    server.kill("termserv-leader", ids["bob"])
    server.root.wait_state(ids["bob"], None)
    assert server.root.session(ids["carol"])["state"] == "Disc"
    server.pump.wait(lambda: not [p for p in server.processes() if real_uid(p.pid) in (server.alice.uid, server.bob.uid)],
                     "their processes to be gone")


def test_stop_ends_everything_of_everybody(server):
    crowd(server)
    server.person("termserv-tty").login_terminal("TERM07")
    assert server.root.run("termserv stop --force").status == 0
    server.pump.wait(lambda: not server.processes(), lambda: "the end of %s" % server.processes())
    assert list((RUNTIME / "sessions").iterdir()) == []
    server.process.wait()
    server.process = None


def test_a_second_server_does_not_start_beside_the_first(server):
    result = subprocess.run([world.PROGRAMS / "termservd", "--system"], capture_output=True, timeout=LIMIT)
    assert result.returncode == 1 and b"another server" in result.stderr
    assert server.root.sessions() == [] and server.process.poll() is None


def test_users_cannot_start_a_server_for_all(folder):
    result = folder.alice.run("termservd --system")
    assert result.status != 0 and "root" in result.err


def test_without_a_server_the_system_is_unavailable_and_nothing_is_started(folder):
    result = folder.alice.run("query session --system")
    assert error_code(result) == 1722 and "termservd" in result.err
    assert not RUNTIME.exists() or not (RUNTIME / "control").exists()


# --- utmp --------------------------------------------------------------------------------------------------


def utmp():
    """(user, line, host) of every user process, as who(1) sees it."""
    text = subprocess.run(["who", "/run/utmp"], capture_output=True, text=True).stdout
    return [(w[0], w[1], w[-1].strip("()") if w[-1].startswith("(") else "") for line in text.splitlines() if (w := line.split())]


def test_utmp_has_an_entry_while_the_session_lives(server):
    here = server.alice.logon()
    tty = server.root.session(here.session)["tty"].removeprefix("/dev/")
    server.pump.wait(lambda: ("alice", tty) in [u[:2] for u in utmp()], lambda: "alice in %s" % utmp())
    here.line("exit")
    server.root.wait_state(here.session, None)
    server.pump.wait(lambda: utmp() == [], lambda: "her entry to go: %s" % utmp())


def test_utmp_tells_where_the_present_terminal_is(server):
    env = server.alice.environment(SSH_CONNECTION="192.0.2.7 1234 192.0.2.1 22", SSH_CLIENT="192.0.2.7 1234 22")
    first = server.alice.logon()
    server.alice.connect(first.session, env=env).wait_for(PROMPT)
    server.pump.wait(lambda: [u[2] for u in utmp()] == ["192.0.2.7"], lambda: "the address in %s" % utmp())


# --- the warrant of a caller that is nobody's door ---------------------------------------------------------


def test_a_warrant_cannot_be_used_twice_by_two_connects(server):
    """Two connects with one descriptor: the second has nothing to show."""
    here = server.alice.logon_fixed("TERM01")
    idle = server.alice.detached()
    mine, theirs = wire.pair_of(server.alice.uid)
    wire.send(mine, wire.warrant(wire.USE_CONNECT, str(idle), terminal="TERM01", destination=wire.TO_NAMED))
    first = control.Control(server.alice.uid)
    codes = [first.code("Connect", fds=[theirs.fileno()], session=str(idle), destination="TERM01", warrant=0, password=False)]
    assert codes == [0]
    server.root.wait_state(idle, "Active")
    second = control.Control(server.bob.uid)
    assert second.code("Connect", fds=[theirs.fileno()], session=str(here.session), destination="TERM01", warrant=0, password=True) != 0
    for link in (first, second):
        link.close()


def test_the_configuration_is_checked_before_it_is_used(server):
    assert server.root.run("termserv check-config").status == 0
    result = server.root.run(["termserv", "check-config", "/etc/passwd"])
    assert result.status == 1 and re.search(r"/etc/passwd:\d+: ", result.out + result.err)
    assert "alice" in USUAL
