"""Documents lead where they say: links exist, and the tables of commands hold every command."""

import re

import pytest
import tree

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "HACKING.md", "CHANGELOG.md"]


def check_links(path, text, root=tree.ROOT):
    """Relative links, and paths in backquotes that begin with a folder of the tree, lead to something."""
    found = []
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target and not (path.parent / target).exists():
            found.append(f"{path.name}: ({target}) leads nowhere")
    for target in re.findall(r"`((?:src|tests|man|data|bench|bin)/[\w./-]+)`", text):
        if not (root / target).exists() and not any(mark in target for mark in ("NAME", "ID")):
            found.append(f"{path.name}: `{target}` does not exist")
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_has_no_dead_link(name):
    path = tree.ROOT / name
    assert check_links(path, path.read_text()) == []


def test_the_newest_changes_are_on_top_of_the_changelog():
    assert re.findall(r"^## (.*)$", (tree.ROOT / "CHANGELOG.md").read_text(), re.M)[0] == "Unreleased"


def test_architecture_names_every_room_and_program():
    text = (tree.ROOT / "ARCHITECTURE.md").read_text()
    rooms = {path.parent.relative_to(tree.ROOT) for path in tree.c_files("src")}
    assert len(rooms) >= 9
    for room in rooms:
        assert f"`{room}/`" in text, room
    for program in re.findall(r"'(termserv[\w-]*)':", (tree.ROOT / "bin/meson.build").read_text()):
        assert program in text, program


def test_the_link_check_sees_a_dead_link(tmp_path):
    page = tmp_path / "A.md"
    (tmp_path / "man").mkdir()
    (tmp_path / "man/x.scd").write_text("")
    assert check_links(page, "[b](B.md)", tmp_path) != []
    assert check_links(page, "`man/y.scd`", tmp_path) != []
    assert check_links(page, "`man/x.scd` [c](https://example.com/) `man/NAME.scd`", tmp_path) == []
