"""The units as they are shipped, installed on a machine with a real systemd, logind and journal (machine.py).

One machine serves all tests of this file: each ends the sessions that it has begun.
"""

import json
import os
import re
from pathlib import Path

import pytest

import machine as machines
from machine import Machine, Unavailable
from server import BREAKDOWN
from terminal import Pump, Terminal

SERVICE, SOCKET = "termserv.service", "termserv.socket"
LINE = "pts/0"
TERMINAL = "termserv-terminal@pts-0.service"
pytestmark = pytest.mark.xdist_group("systemd")  # one machine, whatever the number of workers

CONFIG = """\
[server]
failure-delay = 0
[terminal TERM03]
user = termserv-tty
line = /dev/pts/0
"""

# A line with something at its other end: makes a pty in the machine and says its name, and is the cable then.
CABLE = """
import os, select, sys, tty
master, slave = os.openpty()
tty.setraw(0)
os.write(1, ("line %s\\r\\n" % os.ttyname(slave)).encode())
while True:
    for fd in select.select([0, master], [], [])[0]:
        data = os.read(fd, 65536)
        if data == b"":
            sys.exit()
        os.write(master if fd == 0 else 1, data)
"""


@pytest.fixture(scope="module")
def booted():
    build = Path(os.environ.get("TERMSERV_BUILD", ""))
    try:
        machines.check_available(build)
        machine = Machine(build)
    except Unavailable as reason:
        pytest.skip("no machine with a systemd of its own: %s" % reason)
    try:
        yield machine.boot()
        text = machine.out("journalctl --no-pager --output=cat")
        assert BREAKDOWN.search(text.encode()) is None, text[-20000:]
    finally:
        faults = machine.end()
    assert faults == []


@pytest.fixture
def machine(booted, request):
    """The machine with the server in its first state: nobody is logged on, the socket waits."""
    booted.run(["sh", "-c", "mkdir -p /etc/termserv/termserv.conf.d; cat >/etc/termserv/termserv.conf.d/test.conf <<'END'\n%sEND" % CONFIG])
    booted.run("systemctl stop %s; systemctl reset-failed; systemctl start %s" % (SERVICE, SOCKET))
    yield booted
    if request.session.testsfailed:
        print(booted.report())
    booted.run("termserv stop --force; systemctl stop %s" % TERMINAL, check=False)
    gone(booted)


def sessions(machine):
    return json.loads(machine.out("termserv query session --json"))["sessions"]


def owners(machine):
    """{ID: (owner, its program's process)}"""
    return {s["id"]: (s["user"], s["pid"]) for s in sessions(machine) if s["id"] is not None}


def log_on(machine, name="alice", command="exec sleep 1000"):
    """A session of this person on no terminal: its ID."""
    return int(machine.out(machine.as_user(name, ["termserv", "logon", "--detached", "--", "sh", "-c", command])))


def environment(machine, session):
    """That of its program, once it is executed: until then it is a host."""
    def executed():
        text = machine.run("cat /proc/%s/environ" % owners(machine)[session][1], check=False).stdout
        found = dict(item.split("=", 1) for item in text.split("\0") if item)
        return found if "TERMSERV_SESSION" in found else None
    return machine.wait(executed, "the program of session %d" % session)


def group_of(machine, pid):
    """Its control group, seen from the machine."""
    return machine.out("sed -n 's/^0:://p' /proc/%s/cgroup" % pid)


def logins(machine):
    """logind's sessions, as {their ID: user}."""
    lines = machine.out("loginctl list-sessions --no-legend --no-pager").splitlines()
    return {line.split()[0]: line.split()[2] for line in lines if "No sessions" not in line}


def processes_of(machine, name):
    """What runs as this person, but for his service manager."""
    text = machine.run("ps -o pid=,args= -u %s" % name, check=False).stdout
    return [line for line in text.splitlines() if "systemd --user" not in line and "(sd-pam)" not in line]


def gone(machine):
    machine.wait(lambda: logins(machine) == {} and processes_of(machine, "alice") == [],
                 lambda: "all to be logged off: %s %s" % (logins(machine), processes_of(machine, "alice")))


def main_process(machine):
    return int(machine.show(SERVICE, "MainPID"))


# --- what is installed ---------------------------------------------------------------------------------------------


