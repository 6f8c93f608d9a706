"""Passwords: what a missing, a wrong and a right one do, how often one may try, and that none is left anywhere."""

import contextlib
import itertools
import os
import re
import signal
import statistics
import time
from pathlib import Path

import pytest

import processes
import world
from server import PROMPT, error_code
from system_server import LOGIN, LOGS, PASSWORD, RUNTIME, USUAL, descendants, log_in, password_of
from terminal import LIMIT

BOBS = password_of("bob")
DELAY_S = 10  # more than a slow machine needs for what shall happen, or be over, before a failure is answered
SLOW = USUAL.replace("failure-delay = 0", "failure-delay = %d" % DELAY_S)
TRIES_OF_A_CALLER = 10
TRIES_ON_A_VICTIM = 20
INCORRECT = re.compile(r"(Logon failure|incorrect|1326)")


def stage(server, who="alice"):
    """A terminal of that person's session, and a disconnected session of bob."""
    return server.person(who).logon(), server.bob.detached("sh -c 'echo the secret of bob; cat'")


def timed(function, *arguments, **more):
    start = time.monotonic()
    value = function(*arguments, **more)
    return value, time.monotonic() - start


def test_a_missing_password_is_refused_at_once(configured):
    server = configured(SLOW)
    here, foreign = stage(server)
    code, seconds = timed(server.alice.code, "connect %d" % foreign, in_terminal=here)
    assert code == 1326 and seconds < DELAY_S


def test_a_missing_password_is_never_asked_for_and_never_counted(server):
    here, foreign = stage(server)
    for _ in range(TRIES_OF_A_CALLER + 2):
        assert server.alice.code("connect %d" % foreign, in_terminal=here) == 1326
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password=BOBS) == 0


def test_a_wrong_password_is_refused_after_the_delay(configured):
    server = configured(SLOW)
    here, foreign = stage(server)
    code, seconds = timed(server.alice.code, "connect %d" % foreign, in_terminal=here, password="wrong")
    assert code == 1326 and seconds > DELAY_S - 0.1
    code, seconds = timed(server.alice.code, "connect %d" % foreign, in_terminal=here, password=BOBS)
    assert code == 0 and seconds < DELAY_S


def test_an_answer_that_comes_late_is_still_heard(configured):
    """Commands wait for others no longer than half a minute; for a password they do."""
    server = configured(USUAL.replace("failure-delay = 0", "failure-delay = 32"))
    here, foreign = stage(server)
    code, seconds = timed(server.alice.code, "connect %d" % foreign, in_terminal=here, password="wrong", limit=32 + LIMIT)
    assert code == 1326 and seconds > 31.9


@pytest.mark.parametrize("password", ["", "x" * 1024, "bob's secret 2", "bob's secret 222", "BOB'S SECRET 22", "\xff\xfe", " "])
def test_nearly_right_is_wrong(server, password):
    here, foreign = stage(server)
    server.alice.assert_refused("connect %d" % foreign, 1326, in_terminal=here, password=password)


def test_the_callers_own_password_opens_nothing(server):
    here, foreign = stage(server)
    server.alice.assert_refused("connect %d" % foreign, 1326, in_terminal=here, password=password_of("alice"))


def test_no_password_is_needed_for_the_own_session_and_a_wrong_one_does_no_harm(server):
    here, _ = stage(server)
    mine = server.alice.detached()
    assert server.alice.code("connect %d" % mine, in_terminal=here, password="whatever") == 0


@pytest.mark.parametrize("how,code", [(world.expire, 7064), (world.restrict, 7064)])
def test_a_restricted_account_is_told_from_a_wrong_password_by_the_right_one_only(server, how, code):
    here, foreign = stage(server)
    how("bob")
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password="wrong") == 1326
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password=BOBS) == code


@pytest.mark.parametrize("name", ["xavier", "lena"])
def test_a_restricted_account_gets_no_session(server, name):
    if name == "lena":
        world.restrict(name)
    result = server.person(name).run("termserv logon --detached -- cat")
    assert error_code(result) == 7064
    assert server.root.sessions() == []


def test_an_account_without_a_password_cannot_be_taken_over(server):
    session = server.keyla.detached()
    here = server.alice.logon()
    for password in ("", "*", "!", "keyla"):
        server.alice.assert_refused("connect %d" % session, 1326, in_terminal=here, password=password)


