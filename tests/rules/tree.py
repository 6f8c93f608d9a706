"""The tree as the rules see it: which files there are, and C text without its comments and strings."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("TERMSERV_BIN", ROOT / "build" / "bin")).resolve()


def files(*patterns, root=ROOT):
    """Files of the tree whose path matches one of the globs, sorted; never those of a build folder."""
    found = set()
    for pattern in patterns:
        for path in root.glob(pattern):
            parts = path.relative_to(root).parts
            if path.is_file() and not any(ignored(part) for part in parts):
                found.add(path)
    return sorted(found)


def ignored(part):
    return part.startswith("build") or part in (".git", "__pycache__", ".pytest_cache")


def c_files(*folders, root=ROOT):
    return files(*(f"{folder}/**/*.{kind}" for folder in folders for kind in "ch"), root=root)


def name(path, root=ROOT):
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


# One comment or one literal, whichever comes first.
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code(text, keep_strings=False):
    """C text with comments (and literals' insides) blanked; lines keep their numbers."""

    def blank(match):
        token = match.group()
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token if keep_strings else token[0] * 2

    return TOKEN.sub(blank, text)


def grep(pattern, text):
    """Numbers of the lines that match, from 1."""
    regex = re.compile(pattern)
    return [i for i, line in enumerate(text.split("\n"), 1) if regex.search(line)]


def program(*arguments):
    """Runs a built program and gives its result; a rule about programs is never skipped because nobody built them."""
    path = BIN / arguments[0]
    assert path.exists(), f"{path} is not built: run ./run --build, or set TERMSERV_BIN"
    return subprocess.run([path, *arguments[1:]], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL)