def test_the_accounts_are_made_and_nobody_can_log_on_as_them(machine):
    assert "termserv.conf" not in "".join(r.get("MESSAGE") or "" for r in machine.journal("--unit=systemd-sysusers.service"))
    for name in ("termserv", "termserv-tty"):
        entry = machine.out("getent passwd " + name).split(":")
        assert 0 < int(entry[2]) < 1000 and entry[6] == "/usr/sbin/nologin"
        assert machine.out("getent shadow " + name).split(":")[1].startswith("!")
    assert machine.out("getent group tsadmin")


def test_no_unit_has_anything_that_systemd_complains_of(machine):
    texts = [r["MESSAGE"] for r in machine.journal("_PID=1") if "termserv" in str(r.get("MESSAGE"))]
    assert [t for t in texts if re.search("Unknown|Failed to parse|ignoring|obsolete", t)] == []


def test_the_lines_of_the_readme_put_it_into_use(machine):
    text = Path(machines.__file__).parents[2].joinpath("README.md").read_text()
    lines = re.findall(r"^sudo (systemd-sysusers|systemctl .*)$", re.sub("  +.*", "", text), re.M)
    assert len(lines) == 3
    for line in lines:
        machine.run(line)
    for unit, wanted_by in ((SERVICE, "multi-user.target"), (SOCKET, "sockets.target")):
        assert machine.show(unit, "UnitFileState", "ActiveState") == ["enabled", "active"]
        assert wanted_by in machine.show(unit, "WantedBy").split()
    machine.run("systemctl disable %s %s" % (SERVICE, SOCKET))


# --- the service ---------------------------------------------------------------------------------------------------


def test_the_first_command_starts_the_server(machine):
    assert machine.show(SOCKET, "ActiveState") == "active"
    assert machine.show(SERVICE, "ActiveState", "MainPID") == ["inactive", "0"]
    assert machine.run(machine.as_user("alice", "termserv query session")).returncode == 0
    machine.wait(lambda: machine.show(SERVICE, "ActiveState", "SubState", "Type") == ["active", "running", "notify"], "systemd to know")


def test_the_folders_have_their_owners_and_modes(machine):
    machine.run("termserv query session")
    text = machine.out("cd /; stat -c '%U %G %a %n' run/termserv run/termserv/* var/log/termserv var/log/termserv/*")
    assert text.splitlines() == [
        "root root 755 run/termserv", "termserv termserv 700 run/termserv/broker", "root root 666 run/termserv/control",
        "root root 600 run/termserv/lock", "root termserv 751 run/termserv/sessions", "termserv adm 750 var/log/termserv",
        "termserv termserv 640 var/log/termserv/audit.log"]


ENDS = {
    "a restart": "systemctl restart " + SERVICE,
    "a stop": "systemctl stop " + SERVICE,
    "a crash of its main process": "kill -9 $(systemctl show -P MainPID %s)" % SERVICE,
    "a crash of its broker": "kill -9 $(pgrep -o -x termserv-broker)",
}


@pytest.mark.parametrize("end", ENDS)
def test_sessions_are_there_with_their_owners_after(machine, end):
    ids = {log_on(machine, "alice"): "alice", log_on(machine, "bob"): "bob"}
    before, first = owners(machine), main_process(machine)
    assert {i: o for i, (o, _) in before.items()} == ids
    machine.run(ENDS[end])
    if end != "a crash of its broker":
        machine.wait(lambda: main_process(machine) != first, "systemd to know of its end")
    assert machine.wait(lambda: owners(machine) == before, lambda: "%s, not %s" % (before, owners(machine)))
    machine.wait(lambda: machine.show(SERVICE, "ActiveState") == "active", "systemd to know that it is there")
    assert (main_process(machine) == first) == (end == "a crash of its broker")
    for number in ids:
        assert machine.run("termserv logoff %d" % number).returncode == 0


def test_the_server_is_started_again_however_often_it_dies(machine):
    machine.run("termserv query session")
    for _ in range(6):
        died = main_process(machine)
        machine.run("kill -9 %d" % died)
        machine.wait(lambda: main_process(machine) not in (0, died), "another main process")
    assert machine.run("termserv query session").returncode == 0


