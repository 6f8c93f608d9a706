"""Who may do what: every cell of the matrix, against the table that the manual prints too.

A cell is an operation of a caller on an object; its value is 0 (granted) or the error's code. What the table does not
name does not exist: a new operation or a new kind of caller needs its row here."""

import re

import pytest

from server import PROMPT, error_code
from system_server import RIGHTS, SERVER, TERMINALS, log_in, password_of
from test_console import session_at_console

OPERATIONS = ["query", "connect", "disconn", "termserv reset session", "logoff"]

# caller -> object -> the codes of the operations above. 1326 is "the owner's password is required": CONNECT is granted.
MATRIX = {
    "owner":         {"own": (0, 0, 0, 0, 0)},
    "guest":         {"own": (0, 5, 5, 5, 0),    "foreign": (7022, 7022, 7022, 7022, 7022)},
    "other":         {"own": (0, 0, 0, 0, 0),    "foreign": (0, 1326, 5, 5, 5)},
    "member":        {"own": (0, 0, 0, 0, 0),    "foreign": (0, 5, 0, 5, 0)},
    "denied":        {"own": (0, 0, 5, 0, 0),    "foreign": (0, 1326, 5, 5, 5)},
    "administrator": {"own": (0, 0, 0, 0, 0),    "foreign": (0, 1326, 0, 0, 0)},
    "root":          {"own": (0, 0, 0, 0, 0),    "foreign": (0, 1326, 0, 0, 0)},
    # Their sessions are older than these rights. To connect takes a terminal, and that the right to log on.
    "barred":        {"own": (7022, 5, 7022, 7022, 7022), "foreign": (7022, 5, 7022, 7022, 7022)},
    "kept-out":      {"own": (0, 5, 0, 0, 0),    "foreign": (0, 5, 0, 0, 0)},
}
CONSOLE = {
    # The console's session belongs to "other". The rules of the console come after the rights.
    "guest":         (7022, 7022, 7022, 7022, 7022),
    "owner":         (0, 7041, 5, 5, 5),
    "administrator": (0, 7041, 7041, 0, 5),
    "root":          (0, 7041, 7041, 0, 5),
}
UNKNOWN = (7022, 7022, 7022, 7022, 7022)

CALLERS = {"owner": "alice", "other": "bob", "guest": "dave", "member": "frank", "denied": "carol", "administrator": "erin",
           "root": "root", "barred": "keyla", "kept-out": "erin"}
CONFIG = SERVER + RIGHTS + "@keepers = QUERY LOGON DISCONNECT LOGOFF\ncarol = User -DISCONNECT\n" + TERMINALS


# What makes these callers what they are comes with a reload, when their sessions are there.
LATER = {"barred": "keyla = None\n", "kept-out": "erin = Full -LOGON\n"}


def restrict(server, caller):
    if caller in LATER:
        server.reload(CONFIG.replace("carol =", LATER[caller] + "carol ="))
        server.pump.wait(lambda: "denied" in server.root.run("query permission " + CALLERS[caller]).out, "the new rights")


def seen(person, session):
    """query: 0 when the list shows it, else 7022."""
    named = person.run("query session %d --json" % session)
    listed = person.session(session) is not None
    assert (named.status == 0) == listed, "asked by its number it exists, in the list it does not, or the other way round"
    return 0 if listed else 7022


def connect_here(person, session):
    """connect in a plain tty of that person; the code that it ends with, or 0 when the session is there."""
    terminal = person.terminal("connect %d" % session, emulate=True)

    def outcome():
        if not terminal.running:
            terminal.drain()
            return True
        found = person.system.root.session(session)
        return found and found["name"] and found["state"] == "Active" and b"\x1b" in terminal.raw
    person.pump.wait(outcome, terminal.report)
    match = re.search(rb"Error code (\d+)", terminal.raw)
    if terminal.running:
        terminal.close()
        person.system.root.wait_state(session, "Disc")
        return 0
    assert match, terminal.report()
    return int(match.group(1))


def outcome_of(person, operation, session):
    if operation == "query":
        return seen(person, session)
    if operation == "connect":
        return connect_here(person, session)
    return person.code("%s %d" % (operation, session))


def fresh(person, operation):
    """A session of that person that the operation can be tried on: active where it is to be disconnected."""
    if operation == "disconn" or person.name == "dave":
        return person.logon(command="cat").session
    return person.detached()


