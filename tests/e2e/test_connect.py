"""connect: the acceptance cases that one user can meet, and what the terminals show."""

import os
import re
import signal

import pytest

import processes
from server import PROMPT, error_code

CASES_OF_SPELLING = ["/dest:TERM05", "--dest=TERM05", "--dest TERM05", "/DEST:TERM05", "/dest:term05"]


def two_terminals(server):
    """Session 1 on TERM01, session 2 on TERM05, session 3 disconnected and showing "three"."""
    here = server.logon_fixed("TERM01")
    there = server.logon_fixed("TERM05")
    third = server.detached("sh -c 'echo three; cat'")
    return here, there, third


# --- the table -----------------------------------------------------------------------------------


def test_a_disconnected_session_comes_to_the_callers_terminal(server):
    here, _, third = two_terminals(server)
    here.line("connect %d" % third).wait_for("three")
    server.wait_state(third, "Active", on="TERM01")
    server.wait_state(here.session, "Disc")


def test_connect_is_silent_and_succeeds(server):
    here, _, third = two_terminals(server)
    assert server.run("connect %d" % third, in_terminal=here) == (0, "", "")


def test_the_answer_lands_on_the_former_screen(server):
    here, _, third = two_terminals(server)
    here.line("connect %d; echo status=$?" % third).wait_for("three")
    assert "status" not in here.screen().replace("echo status", "")
    back = server.connect(here.session)
    back.wait_for("status=0")


@pytest.mark.parametrize("word", ["1", "TERM01", "term01", ""])
def test_a_session_that_is_already_there_stays(server, word):
    here = server.logon_fixed("TERM01")
    before = server.session(1)
    result = server.run("connect %s /dest:TERM01" % word, in_terminal=here)
    assert result == (0, "", "")
    assert server.session(1)["connected"] == before["connected"]


def test_already_there_is_said_when_asked(server):
    here = server.logon_fixed("TERM01")
    result = server.run("connect 1 /v", in_terminal=here)
    assert result.status == 0 and "TERM01" in result.out and "already" in result.out


@pytest.mark.parametrize("arguments,code", [
    ("3 /dest:NOPE", 7022), ("99", 7022), ("NOPE", 7022), ("99 /dest:TERM05", 7022), ("TERM09 /dest:TERM05", 7022),
    ("rdp-tcp", 7001), ("4294967296", 7022), ("99999999999999999999999", 7022), ("root", 7022),
])
def test_what_is_not_there_is_not_found(server, arguments, code):
    here, _, third = two_terminals(server)
    before = server.states()
    assert error_code(server.run("connect " + arguments, in_terminal=here)) == code
    assert server.states() == before


@pytest.mark.parametrize("arguments", ["tty#", "a/b", "'a b'", "x" + "y" * 40, "'\x1b[31m'", "ü"])
def test_a_malformed_name_is_refused_by_name_or_not_found(server, arguments):
    server.detached()
    assert error_code(server.run("connect %s /dest:TERM05" % arguments)) in (7001, 7022)


def test_the_sentence_names_session_and_terminal(server):
    here, _, third = two_terminals(server)
    result = server.run("connect 99 /dest:TERM05", in_terminal=here)
    assert result.err.startswith("Could not connect sessionID 99 to sessionname TERM05, Error code 7022\nError [7022]: ")
    result = server.run("connect 99", in_terminal=here)
    assert result.err.startswith("Could not connect sessionID 99 to this session, Error code 7022\nError [7022]: ")


def test_no_arguments_inside_a_session_is_wrong_usage(server):
    here = server.logon_fixed("TERM01")
    result = server.run("connect", in_terminal=here)
    assert result.status == 2 and result.out == "" and "sage" in result.err


def test_no_arguments_without_a_terminal_is_wrong_usage(server):
    server.detached()
    result = server.run("connect")
    assert result.status == 2 and result.out == "" and "sage" in result.err


def test_a_plain_session_without_a_terminal_cannot_be_connected_here(server):
    number = server.detached()
    result = server.run("connect %d" % number)
    assert result.status in (1, 2) and result.out == "" and result.err != ""
    server.wait_state(number, "Disc")