def test_a_reload_reads_the_configuration_and_says_what_is_wrong_in_it(machine):
    assert machine.run(machine.as_user("alice", "termserv query session")).returncode == 0
    path = "/etc/termserv/termserv.conf.d/test.conf"
    machine.run("echo nonsense >>%s; systemctl reload %s" % (path, SERVICE))
    mistake = "%s:%d:" % (path, CONFIG.count("\n") + 1)
    machine.wait(lambda: mistake in machine.run("systemctl status --no-pager " + SERVICE, check=False).stdout, mistake)
    number = log_on(machine)
    machine.run("printf '[rights]\\nbob = None\\n@tsadmin = Full\\nalice = User\\n' >%s; systemctl reload %s" % (path, SERVICE))
    attempt = machine.as_user("bob", "termserv logon --detached -- true")
    machine.wait(lambda: machine.run(attempt, check=False).returncode == 1, "bob's refusal")
    assert number in owners(machine)


def test_the_journal_has_each_line_of_the_log_once_with_its_level(machine):
    log_on(machine)
    machine.run("kill -9 $(pgrep -o -x termserv-broker)")
    found = machine.wait(lambda: machine.journal("--unit=" + SERVICE, "--priority=4..4", "_PID=%d" % main_process(machine)),
                         "a warning")
    assert [r["MESSAGE"] for r in found] == ["termservd: the broker ended (signal 9); the sessions stay"]


# --- sessions as logind sees them ------------------------------------------------------------------------------------


def test_a_session_is_a_login_of_logind_and_is_gone_after_logoff(machine):
    number = log_on(machine, command="setsid sleep 999 & exec sleep 1000")
    variables = environment(machine, number)
    (login, user), = logins(machine).items()
    assert user == "alice" and variables["XDG_SESSION_ID"] == login
    assert variables["XDG_RUNTIME_DIR"] == "/run/user/2001"
    assert machine.out("stat -c '%U %a' /run/user/2001") == "alice 700"
    shown = dict(x.split("=", 1) for x in machine.out("loginctl show-session " + login).splitlines())
    leader = machine.out("pgrep -x termserv-leader")
    wanted = {"Name": "alice", "Service": "termserv", "Type": "tty", "Class": "user", "State": "active", "Remote": "no",
              "Leader": leader}
    assert {k: shown[k] for k in wanted} == wanted
    scope = "/user.slice/user-2001.slice/" + shown["Scope"]
    assert group_of(machine, leader) == scope
    assert group_of(machine, owners(machine)[number][1]) == scope + "/session-%d" % number
    machine.wait(lambda: len(processes_of(machine, "alice")) == 3, lambda: "three processes: %s" % processes_of(machine, "alice"))
    assert machine.run("termserv logoff %d" % number).returncode == 0
    gone(machine)
    machine.wait(lambda: machine.show(shown["Scope"], "ActiveState") == "inactive", "the end of the scope")
    machine.wait(lambda: machine.run("ls /sys/fs/cgroup%s" % scope, check=False).returncode != 0, "its group to go")


def test_what_logind_ends_is_over_for_termserv_too(machine):
    log_on(machine)
    (login, _), = logins(machine).items()
    machine.run("loginctl terminate-session " + login)
    machine.wait(lambda: owners(machine) == {}, "the end of the session")
    machine.wait(lambda: machine.out("ls /run/termserv/sessions") == "", "its folder to go")


def test_two_sessions_of_one_person_are_two_logins(machine):
    first, second = log_on(machine), log_on(machine)
    assert environment(machine, first)["XDG_SESSION_ID"] != environment(machine, second)["XDG_SESSION_ID"]
    assert set(logins(machine).values()) == {"alice"} and len(logins(machine)) == 2
    machine.run("termserv logoff %d" % first)
    machine.wait(lambda: len(logins(machine)) == 1, "one login")
    assert list(owners(machine)) == [second]


@pytest.fixture
def without_logind(machine):
    """Sessions are no logins of logind: the control groups below the service are all there is."""
    machine.run("cp -p /etc/pam.d/common-session /tmp/kept; sed -i /pam_systemd/d /etc/pam.d/common-session")
    yield machine
    machine.run("mv /tmp/kept /etc/pam.d/common-session")