# --- how often -------------------------------------------------------------------------------------


def tries(server, who, count, here=None):
    """That many wrong passwords, each for another session of bob, so that no leader pauses."""
    here = here or server.person(who).logon()
    for number in range(count):
        foreign = server.bob.detached("cat")
        assert server.person(who).code("connect %d" % foreign, in_terminal=here, password="wrong") == 1326
        assert server.root.code("logoff %d" % foreign) == 0
    return here


def test_after_the_documented_number_of_tries_even_the_right_one_is_refused(server):
    here = tries(server, "alice", TRIES_OF_A_CALLER)
    foreign = server.bob.detached("cat")
    server.alice.assert_refused("connect %d" % foreign, 1326, in_terminal=here, password=BOBS)
    assert server.last_audit("Connect")["by"] == "none"  # it was not even tried


def test_one_try_less_leaves_the_right_one_its_chance(server):
    here = tries(server, "alice", TRIES_OF_A_CALLER - 1)
    foreign = server.bob.detached("cat")
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password=BOBS) == 0


def test_success_clears_the_callers_own_count(server):
    here = tries(server, "alice", TRIES_OF_A_CALLER - 1)
    assert server.alice.code("connect %d" % server.bob.detached("cat"), in_terminal=here, password=BOBS) == 0
    other = server.alice.logon()
    tries(server, "alice", 2, other)
    assert server.alice.code("connect %d" % server.bob.detached("cat"), in_terminal=other, password=BOBS) == 0


