#!/usr/bin/python3
"""Makes tests/oracle/streams/*.stream: what real programs write on 24 rows and 80 columns. Run by hand, not by a test:

    tests/oracle/capture.py [NAME]...
"""

import os
import pty
import re
import select
import sys
import tempfile
import time
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

STREAMS = Path(__file__).resolve().parent / "streams"
LIMIT = 20.0
QUIET = 0.4  # a program that wrote what it was to write, and then nothing for so long, waits for keys
KEEP = 64 * 1024

SOURCE = "/* a sample */\n#include <stdio.h>\n\nint main(void)\n{\n\tputs(\"wide 漢字, ä, 😀\");\n\treturn 0;\n}\n" * 8

# Name, command, then pairs of keys and what has to be seen after them; "" = what comes when it starts.
PROGRAMS = {
    "vim": (["vim", "-u", "NONE", "-i", "NONE", "-N", "-c", "syntax on|set number hlsearch ruler", "sample.c"], [
        ("", "puts"), ("/main\r", "main"), ("3Goinserted line\x1b", "inserted"), (":split\r", "sample"), ("\x06", ""), ("dd", ""),
        ("\x17s", ""), ("Gzz", ""), (":vsplit\r", ""), ("5x", ""), (":qa!\r", "")]),
    "less": (["less", "-R", "sample.c"], [("", "sample"), (" ", "main"), ("b", ""), ("/puts\r", "puts"), ("G", "END"), ("q", "")]),
    "htop": (["htop", "-d", "50", "--user=nobody"], [("", "Load|CPU"), ("\x1b[B\x1b[B", ""), ("t", ""), ("\x1bOQ", ""), ("q", ""), ("q", "")]),
    "mc": (["mc", "-a", "-u"], [("", "1.*Help"), ("\t", ""), ("\x1b[B\x1b[B", ""), ("\x1bOR", ""), ("\x1bOR", ""),
                                ("\x1b[21~", ""), ("\r", "")]),
    "bash": (["bash", "--norc", "--noprofile"], [
        ("", r"\$"), ("ls --color=always -l\r", "sample"), ("echo " + "long " * 30 + "\r", "long"), ("echo wrong\x17right\r", "right"),
        ("\x12ls", ""), ("\r", ""), ("printf '\\e[1;4mlook\\e[m\\n'\r", "look"), ("exit\r", "")]),
    "zsh": (["zsh", "-f", "-i"], [
        ("", "[%#]"), ("PROMPT='%F{green}%~%f %# ' RPROMPT='%F{blue}right%f'\r", "right"), ("ls --color=always\r", "sample"),
        ("echo one two\x1bb\x1bb", ""), ("\x05 three\r", "three"), ("exit\r", "")]),
    "tmux": (["tmux", "-f", "tmux.conf", "-L", "capture", "new", "bash --norc --noprofile"], [
        ("", "[$#]"), ("\x02%", ""), ("ls -l\r", "sample"), ('\x02"', ""), ("seq 40\r", "40"), ("exit\r", ""), ("exit\r", ""), ("exit\r", "exited")]),
}


def capture(command, steps):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sample.c").write_text(SOURCE)
        Path(folder, "tmux.conf").write_text("set -g status-right ''\n")
        Path(folder, "other").mkdir()
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            home = {"HOME": folder, "PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "$ ",
                    "USER": "user", "HOSTNAME": "host"}
            os.execvpe(command[0], command, home)
        ioctl(fd, TIOCSWINSZ, pack("HHHH", 24, 80, 0, 0))
        data = b""
        for keys, shown in steps:
            os.write(fd, keys.encode())
            data += read(fd, shown.encode(), keys)
        os.close(fd)
        os.waitpid(pid, 0)
    return data


def read(fd, shown, keys):
    """All until it was seen and the program is quiet."""
    data = b""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        seen = re.search(shown, data) is not None
        if not select.select([fd], [], [], QUIET)[0]:
            if seen:
                return data
            continue
        try:
            data += os.read(fd, 65536)
        except OSError:  # it has ended
            return data
    sys.exit(f"never saw {shown!r} after {keys!r}: {data[-300:]!r}")


if __name__ == "__main__":
    STREAMS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PROGRAMS:
        (STREAMS / (name + ".stream")).write_bytes(capture(*PROGRAMS[name])[:KEEP])
