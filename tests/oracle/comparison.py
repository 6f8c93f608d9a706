"""What differs between two runs of a stream, by kind, as far as the oracle can know it."""

import re

import emulators

BLANK = ("1", "-", "-", "default", "default", "none", "default")


def kinds_of(oracle, ours, theirs):
    """{kind: the first example} of all that differs in a run; empty = the same."""
    if theirs is None:
        return {"dies": ""}
    found = {}
    for n, (a, b) in enumerate(zip(ours[0], theirs[0], strict=True), 1):
        for kind, what in screens(oracle, a, b):
            found.setdefault(kind, f"dump {n}: {what}")
    for what, answer in ours[1].items():
        if what not in oracle.silent and answered(what, answer) and answered(what, theirs[1][what]) and same(answer) != same(theirs[1][what]):
            found.setdefault(what, f"{answer!r}, {oracle.name}: {theirs[1][what]!r}")
    return found


def answered(what, reply):
    """Whether the oracle knows what it was asked."""
    if what.startswith("mode"):
        return not re.search(rb";[04]\$y$|^$", reply)
    if what.startswith("setting"):
        return reply.startswith(b"\x1bP1$r") and reply != b"\x1bP1$r0 q\x1b\\"  # 0: the terminal's own shape
    return reply != b""


def same(reply):
    """DECSCA 0 and 2 mean the same."""
    return reply.replace(b'$r2"q', b'$r0"q')


def screens(oracle, a, b):
    for place in sorted(a.cells.keys() | b.cells.keys()):
        x, y = (normal(oracle, s.cells.get(place, BLANK)) for s in (a, b))
        where = "cell %d %d: " % place
        if x[:2] != y[:2]:
            yield "text", where + f"{shown(x)}, {oracle.name}: {shown(y)}"
        elif x[2:] != y[2:]:
            yield "looks", where + f"{' '.join(x[2:])}, {oracle.name}: {' '.join(y[2:])}"
    for kind in ("cursor", "title", "alternate"):
        x, y = getattr(a, kind), getattr(b, kind)
        if x != y:
            yield kind, f"{x}, {oracle.name}: {y}"
    if a.history != b.history:
        pairs = zip(a.history + [None], b.history + [None])
        n = next((i for i, (x, y) in enumerate(pairs) if x != y), 0)
        yield "history", f"line {n} of {len(a.history)}: {a.history[n:n + 1]}, {oracle.name}, {len(b.history)}: {b.history[n:n + 1]}"


def normal(oracle, cell):
    """The cell without what the oracle has no word for."""
    width, points, looks, foreground, background, underline, underline_color = cell
    kept = sorted(set(looks.split(",")) & oracle.looks)
    underline = underline if underline in oracle.underlines else "none"
    if underline == "none" or not oracle.underline_color:
        underline_color = "default"
    if width == "0":  # the right half looks like the left one
        return width, "-", "", "", "", "", ""
    if points == "-" and "inverse" not in kept:  # nothing of the text colour can be seen
        foreground = "default"
        kept = [look for look in kept if look in ("strike", "overline")]
    return width, points, ",".join(kept), foreground, background, underline, underline_color


def shown(cell):
    return f"{emulators.text_of(cell[1])!r} of width {cell[0]}"
