"""show.py HEX...: puts these bytes on a raw tty, waits for the key "k", puts the next HEX, and so on; then ends."""

import os
import sys

from common import put, raw

raw()
for text in sys.argv[1:]:
    put(bytes.fromhex(text))
    while os.read(0, 1) not in (b"k", b""):
        pass
