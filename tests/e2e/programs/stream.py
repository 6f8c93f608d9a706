"""stream.py SEED SIZE: shows "go?", and when a key comes, a stream of random sequences; then waits for another key."""

import random
import sys

PIECES = [
    lambda r: "".join(r.choice("abcdefghij KLMNOP0123456789") for _ in range(r.randrange(1, 60))),
    lambda r: r.choice(["日本語", "e\u0301", "naïve", "🙂", "─│┌┐", "Ω≈ç√"]),
    lambda r: "\x1b[%sm" % ";".join(str(r.randrange(0, 108)) for _ in range(r.randrange(1, 4))),
    lambda r: "\x1b[38;2;%d;%d;%dm" % (r.randrange(256), r.randrange(256), r.randrange(256)),
    lambda r: "\x1b[4:%dm\x1b[58:5:%dm" % (r.randrange(6), r.randrange(256)),
    lambda r: "\x1b[%d;%dH" % (r.randrange(1, 25), r.randrange(1, 81)),
    lambda r: "\x1b[%d%s" % (r.randrange(1, 9), r.choice("ABCDEFGILMPSTXZ@d")),
    lambda r: "\x1b[%d%s" % (r.randrange(3), r.choice("JK")),
    lambda r: "\x1b]2;title %d\x07" % r.randrange(1000),
    lambda r: "\x1b]8;;http://example.org/%d\x1b\\link\x1b]8;;\x1b\\" % r.randrange(1000),
    lambda r: "\x1b[?%d%s" % (r.choice([1, 12, 25, 1004, 1006, 2004, 2026, 7727]), r.choice("hl")),
    lambda r: "\x1b7\x1b[r\x1b8",
    lambda r: "\x1b[%d q" % r.randrange(7),
    lambda r: "\x1b(0lqqk\x1b(B",
    lambda r: "\x1b_unknown %d\x1b\\" % r.randrange(1000),
    lambda r: "\x1b[999;7z",
    lambda r: r.choice(["\r\n", "\n", "\t", "\b", "\x07"]),
]
BYTES = [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\x00\x01\x02"]


def stream(seed, size):
    r = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        if r.randrange(40) == 0:
            out += r.choice(BYTES)
        else:
            out += r.choice(PIECES)(r).encode()
    return bytes(out)


if __name__ == "__main__":
    import os

    from common import put, raw
    raw()
    put("go?")
    os.read(0, 1)
    put(stream(int(sys.argv[1]), int(sys.argv[2])))
    put("\x1b[0m:done:")
    os.read(0, 1)
