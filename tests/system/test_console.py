"""The console's rules, strict and relaxed, with a pty in the console's place."""

import re

import pytest

from server import PROMPT, error_code
from system_server import LOGIN, PASSWORD, RIGHTS, SERVER, TERMINALS, USUAL, log_in, password_of

RELAXED = USUAL.replace("line = /dev/tty1\n", "line = /dev/tty1\nrules = relaxed\n")
BOBS = password_of("bob")


def prompt_at_console(server):
    return server.person("termserv-tty").login_terminal("console")


def at_console(server, name="bob"):
    """A person's session on the console: its terminal, with the session's ID."""
    console = log_in(prompt_at_console(server), name, password_of(name)).wait_for(PROMPT)
    console.session = session_at_console(server)
    return console


def session_at_console(server):
    """Its ID, once it is there: the prompt comes before the server knows."""
    def there():
        return [s["id"] for s in server.root.sessions() if s["name"] == "console" and s["state"] == "Active"]
    return server.pump.wait(there, "a session on the console")[0]


def test_without_a_section_there_is_no_console(configured):
    server = configured(SERVER + RIGHTS)
    terminal = server.person("termserv-tty").terminal("termserv logon --terminal console")
    assert terminal.wait_exit() == 1
    assert "Error code 7001" in terminal.screen()


def test_the_console_shows_its_line_as_its_device(server):
    console = at_console(server)
    session = server.root.session(console.session)
    assert (session["name"], session["device"], session["user"]) == ("console", "/dev/tty1", "bob")


def test_zero_means_the_session_on_the_console(server):
    console = at_console(server)
    listed = server.root.query("0")["sessions"]
    assert [s["id"] for s in listed] == [console.session]
    assert server.root.code("logoff 0") == 5
    assert console.session != 0


def test_zero_is_nothing_without_one(server):
    prompt_at_console(server)
    assert server.root.code("logoff 0") == 7022
    assert server.alice.code("disconn 0") == 7022


@pytest.mark.parametrize("who", ["bob", "erin", "root"])
def test_its_session_is_not_disconnected(server, who):
    console = at_console(server)
    server.person(who).assert_refused("disconn %d" % console.session, 7041)
    server.person(who).assert_refused("disconn console", 7041)


def test_not_even_from_itself(server):
    console = at_console(server)
    server.bob.assert_refused("disconn", 7041, in_terminal=console)


def test_nor_by_the_disconnect_key(server):
    console = at_console(server)
    console.type("\x1d\x1d\x1dx\x15")  # to readline the key is a search, x its object
    assert server.bob.run("echo here", in_terminal=console).out == "here\n"
    assert server.root.session(console.session)["name"] == "console"


def test_its_session_is_not_moved_away(server):
    console = at_console(server)
    server.alice.logon_fixed("TERM01")
    for who in ("bob", "erin"):
        here = server.person(who).logon()
        server.person(who).assert_refused("connect %d" % console.session, 7041, in_terminal=here, password=BOBS)
    server.root.assert_refused("connect console /dest:TERM01", 7041, password=BOBS)


def test_its_session_is_not_displaced(server):
    console = at_console(server)
    erins = server.erin.logon()
    server.erin.assert_refused("connect %d /dest:console" % erins.session, 7041)
    assert server.root.session(console.session)["name"] == "console"


def test_no_disconnected_session_comes_to_it(server):
    at_console(server)
    idle = server.erin.detached()
    server.erin.assert_refused("connect %d /dest:console" % idle, 7042)


def test_the_answer_does_not_depend_on_the_password(server):
    console = at_console(server)
    here = server.alice.logon()
    codes = {server.alice.code("connect %d" % console.session, in_terminal=here, password=p) for p in (BOBS, "wrong")}
    codes.add(server.alice.code("connect %d" % console.session, in_terminal=here))
    assert codes == {7041}


def test_its_session_is_logged_off_from_itself_only(server):
    console = at_console(server)
    for who in ("alice", "bob", "erin", "root"):
        server.person(who).assert_refused("logoff %d" % console.session, 5)
    console.line("logoff")
    server.root.wait_state(console.session, None)
    console.wait_until(lambda t: LOGIN.search(t.screen().rstrip().splitlines()[-1] + " "), "the login prompt")


def test_logout_brings_the_login_back(server):
    console = at_console(server)
    console.line("exit")
    server.root.wait_state(console.session, None)
    log_in(console, "alice", password_of("alice")).wait_for(PROMPT)
    assert server.alice.run("id -un", in_terminal=console).out == "alice\n"


def test_nobody_connects_from_it(server):
    console = at_console(server, "alice")
    idle = server.alice.detached()
    for words in ("connect %d" % idle, "connect %d /dest:TERM05" % idle, "connect /dest:TERM05", "termserv logon"):
        assert server.alice.code(words, in_terminal=console) == 7041


def test_nor_as_somebody_else(server):
    """Where one sits counts, not as whom: su and sudo keep the terminal."""
    console = at_console(server, "alice")
    idle = server.alice.detached()
    out = server.base / "said"
    out.touch()
    out.chmod(0o666)
    for who, words in (("erin", "connect %d --password-fd 0 </dev/null" % idle), ("erin", "connect /dest:TERM05"),
                       ("bob", "connect %d" % server.bob.detached())):
        at = len(console.raw)
        console.line("su -s /bin/sh --session-command '%s >%s 2>&1' %s; echo status $?" % (words, out, who))
        console.wait_until(lambda t: PASSWORD.search(t.raw[at:].decode("utf-8", "replace")), "su's question")
        console.line(password_of(who))
        console.wait_until(lambda t: re.search(rb"status \d", t.raw[at:]), "its end")
        assert "Error code 7041" in out.read_text(), (who, words, out.read_text())
    assert server.root.session(console.session)["name"] == "console"


