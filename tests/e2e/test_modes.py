"""Every mode of src/vt/modes.c through the whole server: set in a session, there again on the terminal that it is connected
to next, and undone when it leaves that one. What a terminal was sent is read by the screen model, which knows them all."""

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


def modes_of(raw, rows=24, columns=80):
    """{mode: whether it is set} of a terminal that was sent these bytes."""
    orders = b"stream %d %d\nfeed %d\n%s" % (rows, columns, len(raw), bytes(raw))
    for mode in INITIAL:
        query = f"\x1b[{mode}$p".encode()
        orders += b"ask %d\n%s" % (len(query), query)
    facts = subprocess.run([MODEL], input=orders + b"end\n", stdout=subprocess.PIPE, check=True).stdout.decode()
    answers = [bytes.fromhex(line.removeprefix("reply ")).decode() for line in facts.splitlines()]
    return {mode: answer.endswith(";1$y") for mode, answer in zip(INITIAL, answers, strict=True)}


def difference(raw, should):
    found = modes_of(raw)
    return {mode: f"is {found[mode]}, should be {should[mode]}" for mode in should if found[mode] != should[mode]}


def wait_for_modes(server, terminal, should):
    server.pump.wait(lambda: difference(terminal.raw, should) == {}, lambda: f"modes: {difference(terminal.raw, should)}")


def test_the_table_was_read_whole():
    assert len(ROWS) == TABLE.count("BIT(") - TABLE.count("#define BIT(") + TABLE.count(", VT_KIND_") - 1
    assert len(ROWS) == len(INITIAL) > 30


def test_a_terminal_just_switched_on_has_the_initial_modes():
    assert modes_of(b"") == INITIAL


@pytest.mark.parametrize("modes", GROUPS, ids=lambda modes: modes[0] if len(modes) == 1 else "side by side")
def test_modes_come_back_elsewhere_and_are_undone_when_the_session_leaves(server, modes):
    sequences, should = changed(modes)
    assert [mode for mode in modes if should[mode] == INITIAL[mode]] == []
    terminal = server.logon(shlex.join(["sh", "-c", 'printf %b "$0"; exec cat', sequences.replace("\x1b", r"\0033")]))
    wait_for_modes(server, terminal, should)
    session = terminal.session
    terminal.close()
    server.wait_state(session, "Disc")
    elsewhere = server.connect(session)
    wait_for_modes(server, elsewhere, should)
    server.disconnect(session)
    elsewhere.wait_exit()
    wait_for_modes(server, elsewhere, INITIAL)