def test_dest_alone_moves_ones_own_session(server):
    here, there, _ = two_terminals(server)
    here.line("echo i am the first")
    here.wait_for("\ni am the first")
    here.line("connect /dest:TERM05")
    there.wait_for("i am the first")
    server.wait_state(here.session, "Active", on="TERM05")
    server.wait_state(there.session, "Disc")


def test_dest_without_a_session_outside_of_any_is_wrong(server):
    server.logon_fixed("TERM05")
    result = server.run("connect /dest:TERM05")
    assert result.status in (1, 2) and result.out == "" and result.err != ""


@pytest.mark.parametrize("spelling", CASES_OF_SPELLING)
def test_dest_between_other_terminals_in_every_spelling(server, spelling):
    _, there, third = two_terminals(server)
    assert server.run("connect %d %s" % (third, spelling)) == (0, "", "")
    there.wait_for("three")
    server.wait_state(third, "Active", on="TERM05")
    server.wait_state(there.session, "Disc")


@pytest.mark.parametrize("spelling", ["/v", "-v", "--verbose", "/V"])
def test_verbose_says_what_is_done(server, spelling):
    _, there, third = two_terminals(server)
    result = server.run("tscon %d %s /dest:TERM05" % (third, spelling))
    lines = result.out.splitlines()
    assert result.status == 0 and result.err == "" and len(lines) == 2, result
    assert all(str(third) in line and "TERM05" in line for line in lines), result


def test_the_seeds_third_example_moves_a_session_by_its_terminals_name(server):
    three, five = server.logon_fixed("TERM03"), server.logon_fixed("TERM05")
    three.line("echo moved picture").wait_for("\nmoved picture")
    result = server.run("connect TERM03 /v /dest:TERM05")
    assert result.status == 0, result
    five.wait_for("moved picture")
    server.wait_state(three.session, "Active", on="TERM05")
    server.wait_state(five.session, "Disc")


def test_a_name_counts_only_while_its_session_is_active(server):
    three, five = server.logon_fixed("TERM03"), server.logon_fixed("TERM05")
    server.disconnect(three.session)
    assert error_code(server.run("connect TERM03 /dest:TERM05")) == 7022
    assert server.run("connect %d /dest:TERM05" % three.session).status == 0


def test_names_are_compared_without_case_and_shown_as_given(server):
    server.logon_fixed("Term03")
    five = server.logon_fixed("TERM05")
    assert server.run("connect tERM03 /dest:term05").status == 0
    server.wait_state(1, "Active", on="TERM05")
    assert five.running


def test_no_arguments_on_a_plain_tty_give_the_chooser(server):
    numbers = [server.detached("sh -c 'echo here is %s; cat'" % word) for word in ("alpha", "beta")]
    t = server.shell()
    t.line("connect").wait_for(re.compile(r"^\W*%d\W.*here is beta" % numbers[1], re.MULTILINE))
    t.line(str(numbers[1])).wait_until(lambda t: t.emulator.text(0) == "here is beta", "the session that was chosen")
    server.wait_state(numbers[0], "Disc")
    server.disconnect(numbers[1])
    t.wait_until(lambda t: t.emulator.text(t.emulator.cursor.y) == PROMPT.rstrip(), "the shell again")
    t.line("connect; echo status=$?").wait_for(re.compile(r"q\W"))
    t.line("q").wait_for("status=1")
    for number in numbers:
        server.wait_state(number, "Disc")


def test_the_chooser_shows_no_hostile_text(server):
    for _ in range(2):
        server.detached(["sh", "-c", "exec cat", "\x1b[31mred\x1b]2;owned\x07\u202e"])
    t = server.terminal("connect")
    t.wait_for("sh -c").wait_for(re.compile(r"q\W"))
    assert b"\x1b[31mred" not in t.raw and b"owned\x07" not in t.raw and "\u202e".encode() not in t.raw


# --- terminals -----------------------------------------------------------------------------------


def test_a_plain_tty_becomes_a_terminal_and_is_given_back(server):
    number = server.detached("sh -c 'echo in the session; cat'")
    t = server.shell()
    t.line("echo before").wait_for("\nbefore")
    t.line("connect %d; echo status=$?" % number).wait_for("in the session")
    name = server.wait_state(number, "Active")["name"]
    assert re.fullmatch(r"tty#\d+", name)
    server.disconnect(number)
    t.wait_for("status=0")
    t.line("echo alive").wait_for("\nalive")


