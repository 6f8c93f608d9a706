"""The mosh method: the same program run directly and through termserv gives the same picture, before and after a reconnect.

Pictures are compared cell by cell with all attributes, cursor and lasting modes, by an emulator that is not ours."""

import re
import shutil

import pytest

from judge import Judge
from server import PROGRAMS, PYTHON

SAMPLE = "".join("line %03d of the file: %s\n" % (n, "abc äöü 日本 " * (n % 4)) for n in range(200))
SOURCE = '#include <stdio.h>\n\nint main(void)\n{\n\tprintf("hello %d\\n", 42); /* a comment */\n\treturn 0;\n}\n' * 3
MC_INI = ("[Midnight-Commander]\nconfirm_exit=false\n[Layout]\nmessage_visible=false\nfree_space=false\nxterm_title=true\n"
          "keybar_visible=true\ncommand_prompt=true\n")


class Case:
    """A real program: how it is started, what shows that it is up, what is typed then, what shows that this was done."""

    def __init__(self, name, command, ready, keys=(), same=None, reflows=False):
        self.name, self.command, self.ready, self.keys = name, command, ready, keys
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
    return Case(name, [PYTHON, str(PROGRAMS / "picture.py"), name], None)


BASH = ["bash", "--noprofile", "--rcfile", "prompt.sh", "-i"]

CASES = [
    Case("vim", ["vim", "-u", "vimrc", "-i", "NONE", "-n", "sample.c"], "hello",
         [("/printf\r", "printf"), ("ddp", "printf"), (":set number\r", "7 "), (":split\r", "sample.c")]),
    Case("vim-insert", ["vim", "-u", "vimrc", "-i", "NONE", "-n", "new file"], "~", [("ityped text 日本\rsecond", "second")]),
    Case("less", ["less", "-M", "sample.txt"], "line 000", [(" ", "line 023"), ("/line 1[0-3]0\r", "line 100"), ("b", "line 08")]),
    Case("htop", ["htop"], "F10", same=labels),
    Case("mc", ["mc", "-u", "-a", "one", "two"], "bbb", [("\t", "alpha"), ("\x1b[B\x1b[B", "beta")]),
    Case("bash", BASH, "colour", [("echo one two\r", "\none two"), ("printf '\\033[44mblue\\033[0m\\n'\r", "\nblue"),
                                  ("ls --color=always -1 one\r", "beta"), ("unfinished", "unfinished")], reflows=True),
    Case("zsh", ["zsh", "-i"], "right", [("echo one\r", "\none"), ("halfway", "halfway")], reflows=True),
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
    if case.ready is None:
        terminal.wait_until(lambda t: t.emulator.title == "shown", "the picture")
    else:
        terminal.wait_for(case.ready)
    for keys, shown in case.keys:
        terminal.type(keys).wait_for(shown)


def check_same(server, case, direct, through):
    """Waits until both show the same; says where they differ when they do not."""
    def equal():
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
    at = [x for x, (a, b) in enumerate(zip(one, two)) if a != b]
    texts = ["".join(c.data for c in row).rstrip() for row in (one, two)]
    return "columns %s; directly %r, through termserv %r; first %r, %r" % (
        at[:8], texts[0], texts[1], one[at[0]] if at else len(one), two[at[0]] if at else len(two))


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


@pytest.mark.parametrize("case", [c for c in CASES if c.ready and not c.reflows], ids=lambda c: c.name)
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
    check_same(server, case, direct, again)


@pytest.mark.parametrize("case", [c for c in CASES if c.reflows], ids=lambda c: c.name)
@pytest.mark.parametrize("size", [(40, 120), (12, 60)], ids=["larger", "smaller"])
def test_a_shell_keeps_its_text_on_a_terminal_of_another_size(material, case, size):
    server = material
    need(case)
    direct, through = both(server, case)
    direct.type("\x15echo done\r").wait_for("\ndone")
    through.type("\x15echo done\r").wait_for("\ndone")
    check_same(server, case, direct, through)

    def text(terminal):
        """Without the last prompt, which the shell draws anew at another width."""
        rows = [re.sub(r" +right$", "", row) for row in terminal.emulator.everything() if row.strip()]
        return rows[:-1]
    before = text(through)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1, rows=size[0], columns=size[1])
    server.pump.wait(lambda: text(again)[-len(before):] == before,
                     lambda: "the same lines: %r\n%r" % (before, again.emulator.everything()))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_tmux_agrees_that_the_picture_is_the_same(material, case):
    server = material
    need(case)
    if case.same is labels:
        pytest.skip("htop changes by itself; its labels are compared above")
    judge = Judge(server)
    direct, through = both(server, case)
    check_same(server, case, direct, through)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    assert judge.shown(again.raw, 24, 80) == judge.shown(direct.raw, 24, 80)


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("vim", "less", "mc", "bash")], ids=lambda c: c.name)
def test_the_program_goes_on_the_same_after_a_reconnect(material, case):
    server = material
    need(case)
    more = {"vim": ("ggOnew line\x1b", "new line"), "less": ("g", "line 000"), "mc": ("\t", "aaa"),
            "bash": ("\x15seq 30\r", "\n30")}[case.name]
    direct, through = both(server, case)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    for terminal in (direct, again):
        terminal.type(more[0]).wait_for(more[1])
    check_same(server, case, direct, again)


def test_leaving_the_alternate_screen_after_a_reconnect_brings_the_shell_back(material):
    server = material
    case = Case("bash", BASH, "colour", [("echo before vim\r", "\nbefore vim"), ("vim -u vimrc -i NONE -n sample.c\r", "hello")])
    need(case)
    direct, through = both(server, case)
    through.close()
    server.wait_state(1, "Disc")
    again = server.connect(1)
    check_same(server, case, direct, again)
    for terminal in (direct, again):
        terminal.type(":q\r").wait_for("before vim").type("echo after vim\r").wait_for("\nafter vim")
    check_same(server, case, direct, again)