@pytest.mark.parametrize("operation", range(len(OPERATIONS)), ids=OPERATIONS)
@pytest.mark.parametrize("caller,what", [(c, w) for c in MATRIX for w in MATRIX[c]])
def test_each_cell_of_the_matrix_is_as_printed(configured, caller, what, operation):
    server = configured(CONFIG)
    person = server.person(CALLERS[caller])
    owner = person if what == "own" else server.alice
    session = fresh(owner, OPERATIONS[operation])
    restrict(server, caller)
    before = server.root.states()
    code = outcome_of(person, OPERATIONS[operation], session)
    assert code == MATRIX[caller][what][operation]
    if code != 0:
        server.root.wait_unchanged(before)


@pytest.mark.parametrize("caller", CALLERS)
def test_an_unknown_session_is_unknown_to_everybody(configured, caller):
    server = configured(CONFIG)
    person = server.person(CALLERS[caller])
    restrict(server, caller)
    expected = MATRIX["barred"]["foreign"] if caller in LATER else UNKNOWN
    assert tuple(outcome_of(person, operation, 4711) for operation in OPERATIONS) == expected


@pytest.mark.parametrize("operation", range(len(OPERATIONS)), ids=OPERATIONS)
@pytest.mark.parametrize("caller", CONSOLE)
def test_each_cell_of_the_consoles_matrix_is_as_printed(configured, caller, operation):
    server = configured(CONFIG)
    console = server.person("termserv-tty").login_terminal("console")
    log_in(console, "bob", password_of("bob")).wait_for(PROMPT)
    session = session_at_console(server)
    code = outcome_of(server.person(CALLERS[caller]), OPERATIONS[operation], session)
    assert code == CONSOLE[caller][operation]


def test_what_one_may_not_see_answers_like_what_is_not_there(configured):
    """No answer of any method tells a session without the right to query it from none."""
    server = configured(CONFIG)
    session = server.alice.detached()
    for method in ("Connect", "Disconnect", "Logoff", "Reset"):
        texts = []
        for number in (session, 4711):
            parameters = '{"session":"%d"%s}' % (number, ',"destination":"TERM01"' if method == "Connect" else "")
            result = server.dave.run(["termserv", "call", method, parameters])
            texts.append((result.status, (result.out + result.err).replace(str(number), "N")))
        assert texts[0] == texts[1] and "7022" in texts[0][1]
    assert server.dave.query()["created"] <= 0 or server.dave.sessions() == []


@pytest.mark.parametrize("caller,code", [("owner", 5), ("other", 5), ("guest", 5), ("member", 5), ("denied", 5),
                                         ("administrator", 0), ("root", 0)])
def test_only_root_and_administrators_end_the_server(configured, caller, code):
    server = configured(CONFIG)
    session = server.alice.detached()
    result = server.person(CALLERS[caller]).run("termserv stop --force")
    if code:
        assert error_code(result) == code and server.root.session(session)
        return
    assert result.status == 0
    server.pump.wait(lambda: server.process.poll() is not None, "the end of termservd")
    server.pump.wait(lambda: not server.processes(), lambda: "the end of %s" % server.processes())
    server.process = None


@pytest.mark.parametrize("caller,code", [("owner", 5), ("guest", 5), ("administrator", 0), ("root", 0)])
def test_only_root_and_administrators_read_the_records(configured, caller, code):
    server = configured(CONFIG)
    server.alice.detached()
    result = server.person(CALLERS[caller]).run("termserv query audit --json")
    assert (error_code(result) if result.status else 0) == code


@pytest.mark.parametrize("level,may", [("Guest", True), ("User", True), ("Full", True), ("None", False), ("QUERY CONNECT", False),
                                       ("Full -LOGON", False)])
def test_who_may_log_on_at_all(configured, level, may):
    server = configured(SERVER + "[rights]\n* = User\ncarol = %s\n" % level + TERMINALS)
    terminal = server.carol.terminal("termserv logon -- sh -c 'echo logged on; cat'")
    if may:
        terminal.wait_for("logged on")
    else:
        assert terminal.wait_exit() == 1 and "Error code 5" in terminal.screen() and server.root.sessions() == []


