"""The dump programs: the orders that they get, the facts that they tell (stream.h), and what each can know."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("TERMSERV_BIN", HERE.parents[1] / "build" / "bin")).resolve()
BUILD = BIN.parent / "tests" / "oracle"

# The very versions that differences.md speaks of.
NODE_MODULES = ("@xterm/headless@6.0.0", "@xterm/addon-unicode11@0.9.0")

MODES = ("4", "20", "?1", "?5", "?6", "?7", "?12", "?25", "?45", "?66", "?69", "?9", "?1000", "?1002", "?1003", "?1004",
         "?1005", "?1006", "?1015", "?1016", "?1049", "?2004", "?2026")
SETTINGS = ("r", "s", " q", '"q')
PROBE = b"\x18~\r\n\tq"  # shows a wrap that is pending, the pen, character sets, margins and tab stops


def queries():
    """(what, bytes) of each question that is put to both at the end of a stream."""
    yield "position", b"\x1b[6n"
    for mode in MODES:
        yield "mode " + mode, b"\x1b[" + mode.encode() + b"$p"
    for setting in SETTINGS:
        yield "setting " + setting, b"\x1bP$q" + setting.encode() + b"\x1b\\"


@dataclass
class Screen:
    cells: dict = field(default_factory=dict)
    cursor: tuple = (0, 0)
    title: str = ""
    alternate: str = "0"
    history: list = field(default_factory=list)


@dataclass
class Emulator:
    name: str
    command: list
    looks: set  # attributes that it keeps
    underlines: set
    underline_color: bool
    resizes: bool  # as we do
    silent: set = field(default_factory=set)  # kinds that are not compared

    def run(self, streams):
        """For each stream its dumps and answers: [(dumps, {what: answer})], or None where the program died of it."""
        done = subprocess.run(self.command, input=b"".join(orders(s) for s in streams), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=600)
        if done.returncode != 0:
            return [None] if len(streams) == 1 else [self.run([stream])[0] for stream in streams]
        lines = done.stdout.decode().split("\n")
        lines = More(lines)
        return [None if lines.took("died") else read_facts(lines, stream) for stream in streams]


class More:
    """An iterator that can be asked what comes next."""

    def __init__(self, lines):
        self.lines = lines
        self.at = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.at += 1
        return self.lines[self.at - 1]

    def took(self, line):
        """Whether the next one is this; takes it then."""
        taken = self.lines[self.at] == line
        self.at += taken
        return taken


def orders(stream):
    out = [b"stream %d %d\n" % (stream.rows, stream.columns)]
    for step in stream.steps:
        out.append(b"resize %d %d\n" % step if isinstance(step, tuple) else b"feed %d\n%sdump\n" % (len(step), step))
    for _, question in queries():
        out.append(b"ask %d\n%s" % (len(question), question))
    out.append(b"feed %d\n%sdump\nend\n" % (len(PROBE), PROBE))
    return b"".join(out)


def read_facts(lines, stream):
    dumps = []
    answers = {}
    wanted = sum(not isinstance(step, tuple) for step in stream.steps)
    dumps = [read_dump(lines) for _ in range(wanted)]
    for what, _ in queries():
        answers[what] = bytes.fromhex(next(lines).removeprefix("reply").strip())
    dumps.append(read_dump(lines))
    return dumps, answers


def read_dump(lines):
    screen = Screen()
    for line in lines:
        words = line.split(" ")
        if line == ".":
            return screen
        if words[0] == "cell":
            screen.cells[int(words[1]), int(words[2])] = tuple(words[3:])
        elif words[0] == "cursor":
            screen.cursor = int(words[1]), int(words[2])
        elif words[0] == "history":
            screen.history.append("".join(map(text_of, words[2:])).rstrip())
        elif words[0] == "title":
            screen.title = bytes.fromhex(words[1]).decode(errors="replace")
        elif words[0] == "alternate":
            screen.alternate = words[1]
        else:
            raise ValueError("no such fact: " + line)
    raise ValueError("the facts end within a dump")


def text_of(points):
    """Code points beyond Unicode, which an oracle may tell, become U+FFFD."""
    values = [] if points in ("-", "") else [int(p, 16) for p in points.split("+")]
    return "".join(chr(v) if v < 0x110000 else "\ufffd" for v in values) or " "


def model():
    return Emulator("model", [str(BUILD / "dump_model")], set(), set(), True, True)


def libvterm():
    """None where it was not built in."""
    program = BUILD / "dump_vterm"
    if not program.exists():
        return None
    return Emulator("libvterm", [str(program)], {"bold", "italic", "blink", "inverse", "strike"},
                    {"none", "single", "double", "curly"}, False, False)


def xterm_js():
    """None where node or its modules are missing and cannot be had."""
    node = shutil.which("node")
    modules = BUILD / "node_modules"
    wanted = [modules / m.rpartition("@")[0] for m in NODE_MODULES]
    if node and not all(folder.is_dir() for folder in wanted) and shutil.which("npm"):
        # Without a net it fails, soon or after the limit.
        subprocess.run(["timeout", "60", "npm", "install", "--prefix", str(BUILD), "--no-audit", "--no-fund", "--no-save", *NODE_MODULES],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    if not node or not all(folder.is_dir() for folder in wanted):
        return None
    return Emulator("xterm.js", [node, str(HERE / "dump_xterm.js"), str(modules)],
                    {"bold", "dim", "italic", "blink", "inverse", "invisible", "strike", "overline"},
                    {"none", "single", "double", "curly", "dotted", "dashed"}, True, True)
