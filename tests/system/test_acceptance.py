"""connect between users: the acceptance table, case by case.

alice sits in a session at TERM01 and has a disconnected one; bob has a disconnected one and one that is active at TERM03;
carol sits at TERM05. All are on the level User unless a case says otherwise."""

import os
import re
import signal
from collections import namedtuple

import pytest

import control
import world
from server import PROMPT
from system_server import LOGIN, RIGHTS, SERVER, TERMINALS, USUAL, log_in, password_of

Board = namedtuple("Board", "here mine idle foreign there")
BOBS = password_of("bob")


def board(server):
    """alice's terminal, the IDs of her sessions (at TERM01, disconnected) and bob's (disconnected), bob's terminal."""
    here = server.alice.logon_fixed("TERM01")
    idle = server.alice.detached("sh -c 'echo a quiet session; cat'")
    foreign = server.bob.detached("sh -c 'echo the secret of bob; cat'")
    there = server.bob.logon_fixed("TERM03")
    there.line("echo bob was here").wait_for("\nbob was here")
    return Board(here, here.session, idle, foreign, there)


def login_at(server, name):
    """A fixed terminal at its login prompt, with the account of fixed terminals as its door."""
    return server.person("termserv-tty").login_terminal(name)


def test_1_the_own_disconnected_session_comes_here(server):
    b = board(server)
    b.here.line("connect %d" % b.idle).wait_for("a quiet session")
    server.root.wait_state(b.idle, "Active", on="TERM01")
    server.root.wait_state(b.mine, "Disc")


def test_1_its_exit_status_is_success(server):
    b = board(server)
    assert server.alice.code("connect %d" % b.idle, in_terminal=b.here) == 0


def test_2_a_foreign_session_without_a_password_is_refused(server):
    b = board(server)
    server.alice.assert_refused("connect %d" % b.foreign, 1326, in_terminal=b.here)
    assert server.last_audit("Connect")["result"] == 1326


def test_2_the_refusal_says_that_a_password_is_required(server):
    b = board(server)
    result = server.alice.run("connect %d" % b.foreign, in_terminal=b.here)
    assert "password" in result.err.lower()


def test_3_a_wrong_password_is_refused_and_recorded(server):
    b = board(server)
    server.alice.assert_refused("connect %d" % b.foreign, 1326, in_terminal=b.here, password="wrong")
    record = server.last_audit("Connect")
    assert (record["result"], record["uid"], record["session"]) == (1326, server.alice.uid, b.foreign)
    assert record["ownerName"] == "bob" and record["user"] == "alice"


def test_4_the_owners_password_brings_a_foreign_session_here(server):
    b = board(server)
    b.here.line(server.alice.with_password("connect %d" % b.foreign, BOBS)).wait_for("the secret of bob")
    server.root.wait_state(b.foreign, "Active", on="TERM01")
    server.root.wait_state(b.mine, "Disc")
    record = server.last_audit("Connect")
    assert (record["result"], record["by"], record["displaced"]) == (0, "password", b.mine)


def test_4_the_password_may_be_an_argument(server):
    b = board(server)
    result = server.alice.run(["connect", str(b.foreign), "/password:" + BOBS], in_terminal=b.here)
    assert result.status == 0 and "warning" in result.err


def test_4_the_password_may_be_asked_for(server):
    b = board(server)
    b.here.line("connect %d '/password:*'" % b.foreign).wait_for("Password:")
    b.here.line(BOBS).wait_for("the secret of bob")
    assert BOBS.encode() not in b.here.raw


def test_5_an_active_foreign_session_leaves_its_terminal(server):
    b = board(server)
    b.here.line(server.alice.with_password("connect %d" % b.there.session, BOBS)).wait_for("bob was here")
    server.root.wait_state(b.there.session, "Active", on="TERM01")
    server.root.wait_state(b.mine, "Disc")


def test_5_the_terminal_that_lost_it_is_told_who_took_it_where(server):
    b = board(server)
    b.here.line(server.alice.with_password("connect %d" % b.there.session, BOBS)).wait_for("bob was here")
    b.there.wait_for("TERM01 by alice")
    assert b.there.running  # a fixed terminal stays, and offers a logon


def test_5b_without_the_right_the_password_is_not_even_tried(configured):
    server = configured(SERVER + RIGHTS + "alice = User -CONNECT\n" + TERMINALS)
    b = board(server)
    for password in (BOBS, "wrong"):
        server.alice.assert_refused("connect %d" % b.there.session, 5, in_terminal=b.here, password=password)
    refusals = [r for r in server.audit() if r["event"] == "Connect" and r["result"] != 0]
    assert [(r["result"], r["by"]) for r in refusals] == [(5, "none")] * 2


