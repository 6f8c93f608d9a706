"""For the programs that tests run in sessions: the tty as it is, without help from the line discipline."""

import os
import sys
import termios
import tty


def raw():
    tty.setraw(0, termios.TCSANOW)


def put(data):
    view = memoryview(data if isinstance(data, bytes) else data.encode())
    while view:
        view = view[os.write(1, view):]


def read_until(end, limit=1 << 16):
    got = bytearray()
    while not got.endswith(end) and len(got) < limit:
        piece = os.read(0, 1)
        if not piece:
            sys.exit(3)
        got += piece
    return bytes(got)


def save(path, data):
    """So that a reader never sees half of it."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)
