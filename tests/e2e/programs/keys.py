"""keys.py: a program in raw mode that shows every byte it gets in hex, each on its own line; ends at "q"."""

import os

from common import put, raw

raw()
put("keys:\r\n")
while True:
    data = os.read(0, 1024)
    for byte in data:
        put("<%02x>\r\n" % byte)
    if b"q" in data or not data:
        break
