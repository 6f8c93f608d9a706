"""The mosh method: the same program run directly and through termserv gives the same picture, before and after a reconnect.

Pictures are compared cell by cell with all attributes, cursor and lasting modes, by an emulator that is not ours."""

import re
import shutil
import time

import pytest

from judge import Judge
from server import PROGRAMS, PYTHON

SAMPLE = "".join("line %03d of the file: %s\n" % (n, "abc äöü 日本 " * (n % 4)) for n in range(200))
SOURCE = '#include <stdio.h>\n\nint main(void)\n{\n\tprintf("hello %d\\n", 42); /* a comment */\n\treturn 0;\n}\n' * 3
MC_INI = ("[Midnight-Commander]\nconfirm_exit=false\n[Layout]\nmessage_visible=false\nfree_space=false\nxterm_title=true\n"
          "keybar_visible=true\ncommand_prompt=true\n")
REDRAW_S = 2


class Case:
    """A real program: how it is started, what shows that it is up, what is typed then, what shows that this was done."""

    def __init__(self, name, command, ready, keys=(), same=None, reflows=False, redraw=""):
        self.name, self.command, self.ready, self.keys = name, command, ready, keys
        self.redraw = redraw  # makes it draw everything, where its answer to a new size is not always the same
        self.same = same or picture
        self.reflows = reflows  # lines of a shell: another size is the terminal's to make, not the program's


def picture(emulator):
    return {"cells": emulator.cells(), "cursor": emulator.cursor_state(), "modes": emulator.lasting(),
            "title": emulator.title}


def labels(emulator):
    """For htop: what does not change with the load of the machine."""
    rows = emulator.lines_text()
    keys = emulator.cells()[emulator.lines - 1]
    header = [re.sub(r"\s+", " ", row) for row in rows if "PID" in row and "USER" in row]
    meters = sorted(set(re.findall(r"Tasks:|Load average:|Uptime:|Mem\[|Swp\[|\d\[", "\n".join(rows))))
    return {"keys": keys, "header": header, "meters": meters, "modes": emulator.lasting()}


def still(name):
    return Case(name, [PYTHON, str(PROGRAMS / "picture.py"), name], r"^title: shown$")


BASH = ["bash", "--noprofile", "--rcfile", "prompt.sh", "-i"]

CASES = [
    Case("vim", ["vim", "-u", "vimrc", "-i", "NONE", "-n", "sample.c"], r"21L.* 1,1 ",
         [("/printf\r", r" 5,2-9 "), ("ddp", r" 6,2-9 "), (":set number\r", r"^  7 .* 6,2-9 "), (":split\r", r"30%.*27%")], redraw="\x0c"),
    Case("vim-insert", ["vim", "-u", "vimrc", "-i", "NONE", "-n", "new file"], r"\[New\].*0,0-1",
         [("ityped text 日本\rsecond", r"^second$.*INSERT.* 2,7 ")], redraw="\x0f\x0c"),  # now and then vim leaves the ruler for later
    Case("less", ["less", "-M", "sample.txt"], r"lines 1-23/200 11%$",
         [(" ", r"lines 24-46/200 23%$"), ("/line 1[0-3]0\r", r"lines 101-123/200 61%$"), ("b", r"lines 78-100/200 50%$")]),
    Case("htop", ["htop"], r"PID USER.*F10Quit", same=labels),
    Case("mc", ["mc", "-u", "-a", "one", "two"], r"title: mc .*one$.*10Quit",
         [("\t", r"title: mc .*two$"), ("\x1bOB\x1bOB", r"UP--DIR +\|\| bbb +\|$")]),
    Case("bash", BASH, r"^colour:\S+ $", [
        ("echo one two\r", r"^one two$.*^colour:\S+ $"), ("printf '\\033[44mblue\\033[0m\\n'\r", r"^blue$.*^colour:\S+ $"),
        ("ls --color=always -1 one\r", r"^gamma$\s^colour:\S+ $"), ("unfinished", r"^colour:\S+ unfinished$")], reflows=True),
    Case("zsh", ["zsh", "-i"], r"^left > +right$", [
        ("echo one\r", r"^one$\s^left > +right$"), ("halfway", r"^left > halfway +right$")], reflows=True),
    still("colours"), still("attributes"), still("wide"), still("lines"), still("editor"),
]