@pytest.mark.parametrize("way", ["setsid -w %s", "su -s /bin/sh -c '%s' alice", "script -qec '%s' /dev/null",
                                 "sh -c 'setsid %s & wait'", "sh -c '(setsid %s; touch gone) & exit'"])
def test_nor_without_a_terminal_or_from_one_below_it(server, way):
    """Everything that the console's session has started is below its leader, whatever tty it has left."""
    console = at_console(server, "alice")
    idle = server.alice.detached()
    server.alice.terminal("termserv logon --terminal TERM05", emulate=False)
    server.root.wait_state(idle, "Active", on="TERM05")
    before = server.root.states()
    out = server.alice.home / "said"
    at = len(console.raw)
    console.line(way % ("connect %d /dest:TERM05 >%s 2>&1" % (idle, out)))
    if way.startswith("su"):
        console.wait_until(lambda t: PASSWORD.search(t.raw[at:].decode("utf-8", "replace")), "su's question")
        console.line(password_of("alice"))
    server.pump.wait(lambda: out.exists() and "Error [" in out.read_text(), lambda: "an answer\n" + console.report())
    assert "Error code 7041" in out.read_text()
    server.root.wait_unchanged(before)


def test_who_merely_has_a_session_there_is_not_at_the_console(server):
    """From another session, and from no session at all."""
    at_console(server, "alice")
    here = server.alice.logon_fixed("TERM01")
    elsewhere = server.alice.logon_fixed("TERM05")
    one, other = server.alice.detached(), server.alice.detached()
    assert server.alice.code("connect %d /dest:TERM05" % one, in_terminal=here) == 0
    assert server.alice.code("connect %d /dest:TERM05" % other) == 0
    assert server.alice.code("setsid -w connect %d /dest:TERM05" % elsewhere.session, in_terminal=here) == 0


def test_its_rights_are_its_own(configured):
    server = configured(SERVER + RIGHTS + TERMINALS + "[rights console]\n@tsadmin = Full\n")
    console = prompt_at_console(server)
    log_in(console, "alice", password_of("alice"))
    console.wait_until(lambda t: len(re.findall(LOGIN, t.screen())) > 1, "to be refused")
    server.pump.wait(lambda: server.root.ids() == [], "no session to be left")
    log_in(console, "erin", password_of("erin")).wait_for(PROMPT)
    assert server.alice.sessions() == []  # nobody else may even see it


def test_after_a_dead_line_the_session_is_elsewhere_and_the_console_has_a_new_one(server):
    """A disconnected session does not come to the console: a login there is a new session, and never a refusal."""
    console = at_console(server)
    console.close().wait_until(lambda t: not t.running, "the door to end")
    server.root.wait_state(console.session, "Disc")
    again = at_console(server)
    assert again.session != console.session
    assert server.root.session(console.session)["state"] == "Disc"


# --- relaxed -----------------------------------------------------------------------------------------


def test_relaxed_a_disconnected_session_comes_to_the_console(configured):
    server = configured(RELAXED)
    prompt = prompt_at_console(server)
    idle = server.erin.detached("sh -c 'echo seen at the console; cat'")
    assert server.erin.code("connect %d /dest:console" % idle) == 0
    prompt.wait_for("seen at the console")


def test_relaxed_the_consoles_session_is_disconnected(configured):
    server = configured(RELAXED)
    console = at_console(server)
    assert server.erin.code("disconn %d" % console.session) == 0
    server.root.wait_state(console.session, "Disc")
    console.wait_until(lambda t: LOGIN.search(t.screen()), "the login prompt")


def test_relaxed_the_consoles_session_is_fetched_with_its_owners_password(configured):
    server = configured(RELAXED)
    console = at_console(server)
    console.line("echo it was bob").wait_for("\nit was bob")
    here = server.erin.logon()
    server.erin.assert_refused("connect console", 1326, in_terminal=here)
    here.line(server.erin.with_password("connect console", BOBS)).wait_for("it was bob")


def test_relaxed_one_connects_from_the_console(configured):
    server = configured(RELAXED)
    console = at_console(server, "erin")
    idle = server.erin.detached("sh -c 'echo seen at the console; cat'")
    console.line("connect %d" % idle).wait_for("seen at the console")


def test_relaxed_is_not_lawless(configured):
    server = configured(RELAXED)
    console = at_console(server)
    server.alice.assert_refused("disconn %d" % console.session, 5)
    mine = server.alice.detached()
    server.alice.assert_refused("connect %d /dest:console" % mine, 5)


def test_the_rules_may_change_while_it_runs(server):
    console = at_console(server)
    server.erin.assert_refused("disconn %d" % console.session, 7041)
    server.reload(RELAXED)

    def done():
        result = server.erin.run("disconn %d" % console.session)
        return result.status == 0 or (error_code(result) != 7041 and pytest.fail(result.err))
    server.pump.wait(done, "the relaxed rules")
