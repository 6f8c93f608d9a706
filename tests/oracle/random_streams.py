"""Well-formed streams at random, the same ones for the same seed."""

import random

from streams import Stream

ROWS, COLUMNS = 8, 24
ACCENTS = "\u0301\u0308\u0327"
WIDE = "漢字한국テスト😀🚀"
NARROW = "äöüß→λЖ‹›·ø"


def number(r, most):
    """Mostly in range, sometimes left out, 0, or too much."""
    return r.choice(["", "0", str(most + 3), *[str(r.randint(1, most))] * 9])


def csi(final, *mosts, prefix="", intermediate=""):
    def make(r):
        numbers = ";".join(number(r, most) for most in mosts)
        return f"\x1b[{prefix}{numbers}{intermediate}{final}"
    return make


def one_of(*texts):
    return lambda r: r.choice(texts)


def text(r):
    return "".join(r.choice("abcdefghijklmnopqrstuvwxyz  ABC0123456789.-") for _ in range(r.randint(1, COLUMNS + 6)))


def look(r):
    parts = [r.choice(["0", "1", "2", "3", "4", "5", "7", "8", "9", "21", "22", "23", "24", "25", "27", "28", "29",
                       "31", "42", "93", "104", "39", "49", "53", "55", "4:3", "4:0", "38;5;123", "48;5;17",
                       "38;2;1;20;200", "48:2::9:8:7", "38:5:99", "58:5:3", "58:2::1:2:3", "59"])
             for _ in range(r.randint(1, 3))]
    return "\x1b[" + ";".join(parts) + "m"


def region(r):
    top = r.randint(1, ROWS - 1)
    return f"\x1b[{top};{r.randint(top + 1, ROWS)}r"


def columns_region(r):
    left = r.randint(1, COLUMNS - 2)
    return f"\x1b[?69h\x1b[{left};{r.randint(left + 1, COLUMNS)}s"


def place(r):
    return f"\x1b[{r.randint(1, ROWS)};{r.randint(1, COLUMNS - 1)}H"


# How often, name, maker.
WORDS = [
    (30, "text", text),
    (4, "narrow", lambda r: "".join(r.choice(NARROW) for _ in range(r.randint(1, 9)))),
    (4, "accents", lambda r: "".join(r.choice("aeiou") + r.choice(ACCENTS) for _ in range(r.randint(1, 5)))),
    (4, "wide", lambda r: "".join(r.choice(WIDE) for _ in range(r.randint(1, 6)))),
    (6, "newline", one_of("\r\n", "\r", "\x1bE")),
    (4, "line-feed", one_of("\n", "\x1bD", "\x0b", "\x0c")),
    (3, "reverse-index", one_of("\x1bM")),
    (3, "backspace", one_of("\b", "\b\b\b")),
    (4, "tab", one_of("\t", "\x1b[I", "\x1b[2I", "\x1b[Z", "\x1b[2Z")),
    (2, "tab-stops", one_of("\x1bH", "\x1b[g", "\x1b[3g")),
    (10, "place", place),
    (5, "anywhere", csi("H", ROWS, COLUMNS)),
    (6, "move", lambda r: csi(r.choice("ABCDEFG`ade"), COLUMNS)(r)),
    (12, "look", look),
    (6, "erase", lambda r: f"\x1b[{r.choice(['', '0', '1', '2'])}{r.choice('JK')}"),
    (3, "selective", lambda r: r.choice(["\x1b[1\"q", "\x1b[0\"q", "\x1b[?0K", "\x1b[?1K", "\x1b[?2K", "\x1b[?J", "\x1b[?1J"])),
    (3, "forget", one_of("\x1b[3J")),
    (8, "cells", lambda r: csi(r.choice("@PX"), 9)(r)),
    (6, "lines", lambda r: csi(r.choice("LM"), 4)(r)),
    (4, "scroll", lambda r: csi(r.choice("ST"), 4)(r)),
    (3, "repeat", lambda r: "x" + csi("b", 9)(r)),
    (4, "region", region),
    (3, "whole", one_of("\x1b[r")),
    (3, "columns", columns_region),
    (3, "whole-columns", one_of("\x1b[?69l")),
    (2, "shift-columns", lambda r: csi(r.choice("@A"), 4, intermediate=" ")(r)),
    (2, "edit-columns", lambda r: csi(r.choice("}~"), 4, intermediate="'")(r)),
    (2, "index-columns", one_of("\x1b6", "\x1b9")),
    (3, "origin", one_of("\x1b[?6h", "\x1b[?6l")),
    (3, "autowrap", one_of("\x1b[?7l", "\x1b[?7h", "\x1b[?7h")),
    (3, "insert", one_of("\x1b[4h", "\x1b[4l", "\x1b[4l")),
    (2, "newline-mode", one_of("\x1b[20h", "\x1b[20l", "\x1b[20l")),
    (2, "reverse-wrap", one_of("\x1b[?45h", "\x1b[?45l")),
    (4, "save", lambda r: place(r) + "\x1b7"),
    (4, "restore", one_of("\x1b8")),
    (2, "save-ansi", lambda r: place(r) + "\x1b[s"),
    (2, "restore-ansi", one_of("\x1b[u")),
    (3, "charset", one_of("\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\x1b(A")),
    (1, "shift", one_of("\x1b*0\x1bn", "\x1b+0\x1bo", "\x1bNq", "\x1bOq")),
    (3, "alternate", one_of("\x1b[?1049h", "\x1b[?1049l")),
    (1, "alternate-old", one_of("\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l")),
    (3, "modes", one_of("\x1b[?1h", "\x1b[?1l", "\x1b[?25l", "\x1b[?25h", "\x1b[?2004h", "\x1b[?2004l", "\x1b[?1004h",
                        "\x1b[?1000h", "\x1b[?1002h", "\x1b[?1003h", "\x1b[?1003l", "\x1b[?1006h", "\x1b[?1006l")),
    (1, "mode-stack", one_of("\x1b[?1;7s", "\x1b[?1;7r")),
    (1, "soft-reset", one_of("\x1b[!p")),
    (1, "alignment", one_of("\x1b#8")),
    (1, "scale", one_of("\x1b#6", "\x1b#3", "\x1b#4", "\x1b#5")),
    (1, "attributes", lambda r: r.choice(["", "\x1b[2*x"]) + csi(r.choice("rt"), ROWS, COLUMNS, ROWS, COLUMNS, 8, intermediate="$")(r)),
    (1, "reset", one_of("\x1bc")),
    (2, "title", one_of("\x1b]2;one\x07", "\x1b]0;two words\x1b\\")),
    (1, "palette", one_of("\x1b]4;1;#102030\x07", "\x1b]104\x07", "\x1b]10;#fff\x07", "\x1b]110\x07")),
]


def random_streams(seed, count, without=(), size=60):
    """count streams of `size` words, none of them named in `without`."""
    words = [(weight, make) for weight, name, make in WORDS if name not in without]
    weights, makers = zip(*words)
    for n in range(count):
        r = random.Random(f"{seed}/{n}")
        data = "".join(make(r) for make in r.choices(makers, weights, k=size))
        # Something is saved from the start on: what comes back without that is compared by the scripts.
        yield Stream(f"random/{seed}/{n}", ROWS, COLUMNS, [b"\x1b7" + data.encode()])

