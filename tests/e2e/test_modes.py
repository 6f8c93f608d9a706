"""Every mode of src/vt/modes.c, and what lasts without being one, through the whole server: set in a session, there again on
the terminal that it is connected to next, and undone when it leaves that one. What a terminal was sent is read by the screen
model, which knows them all."""

import re
import shlex
import subprocess

import pytest

from server import REPOSITORY, default_programs

MODEL = default_programs().resolve().parent / "tests" / "oracle" / "dump_model"
TABLE = (REPOSITORY / "src/vt/modes.c").read_text()
ROW = re.compile(r"(?:BIT\((?P<bit>\d+), (?P<private>true|false), \w+, (?P<initial>true|false),"
                 r"|\{ (?P<number>\d+), true, VT_KIND_(?P<kind>\w+), 0, false,)")


def rows():
    """(mode as in `?7`, whether it is set at first, what excludes others of its kind or "")."""
    for row in ROW.finditer(TABLE):
        if row["bit"]:
            yield ("?" if row["private"] == "true" else "") + row["bit"], row["initial"] == "true", ""
        else:
            yield "?" + row["number"], False, row["kind"]


ROWS = list(rows())
INITIAL = {mode: initial for mode, initial, _ in ROWS}
# Those that live side by side are set together, each of the others by itself.
GROUPS = [[mode for mode, _, kind in ROWS if kind == ""], *[[mode] for mode, _, kind in ROWS if kind != ""]]


def changed(modes):
    """What turns each of them from what it is at first, and what all modes are then."""
    sequences = "".join(f"\x1b[{mode}{'l' if INITIAL[mode] else 'h'}" for mode in modes)
    return sequences, modes_of(sequences.encode())


def answers(raw, queries, rows=24, columns=80):
    """What a terminal that was sent these bytes answers to each query, and then its title."""
    orders = b"stream %d %d\nfeed %d\n%s" % (rows, columns, len(raw), bytes(raw))
    for query in queries:
        orders += b"ask %d\n%s" % (len(query.encode()), query.encode())
    facts = subprocess.run([MODEL], input=orders + b"dump\nend\n", stdout=subprocess.PIPE, check=True).stdout.decode()
    replies = [bytes.fromhex(line.removeprefix("reply ")).decode() for line in facts.splitlines() if line.startswith("reply")]
    return replies, [line for line in facts.splitlines() if line.startswith("title")]


def modes_of(raw):
    """{mode: whether it is set} of a terminal that was sent these bytes."""
    replies, _ = answers(raw, [f"\x1b[{mode}$p" for mode in INITIAL])
    return {mode: reply.endswith(";1$y") for mode, reply in zip(INITIAL, replies, strict=True)}


# What lasts and is no numbered mode, and what tells of it.
OTHERS = {
    "side by side": "\x1b]2;title\a\x1b[3 q\x1b[2;9r\x1b[1;38;5;99;48;2;1;2;3;4:3m\x1b[1\"q\x1b[2*x\x1b[>5u\x1b[>3u\x1b[>4;2m"
                    "\x1b]4;1;#123456\a\x1b]10;#234567\a\x1b]11;#345678\a\x1b]12;#456789\a\x1b[4G\x1bH\x1b[9G\x1b[g",
    "left and right margins": "\x1b[?69h\x1b[3;9s",
    "a keyboard stack of the alternate buffer": "\x1b[?1049h\x1b[>1u\x1b[>3u",
    "a place that was saved": "\x1b[7;9H\x1b7\x1b[H",
}
QUERIES = ["\x1b[?u", "\x1b[<u\x1b[?u", "\x1b[?4m", "\x1b]4;1;?\a", "\x1b]10;?\a", "\x1b]11;?\a", "\x1b]12;?\a",
           *(f"\x1bP$q{setting}\x1b\\" for setting in ("m", "r", "s", " q", '"q', "*x")), "\r\t\x1b[6n", "\t\x1b[6n", "\x1b8\x1b[6n"]


def others_of(raw):
    """{query: its answer, and "title": the title}; of a tab stop the column alone."""
    replies, title = answers(raw, QUERIES)
    told = dict(zip([*QUERIES, "title"], replies + title, strict=True))
    return {query: reply.partition(";")[2] if "\t" in query else reply for query, reply in told.items()}


def difference(raw, should, look=modes_of):
    found = look(raw)
    return {what: f"is {found[what]!r}, should be {should[what]!r}" for what in should if found[what] != should[what]}


def wait_for_modes(server, terminal, should, look=modes_of):
    server.pump.wait(lambda: difference(terminal.raw, should, look) == {},
                     lambda: f"modes: {difference(terminal.raw, should, look)}")


def shown_elsewhere_and_undone(server, sequences, should, initial, look):
    terminal = server.logon(shlex.join(["sh", "-c", 'printf %b "$0"; exec cat', sequences.replace("\x1b", r"\0033")]))
    wait_for_modes(server, terminal, should, look)
    session = terminal.session
    terminal.close()
    server.wait_state(session, "Disc")
    elsewhere = server.connect(session)
    wait_for_modes(server, elsewhere, should, look)
    server.disconnect(session)
    elsewhere.wait_exit()
    wait_for_modes(server, elsewhere, initial, look)


def test_the_table_was_read_whole():
    assert len(ROWS) == TABLE.count("BIT(") - TABLE.count("#define BIT(") + TABLE.count(", VT_KIND_") - 1
    assert len(ROWS) == len(INITIAL) > 30


def test_a_terminal_just_switched_on_has_the_initial_modes():
    assert modes_of(b"") == INITIAL


@pytest.mark.parametrize("modes", GROUPS, ids=lambda modes: modes[0] if len(modes) == 1 else "side by side")
def test_modes_come_back_elsewhere_and_are_undone_when_the_session_leaves(server, modes):
    sequences, should = changed(modes)
    assert [mode for mode in modes if should[mode] == INITIAL[mode]] == []
    shown_elsewhere_and_undone(server, sequences, should, INITIAL, modes_of)


@pytest.mark.parametrize("what", OTHERS)
def test_what_lasts_without_being_a_mode_comes_back_too(server, what):
    sequences = OTHERS[what]
    should, initial = others_of(sequences.encode()), others_of(b"")
    assert should != initial
    # A place that nobody saved is home, and where the cursor is then is the terminal's affair.
    shown_elsewhere_and_undone(server, sequences, should, {k: v for k, v in initial.items() if "\x1b8" not in k}, others_of)