def test_a_transient_terminal_closes_cleanly_when_its_session_is_taken(server):
    mine = server.logon("sh -c 'printf \"\\033[?1049h\\033[?1000h\\033[?2004h\\033[?25l\\033[31mbusy\"; cat'", answers=False)
    mine.wait_for("busy")
    before = mine.settings
    other = server.connect(mine.session).wait_for("busy")
    assert mine.wait_exit() == 0
    assert str(mine.session) in mine.screen() and other.name in mine.screen(), mine.report()
    assert mine.emulator.lasting() == {}
    assert not mine.emulator.alternate
    assert mine.modes_now() == before


def test_the_notice_is_one_line_and_says_who_and_where(server):
    mine = server.shell()
    mine.line("termserv logon --new; echo status=$?")
    server.pump.wait(lambda: 1 in server.ids(), "the session")
    server.wait_state(1, "Active")
    other = server.connect(1)
    mine.wait_for("status=0")
    user = server.session(1)["user"]
    notice = [line for line in mine.screen().splitlines() if other.name in line]
    assert len(notice) == 1 and "1" in notice[0] and user in notice[0], mine.report()


def test_a_fixed_terminal_returns_to_its_login_when_its_session_is_taken(server):
    fixed = server.logon_fixed("TERM03")
    other = server.connect(fixed.session)
    fixed.wait_for(other.name)

    def waiting():
        return [s for s in server.sessions() if s["name"] == "TERM03" and s["state"] == "Conn"]
    row, = server.pump.wait(waiting, "TERM03 to wait for a logon")
    assert row["id"] is None
    assert fixed.running


def test_a_session_comes_to_a_terminal_that_waits_for_a_logon(server):
    fixed = server.logon_fixed("TERM03")
    taken = server.connect(fixed.session)
    server.pump.wait(lambda: any(s["state"] == "Conn" for s in server.sessions()), "TERM03 to wait for a logon")
    third = server.detached("sh -c 'echo on the login; cat'")
    assert server.run("connect %d /dest:TERM03" % third).status == 0
    fixed.wait_for("on the login")
    server.wait_state(third, "Active", on="TERM03")
    server.pump.wait(lambda: not any(s["state"] == "Conn" for s in server.sessions()), "nobody to wait for a logon")
    assert taken.running


def test_a_terminal_at_its_login_is_no_source(server):
    fixed = server.logon_fixed("TERM03")
    server.connect(fixed.session)
    five = server.logon_fixed("TERM05")
    server.pump.wait(lambda: any(s["state"] == "Conn" for s in server.sessions()), "TERM03 to wait for a logon")
    assert error_code(server.run("connect TERM03 /dest:TERM05")) == 7022
    assert five.running


def test_a_terminal_that_was_switched_off_is_not_connected_or_not_known(server):
    fixed = server.logon_fixed("TERM09")
    third = server.detached()
    fixed.close().wait_until(lambda t: not t.running, "the door to end")
    server.wait_state(fixed.session, "Disc")
    assert error_code(server.run("connect %d /dest:TERM09" % third)) in (5023, 7022)


def test_the_displaced_session_keeps_running(server):
    here, _, third = two_terminals(server)
    pid = server.session(here.session)["pid"]
    here.line("connect %d" % third).wait_for("three")
    assert processes.alive(pid)
    server.connect(here.session).wait_for(PROMPT).line("echo still here").wait_for("\nstill here")


def test_two_sessions_change_places(server):
    here, there, _ = two_terminals(server)
    here.line("echo this is one").wait_for("\nthis is one")
    there.line("echo this is two").wait_for("\nthis is two")
    assert server.run("connect %d /dest:TERM01" % there.session).status == 0
    here.wait_for("this is two")
    assert server.run("connect %d /dest:TERM05" % here.session).status == 0
    there.wait_for("this is one")
    server.wait_state(here.session, "Active", on="TERM05")
    server.wait_state(there.session, "Active", on="TERM01")