def test_6_an_administrator_moves_a_session_between_two_terminals_of_others(server):
    b = board(server)
    at_five = server.carol.logon_fixed("TERM05")
    at_five.line("stty -echo; sleep 1000")
    code = server.erin.code("connect TERM03 /dest:TERM05", password=BOBS)
    assert code == 0
    at_five.wait_for("bob was here")
    server.root.wait_state(b.there.session, "Active", on="TERM05")
    server.root.wait_state(at_five.session, "Disc")
    b.there.wait_for("TERM05 by erin")


@pytest.mark.parametrize("word", ["TERM01", "term01", None])
def test_7_what_is_here_already_stays(server, word):
    b = board(server)
    before = server.root.states()
    assert server.alice.code("connect %s" % (word or b.mine), in_terminal=b.here) == 0
    server.root.wait_unchanged(before)


def test_8_a_terminal_with_somebody_elses_session_is_refused(server):
    b = board(server)
    server.carol.logon_fixed("TERM05")
    server.alice.assert_refused("connect %d /dest:TERM05" % b.idle, 5, in_terminal=b.here)


def test_8_with_the_right_to_disconnect_it_is_granted(configured):
    server = configured(SERVER + RIGHTS + "alice = User DISCONNECT\n" + TERMINALS)
    b = board(server)
    carols = server.carol.logon_fixed("TERM05")
    assert server.alice.code("connect %d /dest:TERM05" % b.idle, in_terminal=b.here) == 0
    carols.wait_for("a quiet session")
    server.root.wait_state(carols.session, "Disc")


def test_9_a_terminal_at_its_login_prompt_is_taken_with_the_right_to_log_on(server):
    b = board(server)
    prompt = login_at(server, "TERM05")
    assert server.alice.code("connect %d /dest:TERM05" % b.idle, in_terminal=b.here) == 0
    prompt.wait_for("a quiet session")
    server.root.wait_state(b.idle, "Active", on="TERM05")
    server.root.wait_state(b.mine, "Active", on="TERM01")


def test_9_without_the_right_to_log_on_it_is_refused(configured):
    server = configured(SERVER + RIGHTS + TERMINALS + "[terminal TERM06]\nuser = termserv-tty\nlistener = serial\n"
                        "[rights serial]\n* = User\nalice = -LOGON\n")
    b = board(server)
    login_at(server, "TERM06")
    server.alice.assert_refused("connect %d /dest:TERM06" % b.idle, 5, in_terminal=b.here)


def test_9_when_the_session_leaves_the_prompt_is_back(server):
    b = board(server)
    prompt = login_at(server, "TERM05")
    assert server.alice.code("connect %d /dest:TERM05" % b.idle, in_terminal=b.here) == 0
    prompt.wait_for("a quiet session")
    assert server.alice.code("disconn %d" % b.idle, in_terminal=b.here) == 0
    prompt.wait_until(lambda t: LOGIN.search(t.screen().rstrip().splitlines()[-1] + " "), "the login prompt")
    assert "a quiet session" not in prompt.screen()


def test_10_a_configured_terminal_that_is_off_is_not_connected(server):
    b = board(server)
    server.alice.assert_refused("connect %d /dest:TERM09" % b.idle, 5023, in_terminal=b.here)


@pytest.mark.parametrize("arguments", ["{idle} /dest:NOPE", "99", "NOPE", "bob", "99 /dest:TERM03"])
def test_11_what_does_not_exist_is_not_found(server, arguments):
    b = board(server)
    server.alice.assert_refused("connect " + arguments.format(idle=b.idle), 7022, in_terminal=b.here)


def test_12_a_disconnected_session_does_not_come_to_the_console(server):
    b = board(server)
    login_at(server, "console")
    server.alice.assert_refused("connect %d /dest:console" % b.idle, 7042, in_terminal=b.here)


def test_12_nor_does_an_active_one(server):
    b = board(server)
    login_at(server, "console")
    server.alice.assert_refused("connect %d /dest:console" % b.mine, 7041, in_terminal=b.here)


@pytest.mark.parametrize("arguments", ["{idle}", "{idle} /dest:TERM01", "{foreign}", "{idle} /dest:TERM05"])
def test_13_nothing_is_connected_from_the_console(server, arguments):
    b = board(server)
    console = login_at(server, "console")
    log_in(console, "alice", password_of("alice")).wait_for(PROMPT)
    words = arguments.format(idle=b.idle, foreign=b.foreign)
    assert server.alice.code("connect " + words, in_terminal=console) == 7041