def test_without_logind_each_session_has_a_control_group_below_the_service(without_logind):
    machine = without_logind
    first = log_on(machine, command="(setsid sleep 999 &) ; exec sleep 1000")
    second = log_on(machine)
    below = "/system.slice/%s/session-" % SERVICE
    for number in (first, second):
        assert group_of(machine, owners(machine)[number][1]) == below + str(number)
    sleeper = machine.wait(lambda: machine.run("pgrep -x -f 'sleep 999'", check=False).stdout.strip(), "its child")
    assert group_of(machine, sleeper) == below + str(first)
    before = owners(machine)
    machine.run("systemctl restart " + SERVICE)
    assert machine.wait(lambda: owners(machine) == before, "both sessions")
    assert group_of(machine, before[first][1]) == below + str(first)
    machine.run("termserv logoff %d" % first)
    machine.wait(lambda: machine.run("pgrep -x -f 'sleep 999'", check=False).stdout == "", "the end of its child")
    machine.wait(lambda: machine.out("ls -d /sys/fs/cgroup%s*" % below) == "/sys/fs/cgroup%s%d" % (below, second), "its group to go")


# --- nothing of the unit is felt in a session --------------------------------------------------------------------------


def test_a_session_may_do_all_that_another_login_may(machine):
    """Root's, so that nothing but the unit could be in the way of a mount."""
    machine.run("termserv logon --detached -- sh -c 'mkdir -p /mnt/x; mount -t tmpfs seen /mnt/x; cat /proc/self/status "
                "/proc/self/limits >/tmp/session; readlink /proc/self/ns/* >>/tmp/session; : >/tmp/done'")
    machine.wait(lambda: machine.run("test -e /tmp/done", check=False).returncode == 0, "the session")
    text = machine.out("cat /tmp/session")
    assert "seen /mnt/x tmpfs" in machine.out("cat /proc/1/mounts"), "a mount is not the whole machine's"
    machine.run("umount /mnt/x; rm /tmp/session /tmp/done")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("0", "0")
    first = machine.out("cat /proc/1/status")
    assert "CapBnd:\t" + status["CapBnd"] in first and "CapEff:\t" + status["CapEff"] in first
    assert set(machine.out("readlink /proc/1/ns/*").split()) <= set(text.split())
    assert re.search("Max processes +(unlimited|[0-9]{4,})", text) and re.search("Max core file size +\\S+ +unlimited", text)


# --- a fixed terminal ---------------------------------------------------------------------------------------------------


@pytest.fixture
def line(machine):
    """A line of the machine and the screen at its end; its unit is started."""
    pump = Pump()
    screen = Terminal(pump, machine.inside(["/usr/bin/python3", "-c", CABLE]), dict(os.environ))
    screen.wait_for("line /dev/" + LINE)
    override = "/etc/systemd/system/%s.d" % TERMINAL
    # No process of this unit could look for leaks in another one, and one that tried would hang.
    machine.run("mkdir -p %s; printf '[Service]\\nEnvironment=TERMINAL=TERM03 ASAN_OPTIONS=detect_leaks=0\\n' >%s/name.conf; "
                "systemctl daemon-reload"
                % (override, override))
    machine.run("systemctl start " + TERMINAL)
    yield screen
    machine.run("systemctl stop " + TERMINAL, check=False)
    screen.end()


def test_somebody_logs_on_at_a_fixed_terminal(machine, line):
    line.wait_for("login:").line("alice")
    line.wait_for("assword:").line(machines.password_of("alice"))
    line.wait_for("ready> ")
    wanted = [("TERM03", "alice", "Active", "/dev/" + LINE)]  # which the person at the terminal sees before the server knows
    machine.wait(lambda: [(s["name"], s["user"], s["state"], s["device"]) for s in sessions(machine)] == wanted,
                 lambda: "%s, not %s" % (wanted, sessions(machine)))
    (login, _), = logins(machine).items()
    assert machine.out("loginctl show-session -P TTY " + login) == "TERM03"
    line.line("id -un; exit").wait_for("alice")
    line.wait_for("login:")
    gone(machine)


def test_a_fixed_terminal_comes_back_however_often_it_is_ended(machine, line):
    line.wait_for("login:")
    for _ in range(6):
        died = machine.show(TERMINAL, "MainPID")
        machine.run("kill -9 " + died)
        machine.wait(lambda: machine.show(TERMINAL, "MainPID") not in ("0", died), "the unit's next process")
    line.wait_for("login:")
    assert machine.show(TERMINAL, "User") == "termserv-tty"