@pytest.fixture
def material(server):
    """The files that the programs show, and settings that leave nothing to chance."""
    home = server.home
    (home / "sample.c").write_text(SOURCE)
    (home / "sample.txt").write_text(SAMPLE)
    (home / "vimrc").write_text("set nocompatible title ruler showcmd hlsearch t_RB= t_RF=\nsyntax on\n")
    (home / "prompt.sh").write_text("PS1='\\[\\e[1;32m\\]colour\\[\\e[0m\\]:\\[\\e[38;5;208m\\]\\W\\[\\e[0m\\]\\$ '\n"
                                    "unset PROMPT_COMMAND HISTFILE\n")
    (home / ".zshrc").write_text("PROMPT='%F{green}left%f > '\nRPROMPT='%F{blue}right%f'\nunsetopt prompt_sp\nHISTSIZE=0\n")
    (home / ".config" / "mc").mkdir(parents=True)
    (home / ".config" / "mc" / "ini").write_text(MC_INI)
    for name in ("one/alpha", "one/beta", "one/gamma", "two/aaa", "two/bbb"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("x")
    return server


def need(case):
    if shutil.which(case.command[0]) is None:
        pytest.skip("%s is not installed" % case.command[0])


def work(terminal, case):
    """Each step waits for the end of what the one before it set off: keys that come earlier are another story."""
    wait_for_match(terminal, case.ready)
    for keys, shown in case.keys:
        wait_for_match(terminal.type(keys), shown, case.redraw)


def wait_for_match(terminal, pattern, redraw=""):
    """`redraw` is typed when the program is slow to show it."""
    pattern = re.compile(pattern, re.MULTILINE | re.DOTALL)
    asked = [time.monotonic()]

    def matches(t):
        if redraw and time.monotonic() - asked[0] > REDRAW_S:
            asked[0] = time.monotonic()
            t.type(redraw)
        rows = t.emulator.lines_text()
        y = t.emulator.cursor.y
        rows[y] = rows[y].ljust(t.emulator.cursor_state()[0])  # a prompt ends in a blank
        return pattern.search("title: %s\n%s" % (t.emulator.title, "\n".join(rows)))
    return terminal.wait_until(matches, "a match of %r" % pattern.pattern)


def check_same(server, case, direct, through, redraw=""):
    """Waits until both show the same; says where they differ when they do not. `redraw` is typed when they are slow to."""
    asked = [time.monotonic()]

    def equal():
        if redraw and time.monotonic() - asked[0] > REDRAW_S:
            asked[0] = time.monotonic()
            direct.type(redraw)
            through.type(redraw)
        return case.same(direct.emulator) == case.same(through.emulator)
    server.pump.wait(equal, lambda: difference(case.same(direct.emulator), case.same(through.emulator)))


def difference(one, two):
    found = []
    for key in one:
        if key == "cells":
            rows = list(zip(one[key], two[key]))
            found += ["row %d: %s" % (y, row_difference(*pair)) for y, pair in enumerate(rows) if pair[0] != pair[1]]
        elif one[key] != two[key]:
            found.append("%s: directly %r, through termserv %r" % (key, one[key], two[key]))
    return "the same picture\n" + "\n".join(found)


def row_difference(one, two):
    texts = ["".join(c.data for c in row).rstrip() for row in (one, two)]
    if texts[0] != texts[1]:
        return "directly %r, through termserv %r" % tuple(texts)
    x = [a == b for a, b in zip(one, two)].index(False)
    fields = [f for f in one[x]._fields if getattr(one[x], f) != getattr(two[x], f)]
    return "%r, column %d: directly %s, through termserv %s" % (
        texts[0], x, *(", ".join("%s=%s" % (f, getattr(row[x], f)) for f in fields) for row in (one, two)))


def both(server, case, **size):
    """The program directly, and through termserv in a new session, after the same keys."""
    direct = server.terminal(case.command, env=server.environment(SHELL="/bin/bash"), **size)
    work(direct, case)
    through = server.terminal(["termserv", "logon", "--new", "--", *case.command], **size)
    work(through, case)
    through.session = 1
    return direct, through


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_picture_is_the_same_before_and_after_a_reconnect(material, case):
    server = material
    need(case)
    direct, through = both(server, case)
    check_same(server, case, direct, through)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)


