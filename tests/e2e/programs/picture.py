"""picture.py NAME: one of the still pictures by which screens are compared; stays until a key comes."""

import os
import sys

from common import put, raw


def colours():
    out = []
    for y in range(12):
        row = ["\x1b[48;2;%d;%d;%dm\x1b[38;2;%d;%d;%dm%s" % (x * 4, y * 20, 200 - x * 3, 255 - x * 4, x * 2, y * 9, "▀")
               for x in range(60)]
        out.append("".join(row) + "\x1b[0m")
    out.append(" ".join("\x1b[38;5;%dm%03d\x1b[0m" % (n, n) for n in range(16, 34)))
    out.append("".join("\x1b[%dmX\x1b[0m" % n for n in [*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)]))
    return "\r\n".join(out)


def attributes():
    names = [1, 2, 3, 4, 5, 7, 8, 9, 21, 53, "4:3", "4:4", "4:5", "1;3;4", "2;7", "38;5;196;48;5;21;1", "4:3;58:5:9"]
    return "\r\n".join("\x1b[%smattribute %s\x1b[0m plain" % (n, n) for n in names)


def wide():
    return "\r\n".join([
        "日本語のテキスト|end", "한국어 텍스트|end", "中文字符測試|end", "cafe\u0301 nin\u0303o a\u0308o\u0308|end",
        "Ωλ привет שלום|end", "x" * 79 + "日本", "\x1b[8;79H日\x1b[9;80H日", "\x1b[12;1Hover日本語\x1b[12;6H__",
    ])


def lines():
    box = ["\x1b(0" + row + "\x1b(B" for row in ("lqqqwqqqk", "x   x   x", "tqqqnqqqu", "x   x   x", "mqqqvqqqj")]
    return "\r\n".join(box + ["┌───┬───┐", "│ a │ b │", "╞═══╪═══╡", "└───┴───┘", "\x1b)0\x0elqk\x0f plain", "█▓▒░ ▲▼◆"])


def editor():
    """An application on the alternate screen: margins, a pen that is left on, a hidden cursor, an odd cursor place."""
    return ("primary text\r\nsecond line\x1b[?1049h\x1b[2J\x1b[Htop\x1b[24;1Hbottom\x1b[3;20r\x1b[?6h\x1b[2;5Hin margins"
            "\x1b[?6l\x1b[10;40H\x1b[35;1;4mpen stays\x1b[?25l")


PICTURES = {f.__name__: f for f in (colours, attributes, wide, lines, editor)}

if __name__ == "__main__":
    raw()
    put("\x1b[2J\x1b[H" + PICTURES[sys.argv[1]]() + "\x1b]2;shown\x07")
    os.read(0, 1)
