"""show.py HEX: puts these bytes on a raw tty, waits for a key, puts the next HEX, and so on; then ends."""

import os
import sys

from common import put, raw

raw()
for text in sys.argv[1:]:
    put(bytes.fromhex(text))
    os.read(0, 1)
