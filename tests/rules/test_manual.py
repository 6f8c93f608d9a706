"""The manual: every command, option, setting, program and field of the JSON has its place, and every page is well-formed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import tree

PAGES = tree.files("man/*.scd")


def rendered(source):
    """The page as man shows it, without formatting; complaints of scdoc or man fail."""
    page = subprocess.run(["scdoc"], input=source, capture_output=True, text=True, check=False)
    assert page.returncode == 0 and page.stderr == "", page.stderr
    shown = subprocess.run(["man", "--warnings", "--no-hyphenation", "--no-justification", "-l", "-"], input=page.stdout,
                           capture_output=True, text=True, check=False,
                           env={"PATH": "/usr/bin:/bin", "MANWIDTH": "400", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr
    return shown.stdout


def section(page, heading):
    match = re.search(rf"^{heading}\n((?:[ \t].*\n|\n)+)", page, re.M)
    return match[1] if match else ""


def check_page(name, page):
    """The name stands in the head and in NAME, and the obligatory sections are there."""
    found = []
    stem, number = re.match(r"(.+)\.(\d)\.scd$", name).groups()
    if not page.startswith(f"{stem}({number})"):
        found.append(f"{name}: the head is {page.splitlines()[0].split()[0]}")
    if not re.search(rf"\b{re.escape(stem)}\b.* - \S", section(page, "NAME")):
        found.append(f"{name}: NAME does not say what it is")
    wanted = ["DESCRIPTION", "SEE ALSO"] + (["SYNOPSIS"] if number in "18" else [])
    return found + [f"{name}: has no {heading}" for heading in wanted if not section(page, heading)]


def check_references(name, source, pages):
    """Pages of ours that a page refers to exist, by their own name or an alias."""
    ours = [f"{n}({s})" for n, s in re.findall(r"\*([\w.-]+)\*\((\d)\)", source)]
    known = {"varlinkctl(1)", "unix(7)"}
    return [f"{name}: refers to {reference}" for reference in ours if reference not in pages | known]


def page_names():
    listed = (tree.ROOT / "man/meson.build").read_text()
    return {f"{n}({s})" for n, s in re.findall(r"'([\w.-]+)\.(\d)'", listed)}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_page_is_well_formed(path):
    source = path.read_text()
    assert check_page(path.name, rendered(source)) == []
    assert check_references(path.name, source, page_names()) == []
    assert f"'{path.name.removesuffix('.scd')}'" in (tree.ROOT / "man/meson.build").read_text()


def test_every_program_and_alias_has_a_page():
    built = (tree.ROOT / "bin/meson.build").read_text()
    names = re.findall(r"'(termserv[\w-]*)':", built) + re.findall(r"'(\w+)'", re.search(r"aliases = \[([^\]]*)\]", built)[1])
    assert len(names) >= 14
    pages = {name.split("(")[0] for name in page_names()}
    assert [name for name in names if name not in pages] == []


def check_settings(source, page):
    """Each row of the table of settings has an entry in its section of termserv.conf(5), and the page has no other."""
    rows = re.findall(r'^\t\{ "(\w+)", "([\w-]+)",', source, re.M)
    shown = []
    for part in re.split(r"^# ", page, flags=re.M):
        shown += [(part.split("]")[0].strip("["), name) for name in re.findall(r"^\*([\w-]+)\* =", part, re.M)]
    assert rows
    return [f"{row} is not in the page" for row in rows if row not in shown] + \
        [f"{row} is in the page alone" for row in shown if row not in rows]


def test_every_setting_is_in_the_manual():
    assert check_settings((tree.ROOT / "src/base/config.c").read_text(), (tree.ROOT / "man/termserv.conf.5.scd").read_text()) == []


# What follows proves that each check can fail.

def test_the_page_checks_see_a_bad_page():
    source = 'x(1) "termserv"\n\n# NAME\n\nx - does x\n\n# SYNOPSIS\n\nx\n\n# DESCRIPTION\n\nx\n\n# SEE ALSO\n\n*y*(1)\n'
    assert check_page("x.1.scd", rendered(source)) == []
    assert check_page("y.1.scd", rendered(source)) != []
    assert check_page("x.1.scd", rendered(source.replace("# SYNOPSIS\n\nx\n\n", ""))) != []
    assert check_page("x.1.scd", rendered(source.replace("x - does x", "x"))) != []
    assert check_references("x", source, {"x(1)"}) != [] and check_references("x", source, {"y(1)"}) == []
    with pytest.raises(AssertionError):
        rendered("x(1)\n\n|[ a\n:\n")


def test_the_settings_check_sees_a_missing_entry():
    table = '\t{ "session", "shell", set_shell, "x" },\n'
    page = "# [session]\n\n*shell* = _path_\n"
    assert check_settings(table, page) == []
    assert check_settings(table, page.replace("session", "terminal")) != []
    assert check_settings(table, page + "\n*colour* = x\n") != []
