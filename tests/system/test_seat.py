"""People at terminals of a server for all users: the login prompt, choosing, coming back, one session a user; and the screen that
the next person finds."""

import re

import pytest

from server import PROMPT
from system_server import LOGIN, PASSWORD, USUAL, log_in, password_of


def prompt(server, **more):
    return server.person("termserv-tty").login_terminal("TERM07", **more)


def again(terminal, pattern, at):
    terminal.wait_until(lambda t: pattern.search(t.raw[at:].decode("utf-8", "replace")), "%s again" % pattern.pattern)


def test_the_prompt_says_where_one_is(server):
    terminal = prompt(server)
    assert re.search(r"^\S+ TERM07\n\nlogin: ?$", terminal.screen().strip(), re.M)
    state, = [s for s in server.root.sessions() if s["id"] is None]
    assert (state["name"], state["state"]) == ("TERM07", "Conn")


def test_an_empty_name_brings_the_prompt_again(server):
    terminal = prompt(server)
    at = len(terminal.raw)
    terminal.line("")
    again(terminal, LOGIN, at)
    assert "Password" not in terminal.screen()


def test_no_password_is_echoed(server):
    terminal = log_in(prompt(server), "alice", password_of("alice")).wait_for(PROMPT)
    assert password_of("alice").encode() not in terminal.raw


def test_the_only_disconnected_session_comes_back(server):
    idle = server.alice.detached("sh -c 'echo waited for you; cat'")
    log_in(prompt(server), "alice", password_of("alice")).wait_for("waited for you")
    server.root.wait_state(idle, "Active", on="TERM07")
    # The new one, for which nobody came, is gone.
    server.pump.wait(lambda: server.root.ids() == [idle], lambda: "one session: %s" % server.root.sessions())


def test_of_several_the_person_chooses_and_sees_the_own_ones_alone(server):
    first, second = (server.alice.detached("sh -c 'echo number %s; cat'" % n) for n in ("one", "two"))
    foreign = server.bob.detached("sleep 4321")
    terminal = log_in(prompt(server), "alice", password_of("alice")).wait_for("Number, n or q:")
    assert "number one" in terminal.screen() and "4321" not in terminal.screen()
    terminal.line(str(foreign)).wait_until(lambda t: t.screen().count("Number, n or q:") == 2, "to be asked again")
    terminal.line(str(first)).wait_for("number one")
    server.root.wait_state(first, "Active", on="TERM07")
    assert server.root.session(second)["state"] == "Disc"


@pytest.mark.parametrize("word,result", [("n", PROMPT), ("q", "login:")])
def test_a_new_one_or_none_may_be_chosen(server, word, result):
    for _ in range(2):
        server.alice.detached("cat")
    terminal = log_in(prompt(server), "alice", password_of("alice")).wait_for("Number, n or q:")
    at = len(terminal.raw)
    terminal.line(word)
    again(terminal, re.compile(re.escape(result.strip())), at)
    wanted = ["TERM07"] if word == "n" else []
    server.pump.wait(lambda: [s["name"] for s in server.root.sessions() if s["state"] == "Active"] == wanted,
                     lambda: "%s to be active: %s" % (wanted, server.root.sessions()))


def test_the_next_person_finds_nothing_of_the_last_one(server):
    terminal = log_in(prompt(server), "alice", password_of("alice")).wait_for(PROMPT)
    terminal.line("echo the secret of alice").wait_for("\nthe secret of alice")
    at = len(terminal.raw)
    server.alice.disconnect(server.root.only(state="Active")["id"])
    again(terminal, LOGIN, at)
    assert "secret" not in terminal.screen() and "was disconnected by alice" in terminal.screen()
    assert b"\x1b[3J" in terminal.raw[at:]
    log_in(terminal, "bob", password_of("bob")).wait_for(PROMPT)
    assert server.bob.run("id -un", in_terminal=terminal).out == "bob\n"


def test_a_line_that_hangs_up_at_the_prompt_ends_the_door(server):
    terminal = prompt(server)
    terminal.close()
    terminal.wait_until(lambda t: not t.running, "the door to end")
    server.pump.wait(lambda: not server.root.sessions(), "the terminal to go")


def test_a_waiting_terminal_may_be_taken_and_asks_again(server):
    terminal = prompt(server)
    session = server.alice.logon()
    session.line("echo on its way").wait_for("\non its way")
    session.line("connect /dest:TERM07")
    terminal.wait_for("on its way")
    at = len(terminal.raw)
    terminal.line("disconn")
    again(terminal, LOGIN, at)


def test_a_terminal_may_be_taken_while_the_password_is_awaited(server):
    terminal = prompt(server)
    terminal.line("bob").wait_for(PASSWORD)
    session = server.alice.logon()
    session.line("connect /dest:TERM07")
    server.root.wait_state(session.session, "Active", on="TERM07")
    terminal.line("echo it echoes").wait_for("\nit echoes")


def test_one_session_a_user_is_fetched_from_wherever_it_is(configured):
    server = configured(USUAL.replace("[server]\n", "[server]\nsingle-session = yes\n"))
    first = server.alice.terminal("termserv logon").wait_for(PROMPT)
    first.line("echo from before").wait_for("\nfrom before")
    second = server.alice.terminal("termserv logon").wait_for("from before")
    assert first.wait_exit() == 0
    assert len(server.alice.ids()) == 1
    second.line("disconn")
    second.wait_exit()
    server.alice.terminal("termserv logon").wait_for("from before")


def test_a_terminal_that_waits_is_nobodys_in_the_list(server):
    prompt(server)
    row, = [line for line in server.alice.run("query session").out.splitlines() if "TERM07" in line]
    assert row.split() == ["TERM07", "Conn", "pty", "/dev/ttyS7"]


def test_who_may_not_stop_the_server_is_not_asked_first(server):
    session = server.bob.detached("sleep 4321")
    shell = server.alice.shell()
    result = server.alice.typed("termserv stop", shell)
    assert result.status == 1 and result.out == "" and "Error [5]" in result.err, result
    assert server.root.ids() == [session]


def test_an_administrator_sees_what_stopping_costs_whom(server):
    server.bob.detached("sleep 4321")
    shell = server.erin.shell()
    shell.line("termserv stop").wait_for("End them all? [y/N]")
    assert re.search(r"session 1 of bob, Disc: ", shell.screen())
    shell.line("n").wait_for("Nothing was ended.")
    assert server.root.ids() == [1]


def test_who_fetches_a_session_to_a_login_of_his_is_named_with_where_he_sits(server):
    first = server.alice.logon()
    first.line("echo it moves").wait_for("\nit moves")
    ssh = {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}
    server.alice.terminal("connect %d" % first.session, env=ssh).wait_for("it moves")
    first.wait_for("Session %d was connected to ssh#1 by alice (192.0.2.7)." % first.session)


@pytest.mark.parametrize("what", ["close", "login"])
def test_a_terminal_whose_session_was_taken_closes_or_waits(configured, what):
    server = configured(USUAL + "[listener tty]\non-steal = %s\n" % what)
    first = server.alice.logon()
    first.line("echo it moves").wait_for("\nit moves")
    server.alice.terminal("connect %d" % first.session).wait_for("it moves")
    first.wait_for("was connected to")
    if what == "close":
        assert first.wait_exit() == 0
    else:
        first.wait_for("press Enter to log on")
        first.line("")
        server.pump.wait(lambda: len(server.alice.ids()) == 2, "another session on it")
        assert first.running