@pytest.mark.parametrize("case", [c for c in CASES if c.keys and not c.reflows], ids=lambda c: c.name)
@pytest.mark.parametrize("size", [(40, 120), (15, 60)], ids=["larger", "smaller"])
def test_a_program_is_the_same_on_a_terminal_of_another_size(material, case, size):
    server = material
    need(case)
    direct, through = both(server, case)
    check_same(server, case, direct, through)
    through.close()
    server.wait_state(1, "Disc")
    direct.resize(*size)
    again = server.connect(1, rows=size[0], columns=size[1])
    check_same(server, case, direct, again, case.redraw)


@pytest.mark.parametrize("case", [c for c in CASES if c.reflows], ids=lambda c: c.name)
@pytest.mark.parametrize("size", [(40, 120), (12, 60)], ids=["larger", "smaller"])
def test_a_shell_keeps_its_text_on_a_terminal_of_another_size(material, case, size):
    server = material
    need(case)
    direct, through = both(server, case)
    for terminal in (direct, through):
        wait_for_match(terminal.type("\x15echo done\r"), r"^done$\s^(left >|colour:\S+) ")
    check_same(server, case, direct, through)

    def text(terminal):
        """Without the last prompt, which the shell draws anew at another width."""
        rows = [re.sub(r" +right$", "", row) for row in terminal.emulator.everything()]
        return [row for row in rows if row][:-1]
    before = text(through)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1, rows=size[0], columns=size[1])
    server.pump.wait(lambda: text(again)[-len(before):] == before,
                     lambda: "the same lines: %r\n%r" % (before, again.emulator.everything()))


@pytest.mark.parametrize("case", [c for c in CASES if c.same is picture], ids=lambda c: c.name)
def test_tmux_agrees_that_the_picture_is_the_same(material, case):
    server = material
    need(case)
    judge = Judge(server)
    direct, through = both(server, case)
    check_same(server, case, direct, through)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    one, two = judge.shown(direct.raw, 24, 80), judge.shown(again.raw, 24, 80)
    assert two == one, difference(one, two)


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("vim", "less", "mc", "bash")], ids=lambda c: c.name)
def test_the_program_goes_on_the_same_after_a_reconnect(material, case):
    server = material
    need(case)
    more = {"vim": ("ggOnew line\x1b", r"new line$.* 1,8 "), "less": ("g", r"lines 1-23/200 11%$"), "mc": ("\t", r"title: mc .*one$"),
            "bash": ("\x15seq 30\r", r"^30$\s^colour:\S+ $")}[case.name]
    direct, through = both(server, case)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    for terminal in (direct, again):
        wait_for_match(terminal.type(more[0]), more[1])
    check_same(server, case, direct, again)


def test_leaving_the_alternate_screen_after_a_reconnect_brings_the_shell_back(material):
    server = material
    case = Case("bash", BASH, r"^colour:\S+ $", [
        ("echo before vim\r", r"^before vim$\s^colour:\S+ $"), ("vim -u vimrc -i NONE -n sample.c\r", r"21L.* 1,1 ")])
    need(case)
    direct, through = both(server, case)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    for terminal in (direct, again):
        wait_for_match(terminal.type(":q\r"), r"^before vim$.*^colour:\S+ $")
        wait_for_match(terminal.type("echo after vim\r"), r"^after vim$\s^colour:\S+ $")
    check_same(server, case, direct, again)