@pytest.mark.parametrize("name", ["root", "erin"])
def test_14_root_and_administrators_need_the_password_too(server, name):
    b = board(server)
    someone = server.person(name)
    here = someone.logon()
    someone.assert_refused("connect %d" % b.foreign, 1326, in_terminal=here)
    record = server.last_audit("Connect", user=name)
    assert (record["result"], record["session"]) == (1326, b.foreign)
    assert someone.code("connect %d" % b.foreign, in_terminal=here, password=BOBS) == 0


@pytest.mark.parametrize("setting", ["notify", "free"])
def test_14_the_configuration_may_free_root_and_the_session_is_told(configured, setting):
    server = configured(USUAL.replace("failure-delay", "root-connect = %s\nfailure-delay" % setting))
    b = board(server)
    here = server.root.logon()
    here.line("connect %d" % b.there.session).wait_for("bob was here")
    record = server.last_audit("Connect", user="root")
    assert (record["result"], record["by"]) == (0, "policy")
    server.pump.wait(lambda: re.search(r"warning: audit: .*\"event\":\"Connect\",\"uid\":0,", server.log()), "the warning in the log")
    here.wait_for("Session %d of bob was taken over without a password by root" % b.there.session)
    erins = server.erin.logon()  # an administrator is not root
    server.erin.assert_refused("connect %d" % b.foreign, 1326, in_terminal=erins)
    # What waits for the owner is with his session: another broker knows nothing of it.
    server.kill("termserv-broker")
    server.root.wait_state(b.there.session, "Active")
    back = server.bob.logon(options="--new")
    back.line("connect %d" % b.there.session).wait_for("bob was here")
    notice = "was taken over without a password by root"
    if setting == "notify":
        back.wait_for(notice)
    back.line("echo no''thing more").wait_for("\nnothing more")
    assert (notice.encode() in back.raw) == (setting == "notify"), back.report()


def test_15_a_guest_does_not_come_back_to_his_session(server):
    """Not to one that is on another terminal; and none is on none."""
    there, here = server.dave.logon(options="--new"), server.dave.logon(options="--new")
    server.dave.assert_refused("connect %d" % there.session, 5, in_terminal=here)
    there.close()
    server.root.wait_state(there.session, None)


def test_15_a_guest_does_not_leave_his_session_behind(server):
    here = server.dave.logon()
    server.dave.assert_refused("disconn", 5, in_terminal=here)
    assert server.dave.code("logoff %d" % here.session, in_terminal=server.dave.shell()) == 0


def test_16_a_session_that_is_being_reset_is_busy(server):
    b = board(server)
    leader = server.need("termserv-leader", b.idle)
    os.kill(leader.pid, signal.SIGSTOP)
    reset, other = control.Control(server.alice.uid), control.Control(server.alice.uid)
    reset.send("Reset", session=str(b.idle))
    for _ in range(2):  # two rounds of the broker's loop: it has read the first request
        assert "error" not in other.call("GetCaller")
    assert server.alice.code("connect %d" % b.idle, in_terminal=b.here) == 7024
    os.kill(leader.pid, signal.SIGCONT)
    assert "error" not in reset.receive()
    server.root.wait_state(b.idle, None)


def test_17_without_arguments_it_tells_its_usage(server):
    b = board(server)
    result = server.alice.run("connect", in_terminal=b.here)
    assert result.status == 2 and result.out == "" and "sage" in result.err


def test_18_the_own_session_moves_to_a_terminal_at_its_login_prompt(server):
    b = board(server)
    b.here.line("echo it is alice").wait_for("\nit is alice")
    prompt = login_at(server, "TERM05")
    b.here.line("connect /dest:TERM05")
    prompt.wait_for("it is alice")
    server.root.wait_state(b.mine, "Active", on="TERM05")


def test_18_but_not_to_somebody_elses(server):
    b = board(server)
    server.carol.logon_fixed("TERM05")
    server.alice.assert_refused("connect /dest:TERM05", 5, in_terminal=b.here)


@pytest.mark.parametrize("word", ["tty", "ssh", "rdp-tcp"])
def test_19_a_listener_is_not_a_session(server, word):
    b = board(server)
    before = server.root.states()
    assert server.alice.code("connect " + word, in_terminal=b.here) in (7001, 7022)
    server.root.wait_unchanged(before)


@pytest.mark.parametrize("how", [world.expire, world.restrict])
def test_20_a_restricted_owners_session_stays_where_it_is(server, how):
    b = board(server)
    how("bob")
    server.alice.assert_refused("connect %d" % b.foreign, 7064, in_terminal=b.here, password=BOBS)
    server.alice.assert_refused("connect %d" % b.foreign, 1326, in_terminal=b.here, password="wrong")