def test_the_limit_holds_across_connections_victims_and_terminals(server):
    tries(server, "alice", TRIES_OF_A_CALLER // 2)
    tries(server, "alice", TRIES_OF_A_CALLER - TRIES_OF_A_CALLER // 2)  # another terminal, another connection
    carols = server.carol.detached("cat")
    here = server.alice.logon()
    server.alice.assert_refused("connect %d" % carols, 1326, in_terminal=here, password=password_of("carol"))


def test_many_callers_together_meet_the_victims_limit(server):
    for who in ("alice", "carol"):
        tries(server, who, TRIES_ON_A_VICTIM // 2 - 1)
    tries(server, "frank", 2)
    foreign = server.bob.detached("cat")
    here = server.frank.logon()
    server.frank.assert_refused("connect %d" % foreign, 1326, in_terminal=here, password=BOBS)
    carols = server.carol.detached("cat")  # another victim is not affected
    assert server.frank.code("connect %d" % carols, in_terminal=here, password=password_of("carol")) == 0


def test_the_victim_himself_is_not_locked_out(server):
    tries(server, "alice", TRIES_OF_A_CALLER)
    mine = server.bob.detached("cat")
    assert server.bob.code("connect %d" % mine, in_terminal=server.bob.logon()) == 0


def test_a_second_try_beside_the_first_is_busy(configured):
    server = configured(SLOW)
    here, foreign = stage(server)
    other = server.bob.detached("cat")
    there = server.alice.logon()
    first = server.alice.type_command(server.alice.with_password("connect %d" % foreign, "wrong"), here)
    second = server.alice.code("connect %d" % other, in_terminal=there, password="wrong")
    assert {second, error_code(server.alice.typed_result(first, here))} == {1326, 7024}


def test_the_limit_survives_the_brokers_death_at_the_leader(server):
    """A leader slows down by itself, whatever the broker forgets: two tries take a second."""
    here, foreign = stage(server)
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password="wrong") == 1326
    server.kill("termserv-broker")
    server.pump.wait(lambda: server.one("termserv-broker"), "a new broker")
    server.root.wait_state(here.session, "Active")
    _, seconds = timed(lambda: [server.alice.code("connect %d" % foreign, in_terminal=here, password="wrong") for _ in range(2)])
    assert seconds > 1


# --- a fixed terminal's login ------------------------------------------------------------------------


def refusal(terminal, name, password):
    """Seconds from the password to the next prompt, and the text that was shown between."""
    log_in_at = len(terminal.raw)
    terminal.line(name)
    terminal.wait_until(lambda t: PASSWORD.search(t.raw[log_in_at:].decode("utf-8", "replace")), "the password's prompt")
    start, at = time.monotonic(), len(terminal.raw)
    terminal.line(password)
    terminal.wait_until(lambda t: LOGIN.search(t.raw[at:].decode("utf-8", "replace")), "the next login prompt", 2 * LIMIT)
    text = terminal.raw[at:].decode("utf-8", "replace").replace(name, "NAME").replace(terminal.name, "TERMINAL")
    return time.monotonic() - start, text


def test_a_login_makes_a_session_of_that_user(server):
    terminal = log_in(server.person("termserv-tty").login_terminal("TERM07"), "alice", password_of("alice"))
    terminal.wait_for(PROMPT)
    assert server.alice.run("id -un; tty", in_terminal=terminal).out.split()[0] == "alice"
    session = server.root.only(state="Active")
    assert (session["user"], session["name"], session["device"]) == ("alice", "TERM07", "/dev/ttyS7")


VICTIMS = ("alice", "bob", "erin", "frank")  # one a round: nobody's count of wrong passwords gets high


def test_logins_that_fail_look_alike_and_last_alike(configured):
    """Unknown user, wrong password, no right to log on: same text, same time. All orders, each at a terminal of its own,
    because the fourth failure of one would be answered later. A difference of ours is in every round; what other
    processes of the machine add is not."""
    orders = list(itertools.permutations(("unknown", "wrong", "denied")))
    halls = "".join("[terminal HALL%d]\nuser = termserv-tty\n" % n for n in range(len(orders) * len(VICTIMS)))
    server = configured(USUAL.replace("failure-delay = 0", "failure-delay = 1").replace("[rights]\n", "[rights]\ncarol = None\n") + halls)
    rounds = []
    for victim in VICTIMS:
        cases = {"unknown": ("nobodyknows", "wrong"), "wrong": (victim, "wrong"), "denied": ("carol", password_of("carol"))}
        found = {name: [] for name in cases}
        for number, order in enumerate(orders, len(rounds) * len(orders)):
            terminal = server.person("termserv-tty").login_terminal("HALL%d" % number)
            for name in order:
                found[name].append(refusal(terminal, *cases[name]))
            terminal.close()
        assert len({text for tries in found.values() for _, text in tries}) == 1, found
        assert INCORRECT.search(found["wrong"][0][1])
        rounds.append({name: sorted(s for s, _ in tries) for name, tries in found.items()})
        assert all(s >= 1 for tries in rounds[-1].values() for s in tries), rounds
        if last_alike(rounds[-1]):
            break
    assert last_alike(rounds[-1]), rounds
    assert server.root.ids() == []


def last_alike(seconds):
    """How long each case took, sorted: the medians are the same, and no case is always before another."""
    medians = [statistics.median(s) for s in seconds.values()]
    apart = [(one, other) for one, other in itertools.permutations(seconds, 2) if seconds[one][-1] <= seconds[other][0] - 0.01]
    return max(medians) - min(medians) < 0.05 and not apart


def test_a_guest_leaves_no_session_behind_and_gets_a_new_one(server):
    """What a lost line has left would not be his to come back to: it ends."""
    lost = server.dave.logon()
    kept = server.alice.logon()
    lost.close()
    kept.close()
    server.root.wait_state(lost.session, None)
    assert server.last_audit("GuestLeft")["ownerName"] == "dave"
    server.root.wait_state(kept.session, "Disc")
    log_in(server.person("termserv-tty").login_terminal("TERM07"), "dave", password_of("dave")).wait_for(PROMPT)
    server.dave.only(state="Active")


def test_a_guest_starts_no_session_without_a_terminal(server):
    result = server.dave.run("termserv logon --detached -- cat")
    assert error_code(result) == 5 and "guest" in result.err
    assert server.root.ids() == []
    server.dave.terminal("termserv logon").wait_for(PROMPT)


def test_a_session_that_a_guest_may_not_have_keeps_him_from_no_logon(configured):
    """He was a user when he left it."""
    server = configured(USUAL.replace("@tsguest = Guest\n", ""))
    left = server.dave.detached("cat")
    server.dave.connect(left, emulate=False).close()
    server.root.wait_state(left, "Disc")
    server.reload(USUAL)
    server.pump.wait(lambda: server.dave.code("disconn %d" % left) == 5, "the new rights")
    server.dave.terminal("termserv logon").wait_for(PROMPT)
    assert server.root.session(left)["state"] == "Disc"


def test_the_logins_limit_bites_at_the_terminal_too(server):
    terminal = server.person("termserv-tty").login_terminal("TERM07")
    for number in range(TRIES_OF_A_CALLER):
        refusal(terminal, "alice", "wrong")
    refusal(terminal, "alice", password_of("alice"))
    assert server.root.ids() == []


# --- nothing is left of it ---------------------------------------------------------------------------


def everything_readable(server):
    """All text that a password could have got into: logs, records, the runtime folder, arguments and environments."""
    for folder in (LOGS, RUNTIME):
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # it was there for a moment
                if path.is_file() and not path.is_symlink():
                    yield str(path), path.read_bytes()
    yield "log", server.log_path.read_bytes()
    for process in descendants():
        for name in ("cmdline", "environ"):
            yield "%r %s" % (process, name), processes.read(process.pid, name)


@pytest.mark.parametrize("password", [BOBS, "wrong-but-secret"])
def test_no_password_is_in_any_log_record_or_process(configured, monkeypatch, password):
    monkeypatch.setenv("TERMSERV_LOG", "debug")
    server = configured()
    here, foreign = stage(server)
    server.alice.code("connect %d" % foreign, in_terminal=here, password=password)
    log_in(server.person("termserv-tty").login_terminal("TERM07"), "bob", password)
    server.pump.wait(lambda: [r for r in server.audit() if r.get("terminal") == "TERM07"], "the login's record")
    leaks = [where for where, data in everything_readable(server) if password.encode() in data]
    assert leaks == []


@pytest.mark.parametrize("words", [["/password:%s"], ["--password=%s"], ["--password", "%s"], ["/PASSWORD:%s"]])
def test_the_arguments_are_wiped_while_the_command_runs(configured, words):
    server = configured(SLOW)
    here, foreign = stage(server)
    command = ["connect", str(foreign), *[w.replace("%s", "SECRETWORD") for w in words]]
    at = server.alice.type_command(command, here)

    def command_lines():
        return [p.arguments for p in descendants() if p.arguments[:1] and p.arguments[0].endswith("connect")]
    # The wrong password takes its time, in which the command is there to be read.
    lines = server.pump.wait(lambda: [x for x in command_lines() if "SECRETWORD" not in " ".join(x)], "a wiped command line")
    assert all("SECRETWORD" not in " ".join(line) for line in command_lines()), lines
    assert server.alice.typed_result(at, here).status == 1


def test_a_process_that_held_a_password_leaves_no_core(configured):
    """The command and the child that asks PAM are not dumpable: /proc belongs to root, and a fatal signal dumps nothing."""
    server = configured(SLOW)
    here, foreign = stage(server)
    here.line("ulimit -c unlimited; cd /tmp")
    at = server.alice.type_command(server.alice.with_password("connect %d" % foreign, "SECRETWORD"), here)
    found = server.pump.wait(lambda: [p for p in descendants() if p.name in ("connect", "termserv")
                                      and "connect" in " ".join(p.arguments) and "--password-fd" in p.arguments], "the command")
    server.pump.wait(lambda: os.stat("/proc/%d/mem" % found[0].pid).st_uid == 0, "the command to be closed to its own user")
    processes.kill(found[0].pid, signal.SIGQUIT)
    assert server.alice.typed_result(at, here).status != 0
    cores = [p for p in [*Path("/tmp").rglob("core*"), *server.alice.home.rglob("core*")]
             if p.is_file() and not p.is_relative_to(world.REPOSITORY)]
    assert cores == []


def test_the_leaders_memory_holds_no_password_afterwards(server):
    here, foreign = stage(server)
    assert server.alice.code("connect %d" % foreign, in_terminal=here, password="SECRETWORD-OF-A-TRY") == 1326
    for name in ("termservd", "termserv-broker", "termserv-leader", "termserv-host"):
        for process in server.processes(name):
            assert b"SECRETWORD-OF-A-TRY" not in memory_of(process.pid), process


def memory_of(pid):
    found = bytearray()
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in processes.read(pid, "maps").decode().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if "w" not in rights or end - start > 1 << 28:
                continue
            try:
                memory.seek(start)
                found += memory.read(end - start)
            except OSError:
                continue
    return found