def test_the_session_of_a_fixed_terminal_stays_when_its_unit_ends(machine, line):
    line.wait_for("login:").line("alice")
    line.wait_for("assword:").line(machines.password_of("alice"))
    line.wait_for("ready> ")
    before = owners(machine)
    machine.run("systemctl restart " + TERMINAL)
    line.wait_for("login:")
    assert owners(machine) == before
    machine.wait(lambda: [s["state"] for s in sessions(machine) if s["id"] in before] == ["Disc"], "the session to be on no terminal")


# --- the journal --------------------------------------------------------------------------------------------------------


def test_the_journal_has_the_audit_records_with_their_fields(machine):
    number = log_on(machine)
    refused = machine.run(machine.as_user("bob", "termserv logoff %d" % number), check=False)
    assert refused.returncode == 1
    found = machine.journal("--unit=" + SERVICE, "TERMSERV_SESSION=%d" % number, "TERMSERV_EVENT=CreateSession")
    wanted = {"TERMSERV_USER": "alice", "TERMSERV_OWNER": "2001", "TERMSERV_OWNER_NAME": "alice", "TERMSERV_RESULT": "0",
              "SYSLOG_IDENTIFIER": "termserv", "SYSLOG_FACILITY": "10", "_COMM": "termserv-broker"}
    assert {k: found[-1][k] for k in wanted} == wanted
    found = machine.journal("--unit=" + SERVICE, "TERMSERV_EVENT=Logoff", "TERMSERV_UID=2002")
    assert found and found[-1]["TERMSERV_RESULT"] != "0" and found[-1]["TERMSERV_USER"] == "bob"
    assert json.loads(machine.out("tail -n 1 /var/log/termserv/audit.log"))["user"] == "bob"


# --- the broker's sandbox -------------------------------------------------------------------------------------------------


def status_of(machine, name):
    text = machine.out("cat /proc/$(pgrep -o -x %s)/status" % name)
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def sandboxed(machine):
    """False in a build with sanitizers, which would not live in there."""
    return b"__asan_init" not in (machine.build / "bin/termserv-broker").read_bytes()


def test_the_broker_is_confined_and_nobody_else(machine):
    log_on(machine)
    if not sandboxed(machine):
        pytest.skip("a build with sanitizers: its broker is not confined")
    broker = status_of(machine, "termserv-broker")
    assert (broker["NoNewPrivs"], broker["Seccomp"]) == ("1", "2")
    assert int(broker["CapEff"], 16) == 0
    for name in ("termservd", "termserv-leader", "termserv-host"):
        other = status_of(machine, name)
        assert (other["NoNewPrivs"], other["Seccomp"]) == ("0", "0"), name
    assert status_of(machine, "termserv-names")["Seccomp"] == "0"  # which needs whatever a name service needs


def one_process(machine, name):
    """Its ID, or None when there is none, or more than one."""
    found = machine.run("pgrep -x " + name, check=False).stdout.split()
    return found[0] if len(found) == 1 else None


def test_names_are_found_by_a_new_process_after_the_first_one_died(machine):
    machine.run("termserv query session")
    first = machine.wait(lambda: one_process(machine, "termserv-names"), "the configuration's process to be gone")
    machine.run("kill -9 " + first)
    broker = machine.out("pgrep -o -x termserv-broker")
    machine.wait(lambda: log_on(machine, "bob") and one_process(machine, "termserv-names") not in (None, first), "another process")
    assert set(o for o, _ in owners(machine).values()) == {"bob"}
    assert json.loads(machine.out("tail -n 1 /var/log/termserv/audit.log"))["user"] == "bob"
    assert machine.out("pgrep -o -x termserv-broker") == broker


def test_a_broker_whose_nursery_ended_is_followed_by_another(machine):
    number = log_on(machine)
    broker = machine.out("pgrep -o -x termserv-broker")
    machine.run("kill -9 $(pgrep -x termserv-fork)")
    machine.wait(lambda: machine.run("pgrep -o -x termserv-broker", check=False).stdout.strip() not in ("", broker), "another broker")
    machine.wait(lambda: list(owners(machine)) == [number], "the session")
    assert log_on(machine, "bob") in owners(machine)


def test_a_record_comes_to_the_journal_after_it_was_started_again(machine):
    log_on(machine)
    machine.run("systemctl restart systemd-journald")
    number = log_on(machine, "bob")
    machine.wait(lambda: machine.journal("TERMSERV_EVENT=CreateSession", "TERMSERV_SESSION=%d" % number), "the record")