def test_denied_wins_over_every_group_and_every_listing(configured):
    server = configured(SERVER + "[rights]\n* = Full\n@staffroom = Full\nbob = Full\n@keepers = Full\nalice = None\n" + TERMINALS)
    session = server.bob.detached()
    assert server.bob.session(session)
    assert server.alice.sessions() == []
    assert error_code(server.alice.run("termserv logon --detached -- cat")) == 5
    assert server.alice.code("logoff %d" % session) == 7022


def test_a_right_comes_by_any_of_ones_groups(configured):
    server = configured(SERVER + "[rights]\n* = User\n@staffroom = User RESET\n" + TERMINALS)
    session = server.carol.detached()
    assert server.dave.code("termserv reset session %d" % session) == 5
    assert server.alice.code("termserv reset session %d" % session) == 0


def test_a_listener_has_rights_of_its_own(configured):
    """A session keeps the listener of the terminal that made it."""
    server = configured(SERVER + "[rights]\n* = User\n[rights serial]\n* = User\nbob = Full\n"
                        "[terminal TERM06]\nuser = alice\nlistener = serial\n")
    serial = server.alice.logon_fixed("TERM06")
    plain = server.alice.logon(command="cat")
    assert server.bob.code("disconn %d" % plain.session) == 5
    assert server.bob.code("disconn %d" % serial.session) == 0
    server.alice.connect(serial.session, emulate=False)
    assert server.bob.code("logoff %d" % serial.session) == 0


def test_a_fixed_name_is_its_accounts_only(configured):
    server = configured(CONFIG + "[terminal TERM08]\ngroup = staffroom\n")
    for person, name, code in [(server.bob, "TERM01", 5), (server.root, "TERM01", 5), (server.alice, "TERM77", 5),
                               (server.alice, "console", 5), (server.carol, "TERM08", 5)]:
        terminal = person.terminal("termserv logon --terminal %s" % name)
        assert terminal.wait_exit() == 1
        assert "Error code %d" % code in terminal.screen(), (person.name, name)
    assert server.alice.logon_fixed("TERM01").name == "TERM01"
    assert server.alice.logon_fixed("TERM08").name == "TERM08"


def test_new_rights_hold_from_a_reload_on_for_sessions_that_are_there(configured):
    server = configured(CONFIG)
    session = server.alice.detached()
    assert server.bob.code("logoff %d" % session) == 5
    server.reload(CONFIG.replace("* = User\n", "* = User\nbob = Full\n", 1))
    server.pump.wait(lambda: server.bob.code("logoff %d" % session) == 0, "bob's new right")


def test_a_bad_configuration_changes_nothing(configured):
    server = configured(CONFIG)
    session = server.alice.detached()
    server.reload(CONFIG.replace("* = User\n", "* = Full\nnonsense\n= =\n", 1))
    server.pump.wait(lambda: re.search(r"termserv\.conf:\d+", server.log()), "a line that names the file and its line")
    assert server.bob.code("logoff %d" % session) == 5


def rows_of_the_manual():
    """The matrix as termserv.conf(5) prints it: caller, object, then a code for each operation."""
    from world import REPOSITORY
    text = (REPOSITORY / "man/termserv.conf.5.scd").read_text()
    found = {}
    for caller in MATRIX:
        for what in ("own", "foreign", "console"):
            match = re.search(r"^\|\s+%s\n:\s+%s\n((?::\s+\S+\n){%d})" % (caller, what, len(OPERATIONS)), text, re.M)
            if match:
                found[caller, what] = tuple(int(code) for code in re.findall(r"\d+", match.group(1)))
    return found


def test_the_manual_prints_this_matrix():
    expected = {(c, w): codes for c in MATRIX for w, codes in MATRIX[c].items()}
    expected.update({(c, "console"): codes for c, codes in CONSOLE.items()})
    assert rows_of_the_manual() == expected


def test_who_was_displaced_learns_of_it_from_whichever_broker_serves_him_then(server):
    alices, erins = server.alice.logon(), server.erin.detached()
    result = server.erin.run("connect %d /dest:%s" % (erins, alices.name))
    assert result.status == 0, result
    server.root.wait_state(alices.session, "Disc")
    server.kill("termserv-broker")
    server.root.wait_state(alices.session, "Disc")
    back = server.alice.connect(alices.session)
    back.wait_for("Session %d was disconnected from %s by erin" % (alices.session, alices.name))