def test_connecting_to_and_fro_a_hundred_times_loses_nothing(server):
    here, there, third = two_terminals(server)
    for turn in range(50):
        assert server.run("connect %d /dest:TERM05" % third).status == 0
        assert server.run("connect %d /dest:TERM01" % third).status == 0
    here.wait_for("three")
    assert here.line("abc").wait_for("\nabc")
    server.wait_state(third, "Active", on="TERM01")
    assert server.need("termserv-broker") and there.running


@pytest.mark.parametrize("spelling", ["/server:example.invalid", "--server example.invalid", "/SERVER:example.invalid"])
def test_a_server_that_is_not_there_is_said_clearly(server, spelling):
    number = server.detached()
    result = server.run("connect %d %s" % (number, spelling))
    assert result.status in (1, 2) and result.out == "", result
    assert result.err.endswith("Error [1722]: ssh could not get there, or lost the way; it said why above.\n"), result
    assert len(result.err.splitlines()) == 3  # the first is of ssh
    server.wait_state(number, "Disc")


def test_a_session_that_is_being_ended_is_busy(server):
    stubborn = server.detached("sh -c 'trap \"\" HUP; echo up; while :; do sleep 1000; done'")
    server.logon_fixed("TERM05")
    ending = server.start("logoff %d" % stubborn)
    leader = server.need("termserv-leader", stubborn)
    server.wait_state(stubborn, "Reset")
    os.kill(leader.pid, signal.SIGSTOP)  # else the program is killed after its grace, however slow we are
    try:
        assert error_code(server.run("connect %d /dest:TERM05" % stubborn)) == 7024
    finally:
        os.kill(leader.pid, signal.SIGCONT)
    assert server.finish(ending).status == 0
    server.wait_state(stubborn, None)


@pytest.mark.parametrize("spelling", ["/password:hunter2-SECRET", "/PASSWORD:hunter2-SECRET", "--password=hunter2-SECRET",
                                      "--password hunter2-SECRET"])
def test_a_password_is_wiped_from_the_arguments(server, spelling):
    """The caller is held inside of Connect by a broker that is stopped, so that its arguments can be read."""
    here, there, third = two_terminals(server)
    broker = server.need("termserv-broker")
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        caller = server.start("connect %d %s /dest:TERM05" % (third, spelling))

        def wiped():
            arguments = processes.read(caller.pid, "cmdline")
            return b"connect" in arguments and b"SECRET" not in arguments
        server.pump.wait(wiped, lambda: "no password in %r" % processes.read(caller.pid, "cmdline"))
        assert caller.poll() is None
        assert b"SECRET" not in processes.read(caller.pid, "environ")
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    result = server.finish(caller)
    assert result.status == 0 and "SECRET" not in result.out + result.err
    there.wait_for("three")


@pytest.mark.parametrize("name", ["tscon", "connect", "termserv connect"])
def test_every_name_of_the_command_connects(server, name):
    here, _, third = two_terminals(server)
    assert server.run("%s %d" % (name, third), in_terminal=here) == (0, "", "")
    server.wait_state(third, "Active", on="TERM01")


def test_the_callers_session_comes_from_its_tty_and_not_from_the_environment(server):
    here, there, third = two_terminals(server)
    result = server.run("env TERMSERV_SESSION=%d connect %d" % (there.session, third), in_terminal=here)
    assert result.status == 0
    server.wait_state(third, "Active", on="TERM01")
    server.wait_state(there.session, "Active", on="TERM05")


@pytest.mark.parametrize("command", ["logoff", "disconn", "termserv reset session", "connect", "connect /dest:TERM05"])
def test_an_argument_that_is_not_utf8_is_not_ones_own_session(server, command):
    here = server.logon_fixed("TERM01")
    server.logon_fixed("TERM05")
    before = server.states()
    result = server.run("%s $'\\377'" % command, in_terminal=here)
    assert result.status in (1, 2), result
    assert server.states() == before


def test_connect_to_a_window_of_another_size_resizes_the_session(server):
    mine = server.logon("sh -c 'trap \"stty size\" WINCH; echo up; while :; do read x; done'").wait_for("up")
    other = server.connect(mine.session, rows=40, columns=120)
    other.wait_for("40 120")
    server.wait_state(mine.session, "Active", lambda s: (s["rows"], s["columns"]) == (40, 120))
