"""Reads differences.md: every table below a heading that names an oracle is a rule of the comparison."""

import re
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).resolve().parent / "differences.md"


@dataclass
class Row:
    streams: list
    kinds: set
    why: str


@dataclass
class Differences:
    rows: list = field(default_factory=list)
    without: dict = field(default_factory=dict)  # words that the random streams leave out: a quoted stream that shows why
    silent: set = field(default_factory=set)  # kinds that are not compared


def read(oracle, text=None):
    """What the section of that name says. ValueError: a table that is none of the three."""
    text = FILE.read_text() if text is None else text
    section = re.search(rf"^## {re.escape(oracle)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found = Differences()
    table = None
    for line in section[1].splitlines() if section else []:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            table = None
        elif table is None:
            table = cells[0]
            if table not in ("streams", "word", "not compared"):
                raise ValueError("no such table: " + table)
        elif set(line) <= set("|- "):
            continue
        elif table == "streams":
            found.rows.append(Row(cells[0].split(), set(cells[1].split(", ")), cells[-1]))
        elif table == "word":
            found.without[cells[0]] = cells[1].strip("`")
        else:
            found.silent.add(cells[0])
    return found


def judge(differences, observed):
    """Complaints about {stream: {kind: example}}: what is not listed, and what is listed and no longer so."""
    complaints = []
    listed = {}
    for row in differences.rows:
        for stream in row.streams:
            listed.setdefault(stream, set()).update(row.kinds)
    for stream, kinds in observed.items():
        for kind, example in kinds.items():
            if kind not in listed.get(stream, ()):
                complaints.append(f"{stream} differs in {kind}: {example}")
    for row in differences.rows:
        for stream in row.streams:
            if not row.kinds & observed.get(stream, {}).keys():
                complaints.append(f"{stream}: listed ({row.why}), but the same now")
        for kind in row.kinds:
            if not any(kind in observed.get(stream, {}) for stream in row.streams):
                complaints.append(f"{' '.join(row.streams)}: listed to differ in {kind}, but the same in it now")
    return complaints
